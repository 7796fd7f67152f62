//! A queue pair: the submission ring and the completion ring in host memory.
//!
//! Both sides count freely modulo 2^16; an entry's place is the count modulo the ring's size. Whether
//! a completion is new shows in its phase bit, which the card writes last: 1 in the ring's first round,
//! then alternating. Doorbell registers tell the card how far the host is.

use gatewei_abi::command::{Completion, Submission};
use gatewei_abi::regs::{self, queue};

// Relative, because `tests/ring.rs` compiles this file over a memory whose every order it tries.
use super::dma::{DmaBuffer, OutOfBounds};
use super::sync::{Ordering, fence};
use super::transport::{Transport, TransportError};

/// Bytes of an entry of either ring.
const ENTRY: usize = size_of::<Submission>();
/// The last 64-bit unit of a completion; its upper half is the phase dword.
const PHASE_UNIT: usize = ENTRY - size_of::<u64>();

/// One queue pair, the host's side.
#[derive(Debug)]
pub(crate) struct QueuePair {
    index: u32,
    base: u32,
    log2: u32,
    coalesce: u32,
    submissions: DmaBuffer,
    completions: DmaBuffer,
    /// Submissions written, and announced by the doorbell.
    sq_tail: u16,
    sq_rung: u16,
    /// Submissions that the card is known to have fetched.
    sq_head: u16,
    /// Completions consumed, and announced by the doorbell.
    cq_head: u16,
    cq_rung: u16,
    /// Submissions written, and those known to be fetched, since the card was started: they do not wrap.
    written: u64,
    fetched: u64,
    doorbells: u64,
}

impl QueuePair {
    /// Rings of `2^log2` entries for queue pair `index`. [`QueuePair::program`] tells the card.
    pub(crate) fn new(
        transport: &mut impl Transport,
        index: u32,
        log2: u32,
    ) -> Result<Self, TransportError> {
        let bytes = ENTRY << log2;
        Ok(Self {
            index,
            base: regs::queue_base(index),
            log2,
            coalesce: 0,
            submissions: transport.dma(bytes, ENTRY)?,
            completions: transport.dma(bytes, ENTRY)?,
            sq_tail: 0,
            sq_rung: 0,
            sq_head: 0,
            cq_head: 0,
            cq_rung: 0,
            written: 0,
            fetched: 0,
            doorbells: 0,
        })
    }

    /// From the next [`QueuePair::program`] on, so many completions share an interrupt, which comes after so many
    /// cycles at last.
    pub(crate) const fn coalesce(&mut self, completions: u8, cycles: u16) {
        self.coalesce = (completions as u32) << 16 | cycles as u32;
    }

    /// Empties both rings and writes their registers. The card must be in reset: it starts from zero
    /// as well, and what is left of an earlier life would read as completions.
    pub(crate) fn program(&mut self, transport: &mut impl Transport) -> Result<(), TransportError> {
        (self.sq_tail, self.sq_rung, self.sq_head) = (0, 0, 0);
        (self.cq_head, self.cq_rung) = (0, 0);
        (self.written, self.fetched) = (0, 0);
        self.submissions.clear();
        self.completions.clear();
        fence(Ordering::Release);
        let (sq, cq) = (self.submissions.bus(), self.completions.bus());
        for (register, value) in [
            (queue::SQ_BASE_LO, sq as u32),
            (queue::SQ_BASE_HI, (sq >> 32) as u32),
            (queue::CQ_BASE_LO, cq as u32),
            (queue::CQ_BASE_HI, (cq >> 32) as u32),
            (queue::SIZE, self.log2),
            (queue::COALESCE, self.coalesce),
            // A vector for each queue pair.
            (queue::IRQ, regs::IRQ_ENABLE | self.index),
        ] {
            transport.write32(self.base + register, value)?;
        }
        Ok(())
    }

    const fn mask(&self) -> u16 {
        (1 << self.log2) - 1
    }

    /// True where no submission can be written.
    pub(crate) const fn is_full(&self) -> bool {
        self.sq_tail.wrapping_sub(self.sq_head) > self.mask()
    }

    /// Writes a submission; the card sees it after [`QueuePair::ring`]. The ring must not be full.
    pub(crate) fn push(&mut self, submission: &Submission) -> Result<(), OutOfBounds> {
        let at = (self.sq_tail & self.mask()) as usize * ENTRY;
        self.submissions.store(at, submission)?;
        self.sq_tail = self.sq_tail.wrapping_add(1);
        self.written += 1;
        Ok(())
    }

    /// Submissions written since the card was started.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether the card is known to have fetched the submission behind the first `before` ones.
    pub(crate) const fn has_fetched(&self, before: u64) -> bool {
        self.fetched > before
    }

    /// Rings the doorbells that have something to tell: one for all submissions, and one for completions
    /// where a quarter of the ring is free again.
    pub(crate) fn ring(&mut self, transport: &mut impl Transport) -> Result<(), TransportError> {
        if self.sq_rung != self.sq_tail {
            // The submissions and the messages they point to must be visible before the doorbell.
            fence(Ordering::Release);
            transport.write32(self.base + queue::SQ_TAIL, self.sq_tail.into())?;
            self.sq_rung = self.sq_tail;
            self.doorbells += 1;
        }
        // The card wants to know of room before it has none, and no sooner.
        if self.cq_head.wrapping_sub(self.cq_rung) >= (1 << self.log2).max(4) / 4 {
            transport.write32(self.base + queue::CQ_HEAD, self.cq_head.into())?;
            self.cq_rung = self.cq_head;
            self.doorbells += 1;
        }
        Ok(())
    }

    /// Doorbells rung since the pair was made.
    pub(crate) const fn doorbells(&self) -> u64 {
        self.doorbells
    }

    /// Whether there is a new completion. Touches host memory alone.
    pub(crate) fn has_completion(&self) -> bool {
        let at = (self.cq_head & self.mask()) as usize * ENTRY;
        let unit = self.completions.load_unit(at + PHASE_UNIT).unwrap_or(0);
        unit >> 32 & 1 != u64::from(self.cq_head >> self.log2 & 1)
    }

    /// The next completion, copied out once; none where the card has written no new one.
    pub(crate) fn pop(&mut self) -> Result<Option<Completion>, OutOfBounds> {
        if !self.has_completion() {
            return Ok(None);
        }
        let at = (self.cq_head & self.mask()) as usize * ENTRY;
        // What the card wrote before the phase, results included, is visible after this.
        fence(Ordering::Acquire);
        let completion = self.completions.load(at)?;
        self.cq_head = self.cq_head.wrapping_add(1);
        Ok(Some(completion))
    }

    /// Takes over what the card says it has fetched. Returns whether that is possible: no more than
    /// was announced, and not long behind what was known (a completion may have been written before
    /// the register was last read).
    pub(crate) fn fetched(&mut self, head: u32) -> bool {
        let Ok(head) = u16::try_from(head) else {
            return false;
        };
        let ahead = head.wrapping_sub(self.sq_head);
        if ahead <= self.sq_rung.wrapping_sub(self.sq_head) {
            self.sq_head = head;
            self.fetched += u64::from(ahead);
            return true;
        }
        self.sq_head.wrapping_sub(head) <= 2 << self.log2
    }

    /// Offset of the register that tells how many submissions the card has fetched.
    pub(crate) const fn head_register(&self) -> u32 {
        self.base + queue::SQ_HEAD
    }
}
