//! The card worker: pulls transactions from a block's session and keeps the card's lanes full, from
//! one thread.

use std::collections::BTreeMap;

use gatewei_abi::opcode::opcode;
use gatewei_driver::Card;
use gatewei_driver::profile::{Profile, Spent};
use gatewei_driver::result::Cost;
use gatewei_driver::transport::Transport;
use revm::ExecuteEvm;
use revm::context::result::ResultAndState;
use revm::primitives::{Address, HashMap, U256};
use revm::state::AccountInfo;

use super::flights::{CardRunner, Flights, Landing, Place};
use super::split::{CardDatabase, Ended};
use crate::engine::{Attempt, Base, Engine, Observe, Session, Task, View, WorkerEvm, WorkerView};
use crate::{Block, CardStatistics, ClassCycles, ExecutionError, Executor, Outcome};

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

/// Executes blocks with first frames, and all that they call, on a card, from the caller's thread.
#[derive(Debug)]
pub struct CardExecutor<T: Transport> {
    engine: Engine,
    runner: CardRunner<T>,
}

impl<T: Transport> CardExecutor<T> {
    /// An executor on an open card, which it keeps.
    pub fn new(card: Card<T>) -> Self {
        let engine = Engine::builder()
            .threads(std::num::NonZeroUsize::MIN)
            .build();
        Self {
            engine,
            runner: CardRunner::new(card),
        }
    }

    /// The card, and a way to run single transactions on it.
    pub const fn runner(&mut self) -> &mut CardRunner<T> {
        &mut self.runner
    }
}

impl<T: Transport> Executor for CardExecutor<T> {
    fn name(&self) -> &'static str {
        "card"
    }

    fn threads(&self) -> usize {
        self.engine.threads().get()
    }

    fn execute(&mut self, block: &Block) -> Result<Outcome, ExecutionError> {
        let transport = self.runner.card_mut().transport_mut();
        transport.take_profile();
        let mut outcome = self
            .engine
            .execute_with(block, |session| run(session, &mut self.runner))?;
        let transport = self.runner.card_mut().transport_mut();
        if let Some(profile) = transport.take_profile() {
            spend(&mut outcome.statistics.card, &profile);
        }
        Ok(outcome)
    }
}

/// Adds what a transport has seen, by classes of opcodes.
fn spend(card: &mut CardStatistics, profile: &Profile) {
    let class = |byte: usize| opcode(byte as u8).map_or("trap", |op| op.class.cost());
    let opcodes = profile.opcodes.iter().enumerate();
    let rows = opcodes.map(|(byte, spent)| (class(byte), *spent));
    for (class, spent) in rows.chain([("message", profile.messages)]) {
        let Spent {
            count,
            cycles,
            wait_cycles,
            page_cycles,
        } = spent;
        let cycles = cycles - wait_cycles - page_cycles;
        if count + cycles + wait_cycles + page_cycles > 0 {
            let spent = ClassCycles {
                count,
                cycles,
                wait_cycles,
                page_cycles,
            };
            card.spend(class, spent);
        }
    }
}

/// Works on a block until it is complete or given up.
pub(crate) fn run<T: Transport>(session: &Session<'_>, runner: &mut CardRunner<T>) {
    let mut flights: Flights<'_, T, WorkerView<'_>, Attempt> = Flights::new(runner);
    let mut idle: Vec<WorkerEvm<'_>> = Vec::new();
    let mut landings = Vec::new();
    // How often a transaction's results were stale, one after the other.
    let mut stale: HashMap<usize, u32> = HashMap::default();
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
                    let tx = session.transaction(attempt).clone();
                    landings.extend(flights.start(evm, tx, attempt));
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
                } => {
                    stale.remove(&job.tx);
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
                Landing::Stale {
                    job: attempt,
                    mut evm,
                } => {
                    evm.finalize();
                    session.aim(&mut evm, attempt);
                    let tx = session.transaction(attempt).clone();
                    let times = stale.entry(attempt.tx).or_default();
                    *times += 1;
                    landings.extend(flights.start_again(evm, tx, attempt, *times));
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
