//! Blocks on a card and on CPU workers beside it, and what becomes of a card that computes wrongly.

use std::num::NonZeroUsize;

use gatewei_abi::opcode::opcode;
use gatewei_driver::Card;
use gatewei_driver::profile::{Profile, Spent};
use gatewei_driver::transport::Transport;

use super::control::{Control, Offload};
use super::flights::CardRunner;
use super::worker::run;
use crate::engine::Engine;
use crate::{
    Block, CardStatistics, Checks, ClassCycles, ExecutionError, Executor, Fault, Outcome,
    WrongResult, first_difference,
};

/// The fallback of a whole block because its card is in quarantine.
const QUARANTINED: &str = "quarantined";

/// Why a card gets no more work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Number of the block in which it was found out.
    pub block: u64,
    /// What was wrong.
    pub wrong: WrongResult,
}

impl std::fmt::Display for Quarantine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "block {}: {}", self.block, self.wrong)
    }
}

/// Executes blocks with first frames, and all that they call, on a card, from the caller's thread (and one more for each
/// further queue pair), and on CPU workers beside it, if there are any.
///
/// A block that has been sealed is compared with its header ([`Checks`]); if that fails, or the block fails, the CPU
/// executes all of it again. If the CPU comes to another result, that is the block's, and the card is in quarantine: all
/// further blocks run on the CPU until [`CardExecutor::release`]. Where there is no header, or to be sure of what a header
/// leaves open, see [`Verify`](crate::Verify).
#[derive(Debug)]
pub struct CardExecutor<T: Transport> {
    engine: Engine,
    runner: CardRunner<T>,
    /// Those of further queue pairs.
    others: Vec<CardRunner<T>>,
    control: Control,
    quarantine: Option<Quarantine>,
}

impl<T: Transport> CardExecutor<T> {
    /// An executor on an open card, which it keeps, without CPU workers beside it.
    pub fn new(card: Card<T>) -> Self {
        Self {
            engine: Engine::builder().threads(NonZeroUsize::MIN).build(),
            runner: CardRunner::new(card),
            others: Vec::new(),
            control: Control::default(),
            quarantine: None,
        }
    }

    /// With further queue pairs of the same card ([`gatewei_driver::share()`]): each has a thread of its own.
    pub fn with_pairs(mut self, cards: impl IntoIterator<Item = Card<T>>) -> Self {
        self.others.extend(cards.into_iter().map(CardRunner::new));
        self
    }

    /// With so many threads in all: one for each queue pair drives the card, the others are CPU workers.
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.engine = Engine::builder().threads(threads).build();
        self
    }

    /// The switches, to be kept by whoever wants to change them later.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The card, and a way to run single transactions on it.
    pub const fn runner(&mut self) -> &mut CardRunner<T> {
        &mut self.runner
    }

    /// Those of further queue pairs.
    pub fn others(&mut self) -> &mut [CardRunner<T>] {
        &mut self.others
    }

    /// Why the card gets no work, if it is in quarantine.
    pub const fn quarantine(&self) -> Option<&Quarantine> {
        self.quarantine.as_ref()
    }

    /// Trusts the card again, after it was reset or tested.
    pub fn release(&mut self) -> Option<Quarantine> {
        self.quarantine.take()
    }

    /// Executes a block again wholly on the CPU, whose `outcome` from the card someone doubts: for whoever checks what
    /// this library cannot, such as a state root. If the CPU comes to another result the card is in quarantine.
    ///
    /// # Errors
    /// As [`Executor::execute`].
    pub fn suspect(&mut self, block: &Block, outcome: Outcome) -> Result<Outcome, ExecutionError> {
        let mut truth = self.engine.execute(block)?;
        let Some(difference) = first_difference(&truth, &outcome) else {
            return Ok(outcome);
        };
        let wrong = WrongResult {
            transaction: difference.transaction,
            difference: difference.to_string(),
        };
        truth.statistics.card = outcome.statistics.card;
        truth.statistics.card.was_wrong(wrong.clone());
        self.isolate(block, wrong);
        Ok(truth)
    }

    fn isolate(&mut self, block: &Block, wrong: WrongResult) {
        let quarantine = Quarantine {
            block: block.number(),
            wrong,
        };
        tracing::error!(%quarantine, "the card computes wrongly: it gets no more work");
        self.quarantine.get_or_insert(quarantine);
    }

    fn on_card(&mut self, block: &Block) -> Result<Outcome, ExecutionError> {
        let (runner, control) = (&mut self.runner, &self.control);
        runner.card_mut().transport_mut().take_profile();
        let others = &mut self.others;
        let workers = self.engine.threads().get().saturating_sub(1 + others.len());
        let mut outcome = self
            .engine
            .execute_with(block, control.verify(), |session| {
                std::thread::scope(|scope| {
                    for other in others {
                        scope.spawn(|| run(session, other, control, workers));
                    }
                    run(session, runner, control, workers);
                });
            })?;
        if let Some(profile) = self.runner.card_mut().transport_mut().take_profile() {
            spend(&mut outcome.statistics.card, &profile);
        }
        Ok(outcome)
    }

    /// The block failed with the card: it is the card's fault if it does not fail without.
    fn failed(&mut self, block: &Block, error: ExecutionError) -> Result<Outcome, ExecutionError> {
        let mut truth = self.engine.execute(block)?;
        let transaction = error.transaction();
        let difference = format!("valid against: {error}");
        let wrong = WrongResult {
            transaction,
            difference,
        };
        truth.statistics.card.was_wrong(wrong.clone());
        // A worker that left early has computed nothing wrong.
        if !matches!(error.fault, Fault::Internal { .. }) {
            self.isolate(block, wrong);
        }
        Ok(truth)
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
        if self.quarantine.is_some() {
            let mut outcome = self.engine.execute(block)?;
            let all = block.transactions.len() as u64;
            let fallbacks = &mut outcome.statistics.card.fallbacks;
            fallbacks.insert(QUARANTINED.to_owned(), all);
            return Ok(outcome);
        }
        if self.control.offload() == Offload::None {
            return self.engine.execute(block);
        }
        let outcome = match self.on_card(block) {
            Ok(outcome) => outcome,
            Err(error) => return self.failed(block, error),
        };
        let card = &outcome.statistics.card;
        // Where one result was wrong, others may be that nobody has looked at.
        let mut doubted = card.txs > 0 && card.wrong.is_some();
        if let Some(wrong) = &card.wrong {
            self.isolate(block, wrong.clone());
        }
        doubted |= card.txs > 0 && block.is_sealed() && !Checks::new(block, &outcome).0.hold();
        if doubted {
            return self.suspect(block, outcome);
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
