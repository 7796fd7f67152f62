//! Where a list is not the one of the block.

use alloy_eips::eip7928::{AccountChanges, BlockAccessIndex};
use alloy_primitives::U256;

use crate::Difference;

/// The first difference between a list that was `given` and what was `done`: by account, then slots changed, slots read,
/// balance, nonce, code; in a slot or field, by index. `None` if they are the same.
pub fn difference(given: &[AccountChanges], done: &[AccountChanges]) -> Option<Difference> {
    let mut done = done.iter().peekable();
    for given in given {
        let address = given.address;
        match done.next_if(|done| done.address <= address) {
            Some(done) if done.address == address => {
                let found = account(given, done);
                if found.is_some() {
                    return found;
                }
            }
            Some(missing) => return Some(only(missing.address, false)),
            None => return Some(only(address, true)),
        }
    }
    done.next().map(|missing| only(missing.address, false))
}

fn only(address: alloy_primitives::Address, given: bool) -> Difference {
    let (left, right) = presence(given);
    at(format!("account {address}"), left, right)
}

fn presence(given: bool) -> (String, String) {
    let (here, gone) = ("in the list", "not accessed");
    let (left, right) = if given {
        (here, gone)
    } else {
        ("not in the list", "accessed")
    };
    (left.to_owned(), right.to_owned())
}

fn at(place: String, left: String, right: String) -> Difference {
    Difference {
        place,
        left,
        right,
        transaction: None,
    }
}

fn account(given: &AccountChanges, done: &AccountChanges) -> Option<Difference> {
    if given == done {
        return None;
    }
    let name = |what: &str| format!("account {}: {what}", given.address);
    let slots = |account: &AccountChanges| -> Vec<(U256, Vec<(BlockAccessIndex, U256)>)> {
        let changed = account.storage_changes.iter().map(|slot| {
            let changes = slot.changes.iter();
            let changes = changes.map(|c| (c.block_access_index, c.new_value));
            (slot.slot, changes.collect())
        });
        let read = account.storage_reads.iter().map(|slot| (*slot, Vec::new()));
        let mut all: Vec<_> = changed.chain(read).collect();
        all.sort_by_key(|(slot, _)| *slot);
        all
    };
    let (lefts, rights) = (slots(given), slots(done));
    let mut rights = rights.into_iter().peekable();
    for (slot, changes) in lefts {
        let place = name(&format!("slot {slot:#x}"));
        match rights.next_if(|(other, _)| *other <= slot) {
            Some((other, done)) if other == slot => {
                if let Some(found) = writes(&place, &changes, &done) {
                    return Some(found);
                }
            }
            Some((missing, _)) => {
                let (left, right) = presence(false);
                return Some(at(name(&format!("slot {missing:#x}")), left, right));
            }
            None => {
                let (left, right) = presence(true);
                return Some(at(place, left, right));
            }
        }
    }
    if let Some((missing, _)) = rights.next() {
        let (left, right) = presence(false);
        return Some(at(name(&format!("slot {missing:#x}")), left, right));
    }
    let balances = |account: &AccountChanges| -> Vec<_> {
        let changes = account.balance_changes.iter();
        changes
            .map(|c| (c.block_access_index, c.post_balance))
            .collect()
    };
    let nonces = |account: &AccountChanges| -> Vec<_> {
        let changes = account.nonce_changes.iter();
        changes
            .map(|c| (c.block_access_index, c.new_nonce))
            .collect()
    };
    let codes = |account: &AccountChanges| -> Vec<_> {
        let changes = account.code_changes.iter();
        changes
            .map(|c| (c.block_access_index, c.new_code.clone()))
            .collect()
    };
    None.or_else(|| writes(&name("balance"), &balances(given), &balances(done)))
        .or_else(|| writes(&name("nonce"), &nonces(given), &nonces(done)))
        .or_else(|| writes(&name("code"), &codes(given), &codes(done)))
}

/// Values by index: the first index at which they differ.
fn writes<T: PartialEq + std::fmt::Display>(
    place: &str,
    given: &[(BlockAccessIndex, T)],
    done: &[(BlockAccessIndex, T)],
) -> Option<Difference> {
    let value = |entry: Option<&(BlockAccessIndex, T)>| match entry {
        Some((_, value)) => format!("{value}"),
        None => "no change".to_owned(),
    };
    let pairs = given.len().max(done.len());
    (0..pairs).find_map(|n| {
        let (left, right) = (given.get(n), done.get(n));
        if left == right {
            return None;
        }
        let index = [left, right].into_iter().flatten().map(|(index, _)| *index);
        let index = index.min().unwrap_or_default();
        let [left, right] = [left, right].map(|entry| entry.filter(|(at, _)| *at == index));
        let place = format!("{place} at index {index}");
        Some(Difference {
            transaction: index.get().checked_sub(1).map(|tx| tx as usize),
            ..at(place, value(left), value(right))
        })
    })
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip7928::{BalanceChange, CodeChange, NonceChange, SlotChanges, StorageChange};
    use alloy_primitives::Address;

    use super::*;

    fn list() -> Vec<AccountChanges> {
        let index = BlockAccessIndex::new;
        let mut account = AccountChanges::new(Address::with_last_byte(5));
        let changes = [(1, 10), (4, 11)];
        let changes = changes.map(|(at, value)| StorageChange::new(index(at), U256::from(value)));
        account.storage_changes = vec![SlotChanges::new(U256::from(7), changes.to_vec())];
        account.storage_reads = vec![U256::from(3), U256::from(9)];
        account.balance_changes = vec![BalanceChange::new(index(2), U256::from(100))];
        account.nonce_changes = vec![NonceChange::new(index(2), 1)];
        account.code_changes = vec![CodeChange::new(index(3), vec![0].into())];
        vec![account, AccountChanges::new(Address::with_last_byte(8))]
    }

    #[test]
    fn the_same_list_has_no_difference() {
        assert_eq!(difference(&list(), &list()), None);
        assert_eq!(difference(&[], &[]), None);
    }

    #[test]
    fn every_kind_of_lie_is_named_with_its_place() {
        type Lie = fn(&mut Vec<AccountChanges>);
        let lies: [(Lie, &str); 10] = [
            (
                |l| l.truncate(1),
                "account 0x0000000000000000000000000000000000000008: not in the list",
            ),
            (
                |l| l.push(AccountChanges::new(Address::with_last_byte(9))),
                "0009: in the list against not accessed",
            ),
            (
                |l| l[0].storage_changes[0].changes[1].new_value = U256::ZERO,
                "slot 0x7 at index 4: 0 against 11",
            ),
            (
                |l| {
                    l[0].storage_changes[0].changes[0]
                        .block_access_index
                        .increment()
                },
                "slot 0x7 at index 1: no change against 10",
            ),
            (
                |l| l[0].storage_changes.clear(),
                "slot 0x7: not in the list against accessed",
            ),
            (
                |l| l[0].storage_reads.push(U256::from(12)),
                "slot 0xc: in the list against not accessed",
            ),
            (
                |l| l[0].balance_changes[0].post_balance += U256::ONE,
                "balance at index 2: 101 against 100",
            ),
            (
                |l| l[0].nonce_changes.clear(),
                "nonce at index 2: no change against 1",
            ),
            (
                |l| l[0].code_changes[0].new_code = vec![1].into(),
                "code at index 3: 0x01 against 0x00",
            ),
            (
                |l| l[0].storage_changes[0].changes.truncate(1),
                "slot 0x7 at index 4: no change against 11",
            ),
        ];
        for (lie, place) in lies {
            let mut given = list();
            lie(&mut given);
            let found = difference(&given, &list()).expect("it lies").to_string();
            assert!(found.contains(place), "{found}: not {place}");
            assert!(difference(&list(), &given).is_some());
        }
    }
}
