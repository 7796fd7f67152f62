//! The card's memory bus on one of 512 bits, as shells have it: against memory that answers ids in any order.

mod requester;

use std::collections::VecDeque;

use gatewei_sim::axi::BOUNDARY;
use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

use requester::{Requester, Write};

/// Bytes of a wide beat, and `AxSIZE` of it.
const WIDE: usize = 64;
const SIZE: u64 = 6;
const BASE: u64 = 0x12_0000_0000;
const BYTES: usize = 4 * BOUNDARY as usize;
const OKAY: u64 = 0;
const SLAVE_ERROR: u64 = 2;

/// Memory of 64-byte beats. Only what was strobed is written; an address beyond it is an error.
struct Shell {
    ar: [PortId; 6],
    ar_ready: PortId,
    r: [PortId; 4],
    r_ready: PortId,
    aw: [PortId; 6],
    aw_ready: PortId,
    w: [PortId; 4],
    w_ready: PortId,
    b: [PortId; 3],
    b_ready: PortId,
    memory: Vec<u8>,
    random: Random,
    idle: u8,
    /// Reads by id: beats that are left.
    reads: Vec<(u64, VecDeque<Option<usize>>)>,
    offered: Option<usize>,
    /// Writes whose beats come: id, address of the next beat, beats left.
    open: VecDeque<(u64, u64, u64)>,
    failed: bool,
    responses: Vec<(u64, u64)>,
    held: Option<(u64, u64)>,
    wide_reads: usize,
}

impl Shell {
    fn new(model: &Model, seed: u64, idle: u8) -> Self {
        let input = |name: &str, width| model.input(&format!("m_axi_{name}"), width).unwrap();
        let output = |name: &str, width| model.output(&format!("m_axi_{name}"), width).unwrap();
        let address = |c: &str| {
            [
                ("valid", 1),
                ("id", 4),
                ("addr", 64),
                ("len", 8),
                ("size", 3),
                ("burst", 2),
            ]
            .map(|(name, width)| output(&format!("{c}{name}"), width))
        };
        let mut random = Random::new(seed);
        Self {
            ar: address("ar"),
            ar_ready: input("arready", 1),
            r: [
                input("rvalid", 1),
                input("rid", 4),
                input("rdata", 512),
                input("rresp", 2),
            ],
            r_ready: output("rready", 1),
            aw: address("aw"),
            aw_ready: input("awready", 1),
            w: [
                output("wvalid", 1),
                output("wdata", 512),
                output("wstrb", 64),
                output("wlast", 1),
            ],
            w_ready: input("wready", 1),
            b: [input("bvalid", 1), input("bid", 4), input("bresp", 2)],
            b_ready: output("bready", 1),
            memory: (0..BYTES).map(|_| random.bits() as u8).collect(),
            random,
            idle,
            reads: Vec::new(),
            offered: None,
            open: VecDeque::new(),
            failed: false,
            responses: Vec::new(),
            held: None,
            wide_reads: 0,
        }
    }

    fn row(address: u64) -> Option<usize> {
        let at = address.checked_sub(BASE)? as usize / WIDE * WIDE;
        (at < BYTES).then_some(at)
    }

    fn drive(&mut self, model: &mut Model) {
        let mut goes = || !self.random.percent(self.idle);
        let (ar, aw, w) = (goes(), goes(), goes());
        let (r, b) = (goes(), goes());
        model.set_u64(self.ar_ready, ar.into());
        model.set_u64(self.aw_ready, aw.into());
        model.set_u64(self.w_ready, (w && !self.open.is_empty()).into());
        if self.offered.is_none() && r && !self.reads.is_empty() {
            self.offered = Some(self.random.below(self.reads.len() as u64) as usize);
        }
        model.set_u64(self.r[0], self.offered.is_some().into());
        if let Some(at) = self.offered {
            let (id, beats) = &self.reads[at];
            let row = beats.front().copied().flatten();
            let bytes: Vec<u8> = match row {
                Some(row) => self.memory[row..row + WIDE].to_vec(),
                None => vec![0; WIDE],
            };
            let words = bytes.chunks_exact(8);
            let words: Vec<u64> = words
                .map(|w| u64::from_le_bytes(w.try_into().unwrap()))
                .collect();
            model.set_u64(self.r[1], *id);
            model.set(self.r[2], &words);
            model.set_u64(self.r[3], if row.is_some() { OKAY } else { SLAVE_ERROR });
        }
        if self.held.is_none() && b && !self.responses.is_empty() {
            let at = self.random.below(self.responses.len() as u64) as usize;
            self.held = Some(self.responses.swap_remove(at));
        }
        model.set_u64(self.b[0], self.held.is_some().into());
        if let Some((id, response)) = self.held {
            model.set_u64(self.b[1], id);
            model.set_u64(self.b[2], response);
        }
    }

    fn sample(&mut self, model: &Model) {
        let both = |a, b| model.get_u64(a) & model.get_u64(b) != 0;
        let burst = |ports: &[PortId; 6]| {
            let [id, address, len, size, kind] = [1, 2, 3, 4, 5].map(|i| model.get_u64(ports[i]));
            assert_eq!((size, kind), (SIZE, 1), "whole beats, incrementing");
            let last = address / WIDE as u64 * WIDE as u64 + len * WIDE as u64;
            assert_eq!(address / BOUNDARY, last / BOUNDARY, "across 4 KiB");
            (id, address, len + 1)
        };
        if both(self.r[0], self.r_ready)
            && let Some(at) = self.offered.take()
        {
            self.wide_reads += 1;
            self.reads[at].1.pop_front();
            if self.reads[at].1.is_empty() {
                self.reads.swap_remove(at);
            }
        }
        if both(self.ar[0], self.ar_ready) {
            let (id, address, beats) = burst(&self.ar);
            assert!(
                self.reads.iter().all(|(other, _)| *other != id),
                "one read an id"
            );
            let rows = (0..beats).map(|i| Self::row(address + i * WIDE as u64));
            self.reads.push((id, rows.collect()));
        }
        if both(self.b[0], self.b_ready) {
            self.held = None;
        }
        if both(self.w[0], self.w_ready) {
            let (id, address, left) = self.open.pop_front().expect("it was ready for it");
            let strobe = model.get_u64(self.w[2]);
            // The shell wants the address of the first byte.
            let below = (1u64 << (address % WIDE as u64)) - 1;
            assert_eq!(strobe & below, 0, "strobes below the address");
            let words = model.get(self.w[1]);
            match Self::row(address) {
                None => self.failed = true,
                Some(row) => {
                    for byte in 0..WIDE {
                        if strobe >> byte & 1 != 0 {
                            self.memory[row + byte] = (words[byte / 8] >> (8 * (byte % 8))) as u8;
                        }
                    }
                }
            }
            assert_eq!(model.get_u64(self.w[3]) != 0, left == 1, "WLAST");
            let next = address / WIDE as u64 * WIDE as u64 + WIDE as u64;
            if left > 1 {
                self.open.push_front((id, next, left - 1));
            } else {
                let failed = std::mem::take(&mut self.failed);
                self.responses
                    .push((id, if failed { SLAVE_ERROR } else { OKAY }));
            }
        }
        if both(self.aw[0], self.aw_ready) {
            self.open.push_back(burst(&self.aw));
        }
    }
}

struct Bench {
    model: Model,
    card: Requester,
    shell: Shell,
}

impl Bench {
    fn new(seed: u64, idle: u8) -> Self {
        let mut model = Model::new("widen").unwrap();
        let card = Requester::new(&model, seed, idle);
        let shell = Shell::new(&model, seed + 1, idle);
        let reset = model.input("reset", 1).unwrap();
        model.set_u64(reset, 1);
        model.tick();
        model.set_u64(reset, 0);
        Self { model, card, shell }
    }

    fn settle(&mut self, writes: usize) {
        let ended = (0..200_000).any(|_| {
            self.card.drive(&mut self.model);
            self.shell.drive(&mut self.model);
            self.model.eval();
            self.card.sample(&self.model);
            self.shell.sample(&self.model);
            self.model.tick();
            !self.card.busy() && self.card.written.len() == writes
        });
        assert!(ended, "the bridge hangs");
    }
}

/// A burst of up to `most` card's beats: offset in memory, beats.
fn burst(random: &mut Random, most: u64) -> (usize, usize) {
    let beat = 32;
    let row = random.below(BYTES as u64 / beat);
    let page = BOUNDARY / beat;
    let beats = 1 + random.below(most.min(page - row % page));
    ((row * beat) as usize, beats as usize)
}

#[test]
fn reads_of_many_requesters_come_back_whole() {
    for (seed, idle) in [(1, 0), (2, 40), (3, 75)] {
        let mut bench = Bench::new(seed, idle);
        let mut random = Random::new(seed + 20);
        for _ in 0..100 {
            let mut asked = Vec::new();
            for id in 0..1 + random.below(16) as u8 {
                let (at, beats) = burst(&mut random, 128);
                bench.card.ask(id, BASE + at as u64, beats);
                asked.push(at);
            }
            bench.settle(0);
            assert_eq!(bench.card.read.len(), asked.len());
            for read in bench.card.read.drain(..) {
                let at = asked[usize::from(read.id)];
                for (i, (beat, response)) in read.got.iter().enumerate() {
                    let at = at + 32 * i;
                    assert_eq!(
                        (&beat[..], *response),
                        (&bench.shell.memory[at..at + 32], OKAY)
                    );
                }
            }
        }
    }
}

#[test]
fn a_page_takes_half_as_many_wide_beats() {
    let mut bench = Bench::new(4, 0);
    bench.card.ask(1, BASE, 128);
    bench.settle(0);
    assert_eq!(bench.shell.wide_reads, 64);
    // One that begins in an upper half and ends in a lower: the halves beside them come, too.
    bench.card.ask(1, BASE + 32, 126);
    bench.settle(0);
    assert_eq!(bench.shell.wide_reads, 64 + 64);
}

#[test]
fn writes_change_their_bytes_and_no_others() {
    for (seed, idle) in [(5, 0), (6, 40), (7, 75)] {
        let mut bench = Bench::new(seed, idle);
        let mut random = Random::new(seed + 20);
        let mut expected = bench.shell.memory.clone();
        for round in 0..200 {
            let writes = 1 + random.below(6) as usize;
            for _ in 0..writes {
                let (at, beats) = burst(&mut random, 5);
                let beats = (0..beats).map(|_| {
                    let mut beat = [0; 32];
                    beat.fill_with(|| random.bits() as u8);
                    let strobe = match random.below(3) {
                        0 => random.bits() as u32,
                        1 => 0,
                        _ => u32::MAX,
                    };
                    (beat, strobe)
                });
                let beats: Vec<_> = beats.collect();
                for (i, (beat, strobe)) in beats.iter().enumerate() {
                    for (byte, value) in beat.iter().enumerate() {
                        if strobe >> byte & 1 != 0 {
                            expected[at + 32 * i + byte] = *value;
                        }
                    }
                }
                bench.card.write(Write {
                    id: random.below(16) as u8,
                    address: BASE + at as u64,
                    beats,
                });
            }
            bench.settle(writes);
            assert!(
                bench
                    .card
                    .written
                    .drain(..)
                    .all(|(_, response)| response == OKAY)
            );
            assert_eq!(bench.shell.memory, expected, "round {round}");
        }
    }
}

#[test]
fn the_shell_s_errors_reach_the_card() {
    let mut bench = Bench::new(8, 20);
    bench.card.ask(3, BASE + BYTES as u64, 5);
    bench.card.ask(4, BASE, 1);
    bench.settle(0);
    for read in bench.card.read.drain(..) {
        let expected = if read.id == 3 { SLAVE_ERROR } else { OKAY };
        assert!(
            read.got.iter().all(|(_, response)| *response == expected),
            "{read:?}"
        );
    }
    bench.card.write(Write {
        id: 9,
        address: BASE + BYTES as u64 + 32,
        beats: vec![([1; 32], u32::MAX); 2],
    });
    bench.settle(1);
    assert_eq!(bench.card.written, [(9, SLAVE_ERROR)]);
}
