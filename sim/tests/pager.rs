//! The lane's pager against a data space in plain Rust: rows are numbers here, and what an access finds in
//! its frames must be what the data space holds.

use std::collections::{HashMap, VecDeque};

use gatewei_abi::BEAT;
use gatewei_abi::layout::{PAGE_BITS, PAGE_BYTES, PAGES, SEGMENT_BITS};
use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

const ROWS: usize = PAGE_BYTES / BEAT;
/// Bus addresses of the two homes.
const SPILL: u64 = 0x4000_0000;
const CALLDATA: u64 = 0x9000_0040;
/// What a row holds that nothing has written or fetched.
const UNKNOWN: u64 = u64::MAX;

/// The pager, its RAM, and host memory with some latency.
struct Bench {
    model: Model,
    ports: HashMap<&'static str, PortId>,
    random: Random,
    /// Rows of the RAM, by frame.
    ram: Vec<[u64; ROWS]>,
    /// The row that the RAM read in the cycle before.
    read: u64,
    /// Host memory by bus address.
    host: HashMap<u64, u64>,
    /// Beats asked for and not yet given.
    coming: VecDeque<u64>,
    /// Rows written and not yet in host memory.
    leaving: VecDeque<(u64, u64)>,
    evicted: usize,
    fetched: usize,
}

const PORTS: [&str; 31] = [
    "reset",
    "clear",
    "raddr",
    "rframe",
    "rnext",
    "readable",
    "waddr",
    "wframe",
    "wnext",
    "writable",
    "want_read",
    "want_write",
    "loading",
    "memory_words",
    "calldata_beats",
    "spill",
    "calldata",
    "busy",
    "frame",
    "row",
    "reads",
    "out_valid",
    "out_ready",
    "out_addr",
    "out_idle",
    "seek",
    "in_addr",
    "in_beats",
    "in_ready",
    "in_valid",
    "we",
];

impl Bench {
    /// The pager of `block`, which has so many frames.
    fn new(block: &str, frames: usize, memory_words: u64, calldata_beats: u64) -> Self {
        let mut model = Model::new(block).unwrap();
        let ports = PORTS.map(|name| (name, model.port(name).unwrap()));
        let ports = HashMap::from(ports);
        let mut set = |name: &str, value| model.set_u64(ports[name], value);
        set("spill", SPILL);
        set("calldata", CALLDATA);
        set("memory_words", memory_words);
        set("calldata_beats", calldata_beats);
        set("reset", 1);
        model.tick();
        model.set_u64(ports["reset"], 0);
        let host = (0..calldata_beats).map(|beat| (CALLDATA + beat * 32, 0xca11_0000 + beat));
        Self {
            model,
            random: Random::new(7),
            ram: vec![[UNKNOWN; ROWS]; frames],
            read: UNKNOWN,
            host: host.collect(),
            coming: VecDeque::new(),
            leaving: VecDeque::new(),
            evicted: 0,
            fetched: 0,
            ports,
        }
    }

    fn set(&mut self, name: &str, value: u64) {
        self.model.set_u64(self.ports[name], value);
    }

    fn get(&mut self, name: &str) -> u64 {
        self.model.get_u64(self.ports[name])
    }

    /// One clock cycle of the pager, the RAM and the host.
    fn cycle(&mut self) {
        let ready = self.random.percent(70);
        let given = !self.coming.is_empty() && self.random.percent(60);
        if self.random.percent(30)
            && let Some((address, value)) = self.leaving.pop_front()
        {
            self.host.insert(address, value);
        }
        self.set("out_ready", ready.into());
        self.set("in_valid", given.into());
        self.set("out_idle", self.leaving.is_empty().into());
        self.model.eval();
        let (frame, row) = (self.get("frame") as usize, self.get("row") as usize);
        if self.get("out_valid") == 1 && ready {
            assert_eq!(self.get("reads"), 1);
            let address = self.get("out_addr");
            self.leaving.push_back((address, self.read));
            self.evicted += 1;
        }
        let next_read = self.ram[frame][row];
        if self.get("we") == 1 {
            let beat = self.get("in_ready") == 1;
            assert!(!beat || given, "a beat is written that did not come");
            let value = if beat {
                self.coming.pop_front()
            } else {
                Some(0)
            };
            self.ram[frame][row] = value.unwrap();
        }
        if self.get("seek") == 1 {
            assert!(self.coming.is_empty());
            let (from, beats) = (self.get("in_addr"), self.get("in_beats"));
            for address in (from..).step_by(32).take(beats as usize) {
                let value = self.host.get(&address).copied();
                self.coming.push_back(value.unwrap_or(UNKNOWN));
                self.fetched += 1;
            }
        }
        self.read = next_read;
        self.model.tick();
    }

    /// Waits until the access can be made; gives the frames of its first byte and of what is behind.
    fn access(&mut self, address: u64, write: bool) -> (usize, usize) {
        let (port, want, there) = match write {
            true => ("waddr", "want_write", "writable"),
            false => ("raddr", "want_read", "readable"),
        };
        self.set(port, address);
        // What was read in the cycle before was another address.
        self.cycle();
        for _ in 0..5_000 {
            self.model.eval();
            if self.get(there) == 1 {
                self.set(want, 0);
                let names = if write {
                    ["wframe", "wnext"]
                } else {
                    ["rframe", "rnext"]
                };
                let [first, next] = names.map(|name| self.get(name) as usize);
                return (first, next);
            }
            self.set(want, 1);
            self.cycle();
        }
        panic!("{address:#x} never comes");
    }
}

/// Page and row of an address.
fn split(address: u64) -> (u64, usize) {
    (
        address >> PAGE_BITS,
        (address as usize & (PAGE_BYTES - 1)) / BEAT,
    )
}

#[test]
fn every_access_finds_its_rows() {
    finds_its_rows("pager", PAGES);
}

#[test]
fn every_access_finds_its_rows_on_a_small_card() {
    finds_its_rows("pager_small", 8);
}

fn finds_its_rows(block: &str, frames: usize) {
    let mut random = Random::new(3);
    // Pages all over a segment, each with the one behind it, and one whose number differs in a bit.
    let bits = SEGMENT_BITS - PAGE_BITS;
    let count = 1 << bits;
    let near = (0..21).flat_map(|n| {
        let page = random.below(count - 2);
        [page, page + 1, (page ^ 1 << (n % bits)).min(count - 2)]
    });
    let pages: Vec<u64> = near.collect();
    let words = ROWS as u64 * count;
    let beats = pages[40] * ROWS as u64 + 9;
    let mut bench = Bench::new(block, frames, words, beats);
    // What the data space holds: calldata as the message has it, zeros behind it, memory as written.
    let mut space: HashMap<u64, u64> = HashMap::new();
    let calldata = 1u64 << SEGMENT_BITS;
    for step in 0..3_000u64 {
        let write = random.percent(50);
        let near = random.percent(50);
        let page = pages[random.below(if near { 6 } else { 61 }) as usize];
        let offset = match random.below(4) {
            0 => PAGE_BYTES as u64 - random.below(33),
            _ => random.below(PAGE_BYTES as u64),
        };
        // Calldata is only read, return data are not written at random.
        let segment = match random.below(4) {
            1 | 2 if write => 0,
            segment => segment,
        };
        let address = segment * calldata + page * PAGE_BYTES as u64 + offset;
        let (first, next) = bench.access(address, write);
        // The rows that 32 bytes from here on touch.
        let mut rows = vec![(address / 32 * 32, first)];
        if !address.is_multiple_of(32) {
            let behind = address / 32 * 32 + 32;
            let same = split(behind).0 == split(address).0;
            rows.push((behind, if same { first } else { next }));
        }
        for (row, frame) in rows {
            let at = &mut bench.ram[frame][split(row).1];
            if write {
                *at = step;
                space.insert(row, step);
            } else if segment == 1 {
                let beat = (row - calldata) / 32;
                let want = if beat < beats { 0xca11_0000 + beat } else { 0 };
                assert_eq!(*at, want, "step {step}: calldata at {row:#x}");
            } else if let Some(want) = space.get(&row) {
                assert_eq!(at, want, "step {step}: row {row:#x}");
            }
        }
    }
    assert!(bench.evicted > 10 * ROWS && bench.fetched > 10 * ROWS);
}

#[test]
fn what_a_message_loads_or_memory_gains_is_not_fetched() {
    let mut bench = Bench::new("pager", PAGES, 0, 8 * ROWS as u64);
    bench.set("loading", 1);
    for page in 0..8 {
        bench.access((1 << SEGMENT_BITS) + page * PAGE_BYTES as u64, true);
    }
    bench.set("loading", 0);
    for page in 0..8 {
        bench.access(page * PAGE_BYTES as u64, true);
    }
    assert_eq!((bench.evicted, bench.fetched), (0, 0));
    // All frames are taken now. Calldata goes without a word, memory goes home.
    for page in 8..16 {
        bench.access(page * PAGE_BYTES as u64, true);
    }
    assert_eq!((bench.evicted, bench.fetched), (0, 0));
    bench.access(16 * PAGE_BYTES as u64, true);
    assert_eq!((bench.evicted, bench.fetched), (ROWS, 0));
    // Nothing of this segment has gone home.
    bench.access((3 << SEGMENT_BITS) + PAGE_BYTES as u64, false);
    assert_eq!(bench.fetched, 0);
    // Return data are rewritten from their beginning: what has gone home of them stays there, unless it is read.
    for page in 0..40 {
        bench.access((2 << SEGMENT_BITS) + page * PAGE_BYTES as u64, true);
    }
    for page in 0..40 {
        bench.access((2 << SEGMENT_BITS) + page * PAGE_BYTES as u64, true);
    }
    assert_eq!(bench.fetched, 0);
    bench.access(2 << SEGMENT_BITS, false);
    assert_eq!(bench.fetched, ROWS);
    let evicted = bench.evicted;
    // What a new message finds is nothing of the old one.
    bench.set("clear", 1);
    bench.cycle();
    bench.set("clear", 0);
    bench.access(1 << SEGMENT_BITS, false);
    assert_eq!((bench.evicted, bench.fetched), (evicted, 2 * ROWS));
}
