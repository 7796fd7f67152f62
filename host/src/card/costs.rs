//! The cost model of `auto`: where a first frame ends sooner.
//!
//! A card is one more worker. It gets a transaction when it will have finished it, behind what is in flight there, before
//! the CPU workers will have finished what is left of the block without it; so it never is what a block waits for. All
//! that is assumed is measured: the CPU's and the card's time for a unit of gas, the gas that a function used last.

use std::time::Duration;

use revm::context::TxEnv;
use revm::primitives::{Address, HashMap};

/// Functions whose gas is remembered.
const FUNCTIONS: usize = 4_096;
/// Gas of a call of a function that has not run yet, if its limit is not lower.
const UNKNOWN_GAS: u64 = 60_000;
/// Weight of the latest measurement: 1 in so many.
const WEIGHT: f64 = 8.0;
/// Nanoseconds for a unit of gas on a CPU (1 Ggas/s) and on a card, before anything was measured.
const CPU_NS: f64 = 1.0;
const CARD_NS: f64 = 2.0;
/// One transaction in so many goes to a card that is too slow, so that it is noticed when it is not any more.
const PROBE: u32 = 512;

/// A contract's function: the called account and the first four bytes of the calldata.
type Function = (Option<Address>, [u8; 4]);

/// What is known of costs. Lives as long as its card.
#[derive(Debug)]
pub struct Costs {
    gas: HashMap<Function, u64>,
    cpu_ns: f64,
    card_ns: f64,
    /// Transactions that were kept from the card since the last that went there.
    kept: u32,
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            gas: HashMap::default(),
            cpu_ns: CPU_NS,
            card_ns: CARD_NS,
            kept: 0,
        }
    }
}

/// What a card and the CPU have before them.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Gas of the messages in flight on the card.
    pub in_flight: u64,
    /// Lanes that share it.
    pub lanes: u16,
    /// Transactions of the block that nobody has begun.
    pub left: usize,
    /// CPU workers that share them.
    pub workers: usize,
}

impl Costs {
    /// The gas that a transaction will probably use.
    pub fn gas(&self, tx: &TxEnv) -> u64 {
        let known = self.gas.get(&function(tx)).copied();
        known.unwrap_or(UNKNOWN_GAS).min(tx.gas_limit)
    }

    /// Whether the card gets the transaction.
    pub fn offload(&mut self, tx: &TxEnv, load: Load) -> bool {
        let gas = self.gas(tx) as f64;
        let lanes = f64::from(load.lanes.max(1));
        let card = (load.in_flight as f64 / lanes + gas) * self.card_ns;
        let left = gas * load.left.max(1) as f64 / load.workers.max(1) as f64;
        let probe = load.in_flight == 0 && self.kept >= PROBE;
        let offload = probe || card <= left * self.cpu_ns;
        self.kept = if offload { 0 } else { self.kept + 1 };
        offload
    }

    /// A transaction ran on the CPU.
    pub fn ran(&mut self, tx: &TxEnv, gas: u64, time: Duration) {
        self.learn(tx, gas);
        adjust(&mut self.cpu_ns, gas, time, 1.0);
    }

    /// A transaction ran on the card, or was lost there; `time` is from when it was sent, and `ahead` the gas that was
    /// in flight per lane then.
    pub fn flew(&mut self, tx: &TxEnv, gas: u64, time: Duration, ahead: u64) {
        self.learn(tx, gas);
        let share = gas as f64 / (gas + ahead).max(1) as f64;
        adjust(&mut self.card_ns, gas, time, share);
    }

    fn learn(&mut self, tx: &TxEnv, gas: u64) {
        if self.gas.len() >= FUNCTIONS {
            self.gas.clear();
        }
        self.gas.insert(function(tx), gas);
    }
}

fn adjust(ns: &mut f64, gas: u64, time: Duration, share: f64) {
    if gas > 0 {
        let measured = time.as_nanos() as f64 * share / gas as f64;
        *ns += (measured - *ns) / WEIGHT;
    }
}

fn function(tx: &TxEnv) -> Function {
    let mut selector = [0; 4];
    let bytes = tx.data.len().min(selector.len());
    selector[..bytes].copy_from_slice(&tx.data[..bytes]);
    (tx.kind.to().copied(), selector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tx() -> TxEnv {
        TxEnv {
            gas_limit: 1_000_000,
            ..TxEnv::default()
        }
    }

    fn load(left: usize) -> Load {
        Load {
            in_flight: 0,
            lanes: 2,
            left,
            workers: 1,
        }
    }

    #[test]
    fn a_slow_card_is_left_and_found_again() {
        let mut costs = Costs::default();
        assert!(costs.offload(&tx(), load(100)));
        for _ in 0..50 {
            costs.flew(&tx(), 50_000, Duration::from_millis(100), 0);
        }
        assert!(!costs.offload(&tx(), load(100)));
        let again = (0..2 * PROBE)
            .filter(|_| costs.offload(&tx(), load(100)))
            .count();
        assert_eq!(again, 1, "it is tried now and then");
        for _ in 0..100 {
            costs.flew(&tx(), 50_000, Duration::from_micros(100), 0);
        }
        assert!(costs.offload(&tx(), load(100)));
    }

    #[test]
    fn it_is_never_what_a_block_waits_for() {
        let mut costs = Costs::default();
        for _ in 0..50 {
            costs.ran(&tx(), 50_000, Duration::from_micros(50));
            costs.flew(&tx(), 50_000, Duration::from_micros(200), 0);
        }
        assert!(costs.offload(&tx(), load(10)));
        assert!(!costs.offload(&tx(), load(2)));
        let busy = Load {
            in_flight: 2_000_000,
            ..load(10)
        };
        assert!(!costs.offload(&tx(), busy));
    }
}
