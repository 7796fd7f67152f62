//! Calls of precompiled contracts, whose input and output pass through the message's result buffer.

use gatewei_abi::command::precompile::{answer, call};
use gatewei_abi::{BEAT, Word};

use super::{Card, Ticket, field};
use crate::slots;
use crate::transport::Transport;

/// A call that a lane awaits the end of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrecompileCall {
    /// The contract's address, as a number.
    pub address: u32,
    /// Gas that it is given.
    pub gas: u64,
    /// Input.
    pub input: Vec<u8>,
    /// Where the output goes in the result buffer.
    output: usize,
}

impl<T: Transport> Card<T> {
    /// The call that a request of kind [`gatewei_abi::command::request::PRECOMPILE`] is about. None where the key
    /// names what is not in the result buffer, or the message has left.
    pub fn precompile_call(&mut self, ticket: Ticket, key: &Word) -> Option<PrecompileCall> {
        let bytes = u32::from_le_bytes(field(key, call::BYTES)) as usize;
        let offset = u32::from_le_bytes(field(key, call::OFFSET)) as usize;
        Some(PrecompileCall {
            address: u32::from_le_bytes(field(key, call::ADDRESS)),
            gas: u64::from_le_bytes(field(key, call::GAS)),
            input: self.passed(ticket, offset, bytes)?,
            output: (offset + bytes).next_multiple_of(BEAT),
        })
    }

    /// What a lane passes through its message's result buffer.
    pub(super) fn passed(
        &mut self,
        ticket: Ticket,
        offset: usize,
        bytes: usize,
    ) -> Option<Vec<u8>> {
        let command = self.slots.get_mut(ticket.0).ok()?;
        command.received += bytes as u64;
        let buffer = &self.buffers.get(slots::index(ticket.0))?.result;
        offset
            .checked_add(bytes)
            .filter(|end| *end <= buffer.len())?;
        let mut out = vec![0; bytes];
        buffer.copy_out(offset, &mut out).ok()?;
        Some(out)
    }

    /// Tells the lane how the call ended: with gas left and output, or with neither. Where the result buffer
    /// has no room for the output the message traps, as if the host could not answer.
    pub fn reply_precompile(
        &mut self,
        ticket: Ticket,
        call: &PrecompileCall,
        success: Option<(u64, &[u8])>,
    ) {
        let mut word = Word::default();
        if let Some((gas, output)) = success {
            let buffer = self.buffers.get(slots::index(ticket.0));
            let written = buffer.map(|buffers| buffers.result.copy_in(call.output, output));
            if !matches!(written, Some(Ok(()))) {
                self.reply(ticket, None);
                return;
            }
            if let Ok(command) = self.slots.get_mut(ticket.0) {
                command.sent += output.len() as u64;
            }
            let mut put =
                |at: usize, bytes: &[u8]| word[at..at + bytes.len()].copy_from_slice(bytes);
            put(answer::GAS, &gas.to_le_bytes());
            put(answer::BYTES, &(output.len() as u32).to_le_bytes());
            put(answer::OFFSET, &(call.output as u32).to_le_bytes());
            put(answer::OK, &1u32.to_le_bytes());
        }
        self.reply(ticket, Some(word));
    }
}
