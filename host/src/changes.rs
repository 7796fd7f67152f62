//! State changes in one canonical form, whatever way a bundle came about.
//!
//! A [`BundleState`] may carry accounts that were touched and end as they began. Here an account is in only if its
//! balance, nonce, code or existence changed, if its storage was wiped, or if a slot changed.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use revm::database::{BundleAccount, BundleState};

/// How an account ends, and which slots changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Whether the account exists after the block.
    pub exists: bool,
    /// Balance in wei; zero when it does not exist.
    pub balance: U256,
    /// Nonce; zero when it does not exist.
    pub nonce: u64,
    /// Keccak-256 of its code; zero when it does not exist.
    pub code_hash: B256,
    /// Whether it existed before and was destroyed, so that all its slots from before are gone.
    pub wiped: bool,
    /// Slots whose values changed, with the values after the block; after a wipe, all slots that are not zero.
    pub slots: BTreeMap<U256, U256>,
}

/// Changed accounts, sorted by address.
pub fn changes(state: &BundleState) -> BTreeMap<Address, AccountChange> {
    let changed = state
        .state
        .iter()
        .filter_map(|(address, account)| Some((*address, change(account)?)));
    changed.collect()
}

fn change(account: &BundleAccount) -> Option<AccountChange> {
    let wiped = account.was_destroyed() && account.original_info.is_some();
    let before = |original: U256| if wiped { U256::ZERO } else { original };
    let slots: BTreeMap<_, _> = account
        .storage
        .iter()
        .filter(|(_, slot)| slot.present_value != before(slot.previous_or_original_value))
        .map(|(key, slot)| (*key, slot.present_value))
        .collect();
    if !wiped && slots.is_empty() && !account.is_info_changed() {
        return None;
    }
    let info = account.info.as_ref();
    Some(AccountChange {
        exists: info.is_some(),
        balance: info.map_or(U256::ZERO, |info| info.balance),
        nonce: info.map_or(0, |info| info.nonce),
        code_hash: info.map_or(B256::ZERO, |info| info.code_hash),
        wiped,
        slots,
    })
}
