//! What a block access list claims that transactions write, as if they had run.

use alloy_eips::eip7928::BlockAccessIndex;

use super::write_set::{AccountWrite, BalanceWrite, Writes};
use crate::{AccessList, access_list::code};

/// The claimed writes of each of so many transactions. What the list claims of the block's beginning and end is left
/// out: that is executed before and after all workers.
pub(super) fn seeds(list: &AccessList, transactions: usize) -> Vec<Writes> {
    let mut seeds: Vec<Writes> = Vec::new();
    seeds.resize_with(transactions, Writes::default);
    let place = |index: BlockAccessIndex| {
        let index = usize::try_from(index.get()).ok()?;
        index.checked_sub(1).filter(|tx| *tx < transactions)
    };
    for account in list.accounts() {
        let address = account.address;
        for slot in &account.storage_changes {
            for change in &slot.changes {
                if let Some(tx) = place(change.block_access_index) {
                    seeds[tx]
                        .slots
                        .push(((address, slot.slot), change.new_value));
                }
            }
        }
        // Each list is in order, and accounts come one after the other: an account's write is the last of its
        // transaction, if there is one.
        let mut write = |index, change: &dyn Fn(&mut AccountWrite)| {
            let Some(tx) = place(index) else { return };
            let accounts = &mut seeds[tx].accounts;
            if accounts.last().is_none_or(|(last, _)| *last != address) {
                let claimed = AccountWrite {
                    claimed: true,
                    ..AccountWrite::default()
                };
                accounts.push((address, claimed));
            }
            if let Some((_, write)) = accounts.last_mut() {
                change(write);
            }
        };
        for change in &account.balance_changes {
            write(change.block_access_index, &|write| {
                write.balance = BalanceWrite::Set(change.post_balance);
            });
        }
        for change in &account.nonce_changes {
            write(change.block_access_index, &|write| {
                write.nonce = Some(change.new_nonce)
            });
        }
        for change in &account.code_changes {
            let info = code(change);
            write(change.block_access_index, &|write| {
                write.code = Some(info.clone())
            });
        }
    }
    seeds
}
