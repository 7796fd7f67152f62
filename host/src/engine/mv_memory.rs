//! Multi-version memory: what every transaction of the block wrote, by version.
//!
//! A version is a transaction's index + 1; version 0 is what the block's pre-execution system
//! calls wrote. A reader with version `v` sees, for each field, the highest write below `v`.
//!
//! Accounts are finer than one value, because a block's hot accounts are hot in one field only:
//! the fee recipient, a wrapped-ether contract and an exchange's deposit address change their
//! *balance* in hundreds of transactions of which few ever look at it. So a write may `Add` to
//! a balance without having read it, and code, nonce and balance are separate.
//!
//! Reads here are speculation: a wrong one costs time. What is committed was validated against
//! the committed state itself (see `commit.rs`).

use std::{hash::Hash, mem};

use alloy_primitives::{Address, U256, map::HashSet};
use revm::state::AccountInfo;

use super::{
    sync::{AtomicBool, Mutex, Ordering},
    versions::{Map, Version},
    write_set::{AccountWrite, BalanceWrite, Final, Locations, Writes},
};

/// The fields of an account that lower transactions wrote, as seen by one reader.
#[derive(Debug, Default)]
pub(crate) struct AccountView {
    /// Sum of the increments above `balance`, in wei.
    pub credit: U256,
    /// The value below the increments; `None`: the base's.
    pub balance: Option<U256>,
    /// `None`: the base's.
    pub nonce: Option<u64>,
    /// `None`: the base's.
    pub code: Option<AccountInfo>,
    /// A block access list claims so, which does not tell a deleted account from an empty one.
    pub claimed: bool,
    /// The account was deleted, and nothing of it was written again.
    pub deleted: bool,
    /// The highest version that will be written again and that every reader depends on
    /// (existence, code) or only readers of nonce or balance do.
    pub estimate: Option<(usize, bool)>,
}

/// What a read of a storage slot found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotView {
    /// No lower transaction wrote it.
    Base,
    /// This value.
    Value(U256),
    /// The transaction with this version is about to write it again.
    Estimate(usize),
}

/// The block's multi-version memory.
pub(crate) struct MvMemory {
    accounts: Map<Address, AccountWrite>,
    slots: Map<(Address, U256), U256>,
    /// Versions that emptied an account's whole storage.
    wipes: Map<Address, ()>,
    has_wipes: AtomicBool,
    /// Not published yet.
    settled: Mutex<Vec<Final>>,
    has_settled: AtomicBool,
}

impl MvMemory {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Map::new(),
            slots: Map::new(),
            wipes: Map::new(),
            has_wipes: AtomicBool::new(false),
            settled: Mutex::default(),
            has_settled: AtomicBool::new(false),
        }
    }

    /// The account below version `reader`; `None`: nobody wrote it.
    pub(crate) fn account(&self, address: &Address, reader: usize) -> Option<AccountView> {
        self.accounts.read(address, |versions| {
            let mut view = AccountView::default();
            let mut any = false;
            for Version {
                version,
                estimate,
                write,
            } in versions.below(reader)
            {
                let top = !any;
                any = true;
                if *estimate && view.estimate.is_none() {
                    view.estimate = Some((*version, write.is_vital()));
                }
                view.deleted = top && write.deleted;
                view.claimed |= write.claimed;
                if view.balance.is_none() {
                    match write.balance {
                        BalanceWrite::Keep => {}
                        BalanceWrite::Add(wei) => view.credit = view.credit.wrapping_add(wei),
                        BalanceWrite::Set(wei) => view.balance = Some(wei),
                    }
                }
                view.nonce = view.nonce.or(write.nonce);
                if view.code.is_none() {
                    view.code.clone_from(&write.code);
                }
                if view.balance.is_some() && view.nonce.is_some() && view.code.is_some() {
                    break;
                }
            }
            any.then_some(view)
        })?
    }

    /// The slot below version `reader`.
    pub(crate) fn slot(&self, address: Address, key: U256, reader: usize) -> SlotView {
        let found = self.slots.read(&(address, key), |versions| {
            versions
                .below(reader)
                .next()
                .map(|v| (v.version, v.estimate, v.write))
        });
        // Hardly any block wipes storage.
        let wipe = if self.has_wipes.load(Ordering::Acquire) {
            self.wipes.read(&address, |versions| {
                let wipe = versions.below(reader).next();
                wipe.map(|v| (v.version, v.estimate))
            })
        } else {
            None
        };
        match (found.flatten(), wipe.flatten()) {
            // Writes of the wiping transaction itself came after its wipe.
            (Some((version, ..)), Some((wiped, estimate))) if wiped > version => {
                Self::wiped(wiped, estimate)
            }
            (Some((version, true, _)), _) => SlotView::Estimate(version),
            (Some((_, false, value)), _) => SlotView::Value(value),
            (None, Some((wiped, estimate))) => Self::wiped(wiped, estimate),
            (None, None) => SlotView::Base,
        }
    }

    fn wiped(version: usize, estimate: bool) -> SlotView {
        if estimate {
            SlotView::Estimate(version)
        } else {
            SlotView::Value(U256::ZERO)
        }
    }

    /// Publishes `writes` of `version` and withdraws those of its `previous` attempt that it did
    /// not repeat.
    pub(crate) fn publish(
        &self,
        version: usize,
        writes: &Writes,
        previous: &Locations,
    ) -> Locations {
        let mut now = Locations::default();
        for (address, write) in &writes.accounts {
            if write.wiped {
                self.wipes.write(*address, |v| v.put(version, ()));
                self.has_wipes.store(true, Ordering::Release);
                now.wipes.push(*address);
            }
            self.accounts
                .write(*address, |v| v.put(version, write.clone()));
            now.accounts.push(*address);
        }
        for (slot, value) in &writes.slots {
            self.slots.write(*slot, |v| v.put(version, *value));
            now.slots.push(*slot);
        }
        for a in withdrawn(&previous.accounts, &now.accounts) {
            self.accounts.write(*a, |v| v.remove(version));
        }
        for s in withdrawn(&previous.slots, &now.slots) {
            self.slots.write(*s, |v| v.remove(version));
        }
        for a in withdrawn(&previous.wipes, &now.wipes) {
            self.wipes.write(*a, |v| v.remove(version));
        }
        now
    }

    /// Marks everything that `version` wrote as about to be written again.
    pub(crate) fn estimate(&self, version: usize, written: &Locations) {
        for a in &written.accounts {
            self.accounts.write(*a, |v| v.estimate(version));
        }
        for s in &written.slots {
            self.slots.write(*s, |v| v.estimate(version));
        }
        for a in &written.wipes {
            self.wipes.write(*a, |v| v.estimate(version));
        }
    }

    /// Takes what a committed transaction wrote in its end. It is published by the next worker
    /// that needs it: the thread that commits has better things to do.
    pub(crate) fn settle(&self, last: Final) {
        self.settled.lock().push(last);
        self.has_settled.store(true, Ordering::Release);
    }

    /// Publishes what has been committed since the last call.
    pub(crate) fn catch_up(&self) {
        if self.has_settled.swap(false, Ordering::Acquire) {
            let settled = mem::take(&mut *self.settled.lock());
            for last in settled {
                match last {
                    Final::Writes {
                        version,
                        writes,
                        withdrawn,
                    } => {
                        self.publish(version, &writes, &withdrawn);
                    }
                    Final::Balance {
                        version,
                        address,
                        balance,
                    } => self.accounts.write(address, |v| {
                        v.change(version, |write| write.balance = BalanceWrite::Set(balance));
                    }),
                }
            }
        }
    }
}

/// What is in `previous` and not in `now`.
fn withdrawn<'a, K: Hash + Eq>(previous: &'a [K], now: &[K]) -> impl Iterator<Item = &'a K> {
    let now: HashSet<&K> = if previous.is_empty() {
        HashSet::default()
    } else {
        now.iter().collect()
    };
    let gone: Vec<&'a K> = previous.iter().filter(|k| !now.contains(k)).collect();
    gone.into_iter()
}
