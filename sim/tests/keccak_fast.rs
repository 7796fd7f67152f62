//! The Keccak engine for latency against alloy's Keccak-256.

mod words;

use alloy_primitives::{B256, keccak256};
use gatewei_sim::model::{Model, ModelError, PortId};
use words::Words;

/// Bytes of a block.
const RATE: usize = 136;
/// Cycles from the last word to `done`, as documented.
const LATENCY: u64 = 29;

struct Fast {
    model: Model,
    reset: PortId,
    valid: PortId,
    ready: PortId,
    data: PortId,
    last: PortId,
    bytes: PortId,
    done: PortId,
    digest: PortId,
    cycles: u64,
}

impl Fast {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("keccak_fast")?;
        Ok(Self {
            reset: model.input("reset", 1)?,
            valid: model.input("valid", 1)?,
            ready: model.output("ready", 1)?,
            data: model.input("data", 64)?,
            last: model.input("last", 1)?,
            bytes: model.input("bytes", 3)?,
            done: model.output("done", 1)?,
            digest: model.output("digest", 256)?,
            model,
            cycles: 0,
        })
    }

    fn tick(&mut self) {
        self.model.tick();
        self.cycles += 1;
    }

    /// The digest of this cycle, if there is a new one.
    fn digest(&mut self) -> Option<B256> {
        self.model.eval();
        let mut bytes = self.model.get_word(self.digest);
        bytes.reverse();
        (self.model.get_u64(self.done) == 1).then_some(bytes.into())
    }

    fn idle(&mut self, cycles: usize) {
        self.model.set_u64(self.valid, 0);
        self.model.set_u64(self.last, 1);
        for _ in 0..cycles {
            assert_eq!(self.digest(), None);
            self.tick();
        }
    }

    /// Sends a message, with `gap` cycles before each word, and bytes that do not count from `rest`. Gives what digests
    /// came meanwhile.
    fn send(&mut self, message: &[u8], rest: u8, mut gap: impl FnMut() -> usize) -> Vec<B256> {
        let mut digests = Vec::new();
        for i in 0..=message.len() / 8 {
            let part = &message[8 * i..message.len().min(8 * i + 8)];
            let mut data = [rest; 8];
            data[..part.len()].copy_from_slice(part);
            self.model.set_u64(self.valid, 0);
            for _ in 0..gap() {
                digests.extend(self.digest());
                self.tick();
            }
            let last = part.len() < 8;
            let bytes = if last {
                part.len()
            } else {
                usize::from(rest) % 8
            };
            self.model.set_u64(self.valid, 1);
            self.model.set_u64(self.data, u64::from_be_bytes(data));
            self.model.set_u64(self.last, last.into());
            self.model.set_u64(self.bytes, bytes as u64);
            let mut waited = 0;
            loop {
                digests.extend(self.digest());
                let ready = self.model.get_u64(self.ready) == 1;
                self.tick();
                if ready {
                    break;
                }
                waited += 1;
                assert!(waited < 60, "never ready");
            }
        }
        self.model.set_u64(self.valid, 0);
        digests
    }

    /// Digest of a message, and cycles from its last word to that.
    fn run(&mut self, message: &[u8], rest: u8, gap: impl FnMut() -> usize) -> (B256, u64) {
        assert!(self.send(message, rest, gap).is_empty());
        let sent = self.cycles - 1;
        loop {
            if let Some(digest) = self.digest() {
                let cycles = self.cycles - sent;
                self.tick();
                assert_eq!(self.digest(), None, "done is a pulse");
                let mut bytes = self.model.get_word(self.digest);
                bytes.reverse();
                assert_eq!(B256::from(bytes), digest, "the digest stays");
                return (digest, cycles);
            }
            self.tick();
            assert!(self.cycles - sent < 100, "no digest");
        }
    }

    fn check(&mut self, message: &[u8], rest: u8, gap: impl FnMut() -> usize) -> u64 {
        let (digest, cycles) = self.run(message, rest, gap);
        assert_eq!(digest, keccak256(message), "{} bytes", message.len());
        cycles
    }
}

fn random(words: &mut Words, length: usize) -> Vec<u8> {
    (0..length).map(|_| words.bits() as u8).collect()
}

#[test]
fn every_length() -> Result<(), ModelError> {
    let mut fast = Fast::new()?;
    let mut words = Words::new(50);
    for length in (0..=700).chain((1000..6000).step_by(37)) {
        let message = random(&mut words, length);
        let cycles = fast.check(&message, words.bits() as u8, || 0);
        if length < RATE {
            assert_eq!(cycles, LATENCY, "{length} bytes");
        } else {
            // The last block may wait for the one before it.
            assert!(cycles < LATENCY + 24, "{cycles} cycles for {length} bytes");
        }
    }
    for pattern in [0x00, 0xff, 0x80, 0x01] {
        for length in [0, 1, 7, 8, 9, 64, 135, 136, 137, 271, 272, 273, 544] {
            fast.check(&vec![pattern; length], 0xff, || 0);
        }
    }
    Ok(())
}

#[test]
fn hesitant_sender() -> Result<(), ModelError> {
    let mut fast = Fast::new()?;
    let mut words = Words::new(51);
    let mut gaps = Words::new(52);
    for _ in 0..2_000 {
        let length = words.below(600);
        let message = random(&mut words, length);
        let most = words.pick(&[1, 2, 4, 60]);
        let pause = words.below(most);
        fast.idle(pause);
        fast.check(&message, 0xaa, || gaps.below(most));
    }
    Ok(())
}

/// Messages without a pause between them; long ones take 24 cycles a block.
#[test]
fn messages_in_a_row() -> Result<(), ModelError> {
    let mut fast = Fast::new()?;
    let mut words = Words::new(53);
    let mut gaps = Words::new(54);
    let (mut expected, mut digests) = (Vec::new(), Vec::new());
    for i in 0..1_000 {
        let length = words.below(400);
        let message = random(&mut words, length);
        let most = if i < 500 { 1 } else { 6 };
        digests.extend(fast.send(&message, 0x11, || gaps.below(most)));
        expected.push(keccak256(&message));
    }
    let message = random(&mut words, 100 * RATE - 1);
    let from = fast.cycles;
    digests.extend(fast.send(&message, 0, || 0));
    expected.push(keccak256(&message));
    let cycles = fast.cycles - from;
    assert!(
        cycles.abs_diff(24 * 99) < 48,
        "{cycles} cycles for 100 blocks"
    );
    while digests.len() < expected.len() {
        digests.extend(fast.digest());
        fast.tick();
        assert!(fast.cycles - from < cycles + 100, "no digest");
    }
    assert_eq!(digests, expected);
    Ok(())
}

#[test]
fn reset_abandons_a_message() -> Result<(), ModelError> {
    let mut fast = Fast::new()?;
    let mut words = Words::new(55);
    for cycles in 0..160 {
        // Words of a message that never ends, or of one whose digest has not come.
        let length = if cycles % 2 == 0 { 300 } else { 100 };
        let message = random(&mut words, length);
        let sent = if cycles % 2 == 0 { 100 } else { length };
        for (i, byte) in message.iter().enumerate().take(sent / 8 + 1) {
            let last = 8 * i + 8 > length;
            fast.model.set_u64(fast.valid, 1);
            fast.model.set_u64(fast.data, u64::from(*byte));
            fast.model.set_u64(fast.last, last.into());
            fast.model.set_u64(fast.bytes, 3);
            if i < cycles {
                fast.tick();
            }
        }
        fast.idle(cycles % 28);
        fast.model.set_u64(fast.reset, 1);
        fast.tick();
        fast.model.set_u64(fast.reset, 0);
        let message = random(&mut words, cycles);
        fast.check(&message, 0, || 0);
    }
    Ok(())
}
