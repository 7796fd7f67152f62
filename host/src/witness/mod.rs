//! Execution witnesses: the part of the state that a block needs, as nodes of the state's trie that prove it.
//!
//! A block with a complete witness can be executed and verified with nothing else
//! ([`Block::load_stateless`](crate::Block::load_stateless)): what a rollup's dispute or a prover wants. The file is
//! what `debug_executionWitness` gives.

mod hash;
mod trie;

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable as _;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use revm::{bytecode::Bytecode, database::BundleState, state::AccountInfo};
use serde::Deserialize;

pub use hash::{Hasher, Threads};

use crate::block::analysed;
use trie::{Nodes, Trie, roots};

/// Something that a witness lacks, or has wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A node of the trie.
    #[error("the witness lacks the trie node {hash}")]
    Node {
        /// Keccak-256 of the node.
        hash: B256,
    },
    /// A node that is none.
    #[error("the witness has a node {hash} that is none: {reason}")]
    Malformed {
        /// Keccak-256 of the node; zero if it lies in another one.
        hash: B256,
        /// What is wrong with it.
        reason: String,
    },
    /// A path to a value that is not as long as keys are.
    #[error("the witness has a path that is not as long as its keys")]
    Depth,
    /// No header is the parent's.
    #[error("the witness has no header with the hash {parent}, which is the block's parent")]
    Parent {
        /// Hash of the parent.
        parent: B256,
    },
}

/// `witness.json`. What it calls keys is not needed.
#[derive(Deserialize)]
pub(crate) struct JsonWitness {
    #[serde(default)]
    state: Vec<Bytes>,
    #[serde(default)]
    codes: Vec<Bytes>,
    #[serde(default)]
    headers: Vec<Bytes>,
}

/// The state before a block, as far as its witness has it.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    nodes: Nodes,
    codes: B256Map<Bytecode>,
    /// Hashes of ancestors by number.
    ancestors: BTreeMap<u64, B256>,
    /// State root of the parent.
    root: B256,
}

impl Witness {
    /// A witness of the block whose parent has this hash. Every node and code gets its name by its own hash, so that
    /// nothing in it has to be believed.
    ///
    /// # Errors
    /// No header of the parent.
    pub(crate) fn new(
        json: JsonWitness,
        parent: B256,
        hasher: &dyn Hasher,
    ) -> Result<Self, WitnessError> {
        let named = |all: Vec<Bytes>| -> B256Map<Bytes> {
            let inputs: Vec<&[u8]> = all.iter().map(|bytes| &bytes[..]).collect();
            hasher.hash(&inputs).into_iter().zip(all).collect()
        };
        let headers = json.headers.iter();
        let headers: B256Map<Header> = headers
            .filter_map(|rlp| Header::decode(&mut &rlp[..]).ok())
            .map(|header| (header.hash_slow(), header))
            .collect();
        let root = headers
            .get(&parent)
            .ok_or(WitnessError::Parent { parent })?
            .state_root;
        // Only those that the parent's chain leads to.
        let mut ancestors = BTreeMap::new();
        let mut hash = parent;
        while let Some(header) = headers.get(&hash) {
            ancestors.insert(header.number, hash);
            hash = header.parent_hash;
            if let Some(number) = header.number.checked_sub(1) {
                ancestors.insert(number, hash);
            }
        }
        let codes = named(json.codes).into_iter();
        Ok(Self {
            nodes: named(json.state),
            codes: codes.map(|(hash, code)| (hash, analysed(code))).collect(),
            ancestors,
            root,
        })
    }

    /// State root of the parent.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// Whether it has any of the state, and not only headers.
    pub fn has_state(&self) -> bool {
        self.root == EMPTY_ROOT_HASH || self.nodes.contains_key(&self.root)
    }

    /// Codes by their hashes.
    pub fn codes(&self) -> impl Iterator<Item = (B256, &Bytecode)> {
        self.codes.iter().map(|(hash, code)| (*hash, code))
    }

    /// Hashes of ancestors by number.
    pub fn ancestors(&self) -> impl Iterator<Item = (u64, B256)> {
        self.ancestors.iter().map(|(number, hash)| (*number, *hash))
    }

    /// An account before the block, without its code.
    ///
    /// # Errors
    /// A node that is missing or malformed.
    pub fn account(&self, address: Address) -> Result<Option<AccountInfo>, WitnessError> {
        let account = leaf(&mut Trie::new(&self.nodes, self.root), address)?;
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: (account.code_hash == KECCAK256_EMPTY).then(Bytecode::default),
            ..AccountInfo::default()
        }))
    }

    /// A storage slot before the block; zero in an account that does not exist.
    ///
    /// # Errors
    /// A node that is missing or malformed.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, WitnessError> {
        let Some(account) = leaf(&mut Trie::new(&self.nodes, self.root), address)? else {
            return Ok(U256::ZERO);
        };
        let mut trie = Trie::new(&self.nodes, account.storage_root);
        let key = keccak256(B256::from(slot));
        let Some(mut value) = trie.get(key)? else {
            return Ok(U256::ZERO);
        };
        U256::decode(&mut value).map_err(|error| malformed(account.storage_root, &error))
    }

    /// The state root after the changes of a block.
    ///
    /// # Errors
    /// A node that is missing or malformed; also one that a deletion moves.
    pub fn root_after(
        &self,
        changes: &BundleState,
        hasher: &dyn Hasher,
    ) -> Result<B256, WitnessError> {
        let mut state = Trie::new(&self.nodes, self.root);
        let mut accounts = Vec::new();
        let mut storages = Vec::new();
        for (address, change) in &changes.state {
            let wiped = change.was_destroyed();
            let slots = change
                .storage
                .iter()
                .filter(|(_, slot)| wiped || slot.is_changed());
            let slots: Vec<_> = slots
                .map(|(key, slot)| (*key, slot.present_value))
                .collect();
            if !change.is_info_changed() && slots.is_empty() && !wiped {
                continue;
            }
            let Some(info) = &change.info else {
                state.set(keccak256(address), Vec::new())?;
                continue;
            };
            let before = leaf(&mut state, *address)?.filter(|_| !wiped);
            let root = before.map_or(EMPTY_ROOT_HASH, |account| account.storage_root);
            let mut storage = Trie::new(&self.nodes, root);
            for (key, value) in slots {
                let value = if value.is_zero() {
                    Vec::new()
                } else {
                    alloy_rlp::encode(value)
                };
                storage.set(keccak256(B256::from(key)), value)?;
            }
            accounts.push((*address, info));
            storages.push(storage);
        }
        for ((address, info), root) in accounts.into_iter().zip(roots(&storages, hasher)) {
            let account = TrieAccount {
                nonce: info.nonce,
                balance: info.balance,
                storage_root: root,
                code_hash: info.code_hash,
            };
            state.set(keccak256(address), alloy_rlp::encode(account))?;
        }
        Ok(roots([&state], hasher)
            .first()
            .copied()
            .unwrap_or(EMPTY_ROOT_HASH))
    }
}

fn leaf(trie: &mut Trie<'_>, address: Address) -> Result<Option<TrieAccount>, WitnessError> {
    let hash = keccak256(address);
    let Some(mut value) = trie.get(hash)? else {
        return Ok(None);
    };
    TrieAccount::decode(&mut value)
        .map(Some)
        .map_err(|error| malformed(hash, &error))
}

fn malformed(hash: B256, error: &alloy_rlp::Error) -> WitnessError {
    WitnessError::Malformed {
        hash,
        reason: error.to_string(),
    }
}
