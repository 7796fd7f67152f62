//! A block's messages, each run once and alone on a card whose clock can be seen.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::ops::{AddAssign, Sub};

use alloy_primitives::{Address, TxKind, U256};
use gatewei_driver::profile::Profile as Cycles;
use gatewei_driver::transport::Transport;
use revm::ExecuteEvm;
use revm::context::TxEnv;
use revm::context::result::ResultAndState;

use super::access::Access;
use super::graph::Graph;
use crate::card::{self, CardRunner, Ended, Flights, Landing};
use crate::engine::{Attempt, Engine, Forecast, Hint, Session, Task, WorkerView, writes};
use crate::{Block, ExecutionError, Verify};

/// Calls of a function that may be under way before the first one has come home.
const COLD: u32 = 64;
/// Times that a message may come home stale. Alone on the card none does.
const STALE: u32 = 8;

/// What a card moved over its memory bus. A beat is 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bursts that it read.
    pub reads: u64,
    /// Beats of them.
    pub read_beats: u64,
    /// Bursts that it wrote.
    pub writes: u64,
    /// Beats of them.
    pub write_beats: u64,
}

impl Sub for Moved {
    type Output = Self;

    /// What was moved since `other`.
    fn sub(self, other: Self) -> Self {
        Self {
            reads: self.reads.saturating_sub(other.reads),
            read_beats: self.read_beats.saturating_sub(other.read_beats),
            writes: self.writes.saturating_sub(other.writes),
            write_beats: self.write_beats.saturating_sub(other.write_beats),
        }
    }
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.reads += other.reads;
        self.read_beats += other.read_beats;
        self.writes += other.writes;
        self.write_beats += other.write_beats;
    }
}

/// A card whose clock can be seen, and what it moves.
pub trait Counted: Transport {
    /// Clock cycles since power-up.
    fn cycles(&self) -> u64;
    /// What it has moved since power-up.
    fn moved(&self) -> Moved;
}

/// Where a transaction's first frame ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// It has none: a plain transfer, or a precompiled contract alone.
    #[default]
    Nowhere,
    /// On the card.
    Card,
    /// On the CPU, because the card cannot, or gave it back.
    Cpu,
}

/// What a message took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Cycles of its lane, from taking the message to its end.
    pub cycles: u64,
    /// Of those, cycles in which the lane awaited the host.
    pub wait_cycles: u64,
    /// Of those, cycles in which it awaited pages of code or data.
    pub page_cycles: u64,
    /// Of those, cycles of loading the message.
    pub loading_cycles: u64,
    /// Requests that it made.
    pub requests: u64,
    /// Cycles from its submission to its result at the host, beyond those of its lane.
    pub turn_cycles: u64,
    /// What it moved, with its submission, answers and completions.
    pub moved: Moved,
}

impl Spent {
    /// Cycles in which the lane executed: neither loaded nor waited.
    pub const fn execution_cycles(&self) -> u64 {
        let others = self.wait_cycles + self.page_cycles + self.loading_cycles;
        self.cycles.saturating_sub(others)
    }

    /// Cycles in which the lane did not await the host.
    pub const fn work_cycles(&self) -> u64 {
        self.cycles.saturating_sub(self.wait_cycles)
    }

    /// The same with what another run of the message has waited for pages, and moved of them: this one found them.
    fn with_pages_of(mut self, other: &Self) -> Self {
        let more = other.page_cycles.saturating_sub(self.page_cycles);
        self.cycles += more;
        self.page_cycles += more;
        self.moved.read_beats = self.moved.read_beats.max(other.moved.read_beats);
        self
    }
}

/// A transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Where it ran.
    pub place: Place,
    /// Gas, as in its receipt.
    pub gas: u64,
    /// The function that it calls, counted within the block; none where a block before called it.
    pub function: Option<u32>,
    /// Of the first call of a function: the cycles of its lane that went into loading codes, which every lane does for
    /// itself.
    pub code_cycles: Option<u64>,
    /// What it took, behind all messages before it.
    pub spent: Spent,
    /// What it takes where nothing is foreseen of it.
    pub cold: Spent,
}

/// A block, as far as a model needs it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its transactions.
    pub messages: Vec<Message>,
    /// What needs what.
    pub graph: Graph,
    /// What the engine knows of them before they run.
    pub hints: Vec<Hint>,
    /// Messages in flight for each lane.
    pub credits: u16,
    /// Gas of the block.
    pub gas: u64,
}

impl Profile {
    fn on_card(&self) -> impl Iterator<Item = &Spent> {
        let spent = self.messages.iter().map(|message| &message.spent);
        spent.filter(|spent| spent.cycles > 0)
    }

    /// Cycles for which a lane waits for an answer, on average; none where none was asked for.
    pub fn answer(&self) -> Option<u64> {
        let requests: u64 = self.on_card().map(|spent| spent.requests).sum();
        let waits: u64 = self.on_card().map(|spent| spent.wait_cycles).sum();
        (waits + requests / 2).checked_div(requests)
    }

    /// Cycles from a submission to its result at the host beyond those of its lane: those of the median message.
    pub fn turn(&self) -> u64 {
        let mut turns: Vec<u64> = self.on_card().map(|spent| spent.turn_cycles).collect();
        turns.sort_unstable();
        turns.get(turns.len() / 2).copied().unwrap_or(0)
    }
}

/// A function: the account that is called, and the calldata's first four bytes.
type Function = (TxKind, [u8; 4]);

/// Runs blocks on a card, one message at a time and in order, and notes what each one takes.
#[derive(Debug)]
pub struct Profiler<T: Counted> {
    runner: CardRunner<T>,
    /// Functions of the blocks so far.
    known: HashSet<Function>,
}

impl<T: Counted> Profiler<T> {
    /// On an open card.
    pub fn new(runner: CardRunner<T>) -> Self {
        Self {
            runner,
            known: HashSet::new(),
        }
    }

    /// Runs a block. What is learned of functions stays for the next one, as in operation.
    ///
    /// # Errors
    /// As [`crate::Executor::execute`].
    pub fn profile(&mut self, block: &Block) -> Result<Profile, ExecutionError> {
        let engine = Engine::builder().threads(NonZeroUsize::MIN).build();
        let credits = self.runner.card().caps().credits;
        let mut rows: Vec<(Message, Access)> = Vec::new();
        rows.resize_with(block.tx_envs.len(), Default::default);
        let mut functions: HashMap<Function, (u32, u32)> = HashMap::new();
        let known = &self.known;
        let runner = &mut self.runner;
        let outcome = engine.execute_with(block, Verify::None, |session| {
            let mut flights: Flights<'_, T, WorkerView<'_>, ()> = Flights::new(runner);
            loop {
                match session.wait() {
                    Task::Done => return,
                    Task::Commit => session.commit(),
                    Task::Wait => {}
                    Task::Execute(attempt) => {
                        let function = function(session.transaction(attempt));
                        let count = functions.len() as u32;
                        let (index, calls) = functions.entry(function).or_insert((count, 0));
                        let new = !known.contains(&function);
                        let Some((message, access)) = rows.get_mut(attempt.tx) else {
                            continue;
                        };
                        let (first, cold) = (new && *calls == 0, new && *calls < COLD);
                        *calls += 1;
                        let landed = fly(session, &mut flights, attempt);
                        (message.spent, message.cold) = (landed.spent, landed.spent);
                        (message.function, message.place) = (new.then_some(*index), landed.place);
                        if cold {
                            let learned = flights.runner().learned(None);
                            let again = fly(session, &mut flights, attempt);
                            flights.runner().learned(Some(learned));
                            if first {
                                let work = landed.spent.work_cycles();
                                let again = again.spent.work_cycles();
                                message.code_cycles = Some(work.saturating_sub(again));
                            } else {
                                message.cold = again.spent.with_pages_of(&landed.spent);
                            }
                        }
                        (message.gas, *access) = landed.submit(session, attempt);
                    }
                }
            }
        })?;
        self.known.extend(functions.into_keys());
        let (messages, accesses): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        Ok(Profile {
            messages,
            graph: Graph::of(&accesses),
            hints: Forecast::of(block).hints,
            credits,
            gas: outcome.result.gas_used,
        })
    }
}

fn function(tx: &TxEnv) -> Function {
    let mut selector = [0; 4];
    let bytes = tx.data.len().min(selector.len());
    selector[..bytes].copy_from_slice(&tx.data[..bytes]);
    (tx.kind, selector)
}

/// A transaction that has come home.
struct Landed<'s> {
    ended: Ended<WorkerView<'s>>,
    place: Place,
    asked: Vec<(Address, U256)>,
    spent: Spent,
}

/// Runs an attempt, with nothing else on the card.
fn fly<'s, T: Counted>(
    session: &'s Session<'_>,
    flights: &mut Flights<'_, T, WorkerView<'s>, ()>,
    attempt: Attempt,
) -> Landed<'s> {
    let mut evm = session.evm();
    session.aim(&mut evm, attempt);
    let tx = session.transaction(attempt).clone();
    let before = look(flights);
    let (mut landings, mut stale) = (Vec::new(), 0);
    landings.extend(flights.start(evm, tx.clone(), ()));
    loop {
        match landings.pop() {
            None => flights.step(&mut landings),
            Some(Landing::Ended {
                ended,
                place,
                cost,
                asked,
                ..
            }) => {
                let after = look(flights);
                let spent = Spent {
                    cycles: cost.cycles,
                    wait_cycles: cost.wait_cycles,
                    page_cycles: cost.page_cycles,
                    loading_cycles: after.loading,
                    requests: cost.requests.into(),
                    turn_cycles: (after.cycles - before.cycles).saturating_sub(cost.cycles),
                    moved: after.moved - before.moved,
                };
                let place = match place {
                    card::Place::Nowhere => Place::Nowhere,
                    card::Place::Card => Place::Card,
                    card::Place::Cpu(_) => Place::Cpu,
                };
                return Landed {
                    ended,
                    place,
                    asked,
                    spent,
                };
            }
            Some(Landing::Stale { mut evm, .. }) => {
                evm.finalize();
                session.aim(&mut evm, attempt);
                stale = (stale + 1).min(STALE);
                landings.extend(flights.start_again(None, evm, tx.clone(), (), stale));
            }
        }
    }
}

impl Landed<'_> {
    /// Hands the result in; returns the gas, and what it read and wrote.
    fn submit(mut self, session: &Session<'_>, attempt: Attempt) -> (u64, Access) {
        let tx = session.transaction(attempt);
        let evm = &mut self.ended.evm;
        let state = evm.finalize();
        let result = self.ended.outcome;
        let result = result.map(|result| ResultAndState { result, state });
        let mut done = (0, Access::default());
        if let Ok(result) = &result {
            let reads = &mut evm.ctx.journaled_state.database.reads;
            let writes = writes(&result.state, reads);
            let begins: Vec<_> = tx.kind.to().copied().into_iter().collect();
            let begins = [&begins[..], &[tx.caller]].concat();
            done = (
                result.result.tx_gas_used(),
                Access::of(reads, &writes, &self.asked, &begins),
            );
        }
        session.submit(evm, result, None);
        done
    }
}

/// A card's counters.
struct Look {
    cycles: u64,
    moved: Moved,
    /// Cycles of loading messages since the last look, without waiting for pages.
    loading: u64,
}

fn look<T: Counted>(flights: &mut Flights<'_, T, WorkerView<'_>, ()>) -> Look {
    let transport = flights.runner().card_mut().transport_mut();
    let spent: Cycles = transport.take_profile().unwrap_or_default();
    let messages = spent.messages;
    Look {
        cycles: transport.cycles(),
        moved: transport.moved(),
        loading: messages
            .cycles
            .saturating_sub(messages.page_cycles + messages.wait_cycles),
    }
}
