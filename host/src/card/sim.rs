//! The simulated card: the Verilog in this process.

use gatewei_driver::{Card, OpenError, Options};
use gatewei_sim::{SimCard, SimError};

use super::executor::CardExecutor;
use super::flights::CardRunner;
use super::lockstep::Traced;
use super::message::from_word;
use super::trace::Step;
use crate::model::{Counted, Moved};

impl Counted for SimCard {
    fn cycles(&self) -> u64 {
        Self::cycles(self)
    }

    fn moved(&self) -> Moved {
        let moved = self.memory().moved();
        Moved {
            reads: moved.reads,
            read_beats: moved.read_beats,
            writes: moved.writes,
            write_beats: moved.write_beats,
        }
    }
}

impl Traced for SimCard {
    fn start_trace(&mut self) {
        self.set_trace(true);
    }

    fn take_trace(&mut self, command: u32) -> Vec<Step> {
        let step = |step: gatewei_sim::trace::Step| Step {
            frame: step.frame,
            pc: step.pc,
            opcode: step.opcode,
            gas: step.gas,
            depth: step.depth,
            top: from_word(&step.top),
            memory: step.memory_words,
        };
        self.take_steps(command).into_iter().map(step).collect()
    }
}

/// Why there is no simulated card.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// There is no model of that kind.
    #[error(transparent)]
    Model(#[from] SimError),
    /// The model does not start.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Powers a simulated card up and opens it.
pub fn open(
    simulation: gatewei_sim::Options,
    options: Options,
) -> Result<CardRunner<SimCard>, SimulationError> {
    Ok(CardRunner::new(Card::open(
        SimCard::new(simulation)?,
        options,
    )?))
}

/// An executor on a simulated card.
pub fn executor(
    simulation: gatewei_sim::Options,
    options: Options,
) -> Result<CardExecutor<SimCard>, SimulationError> {
    Ok(CardExecutor::new(Card::open(
        SimCard::new(simulation)?,
        options,
    )?))
}
