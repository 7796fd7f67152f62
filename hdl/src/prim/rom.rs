//! Read-only memories: registered for block RAM, combinational for small tables.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use rust_hdl_core::prelude::*;

/// ROM of 2^`A` words of `W` bits with a registered read, for block RAM.
///
/// `data` holds, from the clock edge on, the word at `addr`.
#[derive(LogicBlock)]
pub struct Rom<const A: usize, const W: usize> {
    /// Clock of the read port.
    pub clock: Signal<In, Clock>,
    /// Address to read.
    pub addr: Signal<In, Bits<A>>,
    /// The word read, one clock after its address.
    pub data: Signal<Out, Bits<W>>,
    _words: Vec<Bits<W>>,
}

impl<const A: usize, const W: usize> Rom<A, W> {
    /// A ROM with these words from address 0; the rest reads zero. Words beyond 2^`A` cannot be addressed
    /// and are left out.
    pub fn new(words: Vec<Bits<W>>) -> Self {
        Self {
            clock: Signal::default(),
            addr: Signal::default(),
            data: Signal::default(),
            _words: fitted::<A, W>(words),
        }
    }
}

impl<const A: usize, const W: usize> Logic for Rom<A, W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.data.next = self
                ._words
                .get(self.addr.val().index())
                .copied()
                .unwrap_or_default();
        }
    }

    fn connect(&mut self) {
        self.data.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut words = self._words.clone();
        words.resize(1 << A, Bits::default());
        let lines: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(a, w)| format!("    words[{a}] = {W}'h{w:x};\n"))
            .collect();
        Verilog::Custom(format!(
            "\
// prim::Rom<{A}, {W}>: 2^{A} words of {W} bits, registered read.
reg [{}:0] words [0:{}];
initial begin
{}end
always @(posedge clock) data <= words[addr];
",
            W - 1,
            (1usize << A) - 1,
            lines.concat(),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "rom".into(),
            clock: "clock".into(),
            inputs: vec!["addr".into()],
            outputs: vec!["data".into()],
        }]
    }
}

/// Combinational ROM of 2^`A` words of `W` bits: a table in logic, such as the opcode decoder's.
#[derive(LogicBlock)]
pub struct LookupRom<const A: usize, const W: usize> {
    /// Address to read.
    pub addr: Signal<In, Bits<A>>,
    /// The word at `addr`.
    pub data: Signal<Out, Bits<W>>,
    _words: Vec<Bits<W>>,
}

impl<const A: usize, const W: usize> LookupRom<A, W> {
    /// A table with these words from address 0; the rest reads zero. Words beyond 2^`A` cannot be addressed
    /// and are left out.
    pub fn new(words: Vec<Bits<W>>) -> Self {
        Self {
            addr: Signal::default(),
            data: Signal::default(),
            _words: fitted::<A, W>(words),
        }
    }
}

impl<const A: usize, const W: usize> Logic for LookupRom<A, W> {
    fn update(&mut self) {
        self.data.next = self
            ._words
            .get(self.addr.val().index())
            .copied()
            .unwrap_or_default();
    }

    fn connect(&mut self) {
        self.data.connect();
    }

    /// One `case` arm for each distinct word; addresses that read zero share the default.
    fn hdl(&self) -> Verilog {
        let mut arms: BTreeMap<BigUint, Vec<String>> = BTreeMap::new();
        for (a, w) in self._words.iter().enumerate() {
            arms.entry((*w).into())
                .or_default()
                .push(format!("{A}'h{a:x}"));
        }
        let zero = BigUint::default();
        let lines: Vec<String> = arms
            .iter()
            .filter(|(w, _)| **w != zero)
            .map(|(w, addresses)| format!("    {}: data = {W}'h{w:x};\n", addresses.join(", ")))
            .collect();
        Verilog::Custom(format!(
            "\
// prim::LookupRom<{A}, {W}>: 2^{A} words of {W} bits in logic.
always @(*) case (addr)
{}    default: data = {W}'h0;
endcase
",
            lines.concat(),
        ))
    }
}

/// At most 2^`A` words.
fn fitted<const A: usize, const W: usize>(mut words: Vec<Bits<W>>) -> Vec<Bits<W>> {
    words.truncate(1 << A);
    words
}
