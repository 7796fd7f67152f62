//! The data store: up to sixteen pages of the lane's data space on the chip.

use rust_hdl_core::prelude::*;

use super::bytes::ByteRam;
use super::pager::Pager;
use super::stores::Stores;
use super::words::Reverse;

/// A window of up to 64 KiB on the lane's data space ([`super::pager`]): one read and one write of up to 32 bytes a
/// cycle, wherever their pages are on the chip; a pager brings those that the lane wants.
#[derive(LogicBlock)]
pub struct DataStore {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// Forgets every page (only when nothing is missing).
    pub clear: Signal<In, Bit>,

    /// Address read in this cycle; bits 24:23 are the segment.
    pub raddr: Signal<In, Bits<25>>,
    /// The 32 bytes from there on, a cycle later, first byte most significant.
    pub rdata: Signal<Out, Bits<256>>,
    /// What was read in the cycle before is what the address holds.
    pub readable: Signal<Out, Bit>,
    /// The lane cannot go on without what `raddr` holds.
    pub want_read: Signal<In, Bit>,
    /// Write enable; nothing is written unless `writable`.
    pub we: Signal<In, Bit>,
    /// Address written.
    pub waddr: Signal<In, Bits<25>>,
    /// The bytes to write, first byte most significant.
    pub wdata: Signal<In, Bits<256>>,
    /// How many of them, 0 to 32.
    pub wcount: Signal<In, Bits<6>>,
    /// `beat` is written in place of `wdata`.
    pub takes_beat: Signal<In, Bit>,
    /// A write to `waddr`, which stood in the cycle before already, reaches its pages.
    pub writable: Signal<Out, Bit>,
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

    /// The store uses the lane's DMA.
    pub busy: Signal<Out, Bit>,
    /// A beat leaves: what `rdata` shows, first byte least significant.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// Its bus address.
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
    /// The beat.
    pub beat: Signal<In, Bits<256>>,

    ram: ByteRam,
    pager: Pager,
    coming: Reverse,
    row: Signal<Local, Bits<16>>,
}

impl DataStore {
    /// A store of 2^`bits` pages, 8 or 16.
    pub fn of(bits: usize) -> Self {
        block! {
            ram: ByteRam::of(bits),
            pager: Pager::of(bits),
            ; clock reset clear raddr rdata readable want_read we waddr wdata wcount takes_beat writable want_write
            loading memory_words calldata_beats spill calldata busy out_valid out_ready out_addr out_idle seek in_addr
            in_beats in_ready in_valid beat coming row
        }
    }
}

impl Default for DataStore {
    fn default() -> Self {
        Self::of(Stores::MOST.data_bits)
    }
}

impl Logic for DataStore {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, ram, pager);
        self.pager.reset.next = self.reset.val();
        self.pager.clear.next = self.clear.val();
        self.pager.raddr.next = self.raddr.val();
        self.pager.waddr.next = self.waddr.val();
        self.pager.want_read.next = self.want_read.val();
        self.pager.want_write.next = self.want_write.val();
        self.pager.loading.next = self.loading.val();
        self.pager.memory_words.next = self.memory_words.val();
        self.pager.calldata_beats.next = self.calldata_beats.val();
        self.pager.spill.next = self.spill.val();
        self.pager.calldata.next = self.calldata.val();
        self.pager.out_ready.next = self.out_ready.val();
        self.pager.out_idle.next = self.out_idle.val();
        self.pager.in_valid.next = self.in_valid.val();
        self.readable.next = self.pager.readable.val();
        self.writable.next = self.pager.writable.val();
        self.busy.next = self.pager.busy.val();
        self.out_valid.next = self.pager.out_valid.val();
        self.out_addr.next = self.pager.out_addr.val();
        self.seek.next = self.pager.seek.val();
        self.in_addr.next = self.pager.in_addr.val();
        self.in_beats.next = self.pager.in_beats.val();
        self.in_ready.next = self.pager.in_ready.val();

        self.ram.raddr.next = (bit_cast::<16, 4>(self.pager.rframe.val()) << 12)
            | bit_cast::<16, 12>(self.raddr.val().get_bits::<12>(0));
        self.ram.rnext.next = self.pager.rnext.val();
        self.ram.waddr.next = (bit_cast::<16, 4>(self.pager.wframe.val()) << 12)
            | bit_cast::<16, 12>(self.waddr.val().get_bits::<12>(0));
        self.ram.wnext.next = self.pager.wnext.val();
        self.ram.we.next = self.we.val() & self.pager.writable.val();
        self.coming.a.next = self.beat.val();
        self.ram.wdata.next = self.wdata.val();
        if self.takes_beat.val() | self.pager.in_ready.val() {
            self.ram.wdata.next = self.coming.y.val();
        }
        self.ram.wcount.next = self.wcount.val();
        self.rdata.next = self.ram.rdata.val();

        // The pager moves whole rows.
        self.row.next = (bit_cast::<16, 4>(self.pager.frame.val()) << 12)
            | (bit_cast::<16, 7>(self.pager.row.val()) << 5);
        if self.pager.reads.val() {
            self.ram.raddr.next = self.row.val();
        }
        if self.pager.busy.val() {
            self.ram.we.next = self.pager.we.val();
            self.ram.waddr.next = self.row.val();
            self.ram.wcount.next = 32.into();
            if !self.pager.in_ready.val() {
                self.ram.wdata.next = 0.into();
            }
        }
    }
}
