//! What a block's access list (EIP-7928) says of a transaction: what it changes for certain, and what nobody in the block
//! touches. Of what it only reads, the list does not tell which transaction does; habits and templates do.

use revm::primitives::{Address, AddressMap, HashSet, U256};

use super::predictor::Predicted;
use crate::{AccessList, Block};

/// A contract that the transaction runs is told with all its slots that anybody in the block touches, if they are no more
/// than these: by the number of transactions that change its storage (none or one, two, more).
const OWN: [usize; 3] = [512, 256, 40];
/// The same for a contract that it probably calls.
const CALLED: usize = 12;
/// Variables (slots with small numbers) that are told where all slots are too many.
const VARIABLES: usize = 32;

/// An account of the list.
#[derive(Debug, Default)]
struct Listed {
    slots: HashSet<U256>,
    /// Transactions that change one of them.
    writers: usize,
}

/// A block's access list by transaction.
#[derive(Debug)]
pub(super) struct Foresight {
    /// Slots that anybody touches.
    listed: AddressMap<Listed>,
    /// What each transaction changes.
    changed: Vec<Vec<Predicted>>,
}

impl Foresight {
    /// That of a block, if it has a list.
    pub(super) fn of(block: &Block) -> Option<Self> {
        let list = block.access_list.as_ref()?;
        Some(Self::new(list, block.transactions.len()))
    }

    fn new(list: &AccessList, transactions: usize) -> Self {
        let mut listed = AddressMap::default();
        let mut changed: Vec<Vec<Predicted>> = vec![Vec::new(); transactions];
        for account in list.accounts() {
            let address = account.address;
            let changes = account
                .storage_changes
                .iter()
                .flat_map(|slot| &slot.changes);
            let writers: HashSet<_> = changes.map(|change| change.block_access_index).collect();
            let known = Listed {
                slots: account.storage_slots().collect(),
                writers: writers.len(),
            };
            listed.insert(address, known);
            let mut touch = |index: u64, balance: bool, slot: Option<U256>| {
                let Some(tx) = index.checked_sub(1) else {
                    return;
                };
                let Some(all) = changed.get_mut(tx as usize) else {
                    return;
                };
                if all.last().is_none_or(|last| last.address != address) {
                    all.push(Predicted {
                        address,
                        balance: false,
                        slots: Vec::new(),
                    });
                }
                if let Some(last) = all.last_mut() {
                    last.balance |= balance;
                    last.slots.extend(slot);
                }
            };
            for slot in &account.storage_changes {
                for change in &slot.changes {
                    touch(change.block_access_index.get(), false, Some(slot.slot));
                }
            }
            for change in &account.balance_changes {
                touch(change.block_access_index.get(), true, None);
            }
            for change in &account.nonce_changes {
                touch(change.block_access_index.get(), false, None);
            }
        }
        Self { listed, changed }
    }

    /// Accounts that a transaction changes.
    pub(super) fn changes(&self, tx: usize) -> &[Predicted] {
        self.changed.get(tx).map_or(&[], Vec::as_slice)
    }

    /// Whether any transaction touches an account.
    pub(super) fn lists(&self, address: &Address) -> bool {
        self.listed.contains_key(address)
    }

    /// A guess, without what nobody touches and with what the transaction changes. `target` is what it calls.
    pub(super) fn complete(
        &self,
        tx: usize,
        target: Address,
        guess: Vec<Predicted>,
    ) -> Vec<Predicted> {
        let mut out: Vec<Predicted> = self.changes(tx).to_vec();
        for account in guess
            .into_iter()
            .filter(|account| self.lists(&account.address))
        {
            match out
                .iter_mut()
                .find(|other| other.address == account.address)
            {
                Some(other) => {
                    other.balance |= account.balance;
                    other.slots.extend(account.slots);
                }
                None => out.push(account),
            }
        }
        for account in &mut out {
            let Some(listed) = self.listed.get(&account.address) else {
                account.slots.clear();
                continue;
            };
            let runs =
                !self.slots_changed(tx, account.address).is_empty() || account.address == target;
            let most = if runs {
                OWN[listed.writers.clamp(1, 3) - 1]
            } else {
                CALLED
            };
            if listed.slots.len() <= most {
                account.slots.extend(&listed.slots);
            } else {
                let variables = listed
                    .slots
                    .iter()
                    .filter(|slot| **slot <= U256::from(u64::MAX));
                let variables: Vec<U256> = variables.copied().collect();
                if variables.len() <= VARIABLES {
                    account.slots.extend(variables);
                }
            }
            let mut seen: HashSet<U256> = HashSet::default();
            account
                .slots
                .retain(|slot| listed.slots.contains(slot) && seen.insert(*slot));
        }
        out
    }

    fn slots_changed(&self, tx: usize, address: Address) -> &[U256] {
        let changed = self.changes(tx).iter();
        let mut changed = changed.filter(|account| account.address == address);
        changed.next().map_or(&[], |account| &account.slots)
    }
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip7928::{
        AccountChanges, BalanceChange, BlockAccessIndex, SlotChanges, StorageChange,
    };

    use super::*;

    fn address(n: u8) -> Address {
        Address::with_last_byte(n)
    }

    fn guess(n: u8, slots: &[u64]) -> Predicted {
        Predicted {
            address: address(n),
            balance: false,
            slots: slots.iter().map(|slot| U256::from(*slot) << 200).collect(),
        }
    }

    #[test]
    fn changes_are_certain_and_what_nobody_touches_is_left_out() {
        let index = BlockAccessIndex::new(2);
        // Many slots, of which transaction 1 changes two; transactions 2 to 5 change others.
        let mut token = AccountChanges::new(address(1));
        for slot in 0..60u64 {
            let by = if slot < 2 {
                index
            } else {
                BlockAccessIndex::new(3 + slot % 4)
            };
            let change = StorageChange::new(by, U256::ONE);
            let slot = U256::from(slot + 1) << 200;
            token
                .storage_changes
                .push(SlotChanges::new(slot, vec![change]));
        }
        let mut payer = AccountChanges::new(address(2));
        payer
            .balance_changes
            .push(BalanceChange::new(index, U256::ONE));
        let mut oracle = AccountChanges::new(address(3));
        oracle.storage_reads = vec![U256::from(5), U256::from(9) << 200];
        let list = AccessList::new(vec![token, payer, oracle], 6).expect("its form is right");
        let foresight = Foresight::new(&list, 6);
        let guesses = vec![guess(1, &[7, 99]), guess(9, &[1]), guess(3, &[])];
        let told = foresight.complete(1, address(2), guesses);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[0], guess(1, &[1, 2, 7]));
        assert!(told[1].balance && told[1].slots.is_empty());
        assert_eq!(told[2].slots.len(), 2, "all of a contract that has few");
        assert!(foresight.complete(9, address(7), Vec::new()).is_empty());
    }
}
