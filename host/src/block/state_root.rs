//! State roots, where the pre-state is the whole state.

use std::path::Path;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, map::AddressMap};
use alloy_rlp::Decodable as _;
use alloy_trie::{TrieAccount, root};
use revm::{database::BundleState, state::AccountInfo};
use serde::Deserialize;

use super::{Block, LoadError, PreState, json};

/// The part of `witness.json` (an execution witness as `debug_executionWitness` gives it) that is read: the RLP headers
/// of the ancestors.
#[derive(Deserialize)]
struct JsonWitness {
    #[serde(default)]
    headers: Vec<Bytes>,
}

/// State root of the parent, if the directory has a witness with the parent's header.
pub(super) fn parent_state_root(directory: &Path, parent: B256) -> Result<Option<B256>, LoadError> {
    let path = directory.join("witness.json");
    if !path.is_file() {
        return Ok(None);
    }
    let witness: JsonWitness = json::read(&path)?;
    let headers = witness.headers.iter();
    let mut decoded = headers.filter_map(|rlp| Header::decode(&mut rlp.as_ref()).ok());
    Ok(decoded
        .find(|header| header.hash_slow() == parent)
        .map(|header| header.state_root))
}

/// State root of the accounts, with the changes of a block when there are some.
pub fn state_root(state: &PreState, changes: Option<&BundleState>) -> B256 {
    let mut leaves: AddressMap<TrieAccount> = AddressMap::default();
    for (address, account) in state.accounts() {
        let changed = changes.and_then(|changes| changes.state.get(address));
        if changed.is_none() {
            let slots = account.storage.iter().map(|(slot, value)| (*slot, *value));
            put(&mut leaves, *address, &account.info, slots);
        }
    }
    for (address, changed) in changes.into_iter().flat_map(|changes| &changes.state) {
        let Some(info) = &changed.info else { continue };
        let mut slots = state
            .account(address)
            .filter(|_| !changed.was_destroyed())
            .map(|account| account.storage.clone())
            .unwrap_or_default();
        for (slot, value) in &changed.storage {
            slots.insert(*slot, value.present_value);
        }
        put(&mut leaves, *address, info, slots);
    }
    root::state_root_unhashed(leaves)
}

fn put(
    leaves: &mut AddressMap<TrieAccount>,
    address: Address,
    info: &AccountInfo,
    slots: impl IntoIterator<Item = (U256, U256)>,
) {
    let slots = slots.into_iter().filter(|(_, value)| !value.is_zero());
    let slots = slots.map(|(slot, value)| (B256::from(slot), value));
    let leaf = TrieAccount {
        nonce: info.nonce,
        balance: info.balance,
        storage_root: root::storage_root_unhashed(slots),
        code_hash: info.code_hash,
    };
    leaves.insert(address, leaf);
}

impl Block {
    /// State root after the changes; `None` unless the pre-state has the parent's state root, which only a whole state
    /// has.
    pub fn state_root_after(&self, changes: &BundleState) -> Option<B256> {
        let parent = self.parent_state_root?;
        (state_root(&self.pre_state, None) == parent)
            .then(|| state_root(&self.pre_state, Some(changes)))
    }
}
