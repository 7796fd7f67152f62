//! The rings as the injector sees them: the driver's submissions, the card's completions, and the ring
//! of completions that the driver reads instead.

use std::sync::atomic::{Ordering, fence};

use gatewei_abi::command::{Completion, Submission};
use gatewei_abi::regs::{self, queue};
use zerocopy::IntoBytes;

use super::failed;
use super::memory::Memory;
use crate::dma::DmaBuffer;
use crate::transport::{Transport, TransportError};

/// Bytes of an entry.
const ENTRY: usize = size_of::<Completion>();
/// Where the 64-bit unit with the phase begins.
const PHASE_UNIT: usize = ENTRY - size_of::<u64>();

#[derive(Debug, Default)]
pub(super) struct Rings {
    log2: u32,
    /// Low halves of the rings' addresses, until the high halves come.
    low: [u32; 2],
    submissions: Option<DmaBuffer>,
    /// The ring that the driver reads, and the one that the card writes.
    front: Option<DmaBuffer>,
    back: Option<DmaBuffer>,
    sq_seen: u16,
    /// Completions that the card wrote and we took, and what we told the card of that.
    taken: u16,
    told: u16,
    /// Completions delivered, and what of them the driver has consumed.
    put: u16,
    consumed: u16,
    delivered: u64,
    /// The payload of a torn completion, still to come.
    torn: Option<(u16, Completion)>,
}

impl Rings {
    pub(super) const fn entries(&self) -> u16 {
        1 << self.log2
    }

    /// Completions that have become visible to the driver.
    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The card was reset: both sides start anew.
    pub(super) fn clear(&mut self) {
        (self.sq_seen, self.taken, self.told, self.put, self.consumed) = (0, 0, 0, 0, 0);
        self.torn = None;
        if let Some(back) = &self.back {
            back.clear();
        }
    }

    /// The driver writes a queue register.
    pub(super) fn program(
        &mut self,
        inner: &mut impl Transport,
        memory: &Memory,
        register: u32,
        value: u32,
    ) -> Result<(), TransportError> {
        let base = regs::queue_base(0);
        let bus = |low: u32| u64::from(value) << 32 | u64::from(low);
        match register {
            queue::SIZE => self.log2 = value & 15,
            queue::CQ_HEAD => {
                self.consumed = value as u16;
                return Ok(());
            }
            queue::SQ_BASE_LO => self.low[0] = value,
            queue::SQ_BASE_HI => self.submissions = memory.at(bus(self.low[0])).cloned(),
            queue::CQ_BASE_LO => {
                self.low[1] = value;
                return Ok(());
            }
            queue::CQ_BASE_HI => {
                self.front = memory.at(bus(self.low[1])).cloned();
                let bytes = self.front.as_ref().map_or(0, DmaBuffer::len);
                let back = match self.back.take().filter(|back| back.len() >= bytes) {
                    Some(back) => back,
                    None => inner.dma(bytes, ENTRY)?,
                };
                back.clear();
                fence(Ordering::Release);
                let at = back.bus();
                self.back = Some(back);
                inner.write32(base + queue::CQ_BASE_LO, at as u32)?;
                return inner.write32(base + queue::CQ_BASE_HI, (at >> 32) as u32);
            }
            _ => {}
        }
        inner.write32(base + register, value)
    }

    /// The next submission that a doorbell at `tail` announces, and its count.
    pub(super) fn submitted(
        &mut self,
        tail: u16,
    ) -> Result<Option<(Submission, u16)>, TransportError> {
        let Some(ring) = self.submissions.as_ref().filter(|_| self.sq_seen != tail) else {
            return Ok(None);
        };
        let at = self.sq_seen;
        self.sq_seen = at.wrapping_add(1);
        let submission = ring.load(self.place(at)).map_err(failed)?;
        Ok(Some((submission, at)))
    }

    /// Submissions before the one that [`Rings::submitted`] gave last.
    pub(super) const fn rung_before(&self) -> u16 {
        self.sq_seen.wrapping_sub(1)
    }

    /// Writes a changed submission back.
    pub(super) fn resubmit(&self, submission: &Submission, at: u16) -> Result<(), TransportError> {
        let ring = self.submissions.as_ref();
        ring.map_or(Ok(()), |ring| ring.store(self.place(at), submission))
            .map_err(failed)?;
        fence(Ordering::Release);
        Ok(())
    }

    fn place(&self, count: u16) -> usize {
        usize::from(count & (self.entries() - 1)) * ENTRY
    }

    /// The phase dword of the completion with this count.
    fn phase(&self, count: u16) -> u32 {
        u32::from(count >> self.log2 & 1 == 0)
    }

    /// The next completion that the card has written.
    pub(super) fn take(&mut self) -> Result<Option<Completion>, TransportError> {
        let Some(back) = &self.back else {
            return Ok(None);
        };
        let at = self.place(self.taken);
        let unit = back.load_unit(at + PHASE_UNIT).map_err(failed)?;
        if (unit >> 32) as u32 & 1 != self.phase(self.taken) {
            return Ok(None);
        }
        fence(Ordering::Acquire);
        let completion = back.load(at).map_err(failed)?;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(completion))
    }

    /// Tells the card what was taken.
    pub(super) fn consumed(&mut self, inner: &mut impl Transport) -> Result<(), TransportError> {
        if self.told != self.taken {
            self.told = self.taken;
            inner.write32(regs::queue_base(0) + queue::CQ_HEAD, self.taken.into())?;
        }
        Ok(())
    }

    /// Whether the driver's ring takes another completion.
    pub(super) const fn has_room(&self) -> bool {
        self.put.wrapping_sub(self.consumed) < self.entries()
    }

    fn write(&mut self, completion: &Completion, phase: u32) -> Result<(), TransportError> {
        let completion = Completion {
            phase,
            ..*completion
        };
        if let Some(front) = &self.front {
            fence(Ordering::Release);
            front
                .store(self.place(self.put), &completion)
                .map_err(failed)?;
        }
        self.put = self.put.wrapping_add(1);
        self.delivered += 1;
        Ok(())
    }

    /// Delivers a completion, whether there is room or not.
    pub(super) fn put(&mut self, completion: &Completion) -> Result<(), TransportError> {
        self.write(completion, self.phase(self.put))
    }

    /// Delivers a completion whose phase bit is still that of the round before.
    pub(super) fn put_unseen(&mut self, completion: &Completion) -> Result<(), TransportError> {
        self.write(completion, self.phase(self.put) ^ 1)
    }

    /// Turns the phase bit; the payload comes at the next [`Rings::mend`].
    pub(super) fn put_torn(&mut self, completion: &Completion) -> Result<(), TransportError> {
        let (count, phase) = (self.put, self.phase(self.put));
        let whole = Completion {
            phase,
            ..*completion
        };
        if let Some(front) = &self.front {
            let at = self.place(count) + PHASE_UNIT;
            front
                .copy_in(at, &whole.as_bytes()[PHASE_UNIT..])
                .map_err(failed)?;
        }
        self.torn = Some((count, whole));
        self.put = count.wrapping_add(1);
        self.delivered += 1;
        Ok(())
    }

    /// Writes what is missing of a torn completion.
    pub(super) fn mend(&mut self) -> Result<(), TransportError> {
        let Some((count, completion)) = self.torn.take() else {
            return Ok(());
        };
        // Its place may have a later completion by now.
        if let Some(front) = &self.front
            && self.put.wrapping_sub(count) <= self.entries()
        {
            front
                .store(self.place(count), &completion)
                .map_err(failed)?;
        }
        Ok(())
    }
}
