//! A block's messages, each run once and alone on a card whose clock can be seen.

use std::num::NonZeroUsize;
use std::ops::{AddAssign, Sub};

use gatewei_driver::profile::Profile as Cycles;
use gatewei_driver::transport::Transport;
use revm::ExecuteEvm;
use revm::context::result::ResultAndState;

use super::access::Access;
use super::graph::Graph;
use crate::card::{self, CardRunner, Flights, Landing};
use crate::engine::{Engine, Forecast, Hint, Session, Task, WorkerView, writes};
use crate::{Block, ExecutionError, Verify};

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

/// What a transaction took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Where it ran.
    pub place: Place,
    /// Gas, as in its receipt.
    pub gas: u64,
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

impl Message {
    /// Cycles in which the lane executed: neither loaded nor waited.
    pub const fn execution_cycles(&self) -> u64 {
        let others = self.wait_cycles + self.page_cycles + self.loading_cycles;
        self.cycles.saturating_sub(others)
    }
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
    /// Sum over the transactions.
    pub fn sum(&self, of: impl Fn(&Message) -> u64) -> u64 {
        self.messages.iter().map(of).sum()
    }

    /// Cycles from a submission to its result at the host beyond those of its lane: those of the median message.
    pub fn turn(&self) -> u64 {
        let on_card = self.messages.iter().filter(|message| message.cycles > 0);
        let mut turns: Vec<u64> = on_card.map(|message| message.turn_cycles).collect();
        turns.sort_unstable();
        turns.get(turns.len() / 2).copied().unwrap_or(0)
    }
}

/// Runs a block on a card, one message at a time and in order, and notes what each one takes.
///
/// The predictor of `runner` learns from message to message, as it does in operation.
///
/// # Errors
/// As [`crate::Executor::execute`].
pub fn profile<T: Counted>(
    runner: &mut CardRunner<T>,
    block: &Block,
) -> Result<Profile, ExecutionError> {
    let engine = Engine::builder().threads(NonZeroUsize::MIN).build();
    let mut rows: Vec<(Message, Access)> = Vec::new();
    rows.resize_with(block.tx_envs.len(), Default::default);
    let credits = runner.card().caps().credits;
    let outcome = engine.execute_with(block, Verify::None, |session| {
        work(session, runner, &mut rows);
    })?;
    let (messages, accesses): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Ok(Profile {
        messages,
        graph: Graph::of(&accesses),
        hints: Forecast::of(block).hints,
        credits,
        gas: outcome.result.gas_used,
    })
}

fn work<T: Counted>(
    session: &Session<'_>,
    runner: &mut CardRunner<T>,
    rows: &mut [(Message, Access)],
) {
    let mut flights: Flights<'_, T, WorkerView<'_>, ()> = Flights::new(runner);
    let mut idle = None;
    loop {
        match session.wait() {
            Task::Done => return,
            Task::Commit => session.commit(),
            Task::Wait => {}
            Task::Execute(attempt) => {
                let mut evm = idle.take().unwrap_or_else(|| session.evm());
                session.aim(&mut evm, attempt);
                let tx = session.transaction(attempt).clone();
                let before = look(&mut flights);
                let mut landings = Vec::new();
                let mut stale = 0;
                landings.extend(flights.start(evm, tx.clone(), ()));
                let (mut ended, place, cost, asked) = loop {
                    match landings.pop() {
                        None => flights.step(&mut landings),
                        Some(Landing::Ended {
                            ended,
                            place,
                            cost,
                            asked,
                            ..
                        }) => break (ended, place, cost, asked),
                        Some(Landing::Stale { mut evm, .. }) => {
                            evm.finalize();
                            session.aim(&mut evm, attempt);
                            stale = (stale + 1).min(STALE);
                            let again = flights.start_again(None, evm, tx.clone(), (), stale);
                            landings.extend(again);
                        }
                    }
                };
                let after = look(&mut flights);
                let state = ended.evm.finalize();
                let result = ended.outcome.map(|result| ResultAndState { result, state });
                let (message, access) = &mut rows[attempt.tx];
                *message = Message {
                    place: match place {
                        card::Place::Nowhere => Place::Nowhere,
                        card::Place::Card => Place::Card,
                        card::Place::Cpu(_) => Place::Cpu,
                    },
                    gas: result.as_ref().map_or(0, |done| done.result.tx_gas_used()),
                    cycles: cost.cycles,
                    wait_cycles: cost.wait_cycles,
                    page_cycles: cost.page_cycles,
                    loading_cycles: after.loading,
                    requests: cost.requests.into(),
                    turn_cycles: (after.cycles - before.cycles).saturating_sub(cost.cycles),
                    moved: after.moved - before.moved,
                };
                if let Ok(done) = &result {
                    let reads = &mut ended.evm.ctx.journaled_state.database.reads;
                    let writes = writes(&done.state, reads);
                    let begins: Vec<_> = tx.kind.to().copied().into_iter().collect();
                    let begins = [&begins[..], &[tx.caller]].concat();
                    *access = Access::of(reads, &writes, &asked, &begins);
                }
                session.submit(&mut ended.evm, result, None);
                idle = Some(ended.evm);
            }
        }
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
