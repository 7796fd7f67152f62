//! The state before a block: everything that the block reads.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U64, U256, keccak256,
    map::{AddressMap, B256Map, HashMap, U256Map},
};
use revm::{
    DatabaseRef, bytecode::Bytecode, database_interface::DBErrorMarker, state::AccountInfo,
};
use serde::Deserialize;

use super::{
    LoadError, Source, json,
    source::{Cached, Delayed},
};
use crate::{Witness, WitnessError};

/// An account before the block.
#[derive(Clone, Debug, Default)]
pub struct PreAccount {
    /// Balance in wei, nonce, code with its hash. The code is here, so that reading an account is one look-up.
    pub info: AccountInfo,
    /// Slots; those that are not here are zero.
    pub storage: U256Map<U256>,
}

/// The state before a block, in memory: shared by all threads, never written.
///
/// An account that is not in it does not exist; a slot that is not in it is zero; unless there is a [`Source`], which then
/// has what is not here. A block hash that is nowhere is an error, because every ancestor has one.
#[derive(Clone, Debug, Default)]
pub struct PreState {
    source: Option<Arc<dyn Source>>,
    accounts: AddressMap<PreAccount>,
    codes: B256Map<Bytecode>,
    block_hashes: HashMap<u64, B256>,
}

/// Something that execution needs and the block directory lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreStateError {
    /// The hash of an ancestor.
    #[error("`block_hashes.json` lacks the hash of block {number}, which BLOCKHASH asks for")]
    BlockHash {
        /// Number of the ancestor.
        number: u64,
    },
    /// A code by its hash.
    #[error("`prestate.json` lacks the code with hash {hash}")]
    Code {
        /// Keccak-256 of the code.
        hash: B256,
    },
    /// A part of the state's trie.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A source that fails.
    #[error("the state cannot be read: {reason}")]
    Source {
        /// What it says.
        reason: String,
    },
}

impl DBErrorMarker for PreStateError {}

impl PreState {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state that a witness proves.
    pub fn of_witness(witness: Arc<Witness>) -> Self {
        Self {
            accounts: AddressMap::default(),
            codes: witness
                .codes()
                .map(|(hash, code)| (hash, code.clone()))
                .collect(),
            block_hashes: witness.ancestors().collect(),
            source: Some(witness),
        }
    }

    /// A state that is elsewhere.
    pub fn of_source(source: Arc<dyn Source>) -> Self {
        Self {
            source: Some(source),
            ..Self::default()
        }
    }

    /// This state, every read of which takes `latency` (and what the system needs to let a thread sleep): slow storage,
    /// for measurements.
    pub fn delayed(self: Arc<Self>, latency: Duration) -> Self {
        Self::of_source(Arc::new(Delayed {
            state: self,
            latency,
        }))
    }

    /// This state, of which everything is read once.
    pub(crate) fn cached(self: Arc<Self>) -> Self {
        Self::of_source(Arc::new(Cached::new(self)))
    }

    /// Whether a read may take long; see [`Source::waits`].
    pub fn waits(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.waits())
    }

    /// Whether every account that is there is among [`PreState::accounts`].
    pub fn is_listed(&self) -> bool {
        self.source.is_none()
    }

    /// An account without its code, which its hash tells.
    ///
    /// # Errors
    /// Something that the source lacks.
    pub fn read(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        match (self.accounts.get(&address), &self.source) {
            (Some(account), _) => Ok(Some(account.info.copy_without_code())),
            (None, Some(source)) => source.account(address),
            (None, None) => Ok(None),
        }
    }

    /// Puts an account in, in place of the one that was there.
    pub fn insert(
        &mut self,
        address: Address,
        balance: U256,
        nonce: u64,
        code: Bytes,
        storage: impl IntoIterator<Item = (U256, U256)>,
    ) {
        let (code_hash, code) = if code.is_empty() {
            (KECCAK256_EMPTY, Bytecode::default())
        } else {
            let hash = keccak256(&code);
            let code = self.codes.entry(hash).or_insert_with(|| analysed(code));
            (hash, code.clone())
        };
        let info = AccountInfo::new(balance, nonce, code_hash, code);
        let storage = storage.into_iter().collect();
        self.accounts.insert(address, PreAccount { info, storage });
    }

    /// Puts the hash of an ancestor in.
    pub fn insert_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// The account at an address.
    pub fn account(&self, address: &Address) -> Option<&PreAccount> {
        self.accounts.get(address)
    }

    /// All accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &PreAccount)> {
        self.accounts.iter()
    }

    /// Number of accounts.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is no account.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Reads `prestate.json` and `block_hashes.json` of a block directory.
    ///
    /// # Errors
    /// A file that is missing or malformed, an account whose code is missing or not what its hash says.
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        let path = directory.join("prestate.json");
        let accounts: AddressMap<JsonAccount> = json::read(&path)?;
        let mut state = Self::new();
        let mut by_hash = Vec::new();
        for (address, account) in accounts {
            let nonce = account.nonce.to();
            match (account.code, account.code_hash) {
                (None, Some(hash)) if hash != KECCAK256_EMPTY && !hash.is_zero() => {
                    by_hash.push((address, hash));
                }
                (Some(code), Some(given)) if !code.is_empty() => {
                    let hashed = keccak256(&code);
                    if hashed != given {
                        return Err(code_hash(path, address, hashed, given));
                    }
                    state.insert(address, account.balance, nonce, code, account.storage);
                    continue;
                }
                (Some(code), None) => {
                    state.insert(address, account.balance, nonce, code, account.storage);
                    continue;
                }
                (Some(_), Some(given)) if given != KECCAK256_EMPTY && !given.is_zero() => {
                    return Err(code_hash(path, address, KECCAK256_EMPTY, given));
                }
                _ => {}
            }
            state.insert(
                address,
                account.balance,
                nonce,
                Bytes::new(),
                account.storage,
            );
        }
        // An account may leave its code out when another account has it.
        for (address, hash) in by_hash {
            let code = state.codes.get(&hash).cloned();
            match (state.accounts.get_mut(&address), code) {
                (Some(account), Some(code)) => {
                    account.info.code_hash = hash;
                    account.info.code = Some(code);
                }
                _ => {
                    return Err(LoadError::MissingCode {
                        path,
                        address,
                        hash,
                    });
                }
            }
        }
        let path = directory.join("block_hashes.json");
        state.block_hashes = json::read(&path)?;
        Ok(state)
    }
}

/// A code as revm executes it. What begins as a delegation (EIP-7702) and is none is a code as any other: accounts may have
/// got such codes before London.
pub(crate) fn analysed(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

fn code_hash(path: PathBuf, address: Address, hashed: B256, given: B256) -> LoadError {
    LoadError::CodeHash {
        path,
        address,
        hashed,
        given,
    }
}

/// An account as `prestate.json` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonAccount {
    balance: U256,
    nonce: U64,
    code: Option<Bytes>,
    code_hash: Option<B256>,
    #[serde(default)]
    storage: HashMap<U256, U256>,
}

impl DatabaseRef for PreState {
    type Error = PreStateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, PreStateError> {
        match self.accounts.get(&address) {
            Some(account) => Ok(Some(account.info.clone())),
            None => self.read(address),
        }
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, PreStateError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytecode::default());
        }
        match (self.codes.get(&hash), &self.source) {
            (Some(code), _) => Ok(code.clone()),
            (None, Some(source)) => source.code(hash),
            (None, None) => Err(PreStateError::Code { hash }),
        }
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, PreStateError> {
        match (self.accounts.get(&address), &self.source) {
            (Some(account), _) => Ok(account.storage.get(&slot).copied().unwrap_or_default()),
            (None, Some(source)) => source.storage(address, slot),
            (None, None) => Ok(U256::ZERO),
        }
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, PreStateError> {
        match (self.block_hashes.get(&number), &self.source) {
            (Some(hash), _) => Ok(*hash),
            (None, Some(source)) => source.block_hash(number),
            (None, None) => Err(PreStateError::BlockHash { number }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_only_begins_as_a_delegation_is_a_code() {
        let (mut state, address) = (PreState::new(), Address::repeat_byte(1));
        for code in [
            &[0xef, 1][..],
            &[0xef, 1, 0],
            &[0xef, 1, 0, 7],
            &[0xef, 1, 9],
        ] {
            state.insert(address, U256::ZERO, 1, code.to_vec().into(), []);
            let account = state.basic_ref(address).expect("it can be read");
            let found = account.and_then(|account| account.code);
            let found = found.expect("it has a code");
            assert!(!found.is_eip7702() && found.original_byte_slice() == code);
        }
    }
}
