//! A concurrent map from locations to versions of their values.

use std::hash::{BuildHasher, Hash};

use alloy_primitives::map::HashMap;

use super::sync::{AtomicU64, FILTER_WORDS, HashBuilder, Ordering, RwLock, SHARDS};

/// One write.
#[derive(Debug)]
pub(super) struct Version<T> {
    /// The writer's version.
    pub version: usize,
    /// The transaction will run again and is expected to write here again, another value maybe.
    pub estimate: bool,
    /// What was written.
    pub write: T,
}

/// Versions of one location, in ascending order.
#[derive(Debug)]
pub(super) struct Versions<T>(Vec<Version<T>>);

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Versions<T> {
    /// Writes, over what this version wrote before.
    pub(super) fn put(&mut self, version: usize, write: T) {
        let entry = Version {
            version,
            estimate: false,
            write,
        };
        match self.0.binary_search_by_key(&version, |v| v.version) {
            Ok(at) => self.0[at] = entry,
            Err(at) => self.0.insert(at, entry),
        }
    }

    /// Withdraws what this version wrote.
    pub(super) fn remove(&mut self, version: usize) {
        if let Ok(at) = self.0.binary_search_by_key(&version, |v| v.version) {
            self.0.remove(at);
        }
    }

    /// Changes what this version wrote.
    pub(super) fn change(&mut self, version: usize, f: impl FnOnce(&mut T)) {
        if let Ok(at) = self.0.binary_search_by_key(&version, |v| v.version) {
            f(&mut self.0[at].write);
        }
    }

    /// Marks what this version wrote as about to be written again.
    pub(super) fn estimate(&mut self, version: usize) {
        if let Ok(at) = self.0.binary_search_by_key(&version, |v| v.version) {
            self.0[at].estimate = true;
        }
    }

    /// Versions below `reader`, the highest first.
    pub(super) fn below(&self, reader: usize) -> impl Iterator<Item = &Version<T>> {
        let end = self.0.partition_point(|v| v.version < reader);
        self.0[..end].iter().rev()
    }
}

/// One independently locked part of a map.
type Shard<K, T> = RwLock<HashMap<K, Versions<T>>>;

/// A sharded map with a filter in front, so that a location that nobody wrote costs no lock.
pub(super) struct Map<K, T> {
    filter: Box<[AtomicU64]>,
    shards: Box<[Shard<K, T>]>,
    hasher: HashBuilder,
}

impl<K: Hash + Eq, T> Map<K, T> {
    pub(super) fn new() -> Self {
        Self {
            filter: (0..FILTER_WORDS).map(|_| AtomicU64::new(0)).collect(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: HashBuilder::default(),
        }
    }

    fn shard(&self, hash: u64) -> &Shard<K, T> {
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    fn filter(&self, hash: u64) -> (&AtomicU64, u64) {
        (
            &self.filter[(hash >> 6) as usize % FILTER_WORDS],
            1 << (hash & 63),
        )
    }

    /// Reads the versions of a location, if it was ever written.
    pub(super) fn read<R>(&self, key: &K, f: impl FnOnce(&Versions<T>) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(key);
        let (word, bit) = self.filter(hash);
        // A write that is just being published may be missed: validation sees to that.
        if word.load(Ordering::Acquire) & bit == 0 {
            return None;
        }
        self.shard(hash).read().get(key).map(f)
    }

    /// Changes the versions of a location.
    pub(super) fn write(&self, key: K, f: impl FnOnce(&mut Versions<T>)) {
        let hash = self.hasher.hash_one(&key);
        f(self.shard(hash).write().entry(key).or_default());
        let (word, bit) = self.filter(hash);
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Release);
        }
    }
}
