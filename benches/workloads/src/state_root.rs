//! Roots of the state trie: a generated world is whole, so its roots are true.

use alloy_primitives::{B256, U256};
use alloy_trie::{KECCAK_EMPTY, TrieAccount, root};
use revm::database::BundleState;

use crate::{PreState, world::PreAccount};

/// State root of the accounts; empty ones (EIP-161) are not in the trie.
pub(crate) fn state_root(state: &PreState) -> B256 {
    let accounts = state.iter().filter(|(_, account)| !is_empty(account));
    root::state_root_unhashed(accounts.map(|(address, account)| (*address, leaf(account))))
}

/// The accounts after the changes of a block.
pub(crate) fn apply(state: &PreState, changes: &BundleState) -> PreState {
    let mut state = state.clone();
    for (address, change) in &changes.state {
        let Some(info) = &change.info else {
            state.remove(address);
            continue;
        };
        let account: &mut PreAccount = state.entry(*address).or_default();
        account.balance = info.balance;
        account.nonce = info.nonce;
        if let Some(code) = &info.code {
            account.code = code.original_bytes();
        }
        for (slot, value) in &change.storage {
            let slot = B256::from(*slot);
            if value.present_value.is_zero() {
                account.storage.remove(&slot);
            } else {
                account.storage.insert(slot, value.present_value.into());
            }
        }
    }
    state
}

fn is_empty(account: &PreAccount) -> bool {
    account.balance.is_zero() && account.nonce == 0 && account.code.is_empty()
}

fn leaf(account: &PreAccount) -> TrieAccount {
    let slots = account
        .storage
        .iter()
        .map(|(slot, value)| (*slot, U256::from_be_bytes(value.0)));
    let code_hash = if account.code.is_empty() {
        KECCAK_EMPTY
    } else {
        alloy_primitives::keccak256(&account.code)
    };
    TrieAccount {
        nonce: account.nonce,
        balance: account.balance,
        storage_root: root::storage_root_unhashed(slots),
        code_hash,
    }
}
