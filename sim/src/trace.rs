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
