//! Writes of one transaction, as multi-version memory takes them.

use alloy_primitives::{Address, U256};
use revm::state::{Account, AccountInfo};

/// What one transaction did to an account's balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BalanceWrite {
    /// Nothing.
    #[default]
    Keep,
    /// Increased it (in wei, modulo 2^256) without depending on its value.
    Add(U256),
    /// Gave it this value, in wei.
    Set(U256),
}

/// What one transaction did to an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountWrite {
    /// The account does not exist after this transaction. All fields below are then full.
    pub deleted: bool,
    /// Nobody has executed it: a block access list says so.
    pub claimed: bool,
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
    /// More than a balance or a nonce changed.
    pub(crate) fn is_vital(&self) -> bool {
        self.code.is_some() || self.wiped || self.deleted
    }

    /// The account is now exactly `info`.
    pub(crate) fn full(info: Option<AccountInfo>, wiped: bool) -> Self {
        let deleted = info.is_none();
        let info = info.unwrap_or_default();
        Self {
            deleted,
            claimed: false,
            nonce: Some(info.nonce),
            balance: BalanceWrite::Set(info.balance),
            code: Some(info),
            wiped,
        }
    }
}

/// All writes of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub accounts: Vec<(Address, AccountWrite)>,
    pub slots: Vec<((Address, U256), U256)>,
}

impl Writes {
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.slots.is_empty()
    }

    /// Adds the slots that a touched account ends with; one that destroyed itself has none.
    pub(crate) fn add_slots(&mut self, address: Address, account: &Account) {
        if !account.is_selfdestructed() {
            let changed = account.changed_storage_slots();
            self.slots
                .extend(changed.map(|(key, slot)| ((address, *key), slot.present_value)));
        }
    }
}

/// Where an attempt wrote.
#[derive(Debug, Default)]
pub(crate) struct Locations {
    pub accounts: Vec<Address>,
    pub slots: Vec<(Address, U256)>,
    pub wipes: Vec<Address>,
}

impl Locations {
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.slots.is_empty() && self.wipes.is_empty()
    }
}

/// What a committed transaction wrote in its end.
#[derive(Debug)]
pub(crate) enum Final {
    /// All that it wrote.
    Writes {
        version: usize,
        writes: Writes,
        /// Where an attempt of it wrote in vain.
        withdrawn: Locations,
    },
    /// What a balance came to that it had added to: readers above stop adding up here.
    Balance {
        version: usize,
        address: Address,
        /// In wei.
        balance: U256,
    },
}
