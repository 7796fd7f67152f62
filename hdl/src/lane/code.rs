//! The code store: the pages of code that the lane uses, brought from code images in host memory.
//!
//! It keeps pages of up to 256 codes, so that a contract that is called again, in this message or a
//! later one, is there already. With every byte it keeps whether a JUMPDEST that may be jumped to stands there.
//! Even rows are in one RAM and odd rows in another ([`Straddle`]).

use gatewei_abi::layout::{CODE_GROUP, CODE_PAGE_BEATS, CODE_PAGE_BYTES, CODE_PAGES};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::code_table::CodeTable;
use super::near::Near;
use super::stores::Stores;
use super::straddle::Straddle;
use super::words::{Banks, Rotate, each_bank};
use crate::prim::Ram;

const _: () = assert!(CODE_PAGE_BYTES == 1024 && CODE_GROUP == 256 && CODE_PAGE_BEATS == 36);
const _: () = assert!(CODE_PAGES == 64);

/// States of the code store.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Fetching {
    /// Nothing is missing.
    Idle,
    /// Looks whose code has the number that this code's tag gives it.
    Search,
    /// Looks for a frame that this fetch does not use, and asks for the page.
    Choose,
    /// Forgets what pages another code of the same number has.
    Forget,
    /// Awaits the jump destinations of a group.
    Marks,
    /// Awaits the rows of a group.
    Rows,
    /// The page has its frame.
    Settle,
}

/// Up to 64 page frames of code with their jump destinations; one code is open at a time.
#[derive(LogicBlock)]
pub struct CodeStore {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset: forgets all codes.
    pub reset: Signal<In, Bit>,

    /// From now on, addresses are in the code with this tag (only when nothing is missing).
    pub open: Signal<In, Bit>,
    /// Tag of the code: equal tags are equal code; 0 is never kept.
    pub tag: Signal<In, Bits<64>>,
    /// Bus address of its image; to stay.
    pub address: Signal<In, Bits<64>>,
    /// The code is open.
    pub opened: Signal<Out, Bit>,

    /// Address read in this cycle.
    pub raddr: Signal<In, Bits<16>>,
    /// A cycle later: the 32 bytes from there on, first byte most significant. Where they begin in a page that is
    /// not here and end in one that is, the end is right.
    pub rdata: Signal<Out, Bits<256>>,
    /// A cycle later: the first byte is a JUMPDEST that may be jumped to.
    pub jumpdest: Signal<Out, Bit>,
    /// What was read in the cycle before is what the address holds, and the byte behind it is here too.
    pub readable: Signal<Out, Bit>,
    /// The lane cannot go on without what `raddr` holds.
    pub want: Signal<In, Bit>,

    /// The store uses the lane's DMA.
    pub busy: Signal<Out, Bit>,
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
    /// It is meaningless: what was read will not outlive the message.
    pub in_error: Signal<In, Bit>,
    /// The beat.
    pub beat: Signal<In, Bits<256>>,

    table: CodeTable,
    near: Near<14, 6>,
    known: Ram<8, 64>,
    /// Rows of 32 bytes, the first one least significant, and above them a bit for each that is a destination.
    even: Ram<10, 288>,
    odd: Ram<10, 288>,
    rotate: Rotate,
    state: DFF<Fetching>,
    number: DFF<Bits<8>>,
    hand: DFF<Bits<2>>,
    page: DFF<Bits<14>>,
    row: DFF<Bits<5>>,
    marks: DFF<Bits<256>>,
    good: DFF<Bit>,
    spoiled: DFF<Bit>,
    offset: DFF<Bits<5>>,
    /// The first byte is in an odd row.
    first_odd: DFF<Bit>,
    from_odd: DFF<Bits<32>>,
    reads: Straddle,
    marked: Signal<Local, Bits<32>>,
    /// The page that is looked up.
    asked: DFF<Bits<14>>,
    /// One is.
    asks: DFF<Bit>,
    /// The lane cannot go on without it.
    wants: DFF<Bit>,
    /// It has no frame.
    absent: Signal<Local, Bit>,
    behind_page: Signal<Local, Bits<14>>,

    forget: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    we: Signal<Local, Bit>,
    low: Signal<Local, Bits<5>>,
    line: Signal<Local, Bits<11>>,
    behind: Signal<Local, Bits<11>>,
    wline: Signal<Local, Bits<11>>,
    page_now: Signal<Local, Bits<14>>,
    page_bytes: Signal<Local, Bits<64>>,
    gathered: Signal<Local, Banks>,
    wdata: Signal<Local, Bits<288>>,
    beats: Constant<Bits<16>>,
}

impl CodeStore {
    /// A store of 2^`bits` pages, 32 or 64.
    pub fn of(bits: usize) -> Self {
        block! {
            // Of the 2^5 rows of a page, half are even.
            even: Ram::of(bits + 4),
            odd: Ram::of(bits + 4),
            table: CodeTable::of(bits),
            beats: Constant::new((CODE_PAGE_BEATS as u64).into()),
            ; clock reset open tag address opened raddr rdata jumpdest readable want busy seek in_addr in_beats in_ready
            in_valid in_error beat near known rotate state number hand page row marks good spoiled offset
            first_odd from_odd reads marked asked asks wants absent behind_page forget accept we low line behind wline
            page_now page_bytes gathered wdata
        }
    }
}

impl Default for CodeStore {
    fn default() -> Self {
        Self::of(Stores::MOST.code_bits)
    }
}

macro_rules! code_store_logic { ($($field:ident $bank:tt $word:tt $beat:tt,)*) => {
impl Logic for CodeStore {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, number, hand, page, row, marks, good, spoiled, offset, first_odd,
            from_odd, asked, asks, wants
        );
        clock!(self, clock, table, near, known, even, odd);

        // Reading. A page's name is its number in the code, then the code's number: the page behind is 2^8 further.
        self.page_now.next = (bit_cast::<14, 6>(self.raddr.val().get_bits::<6>(10)) << 8)
            | bit_cast::<14, 8>(self.number.q.val());
        self.table.page.next = self.page_now.val();
        // Behind the last page is the first: the operand of an early PUSH is read from before the code's
        // beginning, and its end counts.
        self.behind_page.next = self.page_now.val() + 256;
        self.table.behind.next = self.behind_page.val();
        self.near.page.next = self.page_now.val();
        self.near.behind.next = self.behind_page.val();
        // 33 bytes: an opcode and the longest operand.
        self.near.across.next = self.raddr.val().get_bits::<10>(0) > 991;
        self.asked.d.next = self.near.lacks.val();
        // Not again while the answer comes, nor while the table shows the set of a page that comes.
        self.asks.d.next = !(self.near.here.val() | self.asks.q.val())
            & (self.state.q.val() == Fetching::Idle);
        self.table.look.next = self.near.lacks.val();
        if self.asks.q.val() {
            self.table.look.next = self.asked.q.val();
        }
        if (self.state.q.val() != Fetching::Idle) & (self.state.q.val() != Fetching::Search) {
            self.table.look.next = self.page.q.val();
        }
        self.table.sweep.next = self.state.q.val() == Fetching::Forget;
        self.table.first.next = self.state.q.val() == Fetching::Search;
        self.table.asked.next = self.asked.q.val();
        self.near.asked.next = self.asked.q.val();
        self.near.found.next = self.table.found.val();
        self.near.put.next = self.asks.q.val() & self.table.known.val();
        self.wants.d.next = self.want.val();
        self.absent.next = (self.asks.q.val() & self.wants.q.val()) & !self.table.known.val();
        self.low.next = self.raddr.val().get_bits::<5>(0);
        self.offset.d.next = self.low.val();
        self.line.next = (bit_cast::<11, 6>(self.near.frame.val()) << 5)
            | bit_cast::<11, 5>(self.raddr.val().get_bits::<5>(5));
        self.behind.next = self.line.val() + 1;
        if self.raddr.val().get_bits::<5>(5) == 31 {
            self.behind.next = bit_cast::<11, 6>(self.near.next_frame.val()) << 5;
        }
        self.wline.next =
            (bit_cast::<11, 6>(self.table.frame.val()) << 5) | bit_cast::<11, 5>(self.row.q.val());
        self.reads.row.next = self.line.val();
        self.reads.offset.next = self.low.val();
        self.reads.behind.next = self.behind.val();
        self.even.raddr.next = self.reads.even.val();
        self.odd.raddr.next = self.reads.odd.val();
        self.from_odd.d.next = self.reads.in_odd.val();
        self.first_odd.d.next = self.line.val().get_bit(0);
        self.marked.next = self.even.rdata.val().get_bits::<32>(256);
        if self.first_odd.q.val() {
            self.marked.next = self.odd.rdata.val().get_bits::<32>(256);
        }
        self.jumpdest.next =
            (self.marked.val() >> bit_cast::<32, 5>(self.offset.q.val())).get_bit(0);
        $(
            self.gathered.next.$field = self.even.rdata.val().get_bits::<8>($beat);
            if self.from_odd.q.val().get_bit(31 - $bank) {
                self.gathered.next.$field = self.odd.rdata.val().get_bits::<8>($beat);
            }
        )*
        self.wdata.next = bit_cast::<288, 256>(self.beat.val())
            | (bit_cast::<288, 32>(self.marks.q.val().get_bits::<32>(0)) << 256);
        self.even.waddr.next = self.wline.val().get_bits::<10>(1);
        self.odd.waddr.next = self.wline.val().get_bits::<10>(1);
        self.even.wdata.next = self.wdata.val();
        self.odd.wdata.next = self.wdata.val();
        self.rotate.a.next = self.gathered.val().into();
        self.rotate.by.next = self.offset.q.val();
        self.rdata.next = self.rotate.y.val();
        self.readable.next = self.good.q.val();
        self.good.d.next = false;

        // A code's number is the low part of its tag; this is who has it.
        self.known.raddr.next = self.tag.val().get_bits::<8>(0);
        self.known.waddr.next = self.tag.val().get_bits::<8>(0);
        self.known.wdata.next = self.tag.val();
        self.known.we.next = false;
        self.table.drop.next = false;
        self.table.code.next = self.number.q.val();

        // The page that comes.
        self.table.hand.next = self.hand.q.val();
        self.table.new.next = self.page.q.val();
        self.table.free.next = false;
        self.table.put.next = false;
        self.page_bytes.next = bit_cast::<64, 6>(self.page.q.val().get_bits::<6>(8)) << 7;
        // 36 beats of 32 bytes are 1024 + 128.
        self.in_addr.next =
            (self.address.val() + (self.page_bytes.val() << 3)) + self.page_bytes.val();
        self.in_beats.next = self.beats.val();
        self.seek.next = false;
        self.in_ready.next = false;
        self.accept.next = false;
        self.we.next = false;
        self.busy.next = true;
        self.opened.next = false;
        self.forget.next = false;
        match self.state.q.val() {
            Fetching::Idle => {
                self.busy.next = false;
                self.opened.next = true;
                self.good.d.next = self.near.here.val();
                self.row.d.next = 0.into();
                if self.open.val() {
                    self.state.d.next = Fetching::Search;
                    self.good.d.next = false;
                    if self.spoiled.q.val() {
                        self.forget.next = true;
                        self.spoiled.d.next = false;
                    }
                } else if self.absent.val() {
                    self.page.d.next = self.asked.q.val();
                    self.state.d.next = Fetching::Choose;
                }
            }
            Fetching::Search => {
                self.state.d.next = Fetching::Idle;
                self.number.d.next = self.tag.val().get_bits::<8>(0);
                if (self.known.rdata.val() != self.tag.val()) | !self.tag.val().any() {
                    self.known.we.next = true;
                    self.state.d.next = Fetching::Forget;
                }
            }
            Fetching::Forget => {
                self.table.drop.next = true;
                if self.table.last.val() {
                    self.state.d.next = Fetching::Idle;
                }
            }
            Fetching::Choose => {
                if self.table.used.val() {
                    self.hand.d.next = self.hand.q.val() + 1;
                } else {
                    self.table.free.next = true;
                    self.seek.next = true;
                    self.state.d.next = Fetching::Marks;
                }
            }
            Fetching::Marks => {
                self.in_ready.next = true;
                self.accept.next = self.in_valid.val();
                if self.accept.val() {
                    self.marks.d.next = self.beat.val();
                    self.state.d.next = Fetching::Rows;
                }
            }
            Fetching::Rows => {
                self.in_ready.next = true;
                self.accept.next = self.in_valid.val();
                self.we.next = self.accept.val();
                if self.accept.val() {
                    self.marks.d.next = self.marks.q.val() >> 32;
                    self.row.d.next = self.row.q.val() + 1;
                    if self.row.q.val().get_bits::<3>(0) == 7 {
                        self.state.d.next = Fetching::Marks;
                    }
                    if self.row.q.val() == 31 {
                        self.state.d.next = Fetching::Settle;
                    }
                }
            }
            Fetching::Settle => {
                self.table.put.next = true;
                self.hand.d.next = self.hand.q.val() + 1;
                self.state.d.next = Fetching::Idle;
            }
        }
        self.even.we.next = self.we.val() & !self.wline.val().get_bit(0);
        self.odd.we.next = self.we.val() & self.wline.val().get_bit(0);
        if self.accept.val() & self.in_error.val() {
            self.spoiled.d.next = true;
        }
        self.table.clear.next = self.forget.val() | self.reset.val();
        self.near.clear.next =
            (self.table.clear.val() | self.table.drop.val()) | self.table.free.val();
        if self.reset.val() {
            self.state.d.next = Fetching::Idle;
            self.hand.d.next = 0.into();
            self.spoiled.d.next = false;
        }
    }
}
}}
each_bank!(code_store_logic);
