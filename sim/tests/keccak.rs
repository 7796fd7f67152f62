//! The Keccak engines against alloy's Keccak-256.

mod words;

use alloy_primitives::{B256, keccak256};
use gatewei_sim::model::{Model, ModelError, PortId};
use words::Words;

struct Keccak {
    model: Model,
    reset: PortId,
    valid: PortId,
    ready: PortId,
    data: PortId,
    bytes: PortId,
    last: PortId,
    done: PortId,
    digest: PortId,
}

/// A message as the engine takes it: 32 bytes, how many count, and whether they are the last.
fn chunks(message: &[u8], rest: u8) -> Vec<([u8; 32], u64, bool)> {
    let count = message.len().div_ceil(32).max(1);
    (0..count)
        .map(|i| {
            let part = &message[32 * i..message.len().min(32 * i + 32)];
            let mut data = [rest; 32];
            data[..part.len()].copy_from_slice(part);
            (data, part.len() as u64, i + 1 == count)
        })
        .collect()
}

impl Keccak {
    fn new(name: &str) -> Result<Self, ModelError> {
        let model = Model::new(name)?;
        Ok(Self {
            reset: model.input("reset", 1)?,
            valid: model.input("valid", 1)?,
            ready: model.output("ready", 1)?,
            data: model.input("data", 256)?,
            bytes: model.input("bytes", 6)?,
            last: model.input("last", 1)?,
            done: model.output("done", 1)?,
            digest: model.output("digest", 256)?,
            model,
        })
    }

    fn digest(&self) -> B256 {
        let mut bytes = self.model.get_word(self.digest);
        bytes.reverse();
        bytes.into()
    }

    /// Digest, and cycles from the first chunk to `done`. `gap` is asked before every chunk for cycles without one;
    /// bytes that do not count are `rest`.
    fn run(&mut self, message: &[u8], rest: u8, gap: impl FnMut() -> usize) -> (B256, u64) {
        self.send(chunks(message, rest), gap)
    }

    fn send(
        &mut self,
        chunks: Vec<([u8; 32], u64, bool)>,
        mut gap: impl FnMut() -> usize,
    ) -> (B256, u64) {
        let mut cycles = 0;
        let mut tick = |keccak: &mut Self| {
            keccak.model.tick();
            cycles += 1;
            assert!(cycles < 10_000, "no digest");
        };
        for (mut data, bytes, last) in chunks {
            for _ in 0..gap() {
                self.model.set_u64(self.valid, 0);
                tick(self);
                assert_eq!(self.model.get_u64(self.done), 0);
            }
            data.reverse();
            self.model.set_u64(self.valid, 1);
            self.model.set_word(self.data, &data);
            self.model.set_u64(self.bytes, bytes);
            self.model.set_u64(self.last, last.into());
            self.model.eval();
            while self.model.get_u64(self.ready) == 0 {
                tick(self);
                assert_eq!(self.model.get_u64(self.done), 0);
            }
            tick(self);
        }
        self.model.set_u64(self.valid, 0);
        self.model.eval();
        while self.model.get_u64(self.done) == 0 {
            tick(self);
        }
        let digest = self.digest();
        tick(self);
        assert_eq!(self.model.get_u64(self.done), 0, "done is a pulse");
        assert_eq!(self.digest(), digest, "the digest stays");
        (digest, cycles - 1)
    }

    fn check(&mut self, message: &[u8], rest: u8, gap: impl FnMut() -> usize) -> u64 {
        let (digest, cycles) = self.run(message, rest, gap);
        assert_eq!(digest, keccak256(message), "{} bytes", message.len());
        cycles
    }
}

/// Cycles of a message without gaps, as documented.
fn documented(length: usize, rounds: u64) -> u64 {
    let permutation = 24 / rounds;
    let blocks = (length / 136) as u64;
    // Whole blocks take five chunks or parts of one; what is left begins with what the chunk before it left over.
    let taken = [0usize, 24, 16, 8][length / 136 % 4];
    let left = length % 136;
    let part = match (left, length) {
        (_, 0) => 1,
        (0, _) => 1,
        _ if left <= taken => 1,
        _ => u64::from(taken > 0) + (left - taken).div_ceil(32) as u64,
    };
    blocks * (5 + permutation) + part + permutation
}

fn message(words: &mut Words, length: usize) -> Vec<u8> {
    (0..length).map(|_| words.bits() as u8).collect()
}

fn every_length(name: &str, rounds: u64) -> Result<(), ModelError> {
    let mut keccak = Keccak::new(name)?;
    let mut words = Words::new(9);
    for length in (0..=700).chain((1000..6000).step_by(37)) {
        let message = message(&mut words, length);
        let rest = words.bits() as u8;
        let cycles = keccak.check(&message, rest, || 0);
        assert_eq!(
            cycles,
            documented(length, rounds),
            "cycles of {length} bytes"
        );
    }
    for pattern in [0x00, 0xff, 0x80, 0x01] {
        for length in [0, 1, 31, 32, 33, 64, 135, 136, 137, 271, 272, 273, 544] {
            keccak.check(&vec![pattern; length], 0xff, || 0);
        }
    }
    Ok(())
}

#[test]
fn every_length_with_one_round_a_clock() -> Result<(), ModelError> {
    every_length("keccak", 1)
}

#[test]
fn every_length_with_two_rounds_a_clock() -> Result<(), ModelError> {
    every_length("keccak2", 2)
}

#[test]
fn hesitant_sender() -> Result<(), ModelError> {
    let mut keccak = Keccak::new("keccak")?;
    let mut words = Words::new(10);
    let mut gaps = Words::new(11);
    for _ in 0..2_000 {
        let length = words.below(600);
        let message = message(&mut words, length);
        let most = words.pick(&[1, 4, 60]);
        keccak.check(&message, 0xaa, || gaps.below(most));
    }
    Ok(())
}

/// A sender that learns of the end too late closes with a chunk of no bytes.
#[test]
fn empty_last_chunk() -> Result<(), ModelError> {
    let mut keccak = Keccak::new("keccak")?;
    let mut words = Words::new(13);
    for count in 1..=40 {
        let message = message(&mut words, 32 * count);
        let mut chunks = chunks(&message, 0);
        if let Some(end) = chunks.last_mut() {
            end.2 = false;
        }
        chunks.push(([0x77; 32], 0, true));
        let (digest, _) = keccak.send(chunks, || 0);
        assert_eq!(digest, keccak256(&message), "{count} chunks");
    }
    Ok(())
}

#[test]
fn digests_in_a_chain() -> Result<(), ModelError> {
    let mut keccak = Keccak::new("keccak")?;
    let mut digest = B256::ZERO;
    let mut expected = B256::ZERO;
    for _ in 0..5_000 {
        digest = keccak.run(digest.as_slice(), 0, || 0).0;
        expected = keccak256(expected);
    }
    assert_eq!(digest, expected);
    Ok(())
}

#[test]
fn reset_abandons_a_message() -> Result<(), ModelError> {
    let mut keccak = Keccak::new("keccak")?;
    let mut words = Words::new(12);
    for cycles in 0..80 {
        // Chunks that never end the message, for some cycles.
        keccak.model.set_u64(keccak.valid, 1);
        keccak.model.set_u64(keccak.last, 0);
        keccak.model.set_u64(keccak.bytes, 32);
        keccak.model.set_word(keccak.data, &[cycles as u8; 32]);
        for _ in 0..cycles {
            keccak.model.tick();
        }
        keccak.model.set_u64(keccak.reset, 1);
        keccak.model.tick();
        keccak.model.set_u64(keccak.reset, 0);
        let message = message(&mut words, cycles);
        keccak.check(&message, 0, || 0);
    }
    Ok(())
}
