//! Messages and answers on their way to the card, with the codes that they point to.

use gatewei_abi::command::{Submission, op};
use gatewei_abi::message::{Message, with_image};
use gatewei_abi::result::Header;
use gatewei_abi::{Word, layout};

use super::{Buffers, Card, Command, MESSAGE_BYTES, State, Ticket};
use crate::codes::Code;
use crate::dma::DmaBuffer;
use crate::fault::SubmitError;
use crate::transport::{Transport, TransportError};

impl<T: Transport> Card<T> {
    /// Puts a message in flight on a lane. The driver fills in where its code lies, and where the codes of
    /// its accounts do: `codes` are those of `message.accounts`, one by one, where an account has a code word
    /// with code of its own. Accounts beyond the end of `codes` have none.
    ///
    /// The card may start at the next [`Card::poll`], [`Card::wait`] or [`Card::flush`].
    pub fn submit(
        &mut self,
        lane: u16,
        message: Message<'_>,
        code: Code<'_>,
        codes: &[Option<Code<'_>>],
    ) -> Result<Ticket, SubmitError> {
        self.submit_roomy(lane, message, code, codes, 0)
    }

    /// As [`Card::submit`], with room for a result of `result_bytes` if that is more than the usual: for
    /// messages that trapped with [`gatewei_abi::status::Trap::Result`].
    pub fn submit_roomy(
        &mut self,
        lane: u16,
        message: Message<'_>,
        code: Code<'_>,
        codes: &[Option<Code<'_>>],
        result_bytes: usize,
    ) -> Result<Ticket, SubmitError> {
        if let State::Dead(fault) = self.state {
            return Err(SubmitError::Dead(fault));
        }
        let fifo = self
            .lanes
            .get(usize::from(lane))
            .ok_or(SubmitError::NoLane(lane))?;
        let slot = self
            .slots
            .next()
            .filter(|_| fifo.len() < self.caps.credits.into());
        let slot = slot.ok_or(SubmitError::NoCredit(lane))?;
        if let Err(failure) = self.make_room() {
            let fault = failure.fault();
            self.fail(fault, None, &failure);
            return Err(SubmitError::Failed(fault));
        }
        let mut pinned = Vec::new();
        let gas = message.gas;
        let placed = self.place(lane, message, code, codes, &mut pinned);
        let written = placed.and_then(|(bytes, tag)| {
            let Buffers { message, result } = &mut self.buffers[slot];
            fit(&mut self.transport, message, MESSAGE_BYTES.max(bytes.len()))?;
            let room = self.options.result_bytes.max(result_bytes);
            fit(&mut self.transport, result, room.max(size_of::<Header>()))?;
            let buffers = &self.buffers[slot];
            buffers.message.copy_in(0, &bytes)?;
            // A result that the card never writes must not look like the last one.
            buffers.result.store(0, &Header::default())?;
            Ok((tag, bytes.len() as u64))
        });
        let (tag, sent) = match written {
            Ok(written) => written,
            Err(error) => {
                pinned.iter().for_each(|key| self.codes.release(key));
                return Err(error);
            }
        };
        let command = Command {
            lane,
            before: self.queue.written(),
            gas,
            codes: pinned,
            code_tag: tag,
            asked: None,
            requests: 0,
            cancelled: false,
            late: false,
            sent: sent + size_of::<Submission>() as u64,
            received: 0,
        };
        let id = match self.slots.insert(command) {
            Ok(id) => id,
            Err(command) => {
                command.codes.iter().for_each(|key| self.codes.release(key));
                return Err(SubmitError::NoCredit(lane));
            }
        };
        self.queue.push(&Submission {
            op: op::EXEC,
            lane: self.part.lane(lane),
            command: id,
            address: self.buffers[slot].message.bus(),
            result: self.buffers[slot].result.bus(),
            capacity: self.buffers[slot].result.len() as u32,
            ..Submission::default()
        })?;
        self.lanes[usize::from(lane)].push_back(id);
        self.counters.submitted += 1;
        Ok(Ticket(id))
    }

    /// Makes the codes resident, and with their places the message. Each code is pinned in the moment that
    /// `pinned` names it. The second value is the tag of the first frame's code.
    fn place(
        &mut self,
        lane: u16,
        message: Message<'_>,
        code: Code<'_>,
        codes: &[Option<Code<'_>>],
        pinned: &mut Vec<Word>,
    ) -> Result<(Vec<u8>, u64), SubmitError> {
        let (address, tag) = self.codes.acquire(&mut self.transport, code)?;
        pinned.push(code.key);
        let mut places = Vec::with_capacity(codes.len());
        for (account, code) in message.accounts.iter().zip(codes) {
            places.push(match code {
                Some(code) if account.code.is_some() => {
                    let place = self.codes.acquire(&mut self.transport, *code)?;
                    pinned.push(code.key);
                    Some(place)
                }
                _ => None,
            });
        }
        let message = Message {
            code: address,
            code_tag: tag,
            spill: self.spills[usize::from(lane)].bus(),
            ..message
        };
        let bytes = message.write(&places, self.caps.slots.into());
        Ok((bytes.map_err(SubmitError::Unfit)?, tag))
    }

    /// Answers a request for an account that has code, or for code that is deployed: with its code `word`, into
    /// which the driver fills where the code lies. The code stays there until the message has ended.
    pub fn reply_code(&mut self, ticket: Ticket, word: Word, code: Code<'_>) {
        let answer = self.pin(ticket, code);
        let answer = answer.map(|(image, tag)| with_image(word, image, tag));
        self.reply(ticket, answer);
    }

    /// Makes a code resident until the message has ended: bus address and tag of its image. None where
    /// there is no memory, or the message has left or does not ask.
    pub(super) fn pin(&mut self, ticket: Ticket, code: Code<'_>) -> Option<(u64, u64)> {
        match self.slots.get_mut(ticket.0) {
            Ok(command) if command.asked.is_some() => {}
            _ => return None,
        }
        let placed = self.codes.acquire(&mut self.transport, code);
        if let Err(error) = &placed {
            tracing::warn!(id = ticket.0, %error, "no memory for a code");
        }
        let placed = placed.ok()?;
        if let Ok(command) = self.slots.get_mut(ticket.0) {
            command.codes.push(code.key);
        }
        Some(placed)
    }

    /// Answers the request that a message awaits. `None`: the host cannot answer; the message traps.
    pub fn reply(&mut self, ticket: Ticket, answer: Option<Word>) {
        let Ok(command) = self.slots.get_mut(ticket.0) else {
            self.counters.late += 1;
            return;
        };
        let Some(tag) = command.asked.take() else {
            self.counters.late += 1;
            return;
        };
        command.sent += size_of::<Submission>() as u64;
        let submission = Submission {
            op: op::REPLY,
            failed: u8::from(answer.is_none()),
            lane: self.part.lane(command.lane),
            command: ticket.0,
            tag,
            value: answer.unwrap_or_default(),
            ..Submission::default()
        };
        self.send(&submission);
    }
}

/// Replaces a free slot's buffer by one of this size, unless it has that, or up to twice that: a transport may
/// round sizes up. What one message needed for once is not kept.
fn fit(
    transport: &mut impl Transport,
    buffer: &mut DmaBuffer,
    bytes: usize,
) -> Result<(), TransportError> {
    if !(bytes..=2 * bytes).contains(&buffer.len()) {
        let new = transport.dma(bytes, layout::ALIGN)?;
        transport.release(std::mem::replace(buffer, new))?;
    }
    Ok(())
}
