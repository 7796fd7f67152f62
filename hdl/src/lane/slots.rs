//! The slot table: every account, field of one, storage and transient slot that a message knows, with its
//! original and its present value.
//!
//! Entries are dense, in order of arrival, so that entry `i` of a message's prediction is entry `i`
//! of the result. A hash index with linear probing finds them; its cells carry an epoch, so that a new
//! message forgets the old one in one cycle, and a sweep happens once in 255 messages.

use gatewei_abi::layout::SLOT_BITS;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use crate::prim::Ram;

const _: () = assert!(SLOT_BITS == 11, "entries have eleven bits, cells twelve");

/// Commands to the slot table.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum SlotCmd {
    /// Nothing.
    None,
    /// Forgets every entry.
    Clear,
    /// Looks `key` up: `hit`, and the entry's fields.
    Find,
    /// Adds an entry for `key` where the last `Find` missed; nothing where the table is full.
    Add,
    /// Writes the current entry's flags, and `value` to what `set_original` and `set_present` say.
    Put,
    /// Makes entry `at` the current one.
    Read,
}

/// States of the slot table.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Probe {
    /// The current entry's fields stand at the outputs.
    Idle,
    /// The index cell stands at the RAM's output.
    Look,
    /// The entry stands at the RAMs' outputs.
    Compare,
    /// The current entry is being read.
    Fetch,
    /// All index cells are being emptied.
    Sweep,
}

/// The slot table: 2,048 entries, or fewer.
#[derive(LogicBlock)]
pub struct Slots {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: sweeps the index.
    pub reset: Signal<In, Bit>,
    /// Command, taken when `ready`, and in the cycle after `Add`, `Put` and `Read`.
    pub cmd: Signal<In, SlotCmd>,
    /// Key of `Find` and `Add`.
    pub key: Signal<In, Bits<256>>,
    /// The key's space: the account's index in bits 10:0, the kind (`gatewei_abi::result::kind`) above.
    pub space: Signal<In, Bits<13>>,
    /// Value of `Add` and `Put`.
    pub value: Signal<In, Bits<256>>,
    /// Flags of `Add` and `Put` (bits of `gatewei_abi::result::slot`).
    pub flags_in: Signal<In, Bits<4>>,
    /// `Put` writes the original value.
    pub set_original: Signal<In, Bit>,
    /// `Put` writes the present value.
    pub set_present: Signal<In, Bit>,
    /// Entry of `Read`.
    pub at: Signal<In, Bits<12>>,
    /// The last command is done; its results stand at the outputs.
    pub ready: Signal<Out, Bit>,
    /// The last `Find` found the key (or an `Add` followed).
    pub hit: Signal<Out, Bit>,
    /// `Find` finds the key in this cycle; the entry's fields stand already.
    pub match_now: Signal<Out, Bit>,
    /// No entry is left.
    pub full: Signal<Out, Bit>,
    /// Entries.
    pub count: Signal<Out, Bits<12>>,
    /// Current entry's key.
    pub entry_key: Signal<Out, Bits<256>>,
    /// Current entry's value at the frame's start.
    pub original: Signal<Out, Bits<256>>,
    /// Current entry's value.
    pub present: Signal<Out, Bits<256>>,
    /// Current entry's flags.
    pub flags: Signal<Out, Bits<4>>,
    /// Current entry's space.
    pub entry_space: Signal<Out, Bits<13>>,
    /// The current entry.
    pub here: Signal<Out, Bits<11>>,

    index: Ram<12, 21>,
    keys: Ram<11, 269>,
    originals: Ram<11, 256>,
    presents: Ram<11, 256>,
    flag_ram: Ram<11, 4>,
    state: DFF<Probe>,
    epoch: DFF<Bits<8>>,
    used: DFF<Bits<12>>,
    cell: DFF<Bits<12>>,
    /// What `Find` looks for.
    sought: DFF<Bits<269>>,
    current: DFF<Bits<11>>,
    found: DFF<Bit>,
    fold1: Signal<Local, Bits<128>>,
    fold2: Signal<Local, Bits<64>>,
    fold3: Signal<Local, Bits<32>>,
    hash: Signal<Local, Bits<12>>,
    tagged: Signal<Local, Bits<269>>,
    cell_live: Signal<Local, Bit>,
    cell_entry: Signal<Local, Bits<11>>,
    entry: Signal<Local, Bits<11>>,
    next_cell: Signal<Local, Bits<12>>,
    live_cell: Signal<Local, Bits<21>>,
    one: Signal<Local, Bits<1>>,
    most: Constant<Bits<12>>,
}

impl Slots {
    /// A table of 2^`bits` entries, at most 2,048; the index has twice as many cells.
    pub fn of(bits: usize) -> Self {
        block! {
            index: Ram::of(bits + 1),
            keys: Ram::of(bits),
            originals: Ram::of(bits),
            presents: Ram::of(bits),
            flag_ram: Ram::of(bits),
            most: Constant::new((1u64 << bits).into()),
            ; clock reset cmd key space value flags_in set_original set_present at ready hit match_now full count
            entry_key original present flags entry_space here state epoch used cell sought current found fold1 fold2
            fold3 hash tagged cell_live cell_entry entry next_cell live_cell one
        }
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::of(SLOT_BITS)
    }
}

impl Logic for Slots {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, epoch, used, cell, current, found, sought
        );
        self.index.clock.next = self.clock.val();
        self.keys.clock.next = self.clock.val();
        self.originals.clock.next = self.clock.val();
        self.presents.clock.next = self.clock.val();
        self.flag_ram.clock.next = self.clock.val();

        self.one.next = 1.into();
        // Keys are small numbers or Keccak digests: folding spreads both.
        self.fold1.next = self.key.val().get_bits::<128>(0) ^ self.key.val().get_bits::<128>(128);
        self.fold2.next = self.fold1.val().get_bits::<64>(0) ^ self.fold1.val().get_bits::<64>(64);
        self.fold3.next = self.fold2.val().get_bits::<32>(0) ^ self.fold2.val().get_bits::<32>(32);
        self.hash.next = self.fold3.val().get_bits::<12>(0)
            ^ self.fold3.val().get_bits::<12>(12)
            ^ self.fold3.val().get_bits::<12>(20)
            ^ bit_cast::<12, 11>(self.space.val().get_bits::<11>(0));
        self.tagged.next =
            bit_cast::<269, 256>(self.key.val()) | (bit_cast::<269, 13>(self.space.val()) << 256);
        // An index cell: entry in bits 10:0, epoch in 18:11, live in 20.
        self.cell_live.next = self.index.rdata.val().get_bit(20)
            & (self.index.rdata.val().get_bits::<8>(11) == self.epoch.q.val());
        self.cell_entry.next = self.index.rdata.val().get_bits::<11>(0);
        self.next_cell.next = self.cell.q.val() + 1;
        self.live_cell.next = bit_cast::<21, 11>(self.used.q.val().get_bits::<11>(0))
            | (bit_cast::<21, 8>(self.epoch.q.val()) << 11)
            | (bit_cast::<21, 1>(self.one.val()) << 20);

        self.ready.next = self.state.q.val() == Probe::Idle;
        self.match_now.next = false;
        self.hit.next = self.found.q.val();
        self.full.next = self.used.q.val() == self.most.val();
        self.count.next = self.used.q.val();
        self.entry_key.next = self.keys.rdata.val().get_bits::<256>(0);
        self.original.next = self.originals.rdata.val();
        self.present.next = self.presents.rdata.val();
        self.flags.next = self.flag_ram.rdata.val();
        self.entry_space.next = self.keys.rdata.val().get_bits::<13>(256);
        self.here.next = self.current.q.val();

        self.index.raddr.next = self.cell.q.val();
        self.index.waddr.next = self.cell.q.val();
        self.index.wdata.next = self.live_cell.val();
        self.index.we.next = false;
        self.entry.next = self.current.q.val();
        self.keys.we.next = false;
        self.keys.waddr.next = self.used.q.val().get_bits::<11>(0);
        self.keys.wdata.next = self.tagged.val();
        self.originals.we.next = false;
        self.originals.waddr.next = self.current.q.val();
        self.originals.wdata.next = self.value.val();
        self.presents.we.next = false;
        self.presents.waddr.next = self.current.q.val();
        self.presents.wdata.next = self.value.val();
        self.flag_ram.we.next = false;
        self.flag_ram.waddr.next = self.current.q.val();
        self.flag_ram.wdata.next = self.flags_in.val();

        match self.state.q.val() {
            Probe::Idle => {}
            Probe::Look => {
                self.entry.next = self.cell_entry.val();
                self.current.d.next = self.cell_entry.val();
                if self.cell_live.val() {
                    self.state.d.next = Probe::Compare;
                } else {
                    self.state.d.next = Probe::Idle;
                }
            }
            Probe::Compare => {
                if self.keys.rdata.val() == self.sought.q.val() {
                    self.match_now.next = true;
                    self.found.d.next = true;
                    self.state.d.next = Probe::Idle;
                } else {
                    self.cell.d.next = self.next_cell.val();
                    self.index.raddr.next = self.next_cell.val();
                    self.state.d.next = Probe::Look;
                }
            }
            Probe::Fetch => {
                self.state.d.next = Probe::Idle;
            }
            Probe::Sweep => {
                self.index.we.next = true;
                self.index.wdata.next = 0.into();
                self.cell.d.next = self.next_cell.val();
                if self.next_cell.val() == 0 {
                    self.state.d.next = Probe::Idle;
                }
            }
            _ => {
                self.state.d.next = Probe::Idle;
            }
        }
        // What was written need not be read again before the next command.
        if (self.state.q.val() == Probe::Idle) | (self.state.q.val() == Probe::Fetch) {
            match self.cmd.val() {
                SlotCmd::None => {}
                SlotCmd::Clear => {
                    self.used.d.next = 0.into();
                    self.found.d.next = false;
                    self.epoch.d.next = self.epoch.q.val() + 1;
                    if self.epoch.q.val() == 255 {
                        self.cell.d.next = 0.into();
                        self.state.d.next = Probe::Sweep;
                    }
                }
                SlotCmd::Find => {
                    self.found.d.next = false;
                    self.sought.d.next = self.tagged.val();
                    self.cell.d.next = self.hash.val();
                    self.index.raddr.next = self.hash.val();
                    self.state.d.next = Probe::Look;
                }
                SlotCmd::Add => {
                    if self.used.q.val() != self.most.val() {
                        self.index.we.next = true;
                        self.keys.we.next = true;
                        self.originals.we.next = true;
                        self.originals.waddr.next = self.used.q.val().get_bits::<11>(0);
                        self.presents.we.next = true;
                        self.presents.waddr.next = self.used.q.val().get_bits::<11>(0);
                        self.flag_ram.we.next = true;
                        self.flag_ram.waddr.next = self.used.q.val().get_bits::<11>(0);
                        self.current.d.next = self.used.q.val().get_bits::<11>(0);
                        self.used.d.next = self.used.q.val() + 1;
                        self.found.d.next = true;
                        self.state.d.next = Probe::Fetch;
                    }
                }
                SlotCmd::Put => {
                    self.originals.we.next = self.set_original.val();
                    self.presents.we.next = self.set_present.val();
                    self.flag_ram.we.next = true;
                    self.state.d.next = Probe::Fetch;
                }
                SlotCmd::Read => {
                    self.current.d.next = self.at.val().get_bits::<11>(0);
                    self.state.d.next = Probe::Fetch;
                }
            }
        }
        self.keys.raddr.next = self.entry.val();
        self.originals.raddr.next = self.entry.val();
        self.presents.raddr.next = self.entry.val();
        self.flag_ram.raddr.next = self.entry.val();
        if self.reset.val() {
            self.used.d.next = 0.into();
            self.cell.d.next = 0.into();
            self.epoch.d.next = 0.into();
            self.state.d.next = Probe::Sweep;
        }
    }
}
