//! The printer's text and its refusals.

use gatewei_hdl::emit::probe::{Handshake, Widths};
use gatewei_hdl::emit::{EmitError, design};
use rust_hdl_core::prelude::*;

/// A block with two inputs, an output, a local and a constant.
macro_rules! block {
    ($name:ident) => {
        #[derive(LogicBlock)]
        struct $name {
            pub a: Signal<In, Bits<8>>,
            pub b: Signal<In, Bits<8>>,
            pub y: Signal<Out, Bits<8>>,
            w: Signal<Local, Bits<16>>,
            seven: Constant<Bits<8>>,
        }
        impl Default for $name {
            fn default() -> Self {
                Self {
                    a: Signal::default(),
                    b: Signal::default(),
                    y: Signal::default(),
                    w: Signal::default(),
                    seven: Constant::new(7u64.into()),
                }
            }
        }
    };
}

fn text<B: Block>(block: B) -> String {
    design("top", block)
        .map(|d| d.verilog)
        .unwrap_or_else(|e| panic!("{e}"))
}

fn refusal<B: Block>(block: B) -> EmitError {
    match design("top", block) {
        Ok(d) => panic!("printed:\n{}", d.verilog),
        Err(e) => e,
    }
}

#[test]
fn intermediate_results_keep_their_width() {
    let text = text(Widths::default());
    for line in [
        "assign wide_not = {8'h0, ~a};",
        "assign wide_sum = {8'h0, a + b};",
        "assign wraps = (a + 8'h1) == 8'h0;",
        "assign precedence = (a & b) == b;",
        "assign half_sum = {1'b0, bits_7_1_of_8(a + b)};",
        "assign signed_less = $signed(a) < $signed(b);",
        "assign wrapped_less = (a - three) < b;",
    ] {
        assert!(text.contains(line), "`{line}` is missing in\n{text}");
    }
}

#[test]
fn equal_blocks_become_one_module() {
    let d = design("handshake", Handshake::default()).unwrap();
    let of = |path: &str| {
        d.modules
            .iter()
            .find(|(p, _)| p == path)
            .map(|(_, m)| m.as_str())
    };
    assert_eq!(of("handshake"), Some("handshake"));
    assert_eq!(of("handshake.slot_0"), Some("slot"));
    assert_eq!(of("handshake.slot_1"), Some("slot"));
    assert_eq!(d.verilog.matches("\nmodule ").count(), 2);
    assert!(d.verilog.contains("slot u_slot_1 ("));
    let clock = d.ports.iter().find(|p| p.name == "clock").unwrap();
    assert!(clock.input && clock.width == 1);
}

#[test]
fn registers_are_printed_in_place() {
    let d = design("handshake", Handshake::default()).unwrap();
    assert!(d.verilog.contains("taken_q <= taken_d;"), "{}", d.verilog);
    assert!(!d.verilog.contains("module dff"));
}

block!(Sound);
impl Logic for Sound {
    #[hdl_gen]
    fn update(&mut self) {
        self.w.next = bit_cast::<16, 8>(self.a.val()) << self.b.val().get_bits::<3>(0);
        self.y.next = self.w.val().get_bits::<8>(3) ^ self.seven.val();
    }
}

#[test]
fn constants_become_parameters() {
    let text = text(Sound::default());
    assert!(text.contains("localparam [7:0] seven = 8'h7;"), "{text}");
    assert!(text.contains("assign w = {8'h0, a} << b[2:0];"), "{text}");
    assert!(text.contains("assign y = w[10:3] ^ seven;"), "{text}");
}

block!(Latch);
impl Logic for Latch {
    #[hdl_gen]
    fn update(&mut self) {
        self.w.next = 0.into();
        if self.a.val().any() {
            self.y.next = self.b.val();
        }
    }
}
block!(Early);
impl Logic for Early {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.w.val().get_bits::<8>(0);
        self.w.next = 1.into();
        if self.a.val().any() {
            self.w.next = bit_cast::<16, 8>(self.y.val());
        }
    }
}
block!(Unfinished);
impl Logic for Unfinished {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.w.val().get_bits::<8>(0);
        self.w.next = 1.into();
    }
}
block!(Open);
impl Logic for Open {
    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.w.val().get_bits::<8>(0);
    }
}
block!(Large);
impl Logic for Large {
    #[hdl_gen]
    fn update(&mut self) {
        self.w.next = 0.into();
        self.y.next = self.a.val() + 256;
    }
}
block!(WritesInput);
impl Logic for WritesInput {
    #[hdl_gen]
    fn update(&mut self) {
        self.w.next = 0.into();
        self.y.next = 0.into();
        self.a.next = self.b.val();
    }
}

/// A const generic is a name to the macro, not a number.
const COUNT: u64 = 3;
block!(Outer);
impl Logic for Outer {
    #[hdl_gen]
    fn update(&mut self) {
        self.w.next = 0.into();
        self.y.next = self.a.val() + COUNT;
    }
}

#[test]
fn a_signal_without_a_default_is_a_latch() {
    assert_eq!(
        refusal(Latch::default()),
        EmitError::Latch {
            block: "top".into(),
            signal: "y".into()
        }
    );
}

#[test]
fn reading_above_the_assignment_is_refused() {
    let expected = EmitError::ReadBeforeWrite {
        block: "top".into(),
        signal: "w".into(),
        reader: "y".into(),
    };
    assert_eq!(refusal(Unfinished::default()), expected);
    assert_eq!(refusal(Early::default()), expected);
}

#[test]
fn undriven_signals_are_named() {
    assert_eq!(
        refusal(Open::default()),
        EmitError::Undriven {
            block: "top".into(),
            signal: "w".into()
        }
    );
}

#[test]
fn numbers_must_fit() {
    assert!(matches!(
        refusal(Large::default()),
        EmitError::Overflow { width: 8, .. }
    ));
}

#[test]
fn inputs_are_not_written() {
    assert_eq!(
        refusal(WritesInput::default()),
        EmitError::NotWritable {
            block: "top".into(),
            signal: "a".into()
        }
    );
}

#[test]
fn rust_constants_are_refused_by_name() {
    let error = refusal(Outer::default());
    assert!(
        matches!(&error, EmitError::Unknown { name, .. } if name == "COUNT"),
        "{error}"
    );
    assert!(error.to_string().contains("Constant<Bits<_>>"));
}

/// Combinational: the same value comes back.
#[derive(LogicBlock, Default)]
struct Pass {
    pub i: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
}
impl Logic for Pass {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.i.val();
    }
}
#[derive(LogicBlock, Default)]
struct Ring {
    pub y: Signal<Out, Bits<8>>,
    pass: [Pass; 2],
}
impl Logic for Ring {
    #[hdl_gen]
    fn update(&mut self) {
        self.pass[0].i.next = self.pass[1].o.val();
        self.pass[1].i.next = self.pass[0].o.val();
        self.y.next = self.pass[0].o.val();
    }
}

#[test]
fn combinational_loops_are_found_through_sub_blocks() {
    let error = refusal(Ring::default());
    assert!(
        matches!(&error, EmitError::Loop { path, .. } if path.contains("`pass.0.i`")),
        "{error}"
    );
}
