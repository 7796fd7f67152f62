//! State roots, where a witness or a whole pre-state tells them.

use std::path::Path;

use alloy_primitives::{Address, B256, U256, map::AddressMap};
use alloy_trie::{TrieAccount, root};
use revm::{database::BundleState, state::AccountInfo};

use super::{Block, LoadError, PreState, json};
use crate::{Witness, WitnessError, witness::Threads};

/// The witness in a directory, if there is one of this parent's.
pub(super) fn witness(directory: &Path, parent: B256) -> Result<Option<Witness>, LoadError> {
    let path = directory.join("witness.json");
    if !path.is_file() {
        return Ok(None);
    }
    match Witness::new(json::read(&path)?, parent, &Threads) {
        Ok(witness) => Ok(Some(witness)),
        // Then it has nothing to check a result with.
        Err(WitnessError::Parent { .. }) => Ok(None),
        Err(source) => Err(LoadError::Witness { path, source }),
    }
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
    /// State root after the changes: from the witness, if there is one, else from the pre-state, if that has the parent's
    /// state root, which only a whole state has. `None` if neither is so.
    ///
    /// # Errors
    /// Something that the witness lacks.
    pub fn state_root_after(&self, changes: &BundleState) -> Option<Result<B256, WitnessError>> {
        let witness = self.witness.as_ref()?;
        if witness.has_state() {
            return Some(witness.root_after(changes, &Threads));
        }
        (state_root(&self.pre_state, None) == witness.root())
            .then(|| Ok(state_root(&self.pre_state, Some(changes))))
    }
}
