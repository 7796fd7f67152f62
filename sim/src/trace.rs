//! What a lane retires.

use std::collections::HashMap;

use gatewei_abi::Word;

/// An opcode as it retires: the frame's state before it, as an inspector sees it at `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Program counter.
    pub pc: u32,
    /// Opcode.
    pub opcode: u8,
    /// Gas left.
    pub gas: u64,
    /// Words on the stack.
    pub depth: u16,
    /// Top word of the stack, little-endian; zero when the stack is empty.
    pub top: Word,
    /// EVM memory, in words.
    pub memory_words: u32,
    /// Depth of the frame: 0 for the first.
    pub frame: u16,
}

impl Step {
    /// The state before the opcode behind this PUSH1 or PUSH2, which pushed `top`.
    pub(crate) const fn behind_push(&self, opcode: u8, top: Word) -> Self {
        const PUSH0: u8 = 0x5f;
        const PUSH_GAS: u64 = 3;
        Self {
            pc: self.pc + 1 + (self.opcode - PUSH0) as u32,
            opcode,
            gas: self.gas - PUSH_GAS,
            depth: self.depth + 1,
            top,
            ..*self
        }
    }
}

/// Retired opcodes by command id.
#[derive(Debug, Default)]
pub(crate) struct Recorder(HashMap<u32, Vec<Step>>);

impl Recorder {
    /// Adds an opcode.
    pub fn push(&mut self, command: u32, step: Step) {
        self.0.entry(command).or_default().push(step);
    }

    /// Hands a command's opcodes out.
    pub fn take(&mut self, command: u32) -> Vec<Step> {
        self.0.remove(&command).unwrap_or_default()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
