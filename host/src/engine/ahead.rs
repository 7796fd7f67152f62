//! Reading ahead from a slow state, into the cache that all workers share.

use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::{Address, U256, map::HashSet};
use revm::{DatabaseRef as _, primitives::KECCAK_EMPTY};

use crate::Block;

/// Places that a block will probably read, to be read by many threads. What cannot be read is left to who needs it.
#[derive(Debug)]
pub(super) struct Ahead {
    places: Vec<Place>,
    next: AtomicUsize,
}

#[derive(Debug)]
enum Place {
    /// With its code.
    Account(Address),
    Slot(Address, U256),
}

impl Ahead {
    /// Nothing where reads do not wait; else what the block's access list names, or what transactions themselves name:
    /// senders, recipients and their own access lists (EIP-2930).
    pub(super) fn of(block: &Block) -> Self {
        let mut places = Vec::new();
        if block.pre_state.waits() {
            match &block.access_list {
                Some(list) => {
                    for account in list.accounts() {
                        let address = account.address;
                        places.push(Place::Account(address));
                        let changed = account.storage_changes.iter().map(|change| change.slot);
                        let slots = changed.chain(account.storage_reads.iter().copied());
                        places.extend(slots.map(|slot| Place::Slot(address, slot)));
                    }
                }
                None => {
                    let mut known = HashSet::<Address>::default();
                    for tx in &block.tx_envs {
                        let both = [Some(tx.caller), tx.kind.to().copied()];
                        for address in both.into_iter().flatten() {
                            if known.insert(address) {
                                places.push(Place::Account(address));
                            }
                        }
                        for item in &tx.access_list.0 {
                            let slots = item.storage_keys.iter();
                            places.extend(
                                slots.map(|slot| Place::Slot(item.address, (*slot).into())),
                            );
                        }
                    }
                }
            }
        }
        Self {
            places,
            next: AtomicUsize::new(0),
        }
    }

    /// Reads what is left, with all others who call this.
    pub(super) fn read(&self, block: &Block) {
        let state = &block.pre_state;
        while let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            match place {
                Place::Account(address) => {
                    if let Ok(Some(account)) = state.read(*address)
                        && account.code_hash != KECCAK_EMPTY
                    {
                        let _ = state.code_by_hash_ref(account.code_hash);
                    }
                }
                Place::Slot(address, slot) => {
                    let _ = state.storage_ref(*address, *slot);
                }
            }
        }
    }
}
