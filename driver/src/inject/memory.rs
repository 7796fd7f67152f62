//! What the injector knows of DMA memory: mappings, and where messages and results lie.

use std::collections::{BTreeMap, HashMap};

use gatewei_abi::BEAT;
use gatewei_abi::command::{Completion, Submission};
use gatewei_abi::message::header;
use gatewei_abi::result::{HEADER_BYTES, Header, SLOT_BEATS};

use super::failed;
use crate::dma::DmaBuffer;
use crate::transport::TransportError;

#[derive(Debug, Default)]
pub(super) struct Memory {
    buffers: BTreeMap<u64, DmaBuffer>,
    /// Bus addresses of results, by command.
    results: HashMap<u32, u64>,
}

impl Memory {
    pub(super) fn add(&mut self, buffer: &DmaBuffer) {
        self.buffers.insert(buffer.bus(), buffer.clone());
    }

    pub(super) fn remove(&mut self, buffer: &DmaBuffer) {
        self.buffers.remove(&buffer.bus());
    }

    /// The buffer that begins at this address.
    pub(super) fn at(&self, bus: u64) -> Option<&DmaBuffer> {
        self.buffers.get(&bus)
    }

    /// The first address behind the buffer that begins at this one.
    pub(super) fn end_of(&self, bus: u64) -> u64 {
        self.at(bus).map_or(bus, |buffer| bus + buffer.len() as u64)
    }

    /// Remembers where a message's result goes.
    pub(super) fn note(&mut self, submission: &Submission) {
        self.results.insert(submission.command, submission.result);
    }

    fn result(&self, completion: &Completion) -> Option<&DmaBuffer> {
        self.at(*self.results.get(&completion.command)?)
    }

    fn change(
        &self,
        completion: &Completion,
        change: impl FnOnce(&mut Header),
    ) -> Result<(), TransportError> {
        let Some(buffer) = self.result(completion) else {
            return Ok(());
        };
        let mut header = buffer.load(0).map_err(failed)?;
        change(&mut header);
        buffer.store(0, &header).map_err(failed)
    }

    /// The result claims more output than the buffer has.
    pub(super) fn claim_beyond(&self, completion: &Completion) -> Result<(), TransportError> {
        self.change(completion, |header| header.output_bytes = u32::MAX)
    }

    /// Another bit of the gas left, below what the message had.
    pub(super) fn flip_gas(&self, completion: &Completion) -> Result<(), TransportError> {
        self.change(completion, |header| header.gas_left ^= 1)
    }

    /// Where a result's parts end.
    fn end(buffer: &DmaBuffer) -> Result<usize, TransportError> {
        let header: Header = buffer.load(0).map_err(failed)?;
        let slots = header.slots_offset as usize + header.slots as usize * SLOT_BEATS * BEAT;
        let output = header.output_offset as usize + header.output_bytes as usize;
        Ok(slots.max(output).min(buffer.len()))
    }

    /// Another bit somewhere behind the header.
    pub(super) fn flip_result(
        &self,
        completion: &Completion,
        seed: u64,
    ) -> Result<(), TransportError> {
        let Some(buffer) = self.result(completion) else {
            return Ok(());
        };
        let bytes = Self::end(buffer)?.saturating_sub(HEADER_BYTES);
        if bytes == 0 {
            return Ok(());
        }
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let at = HEADER_BYTES + random as usize % bytes;
        let mut byte = [0];
        buffer.copy_out(at, &mut byte).map_err(failed)?;
        byte[0] ^= 1 << (random >> 40 & 7);
        buffer.copy_in(at, &byte).map_err(failed)
    }

    /// Blanks the second half of a result; gives what is to be written there later.
    pub(super) fn hide_tail(
        &self,
        completion: &Completion,
    ) -> Result<Option<(DmaBuffer, usize, Vec<u8>)>, TransportError> {
        let Some(buffer) = self.result(completion) else {
            return Ok(None);
        };
        let end = Self::end(buffer)?;
        let at = HEADER_BYTES + end.saturating_sub(HEADER_BYTES) / 2;
        let mut truth = vec![0; end.saturating_sub(at)];
        buffer.copy_out(at, &mut truth).map_err(failed)?;
        buffer.copy_in(at, &vec![0; truth.len()]).map_err(failed)?;
        Ok(Some((buffer.clone(), at, truth)))
    }

    /// Another bit of the caller in a message.
    pub(super) fn flip_message(&self, submission: &Submission) -> Result<(), TransportError> {
        let Some(buffer) = self.at(submission.address) else {
            return Ok(());
        };
        let mut byte = [0];
        let at = header::CALLER * BEAT;
        buffer.copy_out(at, &mut byte).map_err(failed)?;
        byte[0] ^= 1;
        buffer.copy_in(at, &byte).map_err(failed)
    }
}
