//! A card that says anything at all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gatewei_abi::command::Completion;
use gatewei_abi::message::{Message, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::regs::{self, card, queue};
use gatewei_abi::{Word, word};
use gatewei_driver::dma::{DmaBuffer, HeapMemory};
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome};
use gatewei_driver::{Card, Code, Deadlines, Event, Options};
use zerocopy::FromBytes;

use crate::input::Input;

/// Most rounds: a card whose counter stands still is given up long before.
const ROUNDS: u32 = 10_000;

/// Registers, rings and results by the input; when that is used up, a card that stands still.
struct Hostile<'a> {
    input: Input<'a>,
    buffers: Vec<DmaBuffer>,
    log2: u32,
    ring: [u32; 2],
    written: u16,
    sq_tail: u32,
    cycles: u32,
    /// Registers tell what a healthy card's would.
    honest: bool,
}

impl Hostile<'_> {
    fn ring(&self) -> Option<&DmaBuffer> {
        let bus = u64::from(self.ring[1]) << 32 | u64::from(self.ring[0]);
        self.buffers.iter().find(|buffer| buffer.bus() == bus)
    }

    /// Writes a completion: any bytes, with the phase that makes it count, as a rule.
    fn complete(&mut self) {
        let Ok(mut completion) = Completion::read_from_bytes(&self.input.bytes::<64>()) else {
            return;
        };
        let odd = self.written >> self.log2 & 1;
        if completion.reserved[1] & 7 != 7 {
            completion.phase = u32::from(odd == 0);
        }
        // Most bytes name no command: help them.
        if completion.reserved[0] & 1 == 0 {
            completion.command &= 0x0003_0007;
            completion.lane &= 1;
            completion.kind %= 5;
        }
        let at = usize::from(self.written) % (1 << self.log2) * 64;
        if let Some(ring) = self.ring() {
            let _ = ring.store(at, &completion);
        }
        self.written = self.written.wrapping_add(1);
    }

    /// Writes anything somewhere in memory: results, as a rule.
    fn scribble(&mut self) {
        let which = usize::from(self.input.byte());
        let at = usize::from(self.input.byte()) * 4;
        let bytes = self.input.bytes::<16>();
        if let Some(buffer) = self.buffers.get(which % self.buffers.len().max(1)) {
            let _ = buffer.copy_in(at, &bytes);
        }
    }
}

impl Transport for Hostile<'_> {
    fn name(&self) -> String {
        "fuzz".into()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        Ok(match offset {
            card::MAGIC if self.honest => gatewei_abi::MAGIC,
            card::VERSION => gatewei_abi::ABI_VERSION,
            card::CAPS => u32::from_le_bytes([self.input.byte() % 3, 1, self.input.byte(), 1]),
            card::STATUS if self.honest => regs::STATUS_ENABLED,
            card::CYCLES_LO => self.cycles,
            card::CYCLES_HI => 0,
            card::CLOCK_KHZ => 100_000,
            _ if !self.honest => self.input.u32(),
            _ if offset == regs::queue_base(0) + queue::SQ_HEAD => self.sq_tail,
            // Lanes make progress as long as the clock runs.
            _ => self.cycles,
        })
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        match offset.wrapping_sub(regs::queue_base(0)) {
            queue::CQ_BASE_LO => self.ring[0] = value,
            queue::CQ_BASE_HI => self.ring[1] = value,
            queue::SQ_TAIL => self.sq_tail = value,
            queue::SIZE => self.log2 = value & 15,
            _ if offset == regs::CARD + card::CONTROL => (self.written, self.sq_tail) = (0, 0),
            _ => {}
        }
        Ok(())
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        let end = self.buffers.iter().map(|b| b.bus() + b.len() as u64).max();
        let bus = (end.unwrap_or(0) + 4096).next_multiple_of(align as u64);
        let buffer = DmaBuffer::new(bus, Arc::new(HeapMemory::new(bytes)));
        self.buffers.push(buffer.clone());
        Ok(buffer)
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.buffers.retain(|other| other.bus() != buffer.bus());
        Ok(())
    }

    fn wait(&mut self, _: Wait) -> Result<WaitOutcome, TransportError> {
        if self.input.is_empty() {
            return Ok(WaitOutcome::Elapsed);
        }
        match self.input.byte() % 8 {
            0..4 => self.complete(),
            4..6 => self.scribble(),
            6 => self.honest = !self.honest,
            _ => return Err(TransportError::Failed("fuzz".into())),
        }
        self.cycles = self.cycles.wrapping_add(self.input.byte().into());
        Ok(WaitOutcome::Interrupt)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

fn message() -> Message<'static> {
    Message {
        env: [Word::default(); header::WORDS],
        fork: Fork::Osaka,
        flags: 0,
        gas: 100_000,
        code: 0,
        code_tag: 0,
        spill: 0,
        code_bytes: 1,
        calldata: &[],
        blobs: &[],
        precompiles: 17,
        accounts: &[],
    }
}

/// Any card: whatever it says, every message ends in exactly one event, and the driver comes to an end.
pub fn completions(data: &[u8]) {
    let mut input = Input::new(data);
    let options = Options {
        ring_log2: 1 + u32::from(input.byte()) % 4,
        result_bytes: 1024,
        deadlines: Deadlines {
            base_cycles: 100,
            cycles_per_gas: 0,
            stall_cycles: 100,
            heartbeat: Duration::from_micros(16),
            interval: Duration::ZERO,
        },
        ..Options::default()
    };
    let hostile = Hostile {
        input,
        buffers: Vec::new(),
        log2: 1,
        ring: [0; 2],
        written: 0,
        sq_tail: 0,
        cycles: 0,
        honest: true,
    };
    let Ok(mut card) = Card::open(hostile, options) else {
        return;
    };
    let code = || Code {
        key: word(1),
        image: &|| vec![0; 64],
    };
    let mut open = BTreeSet::new();
    let mut events = Vec::new();
    for round in 0..ROUNDS {
        let lane = round as u16 % card.caps().lanes;
        if round < 32
            && card.credit(lane) > 0
            && let Ok(ticket) = card.submit(lane, message(), code(), &[])
        {
            open.insert(ticket.command());
        }
        card.poll(&mut events);
        for event in events.drain(..) {
            match event {
                Event::Request { ticket, key, .. } => {
                    let call = card.precompile_call(ticket, &key);
                    let _ = (card.creation(ticket, &key), card.deployment(ticket, &key));
                    match call {
                        Some(call) => card.reply_precompile(ticket, &call, Some((1, &[7; 40]))),
                        None => card.reply(ticket, Some(key)),
                    }
                }
                Event::Done { ticket, .. }
                | Event::Trap { ticket, .. }
                | Event::Cancelled { ticket }
                | Event::Fault { ticket, .. } => {
                    assert!(open.remove(&ticket.command()), "a message ends twice");
                }
            }
        }
        if round >= 32 && card.in_flight() == 0 {
            break;
        }
        card.wait(Wait::default());
    }
    assert_eq!(
        (card.in_flight(), open.len()),
        (0, 0),
        "a message never ends"
    );
}
