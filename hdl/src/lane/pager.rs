//! The pager: up to 64 KiB of pages on the chip as a window on the lane's data space in host memory.
//!
//! The data space has four segments of 2^23 bytes (`gatewei_abi::layout::segment`, address bits 24:23). The
//! calldata's home is the message, that of the others the spill area. A page that an access lacks is fetched into
//! the frame whose turn it is, unless nothing of its segment has gone home yet; a page that leaves its frame
//! goes home first, but for calldata, which is never written. Return data are always written anew from their
//! beginning, so that a write to them fetches nothing: it may come from the DMA that would fetch.

use gatewei_abi::layout;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::near::Near;
use super::page_table::PageTable;
use super::stores::Stores;

/// Rows of 32 bytes in a page.
const ROWS: u64 = (layout::PAGE_BYTES / gatewei_abi::BEAT) as u64;

const _: () = assert!(layout::PAGE_BITS == 12 && layout::PAGES == 16 && layout::SEGMENT_BITS == 23);
const _: () = assert!(
    layout::segment::MEMORY == 0
        && layout::segment::CALLDATA == 1
        && layout::segment::RETURN_DATA == 2
        && layout::segment::COUNT == 4
);

/// States of the pager.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Paging {
    /// Nothing is missing.
    Idle,
    /// Looks for a frame that this access does not use.
    Choose,
    /// The first row that leaves is read.
    Read,
    /// Rows leave.
    Evict,
    /// Until host memory has them.
    Drain,
    /// Decides where the page comes from.
    Home,
    /// Rows come.
    Fill,
    /// The page has its frame.
    Settle,
}

/// Up to sixteen page frames of 4 KiB, fully associative, replaced in turn. Pages that were not used lately take two cycles
/// more.
///
/// An access is up to 32 bytes from an address on, so it may need two pages. `rframe`/`rnext` and
/// `wframe`/`wnext` say in which frames they are.
#[derive(LogicBlock)]
pub struct Pager {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// Forgets every page (only when nothing is missing).
    pub clear: Signal<In, Bit>,

    /// Address read in this cycle.
    pub raddr: Signal<In, Bits<25>>,
    /// Frame of its page.
    pub rframe: Signal<Out, Bits<4>>,
    /// Frame of the page behind it.
    pub rnext: Signal<Out, Bits<4>>,
    /// What was read in the cycle before is what the address holds.
    pub readable: Signal<Out, Bit>,
    /// Address written in this cycle.
    pub waddr: Signal<In, Bits<25>>,
    /// Frame of its page.
    pub wframe: Signal<Out, Bits<4>>,
    /// Frame of the page behind it.
    pub wnext: Signal<Out, Bits<4>>,
    /// A write to the address, which stood in the cycle before already, reaches its pages.
    pub writable: Signal<Out, Bit>,

    /// The lane cannot go on without what `raddr` holds.
    pub want_read: Signal<In, Bit>,
    /// The lane cannot go on before it can write to `waddr`.
    pub want_write: Signal<In, Bit>,
    /// The message is being loaded: what is not written needs no fetching.
    pub loading: Signal<In, Bit>,
    /// EVM memory of all open frames, in words.
    pub memory_words: Signal<In, Bits<32>>,
    /// Calldata, in beats.
    pub calldata_beats: Signal<In, Bits<32>>,
    /// Bus address of the spill area.
    pub spill: Signal<In, Bits<64>>,
    /// Bus address of the calldata.
    pub calldata: Signal<In, Bits<64>>,

    /// The pager uses the lane's DMA.
    pub busy: Signal<Out, Bit>,
    /// Frame that leaves or comes.
    pub frame: Signal<Out, Bits<4>>,
    /// Its row that is read (leaving) or written (coming) in this cycle.
    pub row: Signal<Out, Bits<7>>,
    /// The pager reads the RAM.
    pub reads: Signal<Out, Bit>,
    /// The row read in the cycle before leaves.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// Bus address of the row that leaves.
    pub out_addr: Signal<Out, Bits<64>>,
    /// Everything written has reached host memory.
    pub out_idle: Signal<In, Bit>,
    /// Beats are to be read from `in_addr` on (a pulse).
    pub seek: Signal<Out, Bit>,
    /// Bus address of the page that comes.
    pub in_addr: Signal<Out, Bits<64>>,
    /// Its beats.
    pub in_beats: Signal<Out, Bits<16>>,
    /// A beat is awaited and taken.
    pub in_ready: Signal<Out, Bit>,
    /// It stands.
    pub in_valid: Signal<In, Bit>,
    /// The row is written: with the beat if `in_ready`, else with zeros.
    pub we: Signal<Out, Bit>,

    table: PageTable,
    read_near: Near<13, 4>,
    write_near: Near<13, 4>,
    /// The page that is looked up.
    asked: DFF<Bits<13>>,
    /// One of the read is.
    asks_read: DFF<Bit>,
    /// One of the write is.
    asks_write: DFF<Bit>,
    /// The lane cannot go on without it.
    wants_read: DFF<Bit>,
    /// The same of the write.
    wants_write: DFF<Bit>,
    /// A write to the address of the cycle before would have reached its pages.
    reachable: DFF<Bit>,
    /// Whose turn it is where both ask.
    turn: DFF<Bit>,
    picks_write: Signal<Local, Bit>,
    asking: Signal<Local, Bit>,
    absent_read: Signal<Local, Bit>,
    absent_write: Signal<Local, Bit>,
    behind: Signal<Local, Bits<13>>,
    wbehind: Signal<Local, Bits<13>>,
    state: DFF<Paging>,
    page: DFF<Bits<13>>,
    gone: DFF<Bits<4>>,
    writing: DFF<Bit>,
    rewritten: Signal<Local, Bit>,
    hand: DFF<Bits<4>>,
    at: DFF<Bits<7>>,
    come: DFF<Bits<8>>,
    good: DFF<Bit>,
    old: Signal<Local, Bits<13>>,
    old_calldata: Signal<Local, Bit>,
    old_segment: Signal<Local, Bits<4>>,
    segment_gone: Signal<Local, Bit>,
    is_memory: Signal<Local, Bit>,
    one: Constant<Bits<4>>,
    first_row: Signal<Local, Bits<32>>,
    rest: Signal<Local, Bits<32>>,
    coming: Signal<Local, Bits<8>>,
    last_row: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    is_calldata: Signal<Local, Bit>,
    rows: Constant<Bits<32>>,
    last_frame: Constant<Bits<4>>,
}

impl Pager {
    /// A pager of 2^`bits` frames, 8 or 16.
    pub fn of(bits: usize) -> Self {
        block! {
            one: Constant::new(1u64.into()),
            rows: Constant::new(ROWS.into()),
            last_frame: Constant::new(((1u64 << bits) - 1).into()),
            ; clock reset clear raddr rframe rnext readable waddr wframe wnext writable want_read want_write loading
            memory_words calldata_beats spill calldata busy frame row reads out_valid out_ready out_addr out_idle seek
            in_addr in_beats in_ready in_valid we table read_near write_near asked asks_read asks_write wants_read
            wants_write reachable turn picks_write asking absent_read absent_write behind wbehind state page gone
            writing rewritten hand at come good old old_calldata old_segment segment_gone is_memory first_row rest
            coming last_row accept is_calldata
        }
    }
}

impl Default for Pager {
    fn default() -> Self {
        Self::of(Stores::MOST.data_bits)
    }
}

impl Logic for Pager {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            page,
            gone,
            writing,
            hand,
            at,
            come,
            good,
            asked,
            asks_read,
            asks_write,
            wants_read,
            wants_write,
            reachable,
            turn
        );
        clock!(self, clock, table, read_near, write_near);

        // Where the pages of this cycle's accesses are. 32 bytes behind offset 4064 end in the next page.
        self.table.clear.next = self.clear.val() | self.reset.val();
        self.table.a.next = self.raddr.val().get_bits::<13>(12);
        self.behind.next = self.raddr.val().get_bits::<13>(12) + 1;
        self.table.a_behind.next = self.behind.val();
        self.read_near.page.next = self.raddr.val().get_bits::<13>(12);
        self.read_near.behind.next = self.behind.val();
        self.read_near.across.next = self.raddr.val().get_bits::<12>(0) > 4064;
        self.table.b.next = self.waddr.val().get_bits::<13>(12);
        self.wbehind.next = self.waddr.val().get_bits::<13>(12) + 1;
        self.table.b_behind.next = self.wbehind.val();
        self.write_near.page.next = self.waddr.val().get_bits::<13>(12);
        self.write_near.behind.next = self.wbehind.val();
        self.write_near.across.next = self.waddr.val().get_bits::<12>(0) > 4064;
        self.table.hand.next = self.hand.q.val();
        self.table.new.next = self.page.q.val();
        self.table.free.next = false;
        self.table.put.next = false;
        self.rframe.next = self.read_near.frame.val();
        self.rnext.next = self.read_near.next_frame.val();
        self.wframe.next = self.write_near.frame.val();
        self.wnext.next = self.write_near.next_frame.val();

        // The table looks one page up a cycle, in the cycle after the access that lacks it.
        // Not again while the answer comes.
        self.asking.next = self.asks_write.q.val() | self.asks_read.q.val();
        self.turn.d.next = self.turn.q.val() ^ !self.asking.val();
        self.picks_write.next =
            !self.write_near.here.val() & (self.turn.q.val() | self.read_near.here.val());
        self.asked.d.next = self.read_near.lacks.val();
        if self.picks_write.val() {
            self.asked.d.next = self.write_near.lacks.val();
        }
        self.asks_write.d.next = self.picks_write.val() & !self.asking.val();
        self.asks_read.d.next =
            !(self.read_near.here.val() | self.picks_write.val()) & !self.asking.val();
        self.table.asked.next = self.asked.q.val();
        self.read_near.asked.next = self.asked.q.val();
        self.read_near.found.next = self.table.found.val();
        self.read_near.put.next = self.asks_read.q.val() & self.table.known.val();
        self.write_near.asked.next = self.asked.q.val();
        self.write_near.found.next = self.table.found.val();
        self.write_near.put.next = self.asks_write.q.val() & self.table.known.val();
        self.wants_read.d.next = self.want_read.val();
        self.wants_write.d.next = self.want_write.val();
        self.absent_read.next =
            (self.asks_read.q.val() & self.wants_read.q.val()) & !self.table.known.val();
        self.absent_write.next =
            (self.asks_write.q.val() & self.wants_write.q.val()) & !self.table.known.val();
        self.old.next = self.table.page.val();
        self.readable.next = self.good.q.val();
        self.writable.next = false;
        self.good.d.next = false;
        self.reachable.d.next = false;

        // Where the missing page comes from, and how much of it.
        self.is_calldata.next = self.page.q.val().get_bits::<2>(11) == 1;
        self.is_memory.next = self.page.q.val().get_bits::<2>(11) == 0;
        self.segment_gone.next = self
            .gone
            .q
            .val()
            .get_bit(self.page.q.val().get_bits::<2>(11).index());
        self.old_calldata.next = self.old.val().get_bits::<2>(11) == 1;
        self.old_segment.next =
            self.one.val() << bit_cast::<4, 2>(self.old.val().get_bits::<2>(11));
        self.first_row.next = bit_cast::<32, 11>(self.page.q.val().get_bits::<11>(0)) << 7;
        // Return data are written from their beginning on: what was there counts no more.
        self.rewritten.next = self.writing.q.val() & (self.page.q.val().get_bits::<2>(11) == 2);
        self.rest.next = 0.into();
        if (!self.is_calldata.val() & (self.segment_gone.val() & !self.rewritten.val()))
            & (!self.is_memory.val() | (self.first_row.val() < self.memory_words.val()))
        {
            self.rest.next = self.rows.val();
        }
        if self.is_calldata.val()
            & (!self.loading.val() & (self.first_row.val() < self.calldata_beats.val()))
        {
            self.rest.next = self.calldata_beats.val() - self.first_row.val();
        }
        self.coming.next = self.rest.val().get_bits::<8>(0);
        if self.rest.val() > self.rows.val() {
            self.coming.next = self.rows.val().get_bits::<8>(0);
        }
        self.in_addr.next = self.spill.val() + (bit_cast::<64, 13>(self.page.q.val()) << 12);
        if self.is_calldata.val() {
            self.in_addr.next =
                self.calldata.val() + (bit_cast::<64, 32>(self.first_row.val()) << 5);
        }
        self.in_beats.next = bit_cast::<16, 8>(self.coming.val());

        self.busy.next = true;
        self.frame.next = self.hand.q.val();
        self.row.next = self.at.q.val();
        self.reads.next = false;
        self.out_valid.next = false;
        self.out_addr.next = self.spill.val()
            + ((bit_cast::<64, 13>(self.old.val()) << 12)
                | (bit_cast::<64, 7>(self.at.q.val()) << 5));
        self.seek.next = false;
        self.in_ready.next = false;
        self.we.next = false;
        self.accept.next = false;
        self.last_row.next = self.at.q.val() == 127;
        match self.state.q.val() {
            Paging::Idle => {
                self.busy.next = false;
                self.writable.next = self.reachable.q.val();
                self.reachable.d.next = self.write_near.here.val();
                self.good.d.next = self.read_near.here.val();
                self.at.d.next = 0.into();
                if self.absent_read.val() {
                    self.page.d.next = self.asked.q.val();
                    self.writing.d.next = false;
                    self.state.d.next = Paging::Choose;
                } else if self.absent_write.val() {
                    self.page.d.next = self.asked.q.val();
                    self.writing.d.next = true;
                    self.state.d.next = Paging::Choose;
                }
            }
            Paging::Choose => {
                if self.table.taken.val() & self.table.used.val() {
                    self.hand.d.next = (self.hand.q.val() + 1) & self.last_frame.val();
                } else {
                    self.table.free.next = true;
                    self.state.d.next = Paging::Home;
                    if self.table.taken.val() & !self.old_calldata.val() {
                        self.gone.d.next = self.gone.q.val() | self.old_segment.val();
                        self.state.d.next = Paging::Read;
                    }
                }
            }
            Paging::Read => {
                self.reads.next = true;
                self.state.d.next = Paging::Evict;
            }
            Paging::Evict => {
                self.reads.next = true;
                self.out_valid.next = true;
                self.accept.next = self.out_ready.val();
                if self.accept.val() {
                    self.row.next = self.at.q.val() + 1;
                    self.at.d.next = self.at.q.val() + 1;
                    if self.last_row.val() {
                        self.state.d.next = Paging::Drain;
                    }
                }
            }
            Paging::Drain => {
                if self.out_idle.val() {
                    self.state.d.next = Paging::Home;
                }
            }
            Paging::Home => {
                self.come.d.next = self.coming.val();
                self.seek.next = self.coming.val().any();
                self.state.d.next = Paging::Settle;
                if self.coming.val().any() | (self.is_calldata.val() & !self.loading.val()) {
                    self.state.d.next = Paging::Fill;
                }
            }
            Paging::Fill => {
                self.in_ready.next = bit_cast::<8, 7>(self.at.q.val()) < self.come.q.val();
                self.accept.next = !self.in_ready.val() | self.in_valid.val();
                self.we.next = self.accept.val();
                if self.accept.val() {
                    self.at.d.next = self.at.q.val() + 1;
                    if self.last_row.val() {
                        self.state.d.next = Paging::Settle;
                    }
                }
            }
            Paging::Settle => {
                self.table.put.next = true;
                self.hand.d.next = (self.hand.q.val() + 1) & self.last_frame.val();
                self.state.d.next = Paging::Idle;
            }
        }
        self.read_near.clear.next = self.table.clear.val() | self.table.free.val();
        self.write_near.clear.next = self.table.clear.val() | self.table.free.val();
        if self.clear.val() {
            self.gone.d.next = 0.into();
        }
        if self.reset.val() {
            self.state.d.next = Paging::Idle;
            self.hand.d.next = 0.into();
            self.gone.d.next = 0.into();
        }
    }
}
