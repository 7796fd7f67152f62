//! The one-cycle unit against 256-bit integers.

mod words;

use alloy_primitives::U256;
use gatewei_abi::opcode;
use gatewei_sim::model::{Model, ModelError, PortId};
use words::{MIN, Words, bytes, edges, word};

struct Alu {
    model: Model,
    op: PortId,
    a: PortId,
    b: PortId,
    y: PortId,
}

impl Alu {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("alu")?;
        Ok(Self {
            op: model.input("op", 8)?,
            a: model.input("a", 256)?,
            b: model.input("b", 256)?,
            y: model.output("y", 256)?,
            model,
        })
    }

    fn run(&mut self, op: u8, a: U256, b: U256) -> U256 {
        self.model.set_u64(self.op, op.into());
        self.model.set_word(self.a, &bytes(a));
        self.model.set_word(self.b, &bytes(b));
        self.model.eval();
        word(self.model.get_word(self.y))
    }
}

const OPS: [&str; 12] = [
    "ADD", "SUB", "LT", "GT", "SLT", "SGT", "EQ", "ISZERO", "AND", "OR", "XOR", "NOT",
];

fn expected(op: &str, a: U256, b: U256) -> U256 {
    // Adding 2^255 turns signed order into unsigned order.
    let signed = |x: U256| x ^ MIN;
    match op {
        "ADD" => a.wrapping_add(b),
        "SUB" => a.wrapping_sub(b),
        "LT" => U256::from(a < b),
        "GT" => U256::from(a > b),
        "SLT" => U256::from(signed(a) < signed(b)),
        "SGT" => U256::from(signed(a) > signed(b)),
        "EQ" => U256::from(a == b),
        "ISZERO" => U256::from(a.is_zero()),
        "AND" => a & b,
        "OR" => a | b,
        "XOR" => a ^ b,
        _ => !a,
    }
}

fn check(alu: &mut Alu, a: U256, b: U256) {
    for name in OPS {
        let y = alu.run(opcode::byte(name), a, b);
        assert_eq!(y, expected(name, a, b), "{name} {a:#x} {b:#x}");
    }
}

#[test]
fn every_opcode_on_edges_and_random_words() -> Result<(), ModelError> {
    let mut alu = Alu::new()?;
    for a in edges() {
        for b in edges() {
            check(&mut alu, a, b);
        }
    }
    let mut words = Words::new(1);
    for _ in 0..20_000 {
        let (a, b) = (words.word(), words.word());
        check(&mut alu, a, b);
        check(&mut alu, a, a);
        let bit = U256::from(1) << words.below(256);
        check(&mut alu, a, a ^ bit);
    }
    Ok(())
}

#[test]
fn other_opcodes_give_zero() -> Result<(), ModelError> {
    let mut alu = Alu::new()?;
    let ours = OPS.map(opcode::byte);
    for op in (0..=255).filter(|op| !ours.contains(op)) {
        assert_eq!(
            alu.run(op, U256::MAX, U256::from(5)),
            U256::ZERO,
            "opcode {op:#04x}"
        );
    }
    Ok(())
}
