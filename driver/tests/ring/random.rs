//! Random lives of a queue pair against a model: full and empty, wrapping, completed out of order.

use std::collections::VecDeque;
use std::sync::Arc;

use gatewei_abi::command::{Completion, Submission, kind};
use gatewei_abi::regs::{self, queue as register};
use gatewei_driver::dma::{DmaBuffer, HeapMemory};
use gatewei_driver::{dma, transport};
use proptest::prelude::*;
use transport::{Transport, TransportError, Wait, WaitOutcome};

mod sync {
    pub(super) use std::sync::atomic::{Ordering, fence};
}

#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the driver's, over another memory"
)]
#[path = "../../src/queue.rs"]
mod queue;

/// The card's side: what it was told by doorbells, and what it has done.
#[derive(Default)]
struct Side {
    rings: Vec<DmaBuffer>,
    sq_tail: u16,
    cq_head: u16,
    fetched: u16,
    written: u16,
    /// Commands that were fetched and have not completed.
    open: Vec<u32>,
}

impl Transport for Side {
    fn name(&self) -> String {
        "a side".into()
    }
    fn read32(&mut self, _: u32) -> Result<u32, TransportError> {
        Ok(0)
    }
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        match offset - regs::queue_base(0) {
            register::SQ_TAIL => self.sq_tail = value as u16,
            register::CQ_HEAD => self.cq_head = value as u16,
            _ => {}
        }
        Ok(())
    }
    fn dma(&mut self, bytes: usize, _: usize) -> Result<DmaBuffer, TransportError> {
        let bus = 0x1000 * (1 + self.rings.len() as u64);
        let buffer = DmaBuffer::new(bus, Arc::new(HeapMemory::new(bytes)));
        self.rings.push(buffer.clone());
        Ok(buffer)
    }
    fn release(&mut self, _: DmaBuffer) -> Result<(), TransportError> {
        Ok(())
    }
    fn wait(&mut self, _: Wait) -> Result<WaitOutcome, TransportError> {
        Ok(WaitOutcome::Elapsed)
    }
    fn reset(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

struct Life {
    log2: u32,
    pair: queue::QueuePair,
    side: Side,
    /// Commands written, in order, and how many of them the card has fetched.
    sent: u32,
    fetched: u32,
    /// What the card has completed and the host has not taken.
    completed: VecDeque<u32>,
    /// What the host knows that the card has fetched.
    known: u32,
}

impl Life {
    fn new(log2: u32) -> Self {
        let mut side = Side::default();
        let mut pair = queue::QueuePair::new(&mut side, 0, log2).unwrap();
        pair.program(&mut side).unwrap();
        Self {
            log2,
            pair,
            side,
            sent: 0,
            fetched: 0,
            completed: VecDeque::new(),
            known: 0,
        }
    }

    fn entries(&self) -> u32 {
        1 << self.log2
    }

    fn place(&self, count: u16) -> usize {
        usize::from(count) % self.entries() as usize * 64
    }

    fn push(&mut self) {
        let full = self.sent - self.known == self.entries();
        assert_eq!(self.pair.is_full(), full);
        if full {
            return;
        }
        let command = self.sent;
        let submission = Submission {
            command,
            ..Submission::default()
        };
        self.pair.push(&submission).unwrap();
        self.sent += 1;
        assert_eq!(self.pair.written(), self.sent.into());
    }

    fn ring(&mut self) {
        self.pair.ring(&mut self.side).unwrap();
        assert_eq!(self.side.sq_tail, self.sent as u16);
    }

    /// The card fetches one.
    fn fetch(&mut self) {
        if self.side.fetched == self.side.sq_tail {
            return;
        }
        let at = self.place(self.side.fetched);
        let submission: Submission = self.side.rings[0].load(at).unwrap();
        assert_eq!(
            submission.command, self.fetched,
            "fetched in order, never overwritten"
        );
        self.side.open.push(submission.command);
        self.side.fetched = self.side.fetched.wrapping_add(1);
        self.fetched += 1;
    }

    /// The card completes any one, where the ring has room.
    fn complete(&mut self, which: usize) {
        let used = self.side.written.wrapping_sub(self.side.cq_head);
        if self.side.open.is_empty() || u32::from(used) == self.entries() {
            return;
        }
        let open = self.side.open.len();
        let command = self.side.open.swap_remove(which % open);
        let round = self.side.written / self.entries() as u16;
        let completion = Completion {
            command,
            kind: kind::DONE,
            sq_head: self.side.fetched.into(),
            phase: u32::from(round.is_multiple_of(2)),
            ..Completion::default()
        };
        let at = self.place(self.side.written);
        self.side.rings[1].store(at, &completion).unwrap();
        self.side.written = self.side.written.wrapping_add(1);
        self.completed.push_back(command);
    }

    fn pop(&mut self) {
        let got = self.pair.pop().unwrap();
        assert_eq!(
            got.map(|completion| completion.command),
            self.completed.pop_front()
        );
        if let Some(completion) = got {
            assert!(self.pair.fetched(completion.sq_head));
            // What it said when it was written: no more than was fetched, and what was known before stays.
            assert!(self.pair.has_fetched(completion.command.into()));
            let head = completion.sq_head as u16;
            let behind = (self.fetched as u16).wrapping_sub(head);
            self.known = self.known.max(self.fetched - u32::from(behind));
        }
        assert!(!self.pair.has_fetched(self.sent.into()));
    }

    /// Many commands one by one, to get the counts to a place.
    fn pass(&mut self, count: u32) {
        for _ in 0..count {
            self.push();
            self.ring();
            self.fetch();
            self.complete(0);
            self.pop();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_pair_is_a_queue(
        log2 in prop_oneof![3 => Just(1u32), 1 => 2..=5u32, 1 => Just(12)],
        before in prop_oneof![Just(0u32), 65_500..65_600u32, 131_040..131_080u32],
        steps in prop::collection::vec((0..5u8, any::<usize>()), 1..400),
    ) {
        let mut life = Life::new(log2);
        life.pass(before);
        for (step, which) in steps {
            match step {
                0 => life.push(),
                1 => life.ring(),
                2 => life.fetch(),
                3 => life.complete(which),
                _ => life.pop(),
            }
        }
        // Everything comes back in the end.
        life.ring();
        for _ in 0..2 * life.entries() + 1 {
            life.fetch();
            life.complete(0);
            life.pop();
            life.ring();
        }
        prop_assert!(life.completed.is_empty() && life.side.open.is_empty());
        prop_assert_eq!(life.known, life.sent);
    }

    #[test]
    fn an_impossible_head_changes_nothing(log2 in 1..=12u32, sent in 0..4u32, head in any::<u32>()) {
        let mut life = Life::new(log2);
        life.pass(70_000);
        for _ in 0..sent.min(life.entries()) {
            life.push();
        }
        let sent = life.sent - life.known;
        let ahead = (head as u16).wrapping_sub(life.known as u16);
        // Not beyond what was announced, for nothing was; nor long before what is known.
        let possible = head <= 0xffff && (ahead == 0 || ahead >= 0u16.wrapping_sub(2 << log2));
        prop_assert_eq!(life.pair.fetched(head), possible);
        prop_assert_eq!(life.pair.is_full(), sent == life.entries());
        prop_assert!(!life.pair.has_fetched(life.known.into()));
    }
}
