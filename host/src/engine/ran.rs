//! What one worker hands to the thread that commits.
//!
//! Every cache line of it is fetched from another core, and every allocation in it is freed by a
//! thread that did not make it. So it is in few pieces, without what commits do not need:
//! untouched accounts, slots that were only read, and revm's maps.

use std::{iter::Take, vec::IntoIter};

use alloy_primitives::{Address, U256};
use revm::{
    context::result::{EVMError, ExecutionResult},
    state::{Account, AccountInfo, AccountStatus, EvmState, EvmStorageSlot, TransactionId},
};

use super::{
    reads::{ReadSet, Reads},
    session::WorkerResult,
    view::ViewError,
};
use crate::{CardStatistics, PreStateError};

/// An attempt that ran to its end.
pub(crate) struct Ran {
    pub result: Result<ExecutionResult, EVMError<ViewError<PreStateError>>>,
    pub reads: Reads,
    pub changes: Changes,
    /// What it loaded, if an access list is wanted.
    pub accessed: Accessed,
    pub card: Option<Box<CardStatistics>>,
}

impl Ran {
    pub(crate) fn new(
        result: WorkerResult,
        reads: &ReadSet,
        card: Option<Box<CardStatistics>>,
        lists: bool,
    ) -> Self {
        let mut accessed = Accessed::default();
        let (result, changes) = match result {
            Ok(output) => {
                if lists {
                    accessed = Accessed::of(&output.state);
                }
                (Ok(output.result), Changes::new(output.state, reads))
            }
            Err(error) => (Err(error), Changes::default()),
        };
        Self {
            result,
            reads: reads.freeze(),
            changes,
            accessed,
            card,
        }
    }
}

/// All accounts and slots that an attempt loaded, wherever they came from.
#[derive(Debug, Default)]
pub(crate) struct Accessed {
    accounts: Vec<(Address, usize)>,
    slots: Vec<Slot>,
}

impl Accessed {
    fn of(state: &EvmState) -> Self {
        let mut accessed = Self::default();
        for (address, account) in state {
            let gone = account.is_selfdestructed_locally();
            let slots = account.storage.iter().map(|(key, slot)| Slot {
                key: *key,
                original: slot.original_value,
                present: if gone { U256::ZERO } else { slot.present_value },
            });
            accessed.slots.extend(slots);
            accessed.accounts.push((*address, account.storage.len()));
        }
        accessed
    }

    /// Every account with its slots.
    pub(super) fn each(&self) -> impl Iterator<Item = (Address, &[Slot])> {
        let mut rest = &self.slots[..];
        self.accounts.iter().map(move |(address, count)| {
            let (slots, others) = rest.split_at(*count);
            rest = others;
            (*address, slots)
        })
    }
}

/// The touched accounts of an attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    accounts: Vec<Touched>,
    slots: Vec<Slot>,
}

/// A slot before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub key: U256,
    pub original: U256,
    pub present: U256,
}

impl Slot {
    /// The slots that an account changed.
    pub(super) fn changed(account: &Account) -> impl Iterator<Item = Self> {
        account.changed_storage_slots().map(|(key, slot)| Self {
            key: *key,
            original: slot.original_value,
            present: slot.present_value,
        })
    }
}

/// An account as an attempt left it.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    pub address: Address,
    pub info: AccountInfo,
    pub status: AccountStatus,
    /// The balance that the attempt was given, in wei, if the outcome depends on no more than that
    /// there is one: the true one takes its place.
    pub given: Option<U256>,
    /// The nonce is the one that the attempt was given, and a placeholder.
    pub any_nonce: bool,
    /// Number of changed slots.
    slots: usize,
}

impl Changes {
    fn new(state: EvmState, reads: &ReadSet) -> Self {
        let mut changes = Self::default();
        for (address, account) in state {
            if !account.is_touched() {
                continue;
            }
            let read = reads.accounts.get(&address);
            let before = changes.slots.len();
            changes.slots.extend(Slot::changed(&account));
            changes.accounts.push(Touched {
                address,
                info: account.info,
                status: account.status,
                given: read
                    .filter(|read| !read.balance)
                    .map(|read| read.balance_given()),
                any_nonce: read.is_some_and(|read| !read.nonce),
                slots: changes.slots.len() - before,
            });
        }
        changes
    }

    /// Every account with its changed slots.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Touched, &[Slot])> {
        let mut rest = &self.slots[..];
        self.accounts.iter().map(move |touched| {
            let (slots, others) = rest.split_at(touched.slots);
            rest = others;
            (touched, slots)
        })
    }

    pub(crate) fn accounts(&mut self) -> impl Iterator<Item = &mut Touched> {
        self.accounts.iter_mut()
    }

    /// Every account with its changed slots, for good.
    pub(super) fn into_each(self, mut f: impl FnMut(Touched, Take<&mut IntoIter<Slot>>)) {
        let mut slots = self.slots.into_iter();
        for touched in self.accounts {
            let count = touched.slots;
            f(touched, slots.by_ref().take(count));
        }
    }

    /// The accounts as revm commits them.
    pub(crate) fn into_accounts(self) -> EvmState {
        let mut accounts = EvmState::default();
        self.into_each(|touched, slots| {
            accounts.insert(
                touched.address,
                account(touched.info, touched.status, slots),
            );
        });
        accounts
    }
}

/// An account as revm commits it.
pub(super) fn account(
    info: AccountInfo,
    status: AccountStatus,
    slots: impl Iterator<Item = Slot>,
) -> Account {
    let mut account = Account::default();
    account.info = info;
    account.status = status;
    account.storage = slots
        .map(|slot| {
            let id = TransactionId::ZERO;
            let value = EvmStorageSlot::new_changed(slot.original, slot.present, id);
            (slot.key, value)
        })
        .collect();
    account
}
