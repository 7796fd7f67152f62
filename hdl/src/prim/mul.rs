//! Multiplier.

use num_bigint::BigUint;
use rust_hdl_core::prelude::*;

/// Unsigned multiplier with a registered product: after a clock edge `p` = `a`·`b` mod 2^`M`.
///
/// `N` is the width of both factors, `M` that of the product (2·`N` holds all of it). Synthesis maps it to DSP
/// cells; a product of more than one cell is as slow as its adders, so keep `N` near the cell's width
/// (18 on ECP5) where the clock matters.
#[derive(LogicBlock, Default)]
pub struct Mul<const N: usize, const M: usize> {
    /// Clock of the product register.
    pub clock: Signal<In, Clock>,
    /// First factor.
    pub a: Signal<In, Bits<N>>,
    /// Second factor.
    pub b: Signal<In, Bits<N>>,
    /// The product of the factors one clock ago.
    pub p: Signal<Out, Bits<M>>,
}

impl<const N: usize, const M: usize> Logic for Mul<N, M> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let product = BigUint::from(self.a.val()) * BigUint::from(self.b.val());
            self.p.next = (product % (BigUint::from(1u8) << M)).into();
        }
    }

    fn connect(&mut self) {
        self.p.connect();
    }

    /// Operands and product are brought to one width, so that no bit is lost or grown by context. A
    /// product narrower than the factors is cut from the full one.
    fn hdl(&self) -> Verilog {
        let wide = M.max(N);
        let operand = |x: &str| match wide - N {
            0 => x.to_string(),
            pad => format!("{{{pad}'h0, {x}}}"),
        };
        let (a, b) = (operand("a"), operand("b"));
        let body = if wide == M {
            format!("always @(posedge clock) p <= {a} * {b};")
        } else {
            format!(
                "wire [{}:0] product = {a} * {b};\nalways @(posedge clock) p <= product[{}:0];",
                wide - 1,
                M - 1
            )
        };
        Verilog::Custom(format!(
            "// prim::Mul<{N}, {M}>: registered {N} x {N} bits.\n{body}\n"
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "mul".into(),
            clock: "clock".into(),
            inputs: vec!["a".into(), "b".into()],
            outputs: vec!["p".into()],
        }]
    }
}
