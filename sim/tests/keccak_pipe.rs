//! The interleaved Keccak engine against alloy's Keccak-256.

mod words;

use std::collections::VecDeque;

use alloy_primitives::{B256, keccak256};
use gatewei_sim::model::{Model, ModelError, PortId};
use words::Words;

/// Messages at once, as documented.
const SLOTS: usize = 4;
/// Bytes of a block.
const RATE: usize = 136;
/// Cycles of a permutation.
const PERMUTATION: u64 = 24 * SLOTS as u64;
/// Cycles from where a block was taken to where the next one must be complete, as documented.
const DEADLINE: u64 = 94;

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
    late: PortId,
    digest: PortId,
    /// Digests to come, by slot.
    expected: [VecDeque<B256>; SLOTS],
    shown: B256,
    cycles: u64,
    done_at: Option<u64>,
    digests: u64,
    lates: u64,
    /// Blocks may be late.
    slow: bool,
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
            slot: model.input("slot", 2)?,
            done: model.output("done", 1)?,
            done_slot: model.output("done_slot", 2)?,
            late: model.output("late", 1)?,
            digest: model.output("digest", 256)?,
            model,
            expected: Default::default(),
            shown: B256::ZERO,
            cycles: 0,
            done_at: None,
            digests: 0,
            lates: 0,
            slow: false,
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
            let late = self.model.get_u64(self.late) == 1;
            assert!(self.slow || !late, "slot {slot} is late");
            assert_eq!(Some(digest) != expected, late, "slot {slot}");
            assert!(expected.is_some(), "slot {slot} has no message");
            self.lates += u64::from(late);
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

    /// Sends all words of messages of different slots, a block of each in turn.
    fn all(&mut self, sent: &mut [(usize, VecDeque<Word>)]) {
        while sent.iter().any(|(_, words)| !words.is_empty()) {
            for (slot, words) in sent.iter_mut() {
                self.block(*slot, words, || 0);
            }
        }
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

/// Four messages of a length at once, a block of each in turn, and the next ones behind their last blocks at once.
#[test]
fn edges_in_all_slots() -> Result<(), ModelError> {
    let lengths = [
        0, 1, 7, 8, 9, 31, 32, 64, 127, 128, 129, 135, 136, 137, 271, 272, 273, 408, 1000,
    ];
    let mut pipe = Pipe::new()?;
    for pattern in [0x00, 0xff, 0x80, 0x01] {
        for length in lengths {
            let mut sent: Vec<_> = (0..SLOTS)
                .map(|slot| {
                    let message = vec![pattern ^ slot as u8; length];
                    pipe.expect(slot, &message);
                    (slot, words_of(&message, 0xff))
                })
                .collect();
            pipe.all(&mut sent);
        }
    }
    pipe.drain();
    Ok(())
}

/// Slots that are busy and idle on their own, whose blocks come in any order and with pauses in them. What is not late
/// is right.
#[test]
fn random_traffic() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    pipe.slow = true;
    for seed in 0..40 {
        let mut words = Words::new(100 + seed);
        let mut gaps = Words::new(200 + seed);
        // How often a slot sends when it may, out of 8; and the pauses.
        let eager: Vec<usize> = (0..SLOTS).map(|_| 1 + words.below(8)).collect();
        let most = words.pick(&[1, 1, 1, 2, 40]);
        let longest = words.pick(&[RATE, 2 * RATE, 900]);
        let mut sent: [VecDeque<Word>; SLOTS] = Default::default();
        let mut messages = 0;
        while messages < 120 || sent.iter().any(|words| !words.is_empty()) {
            let slot = words.below(SLOTS);
            if words.below(8) >= eager[slot] {
                pipe.idle(words.below(most));
                continue;
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
        // A message of one block is never late.
        pipe.slow = longest > RATE;
        if seed % 4 == 0 {
            pipe.drain();
        }
        pipe.slow = true;
    }
    pipe.drain();
    assert_eq!(pipe.digests, 40 * 120);
    assert!(pipe.lates > 100 && pipe.lates < 2400, "{} late", pipe.lates);
    Ok(())
}

/// Slots that are idle or have messages of any length: by the documented rule nothing is late, and little time is lost.
#[test]
fn blocks_as_they_are_due() -> Result<(), ModelError> {
    const CYCLES: u64 = 20_000;
    const NEVER: u64 = u64::MAX;
    let mut pipe = Pipe::new()?;
    for seed in 0..60 {
        let mut words = Words::new(300 + seed);
        let longest = words.pick(&[RATE, 300, 1500]);
        // Of so many messages of a slot one is followed by none.
        let between = words.pick(&[2, 8, usize::MAX]);
        let mut sent: [VecDeque<Word>; SLOTS] = Default::default();
        // When the next block of a slot is due, be it of the same message or of another.
        let mut due = [NEVER; SLOTS];
        let from = pipe.cycles;
        let mut blocks = 0;
        while pipe.cycles < from + CYCLES || due.iter().any(|due| *due < NEVER) {
            let over = pipe.cycles >= from + CYCLES;
            let first = (0..SLOTS).min_by_key(|slot| due[*slot]).unwrap_or(0);
            let begins = |slot: usize| due[slot] == NEVER;
            let idle = (0..SLOTS).find(|slot| begins(*slot));
            let slot = match idle {
                Some(slot) if !over && due[first] >= pipe.cycles + 44 => slot,
                _ => first,
            };
            if sent[slot].is_empty() {
                if over || (!begins(slot) && words.below(between) == 0) {
                    due[slot] = NEVER;
                    continue;
                }
                let length = words.below(longest);
                let message = random(&mut words, length);
                pipe.expect(slot, &message);
                sent[slot] = words_of(&message, words.bits() as u8);
            }
            pipe.block(slot, &mut sent[slot], || 0);
            blocks += 1;
            pipe.model.set_u64(pipe.valid, 0);
            pipe.model.eval();
            while pipe.model.get_u64(pipe.ready) == 0 {
                pipe.tick();
                pipe.model.eval();
            }
            due[slot] = pipe.cycles - 1 + DEADLINE;
        }
        let cycles = pipe.cycles - from;
        pipe.drain();
        let most = if between == usize::MAX { 25 } else { 50 };
        assert!(
            blocks * most > cycles,
            "{blocks} blocks in {cycles} cycles, at most {longest} bytes, {between}"
        );
    }
    Ok(())
}

/// A block is late from the documented cycle on, and the slot's next message is right again.
#[test]
fn a_late_block() -> Result<(), ModelError> {
    let mut pipe = Pipe::new()?;
    pipe.slow = true;
    for pause in 0..300 {
        let message = [0x5a; 2 * RATE - 1];
        let slot = pause % SLOTS;
        pipe.expect(slot, &message);
        let mut sent = words_of(&message, 0);
        // Starts in all places of the slot's turn.
        pipe.idle(pause % 7);
        pipe.block(slot, &mut sent, || 0);
        let lates = pipe.lates;
        // Until it is taken.
        let mut ready = 0;
        while pipe.model.get_u64(pipe.ready) == 0 {
            pipe.idle(1);
            pipe.model.eval();
            ready += 1;
        }
        assert!(ready <= 5);
        pipe.idle(pause);
        pipe.block(slot, &mut sent, || 0);
        let message = [pause as u8; 50];
        pipe.expect(slot, &message);
        pipe.block(slot, &mut words_of(&message, 0), || 0);
        pipe.drain();
        let late = pipe.lates - lates;
        let complete = pause as u64 + 17;
        assert_eq!(
            late,
            u64::from(complete > DEADLINE),
            "pause of {pause} cycles"
        );
    }
    Ok(())
}

/// All slots at work: a permutation in 24 cycles, loading and unloading included.
#[test]
fn cycles_of_blocks_and_messages() -> Result<(), ModelError> {
    for blocks in [1, 2, 7] {
        let mut pipe = Pipe::new()?;
        let mut words = Words::new(41);
        let mut at = Vec::new();
        for _ in 0..60 {
            let mut sent: Vec<_> = (0..SLOTS)
                .map(|slot| {
                    let message = random(&mut words, RATE * blocks - 1);
                    pipe.expect(slot, &message);
                    (slot, words_of(&message, 0))
                })
                .collect();
            pipe.all(&mut sent);
            at.push((pipe.digests, pipe.cycles));
        }
        pipe.drain();
        let (digests, cycles) = (at[50].0 - at[10].0, at[50].1 - at[10].1);
        assert_eq!(digests, 40 * SLOTS as u64);
        assert_eq!(cycles, digests * 24 * blocks as u64, "{blocks} blocks");
    }
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
    assert_eq!(longest, 17 + PERMUTATION + 6);
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
