//! Memory expansion against 128-bit arithmetic.

mod words;

use alloy_primitives::U256;
use gatewei_sim::model::{Model, ModelError, PortId};
use words::{Words, edges};

struct Expand {
    model: Model,
    start: PortId,
    offset: PortId,
    offset_far: PortId,
    length: PortId,
    length_far: PortId,
    words: PortId,
    done: PortId,
    ok: PortId,
    invalid: PortId,
    new_words: PortId,
    cost: PortId,
}

#[derive(Debug, PartialEq)]
struct Answer {
    ok: bool,
    new_words: u64,
    cost: u64,
    cycles: u64,
}

impl Expand {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("expand")?;
        Ok(Self {
            start: model.input("start", 1)?,
            offset: model.input("offset", 64)?,
            offset_far: model.input("offset_far", 1)?,
            length: model.input("length", 64)?,
            length_far: model.input("length_far", 1)?,
            words: model.input("words", 32)?,
            done: model.output("done", 1)?,
            ok: model.output("ok", 1)?,
            invalid: model.output("invalid", 1)?,
            new_words: model.output("new_words", 32)?,
            cost: model.output("cost", 64)?,
            model,
        })
    }

    fn answer(&self, cycles: u64) -> Answer {
        let ok = self.model.get_u64(self.ok) == 1;
        assert_eq!(ok, self.model.get_u64(self.invalid) == 0);
        Answer {
            ok,
            new_words: self.model.get_u64(self.new_words),
            cost: self.model.get_u64(self.cost),
            cycles,
        }
    }

    fn set(&mut self, offset: U256, length: U256) {
        let far = |value: U256| u64::from(value.bit_len() > 64);
        self.model.set_u64(self.offset, offset.as_limbs()[0]);
        self.model.set_u64(self.offset_far, far(offset));
        self.model.set_u64(self.length, length.as_limbs()[0]);
        self.model.set_u64(self.length_far, far(length));
    }

    fn run(&mut self, offset: U256, length: U256, words: u32) -> Answer {
        self.model.set_u64(self.start, 1);
        self.set(offset, length);
        self.model.set_u64(self.words, words.into());
        self.model.tick();
        self.model.set_u64(self.start, 0);
        self.set(U256::from(12345), U256::from(777));
        self.model.set_u64(self.words, 99);
        self.model.eval();
        let mut cycles = 1;
        while self.model.get_u64(self.done) == 0 {
            assert!(cycles < 100, "expansion does not end");
            self.model.tick();
            cycles += 1;
        }
        let answer = self.answer(cycles);
        for _ in 0..3 {
            self.model.tick();
            assert_eq!(self.model.get_u64(self.done), 0, "done is a pulse");
            assert_eq!(self.answer(cycles), answer, "the answer stays");
        }
        answer
    }

    fn check(&mut self, offset: U256, length: U256, words: u32) {
        let answer = self.run(offset, length, words);
        assert_eq!(
            answer,
            expected(offset, length, words),
            "offset {offset:#x} length {length:#x} words {words}"
        );
    }
}

fn gas(words: u128) -> u128 {
    3 * words + words * words / 512
}

fn expected(offset: U256, length: U256, words: u32) -> Answer {
    let same = Answer {
        ok: true,
        new_words: words.into(),
        cost: 0,
        cycles: 1,
    };
    if length.is_zero() {
        return same;
    }
    let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
        return Answer { ok: false, ..same };
    };
    let needed = (u128::from(offset) + u128::from(length)).div_ceil(32);
    let before = u128::from(words);
    if needed >= 1 << 32 {
        return Answer {
            new_words: u32::MAX.into(),
            cost: u64::MAX,
            ..same
        };
    }
    if needed <= before {
        return same;
    }
    Answer {
        ok: true,
        new_words: needed as u64,
        cost: (gas(needed) - gas(before)) as u64,
        cycles: 3,
    }
}

#[test]
fn edges_against_each_other() -> Result<(), ModelError> {
    let mut expand = Expand::new()?;
    let one = U256::from(1);
    let mut sizes = edges();
    for power in [32, 36, 37, 38, 63] {
        let power = one << power;
        sizes.extend([
            power - U256::from(32),
            power - U256::from(31),
            power - one,
            power,
            power + one,
        ]);
    }
    for &offset in &sizes {
        for &length in &sizes {
            for words in [
                0,
                1,
                2,
                31,
                32,
                33,
                1 << 22,
                1 << 31,
                u32::MAX - 1,
                u32::MAX,
            ] {
                expand.check(offset, length, words);
            }
        }
    }
    Ok(())
}

#[test]
fn random_accesses() -> Result<(), ModelError> {
    let mut expand = Expand::new()?;
    let mut source = Words::new(8);
    for _ in 0..30_000 {
        let offset = U256::from(source.bits() >> source.below(64));
        let length = U256::from(source.bits() >> source.below(64));
        let words = (source.bits() >> (32 + source.below(32))) as u32;
        expand.check(offset, length, words);
        // As programs do: small memory, small accesses.
        let (offset, length) = (source.below(5_000), source.below(300));
        expand.check(
            U256::from(offset),
            U256::from(length),
            source.below(170) as u32,
        );
        expand.check(source.word(), source.word(), words);
    }
    Ok(())
}
