//! Simple dual-port RAM.

use std::collections::BTreeMap;

use rust_hdl_core::prelude::*;

/// RAM of 2^`A` words of `W` bits: one registered read port, one write port, one clock.
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
}

impl<const A: usize, const W: usize> Logic for Ram<A, W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let word = self._words.get(&self.raddr.val());
            let word = word.copied().unwrap_or_default();
            let collides = self.we.val() && self.waddr.val() == self.raddr.val();
            self.rdata.next = if collides { !word } else { word };
            if self.we.val() {
                self._words.insert(self.waddr.val(), self.wdata.val());
            }
        }
    }

    fn connect(&mut self) {
        self.rdata.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "\
// prim::Ram<{A}, {W}>: 2^{A} words of {W} bits, registered read; garbage where it is being written.
(* no_rw_check *)
reg [{}:0] words [0:{}];
always @(posedge clock) begin
    if (we) words[waddr] <= wdata;
`ifdef SYNTHESIS
    rdata <= words[raddr];
`else
    rdata <= (we && waddr == raddr) ? ~words[raddr] : words[raddr];
`endif
end
",
            W - 1,
            (1usize << A) - 1,
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
