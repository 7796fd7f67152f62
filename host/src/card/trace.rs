//! What a frame did, opcode by opcode: revm's side of a comparison with a lane.

use gatewei_abi::opcode;
use revm::Database;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::{Jumps, MemoryTr};
use revm::interpreter::{InstructionResult, Interpreter};
use revm::primitives::U256;

use super::split::{Ended, InFlight, Watch};

/// The machine before an opcode, as a lane's retire trace and an inspector's `step` show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many calls the frame is inside; 0: the first one.
    pub frame: u16,
    /// Program counter, in the frame's code.
    pub pc: u32,
    /// Opcode. Behind the code's end stands STOP.
    pub opcode: u8,
    /// Gas left.
    pub gas: u64,
    /// Words on the stack.
    pub depth: u16,
    /// The topmost of them; 0 on an empty stack.
    pub top: U256,
    /// Memory of the frame, in words.
    pub memory: u32,
}

impl Step {
    /// What the interpreter of a frame at this depth is about to do.
    pub fn of(frame: usize, interpreter: &Interpreter<EthInterpreter>) -> Self {
        Self {
            frame: frame as u16,
            pc: interpreter.bytecode.pc() as u32,
            opcode: interpreter.bytecode.opcode(),
            gas: interpreter.gas.remaining(),
            depth: interpreter.stack.len() as u16,
            top: interpreter.stack.peek(0).unwrap_or_default(),
            memory: (interpreter.memory.size() / 32) as u32,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = opcode::name(self.opcode);
        write!(
            f,
            "{:>4} {:>5} {name:<14} gas {:>9} depth {:>4} memory {:>5} top {:#x}",
            self.frame, self.pc, self.gas, self.depth, self.memory, self.top
        )
    }
}

/// What revm did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Every opcode, before it ran.
    pub steps: Vec<Step>,
    /// How frames ended, and calls and creations that had none: index of the opcode that did it, and the result.
    pub ends: Vec<(usize, InstructionResult)>,
}

impl Watch for Record {
    fn step(&mut self, depth: usize, interpreter: &Interpreter<EthInterpreter>) {
        self.steps.push(Step::of(depth, interpreter));
    }

    fn end(&mut self, result: InstructionResult) {
        self.ends.push((self.steps.len().saturating_sub(1), result));
    }
}

/// Runs a frame, with all that it calls, on revm's interpreter and records what it does.
pub fn record<DB: Database>(inflight: InFlight<DB>) -> (Record, Ended<DB>) {
    let mut record = Record::default();
    let ended = inflight.fallback_watched(&mut record);
    (record, ended)
}
