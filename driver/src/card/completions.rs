//! What the card has completed: taken, checked, and told as events.

use std::time::Instant;

use gatewei_abi::command::{Completion, kind, request};
use gatewei_abi::result::HEADER_BYTES;
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::word;

use super::{Card, Event, POLLS, State, Ticket};
use crate::deadline::most_requests;
use crate::fault::{Failure, Fault};
use crate::result;
use crate::slots::{self, Miss};
use crate::transport::Transport;

impl<T: Transport> Card<T> {
    pub(super) fn take_completions(&mut self) -> Result<(), Failure> {
        self.queue.ring(&mut self.transport)?;
        loop {
            let next = match self.inbox.pop_front() {
                Some(completion) => Some(completion),
                None => self.queue.pop()?,
            };
            let Some(completion) = next else { break };
            self.take(&completion)?;
            if self.state != State::Ready {
                return Ok(());
            }
        }
        self.queue.ring(&mut self.transport)?;
        self.polls += 1;
        let interval = self.options.deadlines.interval;
        if self.slots.len() > 0 && (self.polls >= POLLS || interval.is_zero()) {
            self.polls = 0;
            if self.looked.elapsed() >= interval {
                self.look()?;
                self.looked = Instant::now();
            }
        }
        Ok(())
    }

    /// Takes one completion. It is a copy: what is checked here is what is used.
    fn take(&mut self, completion: &Completion) -> Result<(), Failure> {
        self.counters.completions += 1;
        if !self.queue.fetched(completion.sq_head) {
            self.counters.bad_heads += 1;
        }
        let (id, ticket) = (completion.command, Ticket(completion.command));
        let command = match self.slots.get_mut(id) {
            Ok(command) => command,
            Err(miss) => {
                match miss {
                    Miss::Stale => self.counters.stale += 1,
                    Miss::OutOfRange => self.counters.out_of_range += 1,
                }
                tracing::warn!(id, ?miss, "completion for nobody dropped");
                return Ok(());
            }
        };
        command.received += size_of::<Completion>() as u64;
        if completion.lane != self.part.lane(command.lane) {
            self.lose(ticket, Fault::BadCompletion, "it names another lane");
            return Ok(());
        }
        let (gas, cancelled, late) = (command.gas, command.cancelled, command.late);
        let (before, sent, received) = (command.before, command.sent, command.received);
        if !self.queue.has_fetched(before) {
            // Perhaps the head that it came with was wrong: ask the card.
            let head = self.read(self.queue.head_register())?;
            if !self.queue.fetched(head) || !self.queue.has_fetched(before) {
                self.lose(ticket, Fault::BadCompletion, "it precedes its command");
                return Ok(());
            }
        }
        let buffer = &self.buffers[slots::index(id)].result;
        let event = match (completion.kind, cancelled) {
            (kind::REQUEST, _) => return self.take_request(completion),
            (kind::DONE | kind::TRAP, true) => Event::Cancelled { ticket },
            (kind::DONE, false) => match Status::from_code(completion.code) {
                None => Event::Fault {
                    ticket,
                    fault: Fault::BadCompletion,
                },
                Some(status) => match result::parse(buffer, status, gas) {
                    Ok(result) => Event::Done {
                        ticket,
                        result: Box::new(result),
                    },
                    Err(why) => Event::Fault {
                        ticket,
                        fault: Fault::BadResult(why),
                    },
                },
            },
            (kind::TRAP, false) => match Trap::from_code(completion.code) {
                None => Event::Fault {
                    ticket,
                    fault: Fault::BadCompletion,
                },
                Some(Trap::Cancelled) if late => Event::Fault {
                    ticket,
                    fault: Fault::Deadline,
                },
                Some(trap) => Event::Trap {
                    ticket,
                    trap,
                    opcode: completion.tag as u8,
                    pc: completion.tag >> 8,
                    cost: result::cost(&result::read_header(buffer)),
                },
            },
            _ => {
                self.lose(ticket, Fault::BadCompletion, "its kind is undefined");
                return Ok(());
            }
        };
        match event {
            Event::Fault { fault, .. } if fault != Fault::Deadline => {
                // Perhaps the message did not end at all, and its lane still writes to its buffers.
                self.lose(ticket, fault, "what it completed with is unusable");
                return Ok(());
            }
            Event::Fault { fault, .. } => self.counters.lost.count(fault),
            _ => {}
        }
        let bytes = match &event {
            Event::Done { result, .. } => result.bytes(),
            _ => HEADER_BYTES as u64,
        };
        self.traffic.sent.add(sent);
        self.traffic.received.add(received + bytes);
        self.fruitless = 0;
        self.forget(id);
        self.events.push(event);
        Ok(())
    }

    fn take_request(&mut self, completion: &Completion) -> Result<(), Failure> {
        let ticket = Ticket(completion.command);
        let Ok(command) = self.slots.get_mut(completion.command) else {
            return Ok(());
        };
        command.requests += 1;
        if command.requests > most_requests(command.gas) {
            self.lose(
                ticket,
                Fault::BadCompletion,
                "it asks more than its gas can pay for",
            );
            return Ok(());
        }
        if command.asked.is_some() {
            self.counters.bad_requests += 1;
            return Ok(());
        }
        command.asked = Some(completion.tag);
        let leaving = command.cancelled || command.late;
        match completion.code {
            // The lane is about to find its cancellation; nobody else waits for an answer.
            _ if leaving => {}
            request::STORAGE
            | request::FIELD
            | request::BLOCK_HASH
            | request::ACCOUNT
            | request::PRECOMPILE
            | request::CREATE
            | request::DEPLOY
            | request::CODE_HASH => {
                self.events.push(Event::Request {
                    ticket,
                    kind: completion.code,
                    account: completion.account,
                    key: completion.key,
                });
            }
            request::CODE => {
                let (key, tag) = (command.codes.first().copied(), command.code_tag);
                let mine = key.filter(|_| completion.key == word(tag));
                let address = mine.and_then(|key| self.codes.address(&key, tag));
                self.reply(ticket, address.map(word));
            }
            _ => {
                self.counters.bad_requests += 1;
                self.reply(ticket, None);
            }
        }
        Ok(())
    }

    /// Frees all that a command holds.
    pub(super) fn forget(&mut self, id: u32) {
        let Ok(command) = self.slots.remove(id) else {
            return;
        };
        command.codes.iter().for_each(|key| self.codes.release(key));
        if let Some(fifo) = self.lanes.get_mut(usize::from(command.lane)) {
            fifo.retain(|other| *other != id);
        }
    }
}
