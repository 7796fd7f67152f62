//! What an execution did, in numbers.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};

use crate::{WrongResult, engine::Left};

/// The reason of a fallback because the CPU did not confirm the card's result.
const WRONG: &str = "wrong_result";

/// Counts of one execution of a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Transactions executed, repetitions included.
    pub executions: u64,
    /// Executions that were thrown away and repeated because something they had read changed.
    pub reexecutions: u64,
    /// Executions given up at a read of a value that was known to change.
    pub blocked: u64,
    /// Gas of the executions that were thrown away.
    pub wasted_gas: u64,
    /// What these had read that changed, the most frequent first.
    pub conflicts: Vec<Conflict>,
    /// Whether the block's access list alone told every transaction what it reads.
    pub by_list: ByList,
    /// What the card did; all zero without a card.
    pub card: CardStatistics,
}

/// Whether a block was executed by its access list: every transaction on what the list claims, without waiting for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByList {
    /// It has none, or would not have gained by it.
    #[default]
    No,
    /// It was, and did all that the list says and nothing else.
    Yes,
    /// That was tried, in vain; what it took is in [`Statistics::executions`] and [`Statistics::wasted_gas`]. Then the block was
    /// executed like others.
    Left(Left),
}

/// An account, or one of its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Location {
    /// The account.
    pub address: Address,
    /// The slot; none where it is the account itself: its balance, nonce, code or existence.
    pub slot: Option<U256>,
}

impl Location {
    /// An account.
    pub fn account(address: Address) -> Self {
        Self {
            address,
            slot: None,
        }
    }

    /// A slot of an account.
    pub fn slot(address: Address, slot: U256) -> Self {
        Self {
            address,
            slot: Some(slot),
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.slot {
            None => write!(f, "{}", self.address),
            Some(slot) => write!(f, "{} slot {slot:#x}", self.address),
        }
    }
}

/// A location because of which executions were thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Conflict {
    /// Where: the first read that was not true any more.
    #[serde(flatten)]
    pub location: Location,
    /// How many executions.
    pub count: u64,
}

impl Conflict {
    /// The most frequent first; of those that are as frequent, by location.
    pub(crate) fn sorted(counts: impl IntoIterator<Item = (Location, u64)>) -> Vec<Self> {
        let conflicts = counts.into_iter();
        let mut conflicts: Vec<_> = conflicts
            .map(|(location, count)| Self { location, count })
            .collect();
        conflicts.sort_by_key(|conflict| (std::cmp::Reverse(conflict.count), conflict.location));
        conflicts
    }
}

/// Counts of the card's part of an execution.
///
/// Gas here is gas of *first frames* (the message call or creation that a transaction starts, with all calls inside it),
/// before refunds, of committed executions only; none of a first frame that ends in an exceptional halt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CardStatistics {
    /// Transactions whose first frame ran on the card to its end.
    pub txs: u64,
    /// Gas used by those transactions, as in their receipts.
    pub gas: u64,
    /// Gas of all first frames of the block.
    pub evm_gas: u64,
    /// Gas of the first frames that ran on the card.
    pub offloaded_gas: u64,
    /// Opcodes of all first frames of the block.
    pub evm_ops: u64,
    /// Opcodes of the first frames that ran on the card.
    pub offloaded_ops: u64,
    /// Transactions that the card worker executed itself, because the card was not to have them or was too slow.
    pub kept: u64,
    /// Results that the CPU computed again before they were committed.
    pub verified: u64,
    /// The first result that turned out wrong. The block's result is the CPU's from there on.
    pub wrong: Option<WrongResult>,
    /// First frames that ended on the CPU, by reason.
    pub fallbacks: BTreeMap<String, u64>,
    /// Clock cycles in which the card had work.
    pub cycles: u64,
    /// Those of them in which every context waited for the host.
    pub wait_cycles: u64,
    /// Those of them in which it awaited pages of code or data that were not on the card.
    pub page_cycles: u64,
    /// Opcodes that the card retired, as revm counts them.
    pub retired: u64,
    /// Requests that the host answered.
    pub requests: u64,
    /// How well the slots that the frames used were foreseen.
    pub prediction: Prediction,
    /// Cycles by what they were spent on, where the transport can tell: classes of opcodes
    /// ([`gatewei_abi::opcode::Class::cost`]), and `message` for the loading of messages. All messages count, also
    /// those whose result was thrown away.
    pub cycles_by_class: BTreeMap<&'static str, ClassCycles>,
}

/// What opcodes of a class cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ClassCycles {
    /// How many there were.
    pub count: u64,
    /// Their cycles, without those in which the lane waited.
    pub cycles: u64,
    /// Cycles in which it waited for the host.
    pub wait_cycles: u64,
    /// Cycles in which it waited for pages of code or data that were not on the card.
    pub page_cycles: u64,
}

/// Storage slots of the frames that ran on the card to their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Prediction {
    /// Slots whose values were sent with the message.
    pub sent: u64,
    /// Slots that the frame used.
    pub used: u64,
    /// Slots that it used and that were sent: reads that did not have to be asked for.
    pub hits: u64,
}

impl CardStatistics {
    /// The card's share of the first frames' gas, 0 to 1; 0 when there was none.
    pub fn offloaded_share(&self) -> f64 {
        share(self.offloaded_gas, self.evm_gas)
    }

    /// The card's share of the first frames' opcodes, 0 to 1; 0 when there were none.
    pub fn offloaded_ops_share(&self) -> f64 {
        share(self.offloaded_ops, self.evm_ops)
    }

    /// Clock cycles per retired opcode with state and code on the card, that is, without those in which it waited for
    /// the host or for pages; 0 when none retired.
    pub fn cpi(&self) -> f64 {
        let waits = self.wait_cycles + self.page_cycles;
        share(self.cycles.saturating_sub(waits), self.retired)
    }

    /// Adds cycles of a class.
    pub fn spend(&mut self, class: &'static str, spent: ClassCycles) {
        let sum = self.cycles_by_class.entry(class).or_default();
        sum.count += spent.count;
        sum.cycles += spent.cycles;
        sum.wait_cycles += spent.wait_cycles;
        sum.page_cycles += spent.page_cycles;
    }

    /// The result was wrong and is the CPU's now: nothing of it was offloaded.
    pub(crate) fn was_wrong(&mut self, wrong: WrongResult) {
        (self.gas, self.offloaded_gas, self.offloaded_ops) = (0, 0, 0);
        *self.fallbacks.entry(WRONG.to_owned()).or_default() += self.txs.max(1);
        self.txs = 0;
        self.wrong.get_or_insert(wrong);
    }

    /// Adds the counts of another execution.
    pub fn add(&mut self, other: &Self) {
        self.txs += other.txs;
        self.gas += other.gas;
        self.evm_gas += other.evm_gas;
        self.offloaded_gas += other.offloaded_gas;
        self.evm_ops += other.evm_ops;
        self.offloaded_ops += other.offloaded_ops;
        self.kept += other.kept;
        self.verified += other.verified;
        if self.wrong.is_none() {
            self.wrong.clone_from(&other.wrong);
        }
        for (reason, count) in &other.fallbacks {
            *self.fallbacks.entry(reason.clone()).or_default() += count;
        }
        self.cycles += other.cycles;
        self.wait_cycles += other.wait_cycles;
        self.page_cycles += other.page_cycles;
        self.retired += other.retired;
        self.requests += other.requests;
        self.prediction.sent += other.prediction.sent;
        self.prediction.used += other.prediction.used;
        self.prediction.hits += other.prediction.hits;
        for (class, spent) in &other.cycles_by_class {
            self.spend(class, *spent);
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_nothing_are_zero_and_counts_add_up() {
        assert_eq!(CardStatistics::default().cpi(), 0.0);
        let one = CardStatistics {
            evm_gas: 100,
            offloaded_gas: 75,
            cycles: 50,
            wait_cycles: 10,
            retired: 10,
            fallbacks: BTreeMap::from([("call".to_owned(), 2)]),
            ..CardStatistics::default()
        };
        let mut sum = one.clone();
        sum.add(&one);
        assert_eq!(sum.offloaded_share(), 0.75);
        assert_eq!(sum.cpi(), 4.0);
        assert_eq!(sum.fallbacks["call"], 4);
    }
}
