//! What a transaction reads and writes, as far as others can tell.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256};

use crate::engine::{BalanceWrite, ReadSet, Writes};

/// Something that one transaction writes and another one reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cell {
    /// Whether an account exists, and its code.
    Account(Address),
    /// A balance.
    Balance(Address),
    /// A nonce.
    Nonce(Address),
    /// A storage slot.
    Slot(Address, U256),
}

/// When the value of a read is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    /// When the transaction begins: sender and called account.
    Begin,
    /// When it begins, with its message, and compared again when its result comes home.
    Sent,
    /// When the lane asks, and compared again.
    Asked,
    /// When the result comes home: that the block's beneficiary exists.
    Home,
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Write {
    pub cell: Cell,
    /// It adds to what others write: readers need all of them.
    pub adds: bool,
}

/// What one transaction read and wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub reads: Vec<(Cell, Told)>,
    pub writes: Vec<Write>,
    /// Accounts whose storage is gone behind it.
    pub wipes: Vec<Address>,
}

impl Access {
    /// As the engine sees it: `reads` and `writes` of an attempt, the slots that its lane asked for, and the accounts that
    /// are read before its message is made.
    pub fn of(
        reads: &ReadSet,
        writes: &Writes,
        asked: &[(Address, U256)],
        begins: &[Address],
    ) -> Self {
        let mut access = Self::default();
        for (address, read) in &reads.accounts {
            let (exists, used) = if begins.contains(address) {
                (Told::Begin, Told::Begin)
            } else {
                (Told::Home, Told::Sent)
            };
            let cells = [
                Some((Cell::Account(*address), exists)),
                (read.balance).then_some((Cell::Balance(*address), used)),
                read.nonce.then_some((Cell::Nonce(*address), used)),
            ];
            access.reads.extend(cells.into_iter().flatten());
        }
        let asked: BTreeSet<_> = asked.iter().copied().collect();
        let slots: BTreeSet<_> = (reads.slots.iter())
            .map(|read| (read.address, read.key))
            .collect();
        for slot in slots {
            let told = if asked.contains(&slot) {
                Told::Asked
            } else {
                Told::Sent
            };
            access.reads.push((Cell::Slot(slot.0, slot.1), told));
        }
        // Maps have no order, figures must have one.
        access.reads.sort_unstable();
        for (address, write) in &writes.accounts {
            let mut set = |cell, adds| access.writes.push(Write { cell, adds });
            if write.is_vital() {
                set(Cell::Account(*address), false);
            }
            if write.nonce.is_some() {
                set(Cell::Nonce(*address), false);
            }
            match write.balance {
                BalanceWrite::Keep => {}
                BalanceWrite::Add(_) => set(Cell::Balance(*address), true),
                BalanceWrite::Set(_) => set(Cell::Balance(*address), false),
            }
            if write.wiped {
                access.wipes.push(*address);
            }
        }
        let slots = writes.slots.iter();
        access.writes.extend(slots.map(|((address, key), _)| Write {
            cell: Cell::Slot(*address, *key),
            adds: false,
        }));
        access.writes.sort_unstable();
        access
    }
}
