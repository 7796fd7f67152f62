//! Simple dual-port RAM.

use std::collections::BTreeMap;

use rust_hdl_core::prelude::*;

use super::depth::Depth;

/// RAM of 2^`A` words of `W` bits: one registered read port, one write port, one clock. One made by
/// [`Ram::of`] has fewer.
///
/// `rdata` holds, from the clock edge on, the word that was at `raddr` before that edge. Reading the address
/// that is being written returns garbage: block RAMs promise nothing there, and logic that makes up for it costs
/// more than the blocks that need it would. Simulation returns the inverse of the old word, so that a block
/// that relies on either word fails its tests. Contents start at zero in simulation; on a card they are what the
/// bitstream left there, so no block relies on them.
#[derive(LogicBlock, Default)]
pub struct Ram<const A: usize, const W: usize> {
    /// Clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Address to read.
    pub raddr: Signal<In, Bits<A>>,
    /// The word read, one clock after its address.
    pub rdata: Signal<Out, Bits<W>>,
    /// Address to write.
    pub waddr: Signal<In, Bits<A>>,
    /// Word to write.
    pub wdata: Signal<In, Bits<W>>,
    /// Write at this clock edge.
    pub we: Signal<In, Bit>,
    /// The model's contents; absent words are zero.
    _words: BTreeMap<Bits<A>, Bits<W>>,
    _depth: Depth<A>,
}

impl<const A: usize, const W: usize> Ram<A, W> {
    /// A RAM of 2^`bits` words: the other bits of an address do not count.
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

impl<const A: usize, const W: usize> Logic for Ram<A, W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let place = |address| self._depth.place(address);
            let (read, written) = (place(self.raddr.val()), place(self.waddr.val()));
            let word = self._words.get(&read);
            let word = word.copied().unwrap_or_default();
            let collides = self.we.val() && written == read;
            self.rdata.next = if collides { !word } else { word };
            if self.we.val() {
                self._words.insert(written, self.wdata.val());
            }
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
// prim::Ram<{A}, {W}>: 2^{bits} words of {W} bits, registered read; garbage where it is being written.
(* no_rw_check *)
reg [{}:0] words [0:{}];
always @(posedge clock) begin
    if (we) words[{waddr}] <= wdata;
`ifdef SYNTHESIS
    rdata <= words[{raddr}];
`else
    rdata <= (we && {waddr} == {raddr}) ? ~words[{raddr}] : words[{raddr}];
`endif
end
",
            W - 1,
            self._depth.last(),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "ram".into(),
            clock: "clock".into(),
            inputs: ["raddr", "waddr", "wdata", "we"].map(String::from).into(),
            outputs: vec!["rdata".into()],
        }]
    }
}
