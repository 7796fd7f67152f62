//! Multi-version memory: what every transaction of the block wrote, by version.
//!
//! A version is a transaction's index + 1; version 0 is what the block's pre-execution system
//! calls wrote. A reader with version `v` sees, for each field, the highest write below `v`.
//!
//! Accounts are finer than one value, because a block's hot accounts are hot in one field only:
//! the fee recipient, a wrapped-ether contract and an exchange's deposit address change their
//! *balance* in hundreds of transactions of which few ever look at it. So a write may `Add` to
//! a balance without having read it, and code, nonce and balance are separate.
//!
//! Reads here are speculation: a wrong one costs time. What is committed was validated against
//! the committed state itself (see `commit.rs`).

use std::{
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{
    Address, U256,
    map::{DefaultHashBuilder, HashMap, HashSet},
};
use parking_lot::RwLock;
use revm::state::AccountInfo;

/// Number of independently locked parts of each map. More than the threads of a large machine.
const SHARDS: usize = 128;
/// Words of the filter: 64 Ki bits, 8 KiB, so that it stays in the first-level cache.
const FILTER_WORDS: usize = 1024;

/// What one transaction did to an account's balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BalanceWrite {
    /// Nothing.
    Keep,
    /// Increased it (in wei, modulo 2^256) without depending on its value.
    Add(U256),
    /// Gave it this value, in wei.
    Set(U256),
}

/// What one transaction did to an account.
#[derive(Clone, Debug)]
pub(crate) struct AccountWrite {
    /// The account does not exist after this transaction. All fields below are then full.
    pub deleted: bool,
    /// Code hash and code (in an otherwise empty account), where they changed.
    pub code: Option<AccountInfo>,
    /// The nonce, where it changed.
    pub nonce: Option<u64>,
    /// The balance.
    pub balance: BalanceWrite,
    /// All storage from before this transaction is gone (created or self-destructed).
    pub wiped: bool,
}

impl AccountWrite {
    /// The account is now exactly `info`.
    pub(crate) fn full(info: Option<AccountInfo>, wiped: bool) -> Self {
        let deleted = info.is_none();
        let info = info.unwrap_or_default();
        Self {
            deleted,
            nonce: Some(info.nonce),
            balance: BalanceWrite::Set(info.balance),
            code: Some(info),
            wiped,
        }
    }
}

#[derive(Debug)]
struct Version<T> {
    version: usize,
    /// The transaction will run again and is expected to write here again, another value maybe.
    estimate: bool,
    write: T,
}

/// Versions of one location, in ascending order.
#[derive(Debug)]
struct Versions<T>(Vec<Version<T>>);

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Versions<T> {
    fn put(&mut self, version: usize, write: T) {
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

    fn remove(&mut self, version: usize) {
        if let Ok(at) = self.0.binary_search_by_key(&version, |v| v.version) {
            self.0.remove(at);
        }
    }

    fn estimate(&mut self, version: usize) {
        if let Ok(at) = self.0.binary_search_by_key(&version, |v| v.version) {
            self.0[at].estimate = true;
        }
    }

    /// Versions below `reader`, the highest first.
    fn below(&self, reader: usize) -> impl Iterator<Item = &Version<T>> {
        let end = self.0.partition_point(|v| v.version < reader);
        self.0[..end].iter().rev()
    }
}

/// One shard of a table.
type Shard<K, T> = RwLock<HashMap<K, Versions<T>>>;

/// A sharded map with a filter in front, so that a location that nobody wrote costs no lock.
struct Map<K, T> {
    filter: Box<[AtomicU64]>,
    shards: Box<[Shard<K, T>]>,
    hasher: DefaultHashBuilder,
}

impl<K: Hash + Eq, T> Map<K, T> {
    fn new() -> Self {
        Self {
            filter: (0..FILTER_WORDS).map(|_| AtomicU64::new(0)).collect(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    fn shard(&self, hash: u64) -> &RwLock<HashMap<K, Versions<T>>> {
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    fn filter(&self, hash: u64) -> (&AtomicU64, u64) {
        (
            &self.filter[(hash >> 6) as usize % FILTER_WORDS],
            1 << (hash & 63),
        )
    }

    fn read<R>(&self, key: &K, f: impl FnOnce(&Versions<T>) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(key);
        let (word, bit) = self.filter(hash);
        // A write that is just being published may be missed: validation sees to that.
        if word.load(Ordering::Acquire) & bit == 0 {
            return None;
        }
        self.shard(hash).read().get(key).map(f)
    }

    fn write(&self, key: K, f: impl FnOnce(&mut Versions<T>)) {
        let hash = self.hasher.hash_one(&key);
        f(self.shard(hash).write().entry(key).or_default());
        let (word, bit) = self.filter(hash);
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Release);
        }
    }
}

/// The fields of an account that lower transactions wrote, as seen by one reader.
#[derive(Debug, Default)]
pub(crate) struct AccountView {
    /// Sum of the increments above `balance`, in wei.
    pub credit: U256,
    /// The value below the increments; `None`: the base's.
    pub balance: Option<U256>,
    /// `None`: the base's.
    pub nonce: Option<u64>,
    /// `None`: the base's.
    pub code: Option<AccountInfo>,
    /// The account was deleted, and nothing of it was written again.
    pub deleted: bool,
    /// The highest version that will be written again and that every reader depends on
    /// (existence, code) or only readers of nonce or balance do.
    pub estimate: Option<(usize, bool)>,
}

/// What a read of a storage slot found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotView {
    /// No lower transaction wrote it.
    Base,
    /// This value.
    Value(U256),
    /// The transaction with this version is about to write it again.
    Estimate(usize),
}

/// The block's multi-version memory.
pub(crate) struct MvMemory {
    accounts: Map<Address, AccountWrite>,
    slots: Map<(Address, U256), U256>,
    /// Versions that emptied an account's whole storage.
    wipes: Map<Address, ()>,
}

impl MvMemory {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Map::new(),
            slots: Map::new(),
            wipes: Map::new(),
        }
    }

    /// The account below version `reader`; `None`: nobody wrote it.
    pub(crate) fn account(&self, address: &Address, reader: usize) -> Option<AccountView> {
        self.accounts.read(address, |versions| {
            let mut view = AccountView::default();
            let mut any = false;
            for Version {
                version,
                estimate,
                write,
            } in versions.below(reader)
            {
                let top = !any;
                any = true;
                if *estimate && view.estimate.is_none() {
                    let vital = write.code.is_some() || write.wiped || write.deleted;
                    view.estimate = Some((*version, vital));
                }
                view.deleted = top && write.deleted;
                if view.balance.is_none() {
                    match write.balance {
                        BalanceWrite::Keep => {}
                        BalanceWrite::Add(wei) => view.credit = view.credit.wrapping_add(wei),
                        BalanceWrite::Set(wei) => view.balance = Some(wei),
                    }
                }
                view.nonce = view.nonce.or(write.nonce);
                if view.code.is_none() {
                    view.code.clone_from(&write.code);
                }
                if view.balance.is_some() && view.nonce.is_some() && view.code.is_some() {
                    break;
                }
            }
            any.then_some(view)
        })?
    }

    /// The slot below version `reader`.
    pub(crate) fn slot(&self, address: Address, key: U256, reader: usize) -> SlotView {
        let found = self.slots.read(&(address, key), |versions| {
            versions
                .below(reader)
                .next()
                .map(|v| (v.version, v.estimate, v.write))
        });
        let wipe = self.wipes.read(&address, |versions| {
            versions
                .below(reader)
                .next()
                .map(|v| (v.version, v.estimate))
        });
        match (found.flatten(), wipe.flatten()) {
            // Writes of the wiping transaction itself came after its wipe.
            (Some((version, ..)), Some((wiped, estimate))) if wiped > version => {
                Self::wiped(wiped, estimate)
            }
            (Some((version, true, _)), _) => SlotView::Estimate(version),
            (Some((_, false, value)), _) => SlotView::Value(value),
            (None, Some((wiped, estimate))) => Self::wiped(wiped, estimate),
            (None, None) => SlotView::Base,
        }
    }

    fn wiped(version: usize, estimate: bool) -> SlotView {
        if estimate {
            SlotView::Estimate(version)
        } else {
            SlotView::Value(U256::ZERO)
        }
    }

    /// Publishes `writes` of `version` and withdraws those of its `previous` attempt that it did
    /// not repeat.
    pub(crate) fn publish(
        &self,
        version: usize,
        writes: &Writes,
        previous: &Locations,
    ) -> Locations {
        let mut now = Locations::default();
        for (address, write) in &writes.accounts {
            if write.wiped {
                self.wipes.write(*address, |v| v.put(version, ()));
                now.wipes.push(*address);
            }
            self.accounts
                .write(*address, |v| v.put(version, write.clone()));
            now.accounts.push(*address);
        }
        for (slot, value) in &writes.slots {
            self.slots.write(*slot, |v| v.put(version, *value));
            now.slots.push(*slot);
        }
        for a in withdrawn(&previous.accounts, &now.accounts) {
            self.accounts.write(*a, |v| v.remove(version));
        }
        for s in withdrawn(&previous.slots, &now.slots) {
            self.slots.write(*s, |v| v.remove(version));
        }
        for a in withdrawn(&previous.wipes, &now.wipes) {
            self.wipes.write(*a, |v| v.remove(version));
        }
        now
    }

    /// Marks everything that `version` wrote as about to be written again.
    pub(crate) fn estimate(&self, version: usize, written: &Locations) {
        for a in &written.accounts {
            self.accounts.write(*a, |v| v.estimate(version));
        }
        for s in &written.slots {
            self.slots.write(*s, |v| v.estimate(version));
        }
        for a in &written.wipes {
            self.wipes.write(*a, |v| v.estimate(version));
        }
    }

    /// The account's final state at `version`, now that it is committed: readers above stop
    /// adding up increments here.
    pub(crate) fn settle(
        &self,
        version: usize,
        address: Address,
        info: Option<AccountInfo>,
        wiped: bool,
    ) {
        self.accounts
            .write(address, |v| v.put(version, AccountWrite::full(info, wiped)));
    }
}

/// What is in `previous` and not in `now`.
fn withdrawn<'a, K: Hash + Eq>(previous: &'a [K], now: &[K]) -> impl Iterator<Item = &'a K> {
    let now: HashSet<&K> = if previous.is_empty() {
        HashSet::default()
    } else {
        now.iter().collect()
    };
    let gone: Vec<&'a K> = previous.iter().filter(|k| !now.contains(k)).collect();
    gone.into_iter()
}

/// All writes of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub accounts: Vec<(Address, AccountWrite)>,
    pub slots: Vec<((Address, U256), U256)>,
}

/// Where an attempt wrote.
#[derive(Debug, Default)]
pub(crate) struct Locations {
    accounts: Vec<Address>,
    slots: Vec<(Address, U256)>,
    wipes: Vec<Address>,
}
