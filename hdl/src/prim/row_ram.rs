//! RAM of rows of 32 bytes, each byte with a write enable of its own.

use std::collections::BTreeMap;

use rust_hdl_core::prelude::*;

use super::depth::Depth;

/// 2^`A` rows: one registered read port, one write port, one clock. As [`super::Ram`] in all else; only the bytes
/// that are being written read as garbage.
#[derive(LogicBlock, Default)]
pub struct RowRam<const A: usize> {
    /// Clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Row to read.
    pub raddr: Signal<In, Bits<A>>,
    /// The row read, one clock after its address.
    pub rdata: Signal<Out, Bits<256>>,
    /// Row to write.
    pub waddr: Signal<In, Bits<A>>,
    /// Bytes to write.
    pub wdata: Signal<In, Bits<256>>,
    /// Bit i: write bits 8i + 7 to 8i at this clock edge.
    pub we: Signal<In, Bits<32>>,
    /// The model's contents; absent rows are zero.
    _rows: BTreeMap<Bits<A>, Bits<256>>,
    _depth: Depth<A>,
}

impl<const A: usize> RowRam<A> {
    /// A RAM of 2^`bits` rows: the other bits of an address do not count.
    ///
    /// # Panics
    /// If an address has fewer bits.
    pub fn of(bits: usize) -> Self {
        Self {
            _depth: Depth::of(bits),
            ..Self::default()
        }
    }
}

/// The bytes that `we` enables, as ones.
fn spread(we: Bits<32>) -> Bits<256> {
    let byte = |i: usize| Bits::<256>::from(255) << (8 * i as u64);
    let enabled = (0..32).filter(|&i| we.get_bit(i)).map(byte);
    enabled.fold(Bits::default(), |all, byte| all | byte)
}

impl<const A: usize> Logic for RowRam<A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let row = |address| self._rows.get(&address).copied().unwrap_or_default();
            let place = |address| self._depth.place(address);
            let (from, to) = (place(self.raddr.val()), place(self.waddr.val()));
            let (read, mask) = (row(from), spread(self.we.val()));
            let collides = from == to;
            let written = (row(to) & !mask) | (self.wdata.val() & mask);
            self.rdata.next = if collides { read ^ mask } else { read };
            self._rows.insert(to, written);
        }
    }

    fn connect(&mut self) {
        self.rdata.connect();
    }

    fn hdl(&self) -> Verilog {
        let bits = self._depth.bits();
        let (raddr, waddr) = (self._depth.at("raddr"), self._depth.at("waddr"));
        Verilog::Custom(format!(
            "\
// prim::RowRam<{A}>: 2^{bits} rows of 32 bytes, registered read; bytes are garbage where they are being written.
(* no_rw_check *)
reg [255:0] words [0:{}];
integer i;
always @(posedge clock) begin
    for (i = 0; i < 32; i = i + 1) if (we[i]) words[{waddr}][8*i +: 8] <= wdata[8*i +: 8];
    rdata <= words[{raddr}];
`ifndef SYNTHESIS
    for (i = 0; i < 32; i = i + 1) if (we[i] && {waddr} == {raddr}) rdata[8*i +: 8] <= ~words[{raddr}][8*i +: 8];
`endif
end
",
            self._depth.last(),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "row_ram".into(),
            clock: "clock".into(),
            inputs: ["raddr", "waddr", "wdata", "we"].map(String::from).into(),
            outputs: vec!["rdata".into()],
        }]
    }
}
