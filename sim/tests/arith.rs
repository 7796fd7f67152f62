//! The multi-cycle unit against 256-bit integers, and its worst times.

mod words;

use std::collections::BTreeMap;

use alloy_primitives::{U256, U512};
use gatewei_abi::opcode;
use gatewei_sim::model::{Model, ModelError, PortId};
use words::{MIN, Words, bytes, edges, word};

struct Arith {
    model: Model,
    reset: PortId,
    start: PortId,
    op: PortId,
    a: PortId,
    carry: PortId,
    b: PortId,
    busy: PortId,
    done: PortId,
    y: PortId,
    /// Fewest, most and all cycles, and the number of operations, by opcode.
    cycles: BTreeMap<&'static str, (u64, u64, u64, u64)>,
}

const OPS: [&str; 8] = [
    "MUL", "DIV", "SDIV", "MOD", "SMOD", "ADDMOD", "MULMOD", "EXP",
];

impl Arith {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("arith")?;
        Ok(Self {
            reset: model.input("reset", 1)?,
            start: model.input("start", 1)?,
            op: model.input("op", 8)?,
            a: model.input("a", 256)?,
            carry: model.input("carry", 1)?,
            b: model.input("b", 256)?,
            busy: model.output("busy", 1)?,
            done: model.output("done", 1)?,
            y: model.output("y", 256)?,
            model,
            cycles: BTreeMap::new(),
        })
    }

    /// Starts an opcode on the words of the stack; of ADDMOD, on the sum of the first two.
    fn take(&mut self, op: u8, [a, b, c]: [U256; 3]) {
        let [sums, modular] = [&["ADDMOD"][..], &["ADDMOD", "MULMOD"]]
            .map(|names| names.iter().any(|name| opcode::byte(name) == op));
        let (sum, carry) = a.overflowing_add(b);
        let (a, carry) = if sums { (sum, carry) } else { (a, false) };
        let divisor = if modular { c } else { b };
        let noise = bytes(U256::MAX / U256::from(3));
        assert_eq!(self.model.get_u64(self.busy), 0, "idle before start");
        self.model.set_u64(self.start, 1);
        self.model.set_u64(self.op, op.into());
        self.model.set_word(self.a, &bytes(a));
        self.model.set_u64(self.carry, carry.into());
        self.model.set_word(self.b, &bytes(b));
        self.model.tick();
        // What is valid with `start` is so then alone.
        self.model.set_u64(self.start, 0);
        self.model.set_u64(self.op, 0xa5);
        self.model.set_word(self.a, &noise);
        self.model.set_u64(self.carry, 1);
        self.model.set_word(self.b, &bytes(divisor));
        self.model.eval();
        assert_eq!(
            self.model.get_u64(self.done),
            0,
            "not before the second cycle"
        );
        self.model.tick();
        self.model.set_word(self.b, &noise);
        self.model.eval();
    }

    /// Result and cycles from `start` to `done`.
    fn run(&mut self, op: u8, operands: [U256; 3]) -> (U256, u64) {
        self.take(op, operands);
        let mut cycles = 2;
        while self.model.get_u64(self.done) == 0 {
            assert_eq!(self.model.get_u64(self.busy), 1);
            assert!(
                cycles < 10_000,
                "opcode {op:#04x} {operands:x?} does not end"
            );
            self.model.tick();
            cycles += 1;
        }
        let y = word(self.model.get_word(self.y));
        self.model.tick();
        assert_eq!(self.model.get_u64(self.done), 0, "done is a pulse");
        assert_eq!(word(self.model.get_word(self.y)), y, "the result stays");
        (y, cycles)
    }

    fn check(&mut self, name: &'static str, a: U256, b: U256, c: U256) -> u64 {
        let (y, cycles) = self.run(opcode::byte(name), [a, b, c]);
        assert_eq!(y, expected(name, a, b, c), "{name} {a:#x} {b:#x} {c:#x}");
        let seen = self.cycles.entry(name).or_insert((u64::MAX, 0, 0, 0));
        *seen = (
            seen.0.min(cycles),
            seen.1.max(cycles),
            seen.2 + cycles,
            seen.3 + 1,
        );
        cycles
    }

    fn report(&self) {
        for (name, (least, most, sum, count)) in &self.cycles {
            println!(
                "{name}: {least} to {most} cycles, {:.1} on average",
                *sum as f64 / *count as f64
            );
        }
    }
}

fn expected(op: &str, a: U256, b: U256, c: U256) -> U256 {
    let wide = |x: U256| U512::from(x);
    match op {
        "MUL" => a.wrapping_mul(b),
        "EXP" => a.wrapping_pow(b),
        "ADDMOD" if c.is_zero() => c,
        "MULMOD" if c.is_zero() => c,
        "ADDMOD" => U256::from((wide(a) + wide(b)) % wide(c)),
        "MULMOD" => U256::from((wide(a) * wide(b)) % wide(c)),
        _ if b.is_zero() => b,
        // The unit knows no signs.
        "DIV" | "SDIV" => a / b,
        _ => a % b,
    }
}

#[test]
fn edges_against_each_other() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let edges = edges();
    let mut words = Words::new(4);
    for &a in &edges {
        for &b in &edges {
            for name in &OPS[..5] {
                arith.check(name, a, b, U256::MAX);
            }
            let c = words.pick(&edges);
            arith.check("ADDMOD", a, b, c);
            arith.check("MULMOD", a, b, c);
            // Exponents beyond 64 bits take a while; the random test has some.
            if b.bit_len() <= 64 {
                arith.check("EXP", a, b, c);
            }
        }
    }
    arith.report();
    Ok(())
}

#[test]
fn random_words() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let mut words = Words::new(5);
    for _ in 0..4_000 {
        let (a, b, c) = (words.word(), words.word(), words.word());
        for name in &OPS[..7] {
            arith.check(name, a, b, c);
        }
        // Of similar length, where quotients are short and remainders long.
        let near = a ^ (words.uniform() >> (words.below(256)));
        arith.check("DIV", near, a, c);
        arith.check("SMOD", near, a, c);
    }
    for _ in 0..300 {
        let a = words.word();
        let exponent = U256::from(words.bits() >> (32 + words.below(32)));
        arith.check("EXP", a, exponent, U256::ZERO);
        arith.check(
            "EXP",
            U256::from(words.below(300)),
            U256::from(words.below(300)),
            a,
        );
    }
    for _ in 0..10 {
        let (a, b) = (words.uniform() | U256::from(1), words.uniform());
        arith.check("EXP", a, b, U256::ZERO);
    }
    arith.report();
    Ok(())
}

/// Divisors and quotients around powers of two: every place where a digit or a byte more is needed.
#[test]
fn quotients_of_every_length() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let mut words = Words::new(6);
    for length in 1..=256 {
        for _ in 0..8 {
            let b = (words.uniform() | MIN) >> (256 - length);
            let quotient = (words.uniform() | MIN) >> words.below(256).max(length - 1);
            let a = b.wrapping_mul(quotient);
            for a in [
                a,
                a.wrapping_sub(U256::from(1)),
                a.wrapping_add(b - U256::from(1)),
            ] {
                arith.check("DIV", a, b, U256::ZERO);
                arith.check("MOD", a, b, U256::ZERO);
            }
        }
    }
    Ok(())
}

#[test]
fn powers_of_two_take_two_cycles() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    for log in 0..=8 {
        for exponent in 0..=300u64 {
            let base = U256::from(1) << log;
            let cycles = arith.check("EXP", base, U256::from(exponent), U256::ZERO);
            assert_eq!(cycles, 2, "2^{log} ^ {exponent}");
        }
        for exponent in edges() {
            arith.check("EXP", U256::from(1) << log, exponent, U256::ZERO);
        }
    }
    for exponent in edges() {
        arith.check("EXP", U256::ZERO, exponent, U256::ZERO);
    }
    Ok(())
}

/// The table in the documentation of the unit.
#[test]
fn worst_times_are_those_documented() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let (max, one) = (U256::MAX, U256::from(1));
    assert_eq!(
        arith.check("MUL", U256::from(3), U256::from(u64::MAX), max),
        4
    );
    assert_eq!(arith.check("MUL", max, max, max), 12);
    let three = U256::from(3);
    for name in ["DIV", "MOD"] {
        assert_eq!(arith.check(name, max, three, max), 131);
        assert_eq!(arith.check(name, max, U256::ZERO, max), 2);
    }
    for name in ["SDIV", "SMOD"] {
        assert_eq!(arith.check(name, MIN, three, max), 131);
    }
    // A quotient by a power of 256 is a shift, a remainder is not, nor is a quotient by its neighbours.
    assert_eq!(arith.check("MOD", max, one, max), 131);
    assert_eq!(arith.check("SMOD", MIN, one, max), 131);
    for bytes in 0..32u64 {
        let (power, shifted) = (one << (8 * bytes as usize), 32 - bytes);
        let cycles = 3 + shifted / 8 + shifted % 8;
        for n in edges() {
            assert_eq!(arith.check("DIV", n, power, max), cycles, "256^{bytes}");
            arith.check("SDIV", n, power, max);
            arith.check("MOD", n, power, max);
            for near in [power - one, power + one, power | (power << 8)] {
                arith.check("DIV", n, near, max);
            }
        }
    }
    assert_eq!(arith.check("ADDMOD", max, max, U256::from(2)), 131);
    assert_eq!(arith.check("ADDMOD", max, max, one), 2);
    assert_eq!(arith.check("MULMOD", max, max, U256::from(255)), 279);
    assert_eq!(arith.check("MULMOD", max, max, U256::ZERO), 2);
    // The highest bit, then 255 squarings and as many multiplications, none shortened.
    let slow = arith.check("EXP", max - U256::from(2), max, max);
    assert!(slow <= 24 * 255 + 11, "EXP took {slow} cycles");
    let late = arith.check("EXP", max - U256::from(2), one << 248, max);
    assert!(late <= 12 * 248 + 11, "EXP took {late} cycles");
    arith.report();
    Ok(())
}

#[test]
fn reset_abandons_an_operation() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let mut words = Words::new(7);
    for _ in 0..300 {
        let (a, b, c) = (words.uniform(), words.uniform(), words.uniform());
        arith.take(opcode::byte(words.pick(&OPS)), [a, b, c]);
        for _ in 0..words.below(40) {
            arith.model.tick();
        }
        arith.model.set_u64(arith.reset, 1);
        arith.model.tick();
        arith.model.set_u64(arith.reset, 0);
        arith.model.eval();
        assert_eq!(arith.model.get_u64(arith.busy), 0);
        assert_eq!(arith.model.get_u64(arith.done), 0);
        let name = words.pick(&OPS[..7]);
        arith.check(name, a, b, c);
    }
    Ok(())
}

#[test]
fn other_opcodes_give_zero() -> Result<(), ModelError> {
    let mut arith = Arith::new()?;
    let ours = OPS.map(opcode::byte);
    for op in (0..=255).filter(|op| !ours.contains(op)) {
        let (y, _) = arith.run(op, [U256::from(77), U256::from(5), U256::MAX]);
        assert_eq!(y, U256::ZERO, "opcode {op:#04x}");
    }
    Ok(())
}
