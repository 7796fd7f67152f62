//! Host and card at once, in all orders. The card keeps to what PCIe promises: its writes become visible in
//! the order in which it makes them, a doorbell is behind the host's fenced writes, and nothing else.

use gatewei_abi::command::{Completion, Submission, kind};
use gatewei_abi::regs::{self, queue as register};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use zerocopy::{FromBytes, IntoBytes};

mod sync {
    pub(super) use loom::sync::atomic::{Ordering, fence};
}

/// DMA memory of relaxed 64-bit units, as `src/dma.rs` has it, for loom.
mod dma {
    use super::*;
    use zerocopy::Immutable;

    #[derive(Debug, Clone, Copy)]
    pub struct OutOfBounds;

    #[derive(Debug, Clone)]
    pub struct DmaBuffer(pub u64, pub Arc<Vec<AtomicU64>>);

    impl DmaBuffer {
        pub fn bus(&self) -> u64 {
            self.0
        }

        pub fn clear(&self) {
            self.1.iter().for_each(|unit| unit.store(0, Relaxed));
        }

        pub fn store<V: IntoBytes + Immutable>(
            &self,
            offset: usize,
            value: &V,
        ) -> Result<(), OutOfBounds> {
            let units = value.as_bytes().chunks_exact(8);
            for (unit, bytes) in self
                .1
                .get(offset / 8..)
                .ok_or(OutOfBounds)?
                .iter()
                .zip(units)
            {
                unit.store(u64::from_le_bytes(bytes.try_into().unwrap()), Relaxed);
            }
            Ok(())
        }

        pub fn load<V: FromBytes + IntoBytes>(&self, offset: usize) -> Result<V, OutOfBounds> {
            let mut value = V::new_zeroed();
            let units = self.1.get(offset / 8..).ok_or(OutOfBounds)?.iter();
            for (bytes, unit) in value.as_mut_bytes().chunks_exact_mut(8).zip(units) {
                bytes.copy_from_slice(&unit.load(Relaxed).to_le_bytes());
            }
            Ok(value)
        }

        pub fn load_unit(&self, offset: usize) -> Result<u64, OutOfBounds> {
            let unit = self.1.get(offset / 8).ok_or(OutOfBounds)?;
            Ok(unit.load(Relaxed))
        }
    }
}

mod transport {
    use super::dma::DmaBuffer;

    #[derive(Debug)]
    pub struct TransportError;

    pub trait Transport {
        fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError>;
        fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError>;
    }
}

#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the driver's, over another memory"
)]
#[path = "../../src/queue.rs"]
mod queue;

use dma::DmaBuffer;
use transport::{Transport, TransportError};

/// What both sides share: two rings and two doorbells.
#[derive(Clone, Default)]
struct Shared {
    rings: Vec<DmaBuffer>,
    doorbells: Arc<[AtomicU32; 2]>,
}

impl Transport for Shared {
    fn dma(&mut self, bytes: usize, _: usize) -> Result<DmaBuffer, TransportError> {
        let units = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
        let bus = 0x1000 * (1 + self.rings.len() as u64);
        self.rings.push(DmaBuffer(bus, Arc::new(units)));
        Ok(self.rings[self.rings.len() - 1].clone())
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        match offset - regs::queue_base(0) {
            register::SQ_TAIL => self.doorbells[0].store(value, Relaxed),
            register::CQ_HEAD => self.doorbells[1].store(value, Relaxed),
            _ => {}
        }
        Ok(())
    }
}

/// A card that completes `count` commands in their order, in rings of two.
fn card(shared: &Shared, count: u32) {
    let doorbell = |which: usize, until: &dyn Fn(u32) -> bool| {
        while !until(shared.doorbells[which].load(Relaxed)) {
            loom::thread::yield_now();
        }
        sync::fence(sync::Ordering::Acquire);
    };
    for n in 0..count {
        doorbell(0, &|tail| tail > n);
        let at = n as usize % 2 * 64;
        let submission: Submission = shared.rings[0].load(at).unwrap();
        assert_eq!(
            submission.command,
            100 + n,
            "a submission is whole behind its doorbell"
        );
        assert_eq!(submission.tag, 200 + n);
        // Never more than the host has room for.
        doorbell(1, &|head| n < head + 2);
        let completion = Completion {
            command: submission.command,
            kind: kind::DONE,
            tag: submission.tag,
            sq_head: n + 1,
            phase: u32::from(n / 2 % 2 == 0),
            ..Completion::default()
        };
        let units = &shared.rings[1].1[at / 8..];
        for (i, bytes) in completion.as_bytes().chunks_exact(8).enumerate() {
            if i == 7 {
                // The phase is in the last write, and PCIe keeps writes in order.
                sync::fence(sync::Ordering::Release);
            }
            units[i].store(u64::from_le_bytes(bytes.try_into().unwrap()), Relaxed);
        }
    }
}

fn host(pair: &mut queue::QueuePair, shared: &mut Shared, count: u32) {
    let (mut sent, mut done) = (0, 0);
    while done < count {
        while sent < count && !pair.is_full() {
            let submission = Submission {
                command: 100 + sent,
                tag: 200 + sent,
                ..Submission::default()
            };
            pair.push(&submission).unwrap();
            sent += 1;
        }
        pair.ring(shared).unwrap();
        match pair.pop().unwrap() {
            Some(completion) => {
                assert_eq!(
                    completion.command,
                    100 + done,
                    "a completion is whole behind its phase"
                );
                assert_eq!(completion.tag, 200 + done);
                assert!(pair.fetched(completion.sq_head));
                assert!(pair.has_fetched(done.into()));
                done += 1;
            }
            None => loom::thread::yield_now(),
        }
    }
    assert!(pair.pop().unwrap().is_none());
}

/// `count` commands through rings of two, in all orders with at most `switches` switches between the sides.
fn model(count: u32, switches: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.max_branches = 100_000;
    model.check(move || {
        let mut shared = Shared::default();
        let mut pair = queue::QueuePair::new(&mut shared, 0, 1).unwrap();
        pair.program(&mut shared).unwrap();
        let other = shared.clone();
        let card = loom::thread::spawn(move || card(&other, count));
        host(&mut pair, &mut shared, count);
        card.join().unwrap();
    });
}

#[test]
fn both_sides_see_whole_entries_in_every_order() {
    model(1, 3);
    model(3, 1);
}

#[test]
#[ignore = "minutes: part of `make soak`"]
fn both_sides_see_whole_entries_in_every_order_around_the_ring() {
    model(3, 2);
    model(5, 1);
}
