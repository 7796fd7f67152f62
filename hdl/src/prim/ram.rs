//! Simple dual-port RAM.

use std::collections::BTreeMap;

use rust_hdl_core::prelude::*;

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
    /// Bits at the top of an address that do not count.
    _spare: usize,
}

impl<const A: usize, const W: usize> Ram<A, W> {
    /// A RAM of 2^`bits` words: the other bits of an address do not count.
    ///
    /// # Panics
    /// If an address has fewer bits.
    pub fn of(bits: usize) -> Self {
        assert!(0 < bits && bits <= A, "2^{bits} words at {A} bits");
        Self {
            _spare: A - bits,
            ..Self::default()
        }
    }

    fn place(&self, address: Bits<A>) -> Bits<A> {
        let spare = self._spare as u64;
        (address << spare) >> spare
    }
}

impl<const A: usize, const W: usize> Logic for Ram<A, W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let (read, written) = (self.place(self.raddr.val()), self.place(self.waddr.val()));
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
        let bits = A - self._spare;
        let at = |port: &str| match self._spare {
            0 => port.to_string(),
            _ => format!("{port}[{}:0]", bits - 1),
        };
        let (raddr, waddr) = (at("raddr"), at("waddr"));
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
            (1usize << bits) - 1,
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
