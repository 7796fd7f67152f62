//! Addresses that lead nowhere: a transport that lies about where its memory is.

mod common;

use std::sync::Arc;

use common::{RETURN_TOP, done, event, frame, run, silent, submit};
use gatewei_abi::BEAT;
use gatewei_abi::layout::{CODE_PAGE_BEATS, SPILL_BYTES};
use gatewei_abi::status::Trap;
use gatewei_driver::dma::{DmaBuffer, HeapMemory};
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome};
use gatewei_driver::{Card, Event, State};
use gatewei_sim::{Options, SimCard};

/// Bytes of the result buffers here: a size that nothing else has.
const RESULT_BYTES: usize = 12_352;
/// An address at which nothing is mapped.
const NOWHERE: u64 = 0xdead_0000_0000;

/// Picks buffers by their size.
type Lie = fn(usize) -> bool;

/// Gives buffers whose size `lie` picks at an address that the card cannot reach.
struct Liar {
    sim: SimCard,
    lie: Lie,
}

impl Transport for Liar {
    fn name(&self) -> String {
        "liar".into()
    }
    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        self.sim.read32(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.sim.write32(offset, value)
    }
    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        if (self.lie)(bytes) {
            return Ok(DmaBuffer::new(NOWHERE, Arc::new(HeapMemory::new(bytes))));
        }
        self.sim.dma(bytes, align)
    }
    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        if buffer.bus() == NOWHERE {
            Ok(())
        } else {
            self.sim.release(buffer)
        }
    }
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.sim.wait(budget)
    }
    fn reset(&mut self) -> Result<(), TransportError> {
        self.sim.reset()
    }
}

fn liar(lie: Lie) -> Card<Liar> {
    let sim = SimCard::new(Options::default()).unwrap();
    let options = gatewei_driver::Options {
        result_bytes: RESULT_BYTES,
        ..Default::default()
    };
    Card::open(Liar { sim, lie }, options).unwrap()
}

/// A frame that returns a word.
fn word_frame() -> common::Frame {
    frame(&[&[0x60, 9][..], &RETURN_TOP].concat())
}

#[test]
fn an_unmapped_message_code_result_or_spill_area_traps_as_a_dma_error() {
    // PUSH1 9 PUSH0 MSTORE, PUSH3 200000 MLOAD, and the first word again, whose page has gone by then.
    let far = [0x60, 9, 0x5f, 0x52, 0x62, 3, 0x0d, 0x40, 0x51, 0x5f, 0x51];
    let far_frame = || frame(&[&far[..], &RETURN_TOP].concat());
    let cases: [(&str, Lie); 4] = [
        ("message", |bytes| (100_000..1 << 20).contains(&bytes)),
        ("code", |bytes| bytes == CODE_PAGE_BEATS * BEAT),
        ("result", |bytes| bytes == RESULT_BYTES),
        ("spill", |bytes| bytes == SPILL_BYTES),
    ];
    for (what, lie) in cases {
        let mut card = liar(lie);
        for _ in 0..2 {
            let ticket = submit(&mut card, 0, &far_frame());
            match event(&mut card) {
                Event::Trap {
                    ticket: of, trap, ..
                } => assert_eq!((of, trap), (ticket, Trap::Dma), "{what}"),
                other => panic!("{what}: {other:?}"),
            }
        }
        assert_eq!(
            (card.state(), card.counters().resets),
            (State::Ready, 0),
            "{what}"
        );
    }
    // The same without a lie.
    assert_eq!(
        done(run(&mut liar(|_| false), &far_frame(), silent)).output[31],
        9
    );
}

#[test]
fn unmapped_rings_end_every_message_in_a_fault() {
    // 256 entries of 64 bytes: the rings alone have this size.
    let mut card = liar(|bytes| bytes == 256 * 64);
    let ticket = submit(&mut card, 0, &word_frame());
    match event(&mut card) {
        Event::Fault { ticket: of, fault } => {
            assert_eq!((of, fault), (ticket, gatewei_driver::Fault::Queue))
        }
        other => panic!("{other:?}"),
    }
}
