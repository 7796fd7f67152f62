//! What an attempt read, and how much of it the outcome depends on.

use alloy_primitives::{Address, U256, map::AddressMap};

use crate::Location;
use revm::{
    database::{AccountStatus, CacheState},
    state::AccountInfo,
};

/// One account as an attempt saw it.
#[derive(Clone, Debug)]
pub(crate) struct AccountRead {
    /// What the attempt was given. Balance and nonce may be placeholders.
    pub info: Option<AccountInfo>,
    /// No lower transaction had written it.
    pub from_base: bool,
    /// The outcome depends on the balance itself, not only on whether the account is empty.
    pub balance: bool,
    /// The outcome depends on the nonce itself.
    pub nonce: bool,
}

impl AccountRead {
    /// The balance that the attempt was given, in wei.
    pub(crate) fn balance_given(&self) -> U256 {
        self.info.as_ref().map_or(U256::ZERO, |info| info.balance)
    }

    /// Whether an execution that is given `truth` takes the same course.
    fn agrees(&self, truth: Option<&AccountInfo>) -> bool {
        match (&self.info, truth) {
            (None, None) => true,
            (Some(read), Some(truth)) => {
                read.code_hash == truth.code_hash
                    // EIP-161: whether an account is empty decides about gas, deletion and EXTCODEHASH.
                    && read.is_empty() == truth.is_empty()
                    && (!self.balance || read.balance == truth.balance)
                    && (!self.nonce || read.nonce == truth.nonce)
            }
            _ => false,
        }
    }
}

/// One storage slot as an attempt saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotRead {
    pub address: Address,
    pub key: U256,
    pub value: U256,
    /// No lower transaction had written it.
    pub from_base: bool,
}

/// Everything an attempt read.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    pub accounts: AddressMap<AccountRead>,
    pub slots: Vec<SlotRead>,
    /// The outcome depends on every nonce that was read (creations and authorisations).
    pub all_nonces: bool,
    /// The outcome depends on everything that was read.
    pub exact: bool,
}

impl ReadSet {
    /// The outcome depends on the balance of this account.
    pub(crate) fn need_balance(&mut self, address: &Address) {
        if let Some(read) = self.accounts.get_mut(address) {
            read.balance = true;
        }
    }

    /// Starts anew, in the memory that is there.
    pub(crate) fn clear(&mut self) {
        self.accounts.clear();
        self.slots.clear();
        self.all_nonces = false;
        self.exact = false;
    }

    /// A copy in two pieces of memory.
    pub(crate) fn freeze(&self) -> Reads {
        Reads {
            accounts: self.accounts.iter().map(|(a, r)| (*a, r.clone())).collect(),
            slots: self.slots.clone(),
        }
    }
}

/// What an attempt read, at its end.
#[derive(Debug)]
pub(crate) struct Reads {
    accounts: Vec<(Address, AccountRead)>,
    slots: Vec<SlotRead>,
}

impl Reads {
    /// The first read of which the same transaction, executed on the committed state alone, would have had another value
    /// and thus perhaps taken another course. `cache` is the state as sequential execution has it at this transaction, as
    /// far as it differs from the base.
    pub(crate) fn conflict(&self, cache: &CacheState) -> Option<Location> {
        let mut accounts = self.accounts.iter();
        let account = accounts.find(|(address, read)| match cache.accounts.get(address) {
            None => !read.from_base,
            Some(truth) if read.from_base && untouched(truth.status) => false,
            Some(truth) => !read.agrees(truth.account.as_ref().map(|a| &a.info)),
        });
        if let Some((address, _)) = account {
            return Some(Location::account(*address));
        }
        let mut slots = self.slots.iter();
        let slot = slots.find(|read| match cache.accounts.get(&read.address) {
            None => !read.from_base,
            Some(account) => match &account.account {
                None => !read.value.is_zero(),
                Some(plain) => match plain.storage.get(&read.key) {
                    Some(value) => *value != read.value,
                    None if account.status.is_storage_known() => !read.value.is_zero(),
                    None => !read.from_base,
                },
            },
        });
        slot.map(|read| Location::slot(read.address, read.key))
    }
}

/// The account is in the cache as the base has it.
fn untouched(status: AccountStatus) -> bool {
    status.is_not_modified()
}
