//! The card's life: start, watch, reset, end.
//!
//! ```text
//! probed ──▶ ready ──── a fault ────▶ faulted ──▶ resetting ──▶ ready again
//! identify   start      look, poll    fail        start, quiesce
//!               │                        │           │
//!               │ drop                   │ gone,     │ does not come to rest, or too
//!               ▼                        │ hung      │ many faults without a message
//!        in reset, at rest               ╰───────────┴──▶ dead (State::Dead): only dropped
//! ```
//!
//! A card that is shared ([`crate::share()`]) is reset by one of its owners; each of the others learns of it with its
//! next access, loses what it had in flight, and goes on.
//!
//! Between *faulted* and *ready* no call of the caller's comes: [`Card::fail`] ends all messages, and brings
//! the card back or gives it up. Resetting is the card's own register first, function level reset where DMA
//! does not end; each has its deadline. Nothing is unmapped before the card is at rest.

use std::time::Instant;

use gatewei_abi::command::{Submission, op};
use gatewei_abi::regs::{self, card, lane};

use super::{Card, Event, LaneCounters, State, Ticket};
use crate::deadline::Heartbeat;
use crate::fault::{Failure, Fault};
use crate::transport::{Transport, Wait};

impl<T: Transport> Card<T> {
    /// Reads a register, and looks whether the card is still there where it reads all ones.
    pub(crate) fn read(&mut self, offset: u32) -> Result<u32, Failure> {
        let value = self.transport.read32(offset)?;
        if value == u32::MAX
            && self.transport.read32(regs::CARD + card::MAGIC)? != gatewei_abi::MAGIC
        {
            return Err(Failure::Fault(Fault::Gone));
        }
        Ok(value)
    }

    /// The card's cycle counter.
    pub(crate) fn cycles(&mut self) -> Result<u64, Failure> {
        let low = self.read(regs::CARD + card::CYCLES_LO)?;
        let high = self.read(regs::CARD + card::CYCLES_HI)?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// Holds the card in reset until no DMA is outstanding, empties the rings, and enables it.
    ///
    /// Where the card is shared and another owner has done that since, only the own rings are emptied.
    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        let done = loop {
            let done = match self.transport.begin_reset() {
                true => self.restart(),
                false => self
                    .queue
                    .program(&mut self.transport)
                    .map_err(Failure::from),
            };
            self.transport.end_reset();
            match done {
                // It was reset once more meanwhile.
                Err(failure) if failure.fault() == Fault::Reset => {}
                done => break done,
            }
        };
        self.inbox.clear();
        for watch in &mut self.watches {
            watch.pause();
        }
        self.heartbeat = Heartbeat::new();
        done
    }

    fn restart(&mut self) -> Result<(), Failure> {
        if self.quiesce().is_err() {
            // The register did not do it: reset the whole function.
            self.transport.reset()?;
            self.transport
                .write32(regs::CARD + card::CONTROL, regs::CONTROL_RESET)?;
        }
        let magic = self.read(regs::CARD + card::MAGIC)?;
        if magic != gatewei_abi::MAGIC {
            return Err(Failure::Fault(Fault::Gone));
        }
        self.transport.write32(regs::CARD + card::CONTROL, 0)?;
        self.queue.program(&mut self.transport)?;
        self.transport
            .write32(regs::CARD + card::CONTROL, regs::CONTROL_ENABLE)?;
        Ok(())
    }

    /// Puts the card into reset and waits until it has no DMA outstanding.
    fn quiesce(&mut self) -> Result<(), Failure> {
        self.transport
            .write32(regs::CARD + card::CONTROL, regs::CONTROL_RESET)?;
        let began = Instant::now();
        while self.read(regs::CARD + card::STATUS)? & regs::STATUS_DMA != 0 {
            if began.elapsed() > self.options.deadlines.heartbeat {
                return Err(Failure::Fault(Fault::Hung));
            }
            self.transport.wait(Wait::default())?;
        }
        Ok(())
    }

    /// Looks at the heartbeat, the queue's errors, and what each lane is at.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        let now = self.cycles()?;
        if !self.heartbeat.alive(now, self.options.deadlines.heartbeat) {
            return Err(Failure::Fault(Fault::Hung));
        }
        let status = self.read(regs::CARD + card::STATUS)?;
        if status & regs::STATUS_QUEUE_ERROR != 0 {
            return Err(Failure::Fault(Fault::Queue));
        }
        if status & regs::STATUS_ENABLED == 0 {
            return Err(Failure::Fault(Fault::Restarted));
        }
        for index in 0..self.lanes.len() {
            let head = self.lanes[index].front().copied();
            // The head runs, unless it awaits an answer and is to get one.
            let running = head.and_then(|id| {
                let command = self.slots.get_mut(id).ok()?;
                let leaving = command.cancelled || command.late;
                (command.asked.is_none() || leaving).then_some((id, command.gas))
            });
            let Some((id, gas)) = running else {
                self.watches[index].pause();
                continue;
            };
            let base = regs::lane_base(self.part.lane(index as u16).into());
            let progress = (
                self.read(base + lane::RETIRED)?,
                self.read(base + lane::MESSAGES)?,
            );
            let limits = self.options.deadlines;
            if !self.watches[index].in_time(id, gas, now, progress, &limits) {
                self.expire(id, index, now);
                if self.state != State::Ready {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The head of a lane is late: cancels it, or resets the card where that was tried.
    fn expire(&mut self, id: u32, index: usize, now: u64) {
        let Ok(command) = self.slots.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut command.late, true) || command.cancelled {
            self.lose(
                Ticket(id),
                Fault::Deadline,
                "its lane is late and cannot be told to stop",
            );
            return;
        }
        let lane = command.lane;
        tracing::warn!(id, lane, "a message is late: cancelled");
        self.counters.expired += 1;
        self.watches[index].grace(id, now, &self.options.deadlines);
        self.send(&Submission {
            op: op::CANCEL,
            lane: self.part.lane(lane),
            command: id,
            ..Submission::default()
        });
    }

    /// A lane's performance counters; none where the card is out of use or has no such lane.
    pub fn lane_counters(&mut self, index: u16) -> Option<LaneCounters> {
        if self.state != State::Ready || index >= self.caps.lanes {
            return None;
        }
        let base = regs::lane_base(self.part.lane(index).into());
        let mut read = |register| self.read(base + register);
        let counters = (|| {
            Ok::<_, Failure>(LaneCounters {
                busy: read(lane::BUSY)?,
                retired: read(lane::RETIRED)?,
                stall_host: read(lane::STALL_HOST)?,
                stall_keccak: read(lane::STALL_KECCAK)?,
                stall_dma: read(lane::STALL_DMA)?,
                stall_arith: read(lane::STALL_ARITH)?,
                messages: read(lane::MESSAGES)?,
            })
        })();
        match counters {
            Ok(counters) => Some(counters),
            Err(failure) => {
                self.fail(failure.fault(), None, &failure);
                None
            }
        }
    }

    /// Gives a message up for a fault of its own, and resets the card under all others.
    pub(crate) fn lose(&mut self, ticket: Ticket, fault: Fault, why: &str) {
        self.fail(fault, Some(ticket), &why);
    }

    /// Ends all messages in flight and resets the card. `culprit` gets the fault, the others
    /// [`Fault::Reset`]; without a culprit all get the fault. A card that does not come back is dead.
    pub(crate) fn fail(
        &mut self,
        fault: Fault,
        culprit: Option<Ticket>,
        why: &dyn std::fmt::Display,
    ) {
        if self.state != State::Ready {
            return;
        }
        tracing::error!(card = self.transport.name(), %fault, %why, "the card failed");
        // What another owner's message did says nothing of this one's.
        if fault != Fault::Reset {
            self.counters.resets += 1;
            self.fruitless += 1;
        }
        let fatal =
            matches!(fault, Fault::Gone | Fault::Hung) || self.fruitless > self.options.patience;
        let revived = if fatal {
            Err(fault)
        } else {
            self.start().map_err(|e| e.fault())
        };
        if let Err(fault) = revived {
            tracing::error!(card = self.transport.name(), %fault, "the card is out of use");
            self.state = State::Dead(fault);
        }
        for id in self.slots.commands() {
            let ticket = Ticket(id);
            let cancelled = self
                .slots
                .get_mut(id)
                .is_ok_and(|command| command.cancelled);
            let fault = match culprit {
                Some(other) if other != ticket => Fault::Reset,
                _ => fault,
            };
            self.forget(id);
            self.counters.lost.count(fault);
            self.events.push(match cancelled {
                true => Event::Cancelled { ticket },
                false => Event::Fault { ticket, fault },
            });
        }
    }
}

impl<T: Transport> Drop for Card<T> {
    /// Leaves the card in reset: after this it writes to nobody's memory. The transport unmaps the
    /// memory when it is dropped, which is behind this.
    fn drop(&mut self) {
        if matches!(self.state, State::Dead(Fault::Gone)) {
            return;
        }
        if self.transport.is_shared() {
            // The others go on. With nothing in flight nothing of ours is written.
            if self.slots.len() > 0
                && let Err(failure) = self.start()
            {
                tracing::warn!(card = self.transport.name(), %failure, "the shared card is out of use");
            }
            return;
        }
        self.transport.begin_reset();
        if let Err(failure) = self.quiesce() {
            tracing::warn!(card = self.transport.name(), %failure, "the card did not come to rest");
            if let Err(error) = self.transport.reset() {
                tracing::warn!(card = self.transport.name(), %error, "nor could it be reset");
            }
        }
    }
}
