//! Read-only memories: registered for block RAM, combinational for small tables.

use std::collections::BTreeMap;

use rust_hdl_core::prelude::*;

/// ROM of 2^`A` words of type `T` with a registered read, for block RAM.
///
/// `data` holds, from the clock edge on, the word at `addr`.
#[derive(LogicBlock)]
pub struct Rom<const A: usize, T: Synth> {
    /// Clock of the read port.
    pub clock: Signal<In, Clock>,
    /// Address to read.
    pub addr: Signal<In, Bits<A>>,
    /// The word read, one clock after its address.
    pub data: Signal<Out, T>,
    _words: Vec<T>,
}

impl<const A: usize, T: Synth> Rom<A, T> {
    /// A ROM with these words from address 0; the rest reads zero. Words beyond 2^`A` cannot be addressed
    /// and are left out.
    pub fn new(words: Vec<T>) -> Self {
        Self {
            clock: Signal::default(),
            addr: Signal::default(),
            data: Signal::default(),
            _words: fitted::<A, T>(words),
        }
    }
}

impl<const A: usize, T: Synth> Logic for Rom<A, T> {
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
        let width = T::BITS;
        let mut words = self._words.clone();
        words.resize(1 << A, T::default());
        let lines: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(a, w)| format!("    words[{a}] = {};\n", w.verilog()))
            .collect();
        Verilog::Custom(format!(
            "\
// prim::Rom<{A}, {width}>: 2^{A} words of {width} bits, registered read.
reg [{}:0] words [0:{}];
initial begin
{}end
always @(posedge clock) data <= words[addr];
",
            width - 1,
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

/// Combinational ROM of 2^`A` words of type `T`: a table in logic, such as the opcode decoder's.
#[derive(LogicBlock)]
pub struct LookupRom<const A: usize, T: Synth> {
    /// Address to read.
    pub addr: Signal<In, Bits<A>>,
    /// The word at `addr`.
    pub data: Signal<Out, T>,
    _words: Vec<T>,
}

impl<const A: usize, T: Synth> LookupRom<A, T> {
    /// A table with these words from address 0; the rest reads zero. Words beyond 2^`A` cannot be addressed
    /// and are left out.
    pub fn new(words: Vec<T>) -> Self {
        Self {
            addr: Signal::default(),
            data: Signal::default(),
            _words: fitted::<A, T>(words),
        }
    }
}

impl<const A: usize, T: Synth> Logic for LookupRom<A, T> {
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
        let width = T::BITS;
        let mut arms: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let words = self._words.iter().enumerate();
        for (a, w) in words.filter(|(_, w)| **w != T::default()) {
            arms.entry(w.verilog().to_string())
                .or_default()
                .push(format!("{A}'h{a:x}"));
        }
        let lines: Vec<String> = arms
            .iter()
            .map(|(w, addresses)| format!("    {}: data = {w};\n", addresses.join(", ")))
            .collect();
        Verilog::Custom(format!(
            "\
// prim::LookupRom<{A}, {width}>: 2^{A} words of {width} bits in logic.
always @(*) case (addr)
{}    default: data = {width}'h0;
endcase
",
            lines.concat(),
        ))
    }
}

/// At most 2^`A` words.
fn fitted<const A: usize, T: Synth>(mut words: Vec<T>) -> Vec<T> {
    words.truncate(1 << A);
    words
}
