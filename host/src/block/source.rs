//! Where a pre-state gets what it does not have in memory: a witness, or a node's own database.

use std::{fmt::Debug, sync::Arc, thread, time::Duration};

use alloy_primitives::{Address, B256, U256, map::HashMap};
use parking_lot::RwLock;
use revm::{DatabaseRef, bytecode::Bytecode, state::AccountInfo};

use super::{PreState, PreStateError};
use crate::Witness;

/// A state that is read by many threads at once.
pub trait Source: Debug + Send + Sync {
    /// An account without its code; none if it does not exist.
    ///
    /// # Errors
    /// What this source lacks, or cannot read.
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError>;

    /// A slot; zero if it was never written.
    ///
    /// # Errors
    /// As [`Source::account`].
    fn storage(&self, address: Address, slot: U256) -> Result<U256, PreStateError>;

    /// A code by its Keccak-256.
    ///
    /// # Errors
    /// As [`Source::account`].
    fn code(&self, hash: B256) -> Result<Bytecode, PreStateError>;

    /// The hash of an ancestor.
    ///
    /// # Errors
    /// As [`Source::account`].
    fn block_hash(&self, number: u64) -> Result<B256, PreStateError>;

    /// Whether a read may wait for a disk or a network. An engine then reads ahead, on more threads than there are
    /// processors.
    fn waits(&self) -> bool {
        true
    }
}

impl Source for Witness {
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        Ok(Self::account(self, address)?)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, PreStateError> {
        Ok(Self::storage(self, address, slot)?)
    }

    fn code(&self, hash: B256) -> Result<Bytecode, PreStateError> {
        Err(PreStateError::Code { hash })
    }

    fn block_hash(&self, number: u64) -> Result<B256, PreStateError> {
        Err(PreStateError::BlockHash { number })
    }

    fn waits(&self) -> bool {
        false
    }
}

/// Any database of revm's that threads can share, as a [`Source`].
#[derive(Clone, Debug)]
pub struct Provider<DB>(pub DB);

impl<DB> Provider<DB>
where
    DB: DatabaseRef<Error: std::error::Error>,
{
    fn failed(error: DB::Error) -> PreStateError {
        PreStateError::Source {
            reason: error.to_string(),
        }
    }
}

impl<DB> Source for Provider<DB>
where
    DB: DatabaseRef<Error: std::error::Error> + Debug + Send + Sync,
{
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        let account = self.0.basic_ref(address).map_err(Self::failed)?;
        Ok(account.map(|account| account.without_code()))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, PreStateError> {
        self.0.storage_ref(address, slot).map_err(Self::failed)
    }

    fn code(&self, hash: B256) -> Result<Bytecode, PreStateError> {
        self.0.code_by_hash_ref(hash).map_err(Self::failed)
    }

    fn block_hash(&self, number: u64) -> Result<B256, PreStateError> {
        self.0.block_hash_ref(number).map_err(Self::failed)
    }
}

/// A state every read of which takes a while, as from a disk: for measurements.
#[derive(Clone, Debug)]
pub(super) struct Delayed {
    pub state: Arc<PreState>,
    pub latency: Duration,
}

impl Source for Delayed {
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        thread::sleep(self.latency);
        self.state.read(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, PreStateError> {
        thread::sleep(self.latency);
        self.state.storage_ref(address, slot)
    }

    fn code(&self, hash: B256) -> Result<Bytecode, PreStateError> {
        thread::sleep(self.latency);
        self.state.code_by_hash_ref(hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, PreStateError> {
        self.state.block_hash_ref(number)
    }
}

/// Number of independently locked parts of each map.
const SHARDS: usize = 64;

/// A concurrent map of what has been read.
#[derive(Debug)]
struct Seen<K, V>(Box<[RwLock<HashMap<K, V>>]>);

impl<K: std::hash::Hash + Eq, V: Clone> Seen<K, V> {
    fn new() -> Self {
        Self((0..SHARDS).map(|_| RwLock::default()).collect())
    }

    /// What was read before, or is read now: without a lock, so that two threads may read the same.
    fn get<E>(&self, shard: u8, key: K, read: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let shard = &self.0[usize::from(shard) % SHARDS];
        if let Some(value) = shard.read().get(&key) {
            return Ok(value.clone());
        }
        let value = read()?;
        shard.write().insert(key, value.clone());
        Ok(value)
    }
}

/// A state of which everything is read once, whoever asks for it.
#[derive(Debug)]
pub(super) struct Cached {
    state: Arc<PreState>,
    accounts: Seen<Address, Option<AccountInfo>>,
    slots: Seen<(Address, U256), U256>,
    codes: Seen<B256, Bytecode>,
}

impl Cached {
    pub(super) fn new(state: Arc<PreState>) -> Self {
        Self {
            state,
            accounts: Seen::new(),
            slots: Seen::new(),
            codes: Seen::new(),
        }
    }
}

impl Source for Cached {
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        self.accounts
            .get(address[19], address, || self.state.read(address))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, PreStateError> {
        // Addresses are evenly spread; so are slots, but for the first few of an account.
        let shard = address[19] ^ slot.byte(0);
        let read = || self.state.storage_ref(address, slot);
        self.slots.get(shard, (address, slot), read)
    }

    fn code(&self, hash: B256) -> Result<Bytecode, PreStateError> {
        let read = || self.state.code_by_hash_ref(hash);
        self.codes.get(hash[31], hash, read)
    }

    fn block_hash(&self, number: u64) -> Result<B256, PreStateError> {
        self.state.block_hash_ref(number)
    }
}
