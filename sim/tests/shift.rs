//! The shifter against 256-bit integers.

mod words;

use alloy_primitives::U256;
use gatewei_abi::opcode;
use gatewei_sim::model::{Model, ModelError, PortId};
use words::{Words, bytes, edges, word};

struct Shift {
    model: Model,
    start: PortId,
    op: PortId,
    a: PortId,
    b: PortId,
    done: PortId,
    y: PortId,
}

impl Shift {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("shift")?;
        Ok(Self {
            start: model.input("start", 1)?,
            op: model.input("op", 8)?,
            a: model.input("a", 256)?,
            b: model.input("b", 256)?,
            done: model.output("done", 1)?,
            y: model.output("y", 256)?,
            model,
        })
    }

    /// Sets the operands and lets one clock edge pass with `start`.
    fn take(&mut self, op: u8, a: U256, b: U256) {
        self.model.set_u64(self.start, 1);
        self.model.set_u64(self.op, op.into());
        self.model.set_word(self.a, &bytes(a));
        self.model.set_word(self.b, &bytes(b));
        self.model.tick();
    }

    fn result(&mut self) -> U256 {
        assert_eq!(
            self.model.get_u64(self.done),
            1,
            "done one cycle after start"
        );
        word(self.model.get_word(self.y))
    }
}

const OPS: [&str; 6] = ["BYTE", "SHL", "SHR", "SAR", "SIGNEXTEND", "CLZ"];

fn expected(op: &str, a: U256, b: U256) -> U256 {
    let amount = usize::try_from(a).unwrap_or(usize::MAX);
    match op {
        "BYTE" if amount < 32 => U256::from(b.byte(31 - amount)),
        "BYTE" => U256::ZERO,
        "SHL" if amount < 256 => b << amount,
        "SHR" if amount < 256 => b >> amount,
        "SHL" | "SHR" => U256::ZERO,
        "SAR" => b.arithmetic_shr(amount.min(256)),
        "SIGNEXTEND" if amount < 31 => {
            // Up and back down, the sign following.
            let unused = 256 - 8 * (amount + 1);
            (b << unused).arithmetic_shr(unused)
        }
        "SIGNEXTEND" => b,
        _ => U256::from(a.leading_zeros()),
    }
}

fn check(shift: &mut Shift, a: U256, b: U256) {
    for name in OPS {
        shift.take(opcode::byte(name), a, b);
        let y = shift.result();
        assert_eq!(y, expected(name, a, b), "{name} {a:#x} {b:#x}");
    }
}

#[test]
fn every_amount_and_every_index() -> Result<(), ModelError> {
    let mut shift = Shift::new()?;
    let mut words = Words::new(2);
    for amount in 0..=300u64 {
        for _ in 0..20 {
            check(&mut shift, U256::from(amount), words.uniform());
        }
        check(&mut shift, U256::from(amount), U256::MAX);
        check(&mut shift, U256::from(amount), words::MIN);
        check(&mut shift, U256::from(amount), !words::MIN);
    }
    Ok(())
}

#[test]
fn edges_and_random_words() -> Result<(), ModelError> {
    let mut shift = Shift::new()?;
    for a in edges() {
        for b in edges() {
            check(&mut shift, a, b);
        }
    }
    let mut words = Words::new(3);
    for _ in 0..20_000 {
        let (a, b) = (words.word(), words.word());
        check(&mut shift, a, b);
        // An amount whose low byte is small but that is too large.
        let far = U256::from(words.below(256)) | (U256::from(1) << (8 + words.below(248)));
        check(&mut shift, far, b);
    }
    Ok(())
}

#[test]
fn done_is_a_pulse_and_the_result_stays() -> Result<(), ModelError> {
    let mut shift = Shift::new()?;
    shift.take(opcode::byte("SHL"), U256::from(4), U256::from(3));
    shift.model.set_u64(shift.start, 0);
    shift.model.set_word(shift.a, &bytes(U256::MAX));
    shift.model.set_word(shift.b, &bytes(U256::MAX));
    shift.model.eval();
    assert_eq!(shift.result(), U256::from(48));
    for _ in 0..3 {
        shift.model.tick();
        assert_eq!(shift.model.get_u64(shift.done), 0);
        assert_eq!(word(shift.model.get_word(shift.y)), U256::from(48));
    }
    Ok(())
}

#[test]
fn other_opcodes_give_zero() -> Result<(), ModelError> {
    let mut shift = Shift::new()?;
    let ours = OPS.map(opcode::byte);
    for op in (0..=255).filter(|op| !ours.contains(op)) {
        shift.take(op, U256::from(5), U256::MAX);
        assert_eq!(shift.result(), U256::ZERO, "opcode {op:#04x}");
    }
    Ok(())
}
