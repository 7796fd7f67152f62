//! What is known of a block before it runs.

use alloy_primitives::map::AddressMap;
use revm::context::TxEnv;

use super::scheduler::Hint;
use crate::Block;

/// Gas that threads must be able to share before they are worth starting: one or two milliseconds of
/// execution, against some 0.1 ms for a thread to come and go.
const WORTH_GAS: u64 = 3_000_000;
/// What a plain transfer uses.
const TRANSFER_GAS: u64 = 21_000;
/// With no more gas than this, a call takes some 6 µs: no longer than it takes to fetch what another
/// thread made of it, validate and commit it.
const CHEAP_GAS: u64 = 120_000;

/// Transactions of one sender depend on each other by the nonce; those that call one account may
/// well conflict in its storage. With an access list none needs another: it has what they write.
pub(super) fn hints(block: &Block) -> Vec<Hint> {
    let mut senders = AddressMap::default();
    let mut groups = AddressMap::default();
    let hint = |(index, tx): (usize, &TxEnv)| {
        let cheap = is_cheap(block, tx);
        if block.access_list.is_some() {
            return Hint {
                cheap,
                ..Hint::default()
            };
        }
        let group = tx.kind.to().filter(|_| !cheap);
        Hint {
            after: senders.insert(tx.caller, index),
            group: group.map(|to| *groups.entry(*to).or_insert(index)),
            cheap,
        }
    };
    block.tx_envs.iter().enumerate().map(hint).collect()
}

/// Whether a second thread can shorten this block. An estimate: it decides about time, not results.
pub(super) fn is_worth_threads(block: &Block) -> bool {
    let (mut all, mut longest, mut cheap) = (0u64, 0, 0);
    let mut senders = AddressMap::<u64>::default();
    for tx in &block.tx_envs {
        if !is_cheap(block, tx) {
            all = all.saturating_add(tx.gas_limit);
            let sender = senders.entry(tx.caller).or_default();
            *sender = sender.saturating_add(tx.gas_limit);
            longest = longest.max(*sender);
        } else {
            cheap += TRANSFER_GAS;
        }
    }
    // Limits are often far too high. The header says what was used in truth, where it has been made already.
    let used = match block.header.gas_used {
        0 => all,
        used => all.min(used.saturating_sub(cheap)),
    };
    if block.access_list.is_some() {
        return used >= 2 * WORTH_GAS;
    }
    // One sender's transactions run in order, whatever the number of threads.
    let shared = u128::from(used) * u128::from(all - longest) / u128::from(all.max(1));
    shared >= WORTH_GAS.into()
}

/// Whether a transaction is a plain transfer, or a call with little gas. What it calls may have been
/// created in this block: rare enough to be called a transfer.
fn is_cheap(block: &Block, tx: &TxEnv) -> bool {
    tx.gas_limit <= CHEAP_GAS
        || tx.kind.to().is_some_and(|to| {
            // What cannot be read now is found out later.
            let account = block.pre_state.read(*to).ok().flatten();
            account.is_none_or(|account| account.is_empty_code_hash())
        })
}
