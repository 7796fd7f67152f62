//! Ends of a move: where the mover's chunks come from and where they go.

use rust_hdl_core::prelude::*;

use super::microcode::word::Move;

/// Decodes a move.
#[derive(LogicBlock, Default)]
pub struct Route {
    /// The move.
    pub kind: Signal<In, Move>,
    /// Chunks are beats of the host.
    pub from_beats: Signal<Out, Bit>,
    /// Chunks are EVM memory.
    pub from_memory: Signal<Out, Bit>,
    /// Chunks are calldata.
    pub from_calldata: Signal<Out, Bit>,
    /// Chunks are return data.
    pub from_return: Signal<Out, Bit>,
    /// Chunks are code.
    pub from_code: Signal<Out, Bit>,
    /// They go to EVM memory.
    pub to_memory: Signal<Out, Bit>,
    /// They go to the return data.
    pub to_return: Signal<Out, Bit>,
    /// They go to calldata.
    pub to_calldata: Signal<Out, Bit>,
    /// They go to the environment memory.
    pub to_env: Signal<Out, Bit>,
    /// They go to the result buffer.
    pub to_out: Signal<Out, Bit>,
    /// They go to the Keccak engine.
    pub to_keccak: Signal<Out, Bit>,
    move_: Signal<Local, Move>,
}

impl Logic for Route {
    #[hdl_gen]
    fn update(&mut self) {
        self.move_.next = self.kind.val();
        self.from_beats.next = false;
        self.from_memory.next = false;
        self.from_calldata.next = false;
        self.from_return.next = false;
        self.from_code.next = false;
        self.to_memory.next = false;
        self.to_return.next = false;
        self.to_calldata.next = false;
        self.to_env.next = false;
        self.to_out.next = false;
        self.to_keccak.next = false;
        match self.move_.val() {
            Move::None => {}
            Move::MemoryOut => {
                self.from_memory.next = true;
                self.to_out.next = true;
            }
            Move::MemoryKeccak => {
                self.from_memory.next = true;
                self.to_keccak.next = true;
            }
            Move::MemoryMemory => {
                self.from_memory.next = true;
                self.to_memory.next = true;
            }
            Move::MemoryMemoryBack => {
                self.from_memory.next = true;
                self.to_memory.next = true;
            }
            Move::CalldataMemory => {
                self.from_calldata.next = true;
                self.to_memory.next = true;
            }
            Move::CodeMemory => {
                self.from_code.next = true;
                self.to_memory.next = true;
            }
            Move::ReturnMemory => {
                self.from_return.next = true;
                self.to_memory.next = true;
            }
            Move::MemoryReturn => {
                self.from_memory.next = true;
                self.to_return.next = true;
            }
            Move::BeatReturn => {
                self.from_beats.next = true;
                self.to_return.next = true;
            }
            Move::ZeroMemory => {
                self.to_memory.next = true;
            }
            Move::ZeroCalldata => {
                self.to_calldata.next = true;
            }
            Move::BeatEnv => {
                self.from_beats.next = true;
                self.to_env.next = true;
            }
            Move::BeatCalldata => {
                self.from_beats.next = true;
                self.to_calldata.next = true;
            }
        }
    }
}
