//! The lane's code store against the codes themselves: whatever is open, what it reads is that code.

use std::collections::VecDeque;
use std::ops::Range;

use gatewei_abi::BEAT;
use gatewei_abi::layout::{CODE_BYTES, CODE_PAGE_BEATS, CODE_PAGE_BYTES, CODE_PAGES};
use gatewei_abi::message::code_image;
use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

/// Where the image of code `n` lies on the bus.
fn address(n: usize) -> u64 {
    0x10_0000_0040 + ((n as u64) << 20)
}

struct Code {
    bytes: Vec<u8>,
    jumpdests: Vec<bool>,
    image: Vec<u8>,
}

fn code(random: &mut Random, bytes: usize) -> Code {
    let bytes: Vec<u8> = (0..bytes).map(|_| random.bits() as u8).collect();
    let jumpdests: Vec<bool> = bytes.iter().map(|_| random.percent(10)).collect();
    let image = code_image(&bytes, |at| jumpdests[at]);
    Code {
        bytes,
        jumpdests,
        image,
    }
}

struct Bench {
    model: Model,
    random: Random,
    coming: VecDeque<[u8; BEAT]>,
    /// Every beat that comes says that it is meaningless, and is.
    broken: bool,
    pages: usize,
}

impl Bench {
    fn new(seed: u64) -> Self {
        Self::of("code_store", seed)
    }

    /// The store of a block that may have fewer pages.
    fn of(block: &str, seed: u64) -> Self {
        let mut bench = Self {
            model: Model::new(block).unwrap(),
            random: Random::new(seed),
            coming: VecDeque::new(),
            broken: false,
            pages: 0,
        };
        bench.set("reset", 1);
        bench.model.tick();
        bench.set("reset", 0);
        bench
    }

    fn port(&self, name: &str) -> PortId {
        self.model.port(name).unwrap()
    }

    fn set(&mut self, name: &str, value: u64) {
        let port = self.port(name);
        self.model.set_u64(port, value);
    }

    fn get(&mut self, name: &str) -> u64 {
        let port = self.port(name);
        self.model.get_u64(port)
    }

    fn cycle(&mut self, codes: &[Code]) {
        let given = !self.coming.is_empty() && self.random.percent(80);
        let mut beat = self.coming.front().copied().unwrap_or([0xee; BEAT]);
        if self.broken {
            beat = [0xbd; BEAT];
        }
        self.set("in_valid", given.into());
        self.set("in_error", (given && self.broken).into());
        let port = self.port("beat");
        self.model.set_word(port, &beat);
        self.model.eval();
        if self.get("in_ready") == 1 && given {
            self.coming.pop_front();
        }
        if self.get("seek") == 1 {
            assert!(self.coming.is_empty());
            let (from, beats) = (self.get("in_addr"), self.get("in_beats") as usize);
            assert_eq!(beats, CODE_PAGE_BEATS);
            let n = ((from - address(0)) >> 20) as usize;
            let at = (from - address(n)) as usize;
            let page = &codes[n].image[at..at + beats * BEAT];
            self.coming.extend(page.as_chunks::<BEAT>().0);
            self.pages += 1;
        }
        self.model.tick();
    }

    fn open(&mut self, codes: &[Code], n: usize, tag: u64) {
        self.set("tag", tag);
        self.set("address", address(n));
        self.set("open", 1);
        self.cycle(codes);
        self.set("open", 0);
        for _ in 0..30 {
            self.model.eval();
            if self.get("opened") == 1 {
                return;
            }
            self.cycle(codes);
        }
        panic!("code {n} never opens");
    }

    /// Reads at `pc` until that can be relied on; then 31 bytes before the end of an operand of that length.
    fn fetch(&mut self, codes: &[Code], n: usize, pc: usize, operand: usize) {
        self.set("raddr", pc as u64);
        self.cycle(codes);
        for _ in 0..1_000 {
            self.model.eval();
            if self.get("readable") == 1 {
                self.set("want", 0);
                let port = self.port("rdata");
                let window = self.model.get_word(port);
                let byte = |at: usize| codes[n].bytes.get(at).copied().unwrap_or(0);
                let want: [u8; 32] = std::array::from_fn(|i| byte(pc + 31 - i));
                assert_eq!(window, want, "code {n} at {pc}");
                let marked = codes[n].jumpdests.get(pc) == Some(&true);
                assert_eq!(self.get("jumpdest") == 1, marked, "code {n} at {pc}");
                // Operands are read in the very next cycle, ready or not.
                self.set("raddr", (pc + operand).wrapping_sub(31) as u64 & 0xffff);
                self.cycle(codes);
                self.model.eval();
                let window = self.model.get_word(port);
                let want: Vec<u8> = (0..operand).map(|i| byte(pc + operand - i)).collect();
                assert_eq!(
                    window[..operand],
                    want,
                    "operand {operand} of code {n} at {pc}"
                );
                return;
            }
            self.set("want", 1);
            self.cycle(codes);
        }
        panic!("code {n} at {pc} never comes");
    }
}

#[test]
fn every_fetch_is_of_the_code_that_is_open() {
    fetches_of_the_open_code("code_store");
}

#[test]
fn every_fetch_is_of_the_code_that_is_open_on_a_small_card() {
    fetches_of_the_open_code("code_store_small");
}

fn fetches_of_the_open_code(block: &str) {
    let mut random = Random::new(4);
    let sizes = [0, 1, 33, 4_031, 4_032, 4_096, 24_576, 49_152, CODE_BYTES];
    let codes: Vec<Code> = (0..40)
        .map(|n| code(&mut random, sizes[n % sizes.len()]))
        .collect();
    let mut bench = Bench::of(block, 8);
    let mut opened = [0u64; 40];
    for round in 0..700 {
        // Mostly a few codes that stay, now and then one of many, or one that is not to be kept.
        let n = match random.below(3) {
            0 => round as u64 % 40,
            _ => random.below(5),
        } as usize;
        let tag = if random.percent(10) { 0 } else { n as u64 + 1 };
        bench.open(&codes, n, tag);
        opened[n] += 1;
        for _ in 0..6 {
            let length = codes[n].bytes.len();
            let pc = match random.below(4) {
                0 => length,
                1 => {
                    (random.below(64) as usize * CODE_PAGE_BYTES + 968 + random.below(70) as usize)
                        .min(length)
                }
                _ => random.below(length as u64 + 1) as usize,
            };
            let operand = random.below(33) as usize;
            bench.fetch(&codes, n, pc, operand);
        }
        assert!(bench.pages <= 6 * 2 * (round + 1), "pages are kept");
    }
    assert!(opened.iter().all(|count| *count > 0));
}

#[test]
fn a_code_that_is_kept_is_not_fetched_again() {
    let mut random = Random::new(6);
    let codes: Vec<Code> = (0..3).map(|_| code(&mut random, 9_000)).collect();
    let mut bench = Bench::new(2);
    for _ in 0..5 {
        for n in 0..3 {
            bench.open(&codes, n, 100 + n as u64);
            for pc in [0, 5_000, 8_500] {
                bench.fetch(&codes, n, pc, 2);
            }
        }
    }
    assert_eq!(bench.pages, 9);
    // Without a tag it is.
    for round in 1..4 {
        bench.open(&codes, 0, 0);
        bench.fetch(&codes, 0, 0, 0);
        assert_eq!(bench.pages, 9 + round);
    }
}

#[test]
fn pages_are_kept_in_turn() {
    keeps_in_turn("code_store", CODE_PAGES, 1_000..5_000);
}

#[test]
fn pages_are_kept_in_turn_on_a_small_card() {
    keeps_in_turn("code_store_small", 32, 500..4_000);
}

/// Every frame holds what was put there until its turn comes again, or its code's number is another's.
fn keeps_in_turn(block: &str, places: usize, expected: Range<u32>) {
    const CODES: usize = 12;
    let mut random = Random::new(9);
    let codes: Vec<Code> = (0..CODES)
        .map(|_| code(&mut random, 12 * CODE_PAGE_BYTES))
        .collect();
    // Numbers that differ in every bit.
    let number = |n: usize| (n as u64 * 23 + 1) & 0xff;
    let mut bench = Bench::of(block, 5);
    // Four frames make a set; a page's is made of its number and its code's. Sets take turns together.
    let (mut frames, mut hand) = (vec![None; places], 0);
    let set = |n: usize, page: usize| (page ^ number(n) as usize) % 16 % (places / 4);
    let (mut tags, mut hits) = ([0; CODES], 0);
    for step in 0..6_000 {
        let n = random.below(CODES as u64) as usize;
        // Now and then a code that has the same number, and takes its place.
        let tag = match tags[n] {
            0 => number(n),
            tag if random.percent(1) => tag + 256,
            tag => tag,
        };
        if tag != tags[n] {
            let stays = |held: &(usize, usize)| held.0 != n;
            for held in &mut frames {
                *held = held.filter(stays);
            }
        }
        tags[n] = tag;
        bench.open(&codes, n, tag);
        // First all in turn, so that each is met soon; then more than there is room for, or less.
        let page = match step / 1_000 {
            0 | 3 => step % 12,
            1 | 4 => random.below(12) as usize,
            _ => random.below(5) as usize,
        };
        let before = bench.pages;
        // Not at a page's end, so that the page behind is not needed. But it is not driven out either.
        let at = 40 + random.below(900) as usize;
        bench.fetch(&codes, n, page * CODE_PAGE_BYTES + at, 2);
        let known = frames.contains(&Some((n, page)));
        if !known {
            frames[4 * set(n, page) + hand] = Some((n, page));
            hand = (hand + 1) % 4;
        }
        hits += u32::from(known);
        let want = before + usize::from(!known);
        assert_eq!(bench.pages, want, "step {step}: page {page} of code {n}");
    }
    assert!(expected.contains(&hits), "{hits}");
}

#[test]
fn what_came_with_an_error_does_not_outlive_the_message() {
    let mut random = Random::new(7);
    let codes = [code(&mut random, 500)];
    let mut bench = Bench::new(3);
    bench.open(&codes, 0, 1);
    bench.broken = true;
    bench.set("want", 1);
    for _ in 0..400 {
        bench.cycle(&codes);
    }
    bench.set("want", 0);
    bench.broken = false;
    bench.open(&codes, 0, 1);
    bench.fetch(&codes, 0, 17, 4);
    assert_eq!(bench.pages, 2);
}
