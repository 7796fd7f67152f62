//! The interleaved Keccak engine against alloy's Keccak-256.

mod words;

use std::collections::VecDeque;

use alloy_primitives::{B256, keccak256};
use gatewei_sim::model::{Model, ModelError, PortId};
use words::Words;

/// Messages at once, as documented.
const SLOTS: usize = 5;
/// Bytes of a block.
const RATE: usize = 136;
/// Cycles of a permutation.
const PERMUTATION: u64 = 24 * SLOTS as u64;

struct Word {
    data: [u8; 8],
    bytes: u64,
    last: bool,
}

/// The words of a message; bytes that do not count are `rest`.
fn words_of(message: &[u8], rest: u8) -> VecDeque<Word> {
    (0..=message.len() / 8)
        .map(|i| {
            let part = &message[8 * i..message.len().min(8 * i + 8)];
            let mut data = [rest; 8];
            data[..part.len()].copy_from_slice(part);
            let last = part.len() < 8;
            let bytes = if last {
                part.len()
            } else {
                usize::from(rest) % 8
            };
            Word {
                data,
                bytes: bytes as u64,
                last,
            }
        })
        .collect()
}

struct Pipe {
    model: Model,
    reset: PortId,
    valid: PortId,
    ready: PortId,
    data: PortId,
    last: PortId,
    bytes: PortId,
    slot: PortId,
    done: PortId,
    done_slot: PortId,
    digest: PortId,
    /// Digests to come, by slot.
    expected: [VecDeque<B256>; SLOTS],
    shown: B256,
    cycles: u64,
    done_at: Option<u64>,
    digests: u64,
}

impl Pipe {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("keccak_pipe")?;
        Ok(Self {
            reset: model.input("reset", 1)?,
            valid: model.input("valid", 1)?,
            ready: model.output("ready", 1)?,
            data: model.input("data", 64)?,
            last: model.input("last", 1)?,
            bytes: model.input("bytes", 3)?,
            slot: model.input("slot", 3)?,
            done: model.output("done", 1)?,
            done_slot: model.output("done_slot", 3)?,
            digest: model.output("digest", 256)?,
            model,
            expected: Default::default(),
            shown: B256::ZERO,
            cycles: 0,
            done_at: None,
            digests: 0,
        })
    }

    /// Looks at what stands at the outputs, and goes on by a cycle.
    fn tick(&mut self) {
        self.model.eval();
        let mut digest = self.model.get_word(self.digest);
        digest.reverse();
        let digest = B256::from(digest);
        if self.model.get_u64(self.done) == 1 {
            let slot = self.model.get_u64(self.done_slot) as usize;
            let expected = self.expected[slot].pop_front();
            assert_eq!(Some(digest), expected, "slot {slot}");
            let gap = self.cycles - self.done_at.unwrap_or(0);
            assert!(self.done_at.is_none() || gap >= 19, "digests {gap} apart");
            self.done_at = Some(self.cycles);
            self.shown = digest;
            self.digests += 1;
        } else if self.done_at.is_some() {
            assert_eq!(digest, self.shown, "the digest stays");
        }
        self.model.tick();
        self.cycles += 1;
    }

    fn idle(&mut self, cycles: usize) {
        self.model.set_u64(self.valid, 0);
        // What is not valid does not matter.
        self.model.set_u64(self.last, 1);
        for _ in 0..cycles {
            self.tick();
        }
    }

    fn send(&mut self, slot: usize, word: &Word) {
        self.model.set_u64(self.valid, 1);
        self.model.set_u64(self.data, u64::from_be_bytes(word.data));
        self.model.set_u64(self.last, word.last.into());
        self.model.set_u64(self.bytes, word.bytes);
        self.model.set_u64(self.slot, slot as u64);
        self.model.eval();
        let mut waited = 0;
        while self.model.get_u64(self.ready) == 0 {
            self.tick();
            waited += 1;
            assert!(waited <= 17 + PERMUTATION, "never ready");
        }
        self.tick();
    }

    /// Sends up to a block of the message's words, with `gap` cycles before each.
    fn block(&mut self, slot: usize, words: &mut VecDeque<Word>, mut gap: impl FnMut() -> usize) {
        for _ in 0..RATE / 8 {
            let Some(word) = words.pop_front() else { break };
            let gap = gap();
            if gap > 0 {
                self.idle(gap);
            }
            self.send(slot, &word);
        }
    }

    fn expect(&mut self, slot: usize, message: &[u8]) {
        self.expected[slot].push_back(keccak256(message));
    }

    fn pending(&self) -> usize {
        self.expected.iter().map(VecDeque::len).sum()
    }

    /// Waits until nothing is to come.
    fn drain(&mut self) {
        let deadline = self.cycles + 2 * PERMUTATION * (1 + self.pending() as u64);
        while self.pending() > 0 {
            self.idle(1);
            assert!(self.cycles < deadline, "no digest: {:?}", self.expected);
        }
        self.idle(2 * PERMUTATION as usize);
    }
}

fn random(words: &mut Words, length: usize) -> Vec<u8> {
    (0..length).map(|_| words.bits() as u8).collect()
}

/// One message at a time, in every slot.
#[test]
fn every_length() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    let mut words = Words::new(40);
    for length in (0..=560).chain((600..3000).step_by(97)) {
        let message = random(&mut words, length);
        let slot = length % SLOTS;
        pipe.expect(slot, &message);
        let mut sent = words_of(&message, words.bits() as u8);
        while !sent.is_empty() {
            pipe.block(slot, &mut sent, || 0);
        }
        pipe.drain();
    }
    assert_eq!(pipe.digests, 561 + 25);
    Ok(())
}

/// Five messages at once, a block of each in turn, and the next one behind its last block at once.
#[test]
fn edges_in_all_slots() -> Result<(), ModelError> {
    let lengths = [
        0, 1, 7, 8, 9, 31, 32, 64, 127, 128, 129, 135, 136, 137, 271, 272, 273, 408, 1000,
    ];
    let mut pipe = Pipe::new()?;
    for pattern in [0x00, 0xff, 0x80, 0x01] {
        for shift in 0..lengths.len() {
            let mut sent: Vec<_> = (0..SLOTS)
                .map(|slot| {
                    let length = lengths[(shift + slot * slot) % lengths.len()];
                    let message = vec![pattern ^ slot as u8; length];
                    pipe.expect(slot, &message);
                    words_of(&message, 0xff)
                })
                .collect();
            while sent.iter().any(|words| !words.is_empty()) {
                for (slot, words) in sent.iter_mut().enumerate() {
                    pipe.block(slot, words, || 0);
                }
            }
        }
    }
    pipe.drain();
    Ok(())
}

/// Slots that are busy and idle on their own, whose blocks come in any order and with pauses in them.
#[test]
fn random_traffic() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    for seed in 0..24 {
        let mut words = Words::new(100 + seed);
        let mut gaps = Words::new(200 + seed);
        // How often a slot sends when it may, out of 8; and the pauses.
        let eager: Vec<usize> = (0..SLOTS).map(|_| words.below(9)).collect();
        let most = words.pick(&[1, 1, 2, 5, 200]);
        let longest = words.pick(&[100, 300, 900]);
        let mut sent: [VecDeque<Word>; SLOTS] = Default::default();
        let mut messages = 0;
        while messages < 120 || sent.iter().any(|words| !words.is_empty()) {
            let slot = words.below(SLOTS);
            if words.below(8) >= eager[slot] {
                pipe.idle(words.below(most));
                if messages < 120 {
                    messages += 1;
                    continue;
                }
            }
            if sent[slot].is_empty() {
                if messages >= 120 {
                    continue;
                }
                let length = words.below(longest);
                let message = random(&mut words, length);
                pipe.expect(slot, &message);
                sent[slot] = words_of(&message, words.bits() as u8);
                messages += 1;
            }
            pipe.block(slot, &mut sent[slot], || gaps.below(most));
        }
        if seed % 4 == 0 {
            pipe.drain();
        }
    }
    pipe.drain();
    assert!(pipe.digests > 1000, "{} digests", pipe.digests);
    Ok(())
}

/// All slots at work: a permutation in 24 cycles, loading and unloading included.
#[test]
fn a_message_of_a_block_in_24_cycles() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    let mut words = Words::new(41);
    let mut at = Vec::new();
    for i in 0..300 {
        let message = random(&mut words, RATE - 1);
        pipe.expect(i % SLOTS, &message);
        pipe.block(i % SLOTS, &mut words_of(&message, 0), || 0);
        at.push((pipe.digests, pipe.cycles));
    }
    pipe.drain();
    let cycles = |from: usize, to: usize| (at[to].1 - at[from].1, at[to].0 - at[from].0);
    assert_eq!(cycles(20, 270), (24 * 250, 250));
    Ok(())
}

/// The same for the blocks of long messages.
#[test]
fn a_block_of_many_in_24_cycles() -> Result<(), ModelError> {
    const BLOCKS: u64 = 40;
    let mut pipe = Pipe::new()?;
    let mut words = Words::new(43);
    let mut sent: Vec<_> = (0..SLOTS)
        .map(|slot| {
            let message = random(&mut words, RATE * BLOCKS as usize - 1);
            pipe.expect(slot, &message);
            words_of(&message, 0)
        })
        .collect();
    for _ in 0..BLOCKS {
        for (slot, words) in sent.iter_mut().enumerate() {
            pipe.block(slot, words, || 0);
        }
    }
    while pipe.pending() > 0 {
        pipe.idle(1);
    }
    // The last slot begins behind the first blocks of all.
    let begin = 24 * SLOTS as u64;
    assert!(
        pipe.cycles <= begin + BLOCKS * PERMUTATION,
        "{} cycles",
        pipe.cycles
    );
    Ok(())
}

/// A message alone: words, permutation, and few cycles around them.
#[test]
fn latency_of_one_message() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    let mut longest = 0;
    for wait in 0..30 {
        pipe.idle(wait);
        let from = pipe.cycles;
        pipe.expect(wait % SLOTS, &[7; 100]);
        pipe.block(wait % SLOTS, &mut words_of(&[7; 100], 0), || 0);
        while pipe.pending() > 0 {
            pipe.idle(1);
        }
        longest = longest.max(pipe.cycles - from);
    }
    // 17 words, the permutation, and registers and the way of the slot's turn to the block.
    assert_eq!(longest, 17 + PERMUTATION + 7);
    Ok(())
}

#[test]
fn reset_abandons_all_messages() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    let mut words = Words::new(42);
    for cycles in 0..200 {
        for slot in 0..SLOTS {
            let message = random(&mut words, 300);
            pipe.block(slot, &mut words_of(&message, 0), || 0);
        }
        // Of a message that ends no digest has come when the reset does.
        let message = random(&mut words, 20);
        pipe.block(1, &mut words_of(&message, 0), || 0);
        pipe.idle(cycles % 60);
        pipe.model.set_u64(pipe.reset, 1);
        pipe.tick();
        pipe.model.set_u64(pipe.reset, 0);
        for slot in (0..SLOTS).rev() {
            let length = words.below(200);
            let message = random(&mut words, length);
            pipe.expect(slot, &message);
            let mut sent = words_of(&message, 0);
            while !sent.is_empty() {
                pipe.block(slot, &mut sent, || 0);
            }
        }
        pipe.drain();
    }
    Ok(())
}
