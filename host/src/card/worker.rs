//! The card worker: pulls transactions from a block's session and keeps the card's lanes full, from
//! one thread.

use std::collections::BTreeMap;
use std::time::Instant;

use gatewei_driver::result::Cost;
use gatewei_driver::transport::Transport;
use revm::ExecuteEvm;
use revm::context::result::ResultAndState;
use revm::primitives::{Address, HashMap, U256};
use revm::state::AccountInfo;

use super::control::{Control, Offload};
use super::costs::Load;
use super::flights::{CardRunner, Flights, Landing, Place};
use super::split::{CardDatabase, Ended};
use crate::CardStatistics;
use crate::engine::{Attempt, Base, Observe, Session, Task, View, WorkerEvm, WorkerView};

impl<DB: Base> CardDatabase for View<'_, DB> {
    fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256> {
        View::peek_storage(self, address, key)
    }

    fn peek_account(&mut self, address: Address) -> Option<AccountInfo> {
        View::peek_account(self, address)
    }

    fn nonces_used(&mut self) {
        self.observe_nonces();
    }

    fn balance_used(&mut self, address: Address) {
        self.observe_balance(address);
    }
}

/// A transaction on the card.
struct Job {
    attempt: Attempt,
    sent: Instant,
    /// Gas that it was expected to use, and that was in flight per lane in front of it.
    gas: u64,
    ahead: u64,
}

/// Works on a block until it is complete or given up. `workers` is the number of CPU workers beside.
pub(crate) fn run<T: Transport>(
    session: &Session<'_>,
    runner: &mut CardRunner<T>,
    control: &Control,
    workers: usize,
) {
    let lanes = runner.card().caps().lanes;
    let mut flights: Flights<'_, T, WorkerView<'_>, Job> =
        Flights::new(runner).foreseeing(session.block());
    let mut idle: Vec<WorkerEvm<'_>> = Vec::new();
    let mut landings = Vec::new();
    // How often a transaction's results were stale, one after the other.
    let mut stale: HashMap<usize, u32> = HashMap::default();
    let mut in_flight = 0;
    loop {
        while flights.has_room() && landings.is_empty() {
            // Sleep for work only with nothing to look after.
            let task = if flights.is_empty() {
                session.wait()
            } else {
                session.poll()
            };
            match task {
                Task::Execute(attempt) => {
                    let mut evm = idle.pop().unwrap_or_else(|| session.evm());
                    session.aim(&mut evm, attempt);
                    let tx = session.transaction(attempt);
                    let costs = &mut flights.runner.costs;
                    let send = match control.offload() {
                        Offload::All => true,
                        Offload::None => false,
                        Offload::Auto => {
                            let load = Load {
                                in_flight,
                                lanes,
                                left: session.left(),
                                workers: workers.max(1),
                            };
                            costs.offload(tx, load)
                        }
                    };
                    let (gas, sent) = (costs.gas(tx), Instant::now());
                    if send {
                        let ahead = in_flight / u64::from(lanes.max(1));
                        let job = Job {
                            attempt,
                            sent,
                            gas,
                            ahead,
                        };
                        in_flight += gas;
                        let index = Some(attempt.tx);
                        landings.extend(flights.start_as(index, evm, tx.clone(), job));
                    } else {
                        let result = evm.transact(tx.clone());
                        if let Ok(done) = &result {
                            costs.ran(tx, done.result.tx_gas_used(), sent.elapsed());
                        }
                        let kept = CardStatistics {
                            kept: 1,
                            ..CardStatistics::default()
                        };
                        session.submit(&mut evm, result, Some(Box::new(kept)));
                        idle.push(evm);
                    }
                }
                Task::Commit => session.commit(),
                Task::Wait => break,
                Task::Done => return,
            }
        }
        if landings.is_empty() {
            flights.step(&mut landings);
        }
        while let Some(landing) = landings.pop() {
            match landing {
                Landing::Ended {
                    job,
                    mut ended,
                    place,
                    cost,
                    prediction,
                    ..
                } => {
                    let attempt = job.attempt;
                    stale.remove(&attempt.tx);
                    in_flight -= job.gas;
                    if let (Ok(result), Place::Card | Place::Cpu(_)) = (&ended.outcome, place) {
                        let (gas, tx) = (result.tx_gas_used(), session.transaction(attempt));
                        let costs = &mut flights.runner.costs;
                        costs.flew(tx, gas, job.sent.elapsed(), job.ahead);
                    }
                    let statistics = CardStatistics {
                        prediction,
                        ..statistics(&ended, place, cost)
                    };
                    let state = ended.evm.finalize();
                    let result = ended.outcome.map(|result| ResultAndState { result, state });
                    session.submit(&mut ended.evm, result, Some(Box::new(statistics)));
                    idle.push(ended.evm);
                }
                // Something that it was told has changed since: it runs again at once.
                Landing::Stale { job, mut evm } => {
                    evm.finalize();
                    session.aim(&mut evm, job.attempt);
                    let tx = session.transaction(job.attempt).clone();
                    let index = job.attempt.tx;
                    let times = stale.entry(index).or_default();
                    *times += 1;
                    landings.extend(flights.start_again(Some(index), evm, tx, job, *times));
                }
            }
        }
    }
}

/// What a transaction adds to the card's statistics. `place` and `cost` are those of its landing.
pub fn statistics<DB: CardDatabase>(ended: &Ended<DB>, place: Place, cost: Cost) -> CardStatistics {
    let mut statistics = CardStatistics {
        evm_gas: ended.work.gas,
        evm_ops: ended.work.ops,
        cycles: cost.cycles,
        wait_cycles: cost.wait_cycles,
        page_cycles: cost.page_cycles,
        retired: cost.retired.into(),
        requests: cost.requests.into(),
        ..CardStatistics::default()
    };
    match place {
        Place::Nowhere => {}
        Place::Card => {
            statistics.txs = 1;
            statistics.gas = ended
                .outcome
                .as_ref()
                .map_or(0, |result| result.tx_gas_used());
            statistics.offloaded_gas = ended.work.gas;
            statistics.offloaded_ops = ended.work.ops;
        }
        Place::Cpu(reason) => statistics.fallbacks = BTreeMap::from([(reason.to_string(), 1)]),
    }
    statistics
}
