//! The top of the Acorn board, whole, with LitePCIe's core played at its ports by software: the driver finds the card
//! by its BAR, and messages go and come by DMA.

mod common;
mod litepcie;

use std::sync::Arc;

use gatewei_abi::message::Slot;
use gatewei_abi::regs::{self, SPACE};
use gatewei_abi::word;
use gatewei_driver::dma::{DmaBuffer, DmaMemory, HeapMemory};
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome, check_offset};
use gatewei_driver::{Card, Options, Outcome, selftest};
use gatewei_sim::axi::BEAT;
use gatewei_sim::model::{Model, PortId};

use common::{done, frame, submit};
use litepcie::Core;

/// Most cycles of a BAR access.
const ACCESS: u32 = 2_000;
/// First bus address: below 4 GiB, where the core reaches.
const FIRST: u64 = 0x1000_0000;
/// LED: out of reset.
const LED_0: u64 = 1;

/// The board in a slot.
struct Slotted {
    model: Model,
    core: Core,
    slot_reset: PortId,
    leds: PortId,
    aw: [PortId; 2],
    aw_ready: PortId,
    w: [PortId; 3],
    w_ready: PortId,
    b: [PortId; 2],
    b_ready: PortId,
    ar: [PortId; 2],
    ar_ready: PortId,
    r: [PortId; 3],
    r_ready: PortId,
    next: u64,
    cycles: u64,
}

impl Slotted {
    fn new(seed: u64, idle: u8) -> Self {
        let model = Model::new("lite_top").unwrap();
        let input = |name: &str, width| {
            model
                .input(&format!("mmap_axi_lite_{name}"), width)
                .unwrap()
        };
        let output = |name: &str, width| {
            model
                .output(&format!("mmap_axi_lite_{name}"), width)
                .unwrap()
        };
        let mut board = Self {
            core: Core::new(&model, "mmap_slave_axi_", seed, idle),
            slot_reset: model.input("slot_reset_n", 1).unwrap(),
            leds: model.output("leds", 4).unwrap(),
            aw: [input("awvalid", 1), input("awaddr", 32)],
            aw_ready: output("awready", 1),
            w: [input("wvalid", 1), input("wdata", 32), input("wstrb", 4)],
            w_ready: output("wready", 1),
            b: [output("bvalid", 1), output("bresp", 2)],
            b_ready: input("bready", 1),
            ar: [input("arvalid", 1), input("araddr", 32)],
            ar_ready: output("arready", 1),
            r: [output("rvalid", 1), output("rdata", 32), output("rresp", 2)],
            r_ready: input("rready", 1),
            next: FIRST,
            cycles: 0,
            model,
        };
        board.start();
        board
    }

    /// The slot's reset, and what the host waits after it.
    fn start(&mut self) {
        self.model.set_u64(self.slot_reset, 0);
        (0..8).for_each(|_| self.cycle());
        self.core.reset();
        self.model.set_u64(self.slot_reset, 1);
        (0..40).for_each(|_| self.cycle());
    }

    fn cycle(&mut self) {
        self.core.drive(&mut self.model);
        self.model.eval();
        self.core.sample(&self.model);
        self.model.tick();
        self.cycles += 1;
    }

    /// Cycles until `done`, looked at once all has settled.
    fn until(&mut self, mut done: impl FnMut(&Model) -> bool) -> Result<(), TransportError> {
        for _ in 0..ACCESS {
            self.core.drive(&mut self.model);
            self.model.eval();
            let done = done(&self.model);
            self.cycle_settled();
            if done {
                return Ok(());
            }
        }
        Err(TransportError::Failed("no answer at the BAR".into()))
    }

    fn cycle_settled(&mut self) {
        self.core.sample(&self.model);
        self.model.tick();
        self.cycles += 1;
    }

    /// A read in the BAR, at any offset.
    fn bar_read(&mut self, offset: u32) -> Result<u32, TransportError> {
        self.model.set_u64(self.ar[0], 1);
        self.model.set_u64(self.ar[1], offset.into());
        let ready = self.ar_ready;
        self.until(|model| model.get_u64(ready) != 0)?;
        self.model.set_u64(self.ar[0], 0);
        self.model.set_u64(self.r_ready, 1);
        let [valid, data, response] = self.r;
        let mut value = 0;
        self.until(|model| {
            value = model.get_u64(data) as u32;
            assert_eq!(model.get_u64(response), 0);
            model.get_u64(valid) != 0
        })?;
        self.model.set_u64(self.r_ready, 0);
        Ok(value)
    }

    /// As LitePCIe does: address and data together, each until it is taken.
    fn bar_write(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.model.set_u64(self.aw[0], 1);
        self.model.set_u64(self.aw[1], offset.into());
        self.model.set_u64(self.w[0], 1);
        self.model.set_u64(self.w[1], value.into());
        self.model.set_u64(self.w[2], 0xf);
        let (aw_ready, w_ready) = (self.aw_ready, self.w_ready);
        self.until(|model| {
            let taken = [aw_ready, w_ready].map(|port| model.get_u64(port));
            assert_eq!(taken[0], taken[1], "the register file takes both at once");
            taken[0] != 0
        })?;
        self.model.set_u64(self.aw[0], 0);
        self.model.set_u64(self.w[0], 0);
        self.model.set_u64(self.b_ready, 1);
        let [valid, response] = self.b;
        self.until(|model| {
            assert_eq!(model.get_u64(response), 0);
            model.get_u64(valid) != 0
        })?;
        self.model.set_u64(self.b_ready, 0);
        Ok(())
    }
}

impl Transport for Slotted {
    fn name(&self) -> String {
        "acorn-cle215p, simulated".into()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.bar_read(offset)
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        self.bar_write(offset, value)
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        let memory: Arc<HeapMemory> = Arc::new(HeapMemory::new(bytes.next_multiple_of(BEAT)));
        let bus = self.next.next_multiple_of(align.max(4096) as u64);
        self.next = bus + (memory.units().len() * 8) as u64 + 4096;
        assert!(
            self.next < 1 << gatewei_abi::board::address_bits(3),
            "beyond the core's reach"
        );
        assert!(self.core.memory.map_at(bus, memory.clone(), true));
        Ok(DmaBuffer::new(bus, memory))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        assert!(self.core.memory.unmap(buffer.bus()));
        Ok(())
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        for _ in 0..budget.cycles {
            if self.core.vectors != 0 {
                break;
            }
            self.cycle();
        }
        Ok(match std::mem::take(&mut self.core.vectors) {
            0 => WaitOutcome::Elapsed,
            _ => WaitOutcome::Interrupt,
        })
    }

    fn is_clocked(&self) -> bool {
        true
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.start();
        Ok(())
    }
}

#[test]
fn the_bar_shows_the_card_and_nothing_beyond_its_registers() {
    let mut board = Slotted::new(1, 20);
    let magic = board.bar_read(regs::CARD + regs::card::MAGIC).unwrap();
    assert_eq!(magic, gatewei_abi::MAGIC);
    let number = board.bar_read(regs::CARD + regs::card::BOARD).unwrap();
    assert_eq!(
        gatewei_abi::board::name(number as u16),
        Some("acorn-cle215p")
    );
    let scratch = regs::CARD + regs::card::SCRATCH;
    board.bar_write(scratch, 0x1234_5678).unwrap();
    // Not the registers again.
    assert_eq!(board.bar_read(SPACE + scratch).unwrap(), 0);
    board.bar_write(SPACE + scratch, 7).unwrap();
    assert_eq!(board.bar_read(scratch).unwrap(), 0x1234_5678);
    // The slot's reset is the card's.
    board.start();
    assert_eq!(board.bar_read(scratch).unwrap(), 0);
}

#[test]
fn the_driver_s_selftest_passes_through_litepcie_s_ports() {
    for (seed, idle) in [(2, 0), (3, 40)] {
        for check in selftest(Slotted::new(seed, idle), Options::default()) {
            assert!(matches!(check.outcome, Outcome::Passed(_)), "{check:?}");
        }
    }
}

#[test]
fn a_message_goes_and_comes_by_dma() {
    let mut card = Card::open(Slotted::new(4, 25), Options::default()).unwrap();
    // Adds up what the message has of storage, and gives it back with calldata.
    let mut code = vec![0x5f, 0x35];
    for slot in 0..16u8 {
        code.extend([0x60, slot, 0x54, 0x01]);
    }
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let program = common::Frame {
        calldata: vec![0x22; 32],
        slots: (0..16u64)
            .map(|slot| Slot {
                key: word(slot),
                value: word(5 * slot),
            })
            .collect(),
        ..frame(&code)
    };
    for _ in 0..3 {
        submit(&mut card, 0, &program);
        let mut events = Vec::new();
        for _ in 0..2_000 {
            card.poll(&mut events);
            if !events.is_empty() {
                break;
            }
            card.wait(Wait::default());
        }
        let result = done(events.remove(0));
        let sum: u64 = (0..16).map(|slot| 5 * slot).sum();
        let mut expected = [0x22; 32];
        expected[24..].copy_from_slice(&(u64::from_be_bytes([0x22; 8]) + sum).to_be_bytes());
        assert_eq!(result.output, expected);
    }
}

#[test]
fn the_leds_show_that_the_clock_runs() {
    let mut board = Slotted::new(5, 0);
    // The host has been heard by nobody yet; after an access it has.
    assert_eq!(board.model.get_u64(board.leds) & !LED_0, 0);
    board.bar_read(0).unwrap();
    assert_eq!(board.model.get_u64(board.leds) & 2, 2);
}
