//! The blocks between a card and a PCIe core, against software: registers in a BAR, interrupts, host memory on another
//! bus.

mod litepcie;
mod requester;

use std::sync::Arc;

use gatewei_abi::regs;
use gatewei_driver::dma::HeapMemory;
use gatewei_hdl::catalog::PATIENCE;
use gatewei_sim::axi::{BEAT, BOUNDARY};
use gatewei_sim::host_memory::Regions;
use gatewei_sim::model::Model;
use gatewei_sim::random::Random;

use litepcie::Core;
use requester::{Requester, Write};

/// Where the tests' memory is, and its size.
const BASE: u64 = 0x4000_0000;
const BYTES: u64 = 4 * BOUNDARY;
/// Most cycles that a round may take.
const LONG: usize = 200_000;
const OKAY: u64 = 0;
const SLAVE_ERROR: u64 = 2;

fn reset(model: &mut Model) {
    let reset = model.input("reset", 1).unwrap();
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
}

#[test]
fn a_window_shows_the_registers_and_nothing_beyond_them() {
    let mut model = Model::new("window").unwrap();
    let address = model.input("address", 32).unwrap();
    let offset = model.output("offset", 12).unwrap();
    let mut random = Random::new(1);
    // Where nothing is: no register's offset.
    let nowhere = u64::from(regs::SPACE - 4);
    let mut show = |at: u64| {
        model.set_u64(address, at);
        model.eval();
        model.get_u64(offset)
    };
    for at in 0..u64::from(regs::SPACE) {
        assert_eq!(show(at), at);
    }
    for bit in 12..32 {
        let low = random.below(regs::SPACE.into());
        assert_eq!(show(1 << bit | low), nowhere);
    }
    for _ in 0..10_000 {
        let at = random.bits() & 0xffff_ffff;
        let expected = if at < u64::from(regs::SPACE) {
            at
        } else {
            nowhere
        };
        assert_eq!(show(at), expected, "{at:#x}");
    }
    let last = regs::lane_base(15) + regs::LANE_STRIDE;
    assert!(u64::from(last) <= nowhere);
}

#[test]
fn interrupts_go_one_by_one_and_none_is_lost() {
    let mut model = Model::new("interrupts").unwrap();
    let [valid, hold, done] = ["msix_valid", "hold", "done"].map(|n| model.input(n, 1).unwrap());
    let msix_vector = model.input("msix_vector", 16).unwrap();
    let request = model.output("request", 1).unwrap();
    let vector = model.output("vector", 4).unwrap();
    let lines = model.output("lines", 16).unwrap();
    reset(&mut model);
    let mut random = Random::new(2);
    let (mut pending, mut current, mut answer_in, mut sent) = (0u64, None, 0, 0);
    for cycle in 0..50_000u64 {
        // No more come in the end, so that all go.
        let raise = cycle < 49_000 && random.percent(20);
        let which = random.below(18);
        let holds = cycle < 49_000 && random.percent(30);
        let answers = current.is_some() && answer_in == 0;
        model.set_u64(valid, raise.into());
        model.set_u64(msix_vector, which);
        model.set_u64(hold, holds.into());
        model.set_u64(done, answers.into());
        model.eval();
        let goes = pending != 0 && current.is_none() && !holds;
        assert_eq!(model.get_u64(request) != 0, goes, "cycle {cycle}");
        assert_eq!(model.get_u64(lines).count_ones(), u32::from(goes));
        if goes {
            let lowest = pending.trailing_zeros();
            assert_eq!(model.get_u64(vector), u64::from(lowest));
            assert_eq!(model.get_u64(lines), 1 << lowest);
            pending &= pending - 1;
            (current, answer_in) = (Some(lowest), random.below(6));
            sent += 1;
        } else if let Some(vector_now) = current {
            // It stays for whoever looks at it in another clock.
            assert_eq!(model.get_u64(vector), u64::from(vector_now));
            answer_in = answer_in.saturating_sub(1);
        }
        if answers {
            current = None;
        }
        if raise && which < 16 {
            pending |= 1 << which;
        }
        model.tick();
    }
    assert_eq!(pending, 0, "all have gone");
    assert!(sent > 5_000, "{sent}");
}

#[test]
fn interrupt_lines_pulse_or_stay_until_they_are_acknowledged() {
    let mut model = Model::new("irq_lines").unwrap();
    let request = model.input("request", 1).unwrap();
    let vector = model.input("vector", 4).unwrap();
    let acks = model.input("acks", 16).unwrap();
    let [pulses, levels] = ["pulses", "levels"].map(|n| model.output(n, 16).unwrap());
    let done = model.output("done", 1).unwrap();
    reset(&mut model);
    let mut random = Random::new(3);
    let mut level = 0u64;
    for _ in 0..20_000 {
        let asked = random.percent(20);
        let which = random.below(16);
        let ack = if random.percent(20) { level } else { 0 };
        model.set_u64(request, asked.into());
        model.set_u64(vector, which);
        model.set_u64(acks, ack);
        model.eval();
        let line = u64::from(asked) << which;
        assert_eq!(model.get_u64(pulses), line);
        assert_eq!(model.get_u64(levels), level);
        assert_eq!(model.get_u64(done) != 0, ack != 0);
        level = level & !ack | line;
        model.tick();
    }
}

/// Memory as the tests think that it is.
struct Expected(Vec<[u8; BEAT]>);

impl Expected {
    fn new() -> Self {
        Self(vec![[0; BEAT]; BYTES as usize / BEAT])
    }

    /// A burst of up to `most` beats that crosses no boundary: first row, beats.
    fn burst(random: &mut Random, most: u64) -> (usize, usize) {
        let row = random.below(BYTES / BEAT as u64);
        let page = BOUNDARY / BEAT as u64;
        let beats = 1 + random.below(most.min(page - row % page));
        (row as usize, beats as usize)
    }

    /// A write of one or two beats, the second perhaps without strobes; done to `self`.
    fn write(&mut self, random: &mut Random, id: u8) -> Write {
        let (row, beats) = Self::burst(random, 2);
        let beat = |random: &mut Random| {
            let mut beat = [0; BEAT];
            beat.fill_with(|| random.bits() as u8);
            beat
        };
        let mut write = Write {
            id,
            address: BASE + (row * BEAT) as u64,
            beats: Vec::new(),
        };
        for i in 0..beats {
            let data = beat(random);
            let strobe = if i == 1 && random.percent(20) {
                0
            } else {
                u32::MAX
            };
            if strobe != 0 {
                self.0[row + i] = data;
            }
            write.beats.push((data, strobe));
        }
        write
    }
}

fn memory() -> Regions {
    let mut memory = Regions::default();
    assert!(memory.map_at(BASE, Arc::new(HeapMemory::new(BYTES as usize)), true));
    memory
}

/// A bridge between a requester and LitePCIe's core.
struct LiteBench {
    model: Model,
    card: Requester,
    core: Core,
}

impl LiteBench {
    fn new(seed: u64, idle: u8) -> Self {
        let mut model = Model::new("lite_bridge").unwrap();
        let card = Requester::new(&model, seed, idle);
        let mut core = Core::new(&model, "m_axi_", seed + 1, idle);
        core.memory = memory();
        reset(&mut model);
        Self { model, card, core }
    }

    fn cycle(&mut self) {
        self.card.drive(&mut self.model);
        self.core.drive(&mut self.model);
        self.model.eval();
        self.card.sample(&self.model);
        self.core.sample(&self.model);
        self.model.tick();
    }

    /// Until the card has all its answers; cycles that it took.
    fn settle(&mut self, writes: usize) -> usize {
        let cycles = (0..LONG).find(|_| {
            self.cycle();
            !self.card.busy() && self.card.written.len() == writes
        });
        cycles.expect("the bridge hangs")
    }
}

#[test]
fn what_is_written_through_litepcie_is_read_back_behind_it() {
    for (seed, idle) in [(1, 0), (2, 30), (3, 70)] {
        let mut bench = LiteBench::new(seed, idle);
        let (mut random, mut expected) = (Random::new(seed + 10), Expected::new());
        for round in 0..150 {
            let writes = 1 + random.below(4) as usize;
            for _ in 0..writes {
                let write = expected.write(&mut random, (round % 3) as u8);
                bench.card.write(write);
            }
            bench.settle(writes);
            assert!(
                bench
                    .card
                    .written
                    .drain(..)
                    .all(|(id, r)| (id, r) == ((round % 3) as u8, OKAY))
            );
            let mut asked = Vec::new();
            for id in 0..1 + random.below(3) as u8 {
                let (row, beats) = Expected::burst(&mut random, 128);
                bench.card.ask(15 - id, BASE + (row * BEAT) as u64, beats);
                asked.push((15 - id, row));
            }
            bench.settle(0);
            assert_eq!(bench.card.read.len(), asked.len());
            for read in bench.card.read.drain(..) {
                let (_, row) = asked.iter().find(|(id, _)| *id == read.id).unwrap();
                for (i, (beat, response)) in read.got.iter().enumerate() {
                    assert_eq!(*response, OKAY);
                    assert_eq!(
                        *beat,
                        expected.0[row + i],
                        "row {} of round {round}",
                        row + i
                    );
                }
            }
        }
    }
}

#[test]
fn an_interrupt_stays_behind_the_writes_before_it() {
    let mut bench = LiteBench::new(5, 20);
    let valid = bench.model.input("msix_valid", 1).unwrap();
    let vector = bench.model.input("msix_vector", 16).unwrap();
    let (mut random, mut expected) = (Random::new(6), Expected::new());
    let mut raised = 0;
    for _ in 0..400 {
        let write = expected.write(&mut random, 1);
        bench.card.write(write);
        bench.settle(1);
        bench.card.written.clear();
        let which = random.below(16);
        bench.model.set_u64(valid, 1);
        bench.model.set_u64(vector, which);
        bench.cycle();
        bench.model.set_u64(valid, 0);
        raised |= 1 << which;
        if random.percent(30) {
            // The core's model fails where one overtakes.
            (0..LONG).find(|_| {
                bench.cycle();
                bench.core.vectors == raised
            });
            assert_eq!(
                std::mem::take(&mut bench.core.vectors),
                std::mem::take(&mut raised)
            );
        }
    }
}

#[test]
fn what_litepcie_cannot_do_ends_as_an_error() {
    let mut bench = LiteBench::new(7, 10);
    let beat = [0x5a; BEAT];
    let refused = |bench: &mut LiteBench, write: Write| {
        bench.card.write(write);
        bench.settle(1);
        assert_eq!(std::mem::take(&mut bench.card.written), [(2, SLAVE_ERROR)]);
    };
    let write = |address, strobe| Write {
        id: 2,
        address,
        beats: vec![(beat, strobe)],
    };
    // Beyond 4 GiB, and some bytes of a beat: nothing is written, there or where the low half of the address points.
    refused(&mut bench, write(0x1_0000_0000 + BASE, u32::MAX));
    refused(&mut bench, write(BASE, 0xff));
    bench.card.ask(3, 0x1_0000_0000 + BASE, 4);
    bench.settle(0);
    let read = bench.card.read.pop().unwrap();
    assert!(read.got.len() == 4 && read.got.iter().all(|(_, r)| *r == SLAVE_ERROR));
    // No such memory: the core does not answer, until it is reset.
    for _ in 0..2 {
        bench.card.ask(4, BASE + BYTES, 2);
        let cycles = bench.settle(0);
        assert!(cycles >= PATIENCE as usize, "given up after {cycles}");
        let read = bench.card.read.pop().unwrap();
        assert!(read.got.len() == 2 && read.got.iter().all(|(_, r)| *r == SLAVE_ERROR));
    }
    bench.core.reset();
    // A link that is down takes nothing.
    bench.core.silent = true;
    refused(&mut bench, write(BASE, u32::MAX));
    bench.core.silent = false;
    // All of that has left no trace.
    bench.card.ask(5, BASE, 1);
    bench.settle(0);
    assert_eq!(bench.card.read.pop().unwrap().got, [([0; BEAT], OKAY)]);
}

#[test]
fn an_answer_that_comes_too_late_is_swallowed() {
    let mut bench = LiteBench::new(8, 0);
    let (mut random, mut expected) = (Random::new(9), Expected::new());
    for _ in 0..40 {
        let write = expected.write(&mut random, 1);
        bench.card.write(write);
    }
    bench.settle(40);
    bench.card.written.clear();
    for beats in [1, 3, 16] {
        bench.card.ask(1, BASE, beats);
        // The core takes it, and then says nothing for longer than anybody waits.
        while bench.core.is_quiet() {
            bench.cycle();
        }
        bench.core.silent = true;
        bench.settle(0);
        let read = bench.card.read.pop().unwrap();
        assert!(
            read.got
                .iter()
                .any(|(_, response)| *response == SLAVE_ERROR)
        );
        bench.core.silent = false;
        let row = random.below(64) as usize;
        bench.card.ask(2, BASE + (row * BEAT) as u64, 2);
        bench.settle(0);
        let read = bench.card.read.pop().unwrap();
        let right: Vec<_> = expected.0[row..row + 2]
            .iter()
            .map(|beat| (*beat, OKAY))
            .collect();
        assert_eq!(read.got, right);
    }
}
