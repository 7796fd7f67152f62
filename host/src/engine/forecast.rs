//! What is known of a block before it runs.

use alloy_primitives::{
    Address,
    map::{AddressMap, HashMap},
};
use revm::context::TxEnv;

use super::scheduler::{Cost, Hint};
use crate::Block;

/// Gas that threads must be able to share before they are worth starting: one or two milliseconds of
/// execution, against some 0.1 ms for a thread to come and go.
const WORTH_GAS: u64 = 3_000_000;
/// What a plain transfer uses.
const TRANSFER_GAS: u64 = 21_000;
/// With no more gas than this, a call takes some 6 µs: no longer than it takes to fetch what another
/// thread made of it, validate and commit it.
const CHEAP_GAS: u64 = 120_000;

/// What is known of a block.
#[derive(Debug, Default)]
pub(crate) struct Forecast {
    /// By transaction.
    pub hints: Vec<Hint>,
    /// A second thread can shorten it. An estimate: it decides about time, not results.
    pub worth_threads: bool,
}

impl Forecast {
    /// No look at the transactions is needed to see that threads have too little to share.
    pub(super) fn is_small(block: &Block) -> bool {
        let used = block.header.gas_used;
        used > 0 && used < WORTH_GAS && !block.pre_state.waits()
    }

    /// Transactions of one sender depend on each other by the nonce; those that call one function of one account may
    /// well conflict in its storage. With an access list none needs another: it has what they write.
    pub(crate) fn of(block: &Block) -> Self {
        let listed = block.access_list.is_some();
        let mut forecast = Self::default();
        let mut senders = AddressMap::default();
        let mut groups: HashMap<(Address, [u8; 4]), usize> = HashMap::default();
        let mut work = Work::default();
        for (index, tx) in block.tx_envs.iter().enumerate() {
            let cost = cost(block, tx);
            let before = senders.insert(tx.caller, index);
            let group = tx.kind.to().filter(|_| cost != Cost::Trivial);
            let selector = tx.data.first_chunk().copied().unwrap_or_default();
            let group = group.map(|to| *groups.entry((*to, selector)).or_insert(index));
            forecast.hints.push(Hint {
                after: before.filter(|_| !listed),
                group: group.filter(|_| !listed),
                cost,
            });
            work.add(tx, cost);
        }
        forecast.worth_threads = work.is_worth_threads(block);
        forecast
    }
}

/// Gas that threads may share.
#[derive(Default)]
struct Work {
    all: u64,
    /// One sender's transactions run in order, whatever the number of threads.
    longest: u64,
    cheap: u64,
    senders: AddressMap<u64>,
}

impl Work {
    fn add(&mut self, tx: &TxEnv, cost: Cost) {
        if cost == Cost::Dear {
            self.all = self.all.saturating_add(tx.gas_limit);
            let sender = self.senders.entry(tx.caller).or_default();
            *sender = sender.saturating_add(tx.gas_limit);
            self.longest = self.longest.max(*sender);
        } else {
            self.cheap += TRANSFER_GAS;
        }
    }

    fn is_worth_threads(&self, block: &Block) -> bool {
        // Limits are often far too high. The header says what was used in truth, where it has been made already.
        let used = match block.header.gas_used {
            0 => self.all,
            used => self.all.min(used.saturating_sub(self.cheap)),
        };
        if block.pre_state.waits() {
            return block.tx_envs.len() > 1;
        }
        if block.access_list.is_some() {
            return used >= 2 * WORTH_GAS;
        }
        let shared = u128::from(used) * u128::from(self.all - self.longest);
        shared / u128::from(self.all.max(1)) >= WORTH_GAS.into()
    }
}

/// A plain transfer, a call with little gas, or more. What is called may have been created in this block: rare enough to be
/// called a transfer.
fn cost(block: &Block, tx: &TxEnv) -> Cost {
    if block.pre_state.waits() {
        // Whatever it does, it waits: that is what many do at once.
        return Cost::Dear;
    }
    let plain = tx.kind.to().is_some_and(|to| {
        // What cannot be read now is found out later.
        let account = block.pre_state.read(*to).ok().flatten();
        account.is_none_or(|account| account.is_empty_code_hash())
    });
    if plain {
        Cost::Trivial
    } else if tx.gas_limit <= CHEAP_GAS {
        Cost::Cheap
    } else {
        Cost::Dear
    }
}
