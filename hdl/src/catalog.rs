//! Every block that is linted, synthesised and co-simulated on its own, and the card.

use crate::arith::{Alu, Arith, Expand, Shift};
use crate::card::{
    Card, DEFAULT_CLOCK_KHZ, Dma, Identity, LaneQueue, Make, Origin, QueueEngine, RegisterFile,
    Shell,
};
use crate::emit::probe::{Handshake, Widths};
use crate::emit::{Design, EmitError, design, on_large_stack};
use rust_hdl_core::prelude::Bits;

use crate::keccak::{Keccak, KeccakFast, KeccakPipe, KeccakPool};
use crate::lane::Lane;
use crate::lane::bytes::ByteRam;
use crate::lane::code::CodeStore;
use crate::lane::cost::Cost;
use crate::lane::data::DataStore;
use crate::lane::gas::GasMeter;
use crate::lane::microcode;
use crate::lane::mover::Mover;
use crate::lane::pager::Pager;
use crate::lane::reader::Reader;
use crate::lane::sequencer::Sequencer;
use crate::lane::slots::Slots;
use crate::lane::stack::Stack;
use crate::lane::stores::Stores;
use crate::link::{
    Bridge, Deframe, Enframe, FrameCheck, Interrupts, IrqLines, Line, LiteBridge, Outbox,
    SerialCard, UartReceive, UartSend, Widen, Window,
};
use crate::prim::{LookupRom, Mul, Ram, Rom, RowRam};

/// A block by name.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Name of the top module, and of the block on the command line.
    pub name: &'static str,
    /// Emits the block with the sizes it has in the card.
    pub design: fn() -> Result<Design, EmitError>,
}

/// One entry: `entry!("alu", Alu::default())`.
macro_rules! entry {
    ($name:literal, $block:expr) => {
        Entry {
            name: $name,
            design: || on_large_stack(|| design($name, $block)),
        }
    };
}

/// All blocks, parts before wholes.
pub fn blocks() -> Vec<Entry> {
    vec![
        entry!("widths", Widths::default()),
        entry!("handshake", Handshake::default()),
        entry!("ram", Ram::<10, 64>::default()),
        entry!("row_ram", RowRam::<10>::default()),
        entry!("rom", Rom::<8, Bits<40>>::new(rom_pattern())),
        entry!("lookup_rom", LookupRom::<8, Bits<40>>::new(rom_pattern())),
        entry!("mul", Mul::<64, 128>::default()),
        entry!("alu", Alu::default()),
        entry!("shift", Shift::default()),
        entry!("arith", Arith::default()),
        entry!("expand", Expand::default()),
        entry!("keccak", Keccak::<1>::default()),
        entry!("keccak2", Keccak::<2>::default()),
        entry!("keccak_fast", KeccakFast::default()),
        entry!("keccak_pipe", KeccakPipe::default()),
        entry!("keccak_pool", KeccakPool::<3, 2>::default()),
        entry!("byte_ram", ByteRam::default()),
        entry!("stack", Stack::default()),
        entry!("slots", Slots::default()),
        entry!("slots_small", Slots::of(SMALL.slot_bits)),
        entry!("mover", Mover::default()),
        entry!("reader", Reader::default()),
        entry!("pager", Pager::default()),
        entry!("pager_small", Pager::of(SMALL.data_bits)),
        entry!("data_store", DataStore::default()),
        entry!("code_store", CodeStore::default()),
        entry!("code_store_small", CodeStore::of(SMALL.code_bits)),
        entry!("gas_meter", GasMeter::default()),
        entry!("gas_cost", Cost::default()),
        entry!("sequencer", Sequencer::new(&microcode::program())),
        entry!("lane", Lane::default()),
        entry!("lane_queue", LaneQueue::default()),
        entry!("regs", RegisterFile::<2, 2>::new(IDENTITY)),
        entry!("queue", QueueEngine::<2, 2>::default()),
        entry!("dma", Dma::<2, 2>::default()),
        entry!("shell", Shell::<2, 2>::new(IDENTITY)),
        entry!("frame_check", FrameCheck::default()),
        entry!("uart_receive", UartReceive::new(LINE.divider)),
        entry!("uart_send", UartSend::new(LINE.divider)),
        entry!("deframe", Deframe::default()),
        entry!("enframe", Enframe::default()),
        entry!("outbox", Outbox::default()),
        entry!("bridge", Bridge::new(LINE.patience)),
        entry!("window", Window::default()),
        entry!("interrupts", Interrupts::default()),
        entry!("irq_lines", IrqLines::default()),
        entry!("widen", Widen::default()),
        entry!("lite_bridge", LiteBridge::new(PATIENCE)),
        entry!("card", Card::<1, 1, 1>::default()),
        entry!("card2", Card::<2, 1, 2>::default()),
        entry!(
            "serial_card",
            SerialCard::<1, 1>::new(
                Make {
                    stores: SMALL,
                    ..Make::default()
                },
                LINE
            )
        ),
    ]
}

/// Whole tops of boards, with stubs in place of their vendor's blocks: to be simulated, not mapped.
pub fn tops() -> Vec<Entry> {
    vec![Entry {
        name: "lite_top",
        design: crate::bitstream::simulated,
    }]
}

/// Cards that are built only where they are asked for: they take minutes.
pub fn large() -> Vec<Entry> {
    vec![entry!("card4", Card::<4, 1, 1>::default())]
}

/// A small card's memories: those of the boards with a serial line.
const SMALL: Stores = Stores {
    slot_bits: 9,
    code_bits: 5,
    data_bits: 3,
};

/// The serial line of the card on show: as fast as it gets.
const LINE: Line = Line {
    divider: 4,
    patience: 20_000,
};

/// Cycles after which the bridge on show gives a request up.
pub const PATIENCE: u32 = 2_000;

/// What the card's parts on show tell of themselves.
const IDENTITY: Identity = Identity {
    engines: 1,
    make: Make {
        clock_khz: DEFAULT_CLOCK_KHZ,
        stores: Stores::MOST,
        origin: ORIGIN,
    },
};

/// Where they come from: nothing that a board has, so that a register that reads another's value is seen.
pub const ORIGIN: Origin = Origin {
    board: 0x1234,
    changed: true,
    commit: 0x89ab_cdef,
    built: 0x6000_0001,
};

/// Contents of the ROMs on show: the square of the address, but zero in the last quarter.
fn rom_pattern<const W: usize>() -> Vec<Bits<W>> {
    (0..192u64).map(|a| (a * a).into()).collect()
}
