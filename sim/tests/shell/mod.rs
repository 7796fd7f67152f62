//! The bench of the card without its lanes: a host, its memory, and lanes written in Rust.

mod host;
mod lane;
mod spread;

use std::collections::{BTreeMap, VecDeque};

use gatewei_abi::BEAT;
use gatewei_abi::command::{PAIR_SHIFT, Submission};
use gatewei_abi::regs::{self, card, queue};
use gatewei_abi::status::Status;
use gatewei_driver::dma::DmaBuffer;
use gatewei_sim::host_memory::{HostMemory, Timing};
use gatewei_sim::model::{Model, ModelError, PortId};
use gatewei_sim::random::Random;

use crate::axi::Axi;
use crate::lite::{Lite, Registers};
pub use lane::{Asks, Lane, STRAY_TAG};
use spread::{Spread, map};

/// Lanes of the block in the catalog.
pub const LANES: usize = 2;
/// Its queue pairs.
pub const PAIRS: usize = 2;
/// High half of bus addresses where nothing is mapped.
pub const NOWHERE: u32 = 0x7777_0000;
/// Code with which the bench's lanes end a message.
pub const DONE_CODE: u8 = Status::Return as u8;
/// Cycles in which everything comes to its end.
const PATIENCE: u32 = 400_000;

/// Messages the lanes read (64 bytes each) and results they write.
const MESSAGES: usize = 64;
const RESULTS: usize = 256;

/// What the host knows of a message in flight.
#[derive(Clone, Copy, Debug)]
struct Flight {
    lane: u16,
    cancelled: bool,
    answer_failed: bool,
}

/// A question of a lane: who asked, with which key.
type Question = (u32, [u8; BEAT]);

/// A queue pair, the host's side.
pub struct Ring {
    pub pair: u32,
    /// Submissions made, completions consumed, modulo 2^16.
    pub submitted: u16,
    pub consumed: u16,
    /// Interrupts seen.
    pub interrupts: u32,
    submissions: DmaBuffer,
    completions: DmaBuffer,
    log_size: u32,
    rung: u16,
    /// Submissions known to be fetched.
    fetched: u16,
    /// Head that the last completion told.
    told: u16,
    vector: u16,
    answers: VecDeque<Submission>,
}

impl Ring {
    fn new(pair: u32, [submissions, completions]: [DmaBuffer; 2]) -> Self {
        Self {
            pair,
            submitted: 0,
            consumed: 0,
            interrupts: 0,
            submissions,
            completions,
            log_size: 0,
            rung: 0,
            fetched: 0,
            told: 0,
            vector: 0,
            answers: VecDeque::new(),
        }
    }

    /// Address of a register of the pair.
    pub fn at(&self, register: u32) -> u32 {
        regs::queue_base(self.pair) + register
    }

    /// Command id number `n` of the pair.
    pub fn id(&self, n: u32) -> u32 {
        n & 0xfff | self.pair << PAIR_SHIFT | n >> 12 << 16
    }

    /// All is consumed, answered and told.
    fn rests(&self) -> bool {
        self.answers.is_empty() && self.rung == self.submitted
    }

    fn forget(&mut self) {
        self.completions.clear();
        (self.submitted, self.consumed, self.rung) = (0, 0, 0);
        (self.fetched, self.told) = (0, 0);
        self.answers.clear();
    }
}

pub struct Bench {
    pub random: Random,
    pub messages: Spread,
    pub results: Spread,
    pub lanes: Vec<Lane>,
    /// The host polls every so many cycles.
    pub patience: u64,
    /// The host does not poll.
    pub deaf: bool,
    /// The host keeps its answers back.
    pub hold_answers: bool,
    /// Percent of questions that the host cannot answer.
    pub failing_answers: u8,
    /// The queue pair in use, and the other one.
    pub ring: Ring,
    pub other: Ring,
    /// Answers that a lane took, and answers that came too late.
    pub answered: u32,
    pub late_answers: u32,
    /// Ids of ended messages, in order.
    pub order: Vec<u32>,

    model: Model,
    lite: Lite,
    axi: Axi,
    memory: HostMemory,
    lane_reset: PortId,
    msix: [PortId; 2],
    cycles: u64,
    next_poll: u64,
    flights: BTreeMap<u32, Flight>,
    questions: BTreeMap<u32, Question>,
    outcomes: BTreeMap<(u8, u8), usize>,
}

impl Registers for Bench {
    fn lite(&self) -> Lite {
        self.lite
    }

    fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    fn tick(&mut self) {
        self.cycles += 1;
        self.axi.drive(&mut self.model, &self.memory);
        for lane in &self.lanes {
            lane.drive(&mut self.model);
        }
        self.model.eval();
        // Whether an answer is taken is told in the same cycle.
        for lane in &self.lanes {
            lane.drive_taken(&mut self.model);
        }
        self.model.eval();
        if self.model.get_u64(self.msix[0]) == 1 {
            let vector = self.model.get_u64(self.msix[1]) as u16;
            match vector {
                _ if vector == self.ring.vector => self.ring.interrupts += 1,
                _ if vector == self.other.vector => self.other.interrupts += 1,
                _ => panic!("vector {vector:#x} is no pair's"),
            }
        }
        let reset = self.model.get_u64(self.lane_reset) == 1;
        for lane in &mut self.lanes {
            let events = lane.clock(&self.model, &mut self.random, reset);
            self.questions.extend(events.asked);
            self.answered += u32::from(events.answered);
            self.late_answers += u32::from(events.late);
        }
        self.axi.clock(&self.model, &mut self.memory);
        self.model.tick();
    }
}

impl Bench {
    pub fn new(timing: Timing) -> Result<Self, ModelError> {
        let mut model = Model::new("shell")?;
        let mut memory = HostMemory::new(timing);
        let mut random = Random::new(timing.seed);
        let messages = Spread::new(&mut memory, &mut random, MESSAGES);
        let results = Spread::new(&mut memory, &mut random, RESULTS);
        let mut ring = |pair| {
            Ring::new(
                pair,
                [(); 2].map(|()| map(&mut memory, &mut random, 64, 64)),
            )
        };
        let (ring, other) = (ring(0), ring(1));
        for message in messages.pieces() {
            let content: [u8; Spread::BYTES] = std::array::from_fn(|_| random.bits() as u8);
            message.copy_in(0, &content).expect("in bounds");
        }
        let lanes = (0..LANES)
            .map(|i| Lane::new(&model, i, &messages, &results))
            .collect::<Result<_, _>>()?;
        let reset = model.input("reset", 1)?;
        model.set_u64(reset, 1);
        model.tick();
        model.set_u64(reset, 0);
        Ok(Self {
            random,
            messages,
            results,
            lanes,
            patience: 1,
            deaf: false,
            hold_answers: false,
            failing_answers: 0,
            ring,
            other,
            answered: 0,
            late_answers: 0,
            order: Vec::new(),
            lite: Lite::new(&model)?,
            axi: Axi::new(&model)?,
            lane_reset: model.output("lane_reset", 1)?,
            msix: [
                model.output("msix_valid", 1)?,
                model.output("msix_vector", 16)?,
            ],
            model,
            memory,
            cycles: 0,
            next_poll: 0,
            flights: BTreeMap::new(),
            questions: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        })
    }

    /// New rings of `1 << log_size` entries, and queues that run.
    pub fn start(&mut self, log_size: u32) {
        assert!(self.flights.is_empty(), "messages are in flight");
        self.memory.regions.unmap(self.ring.submissions.bus());
        self.memory.regions.unmap(self.ring.completions.bus());
        let bytes = 64 << log_size;
        // A page, so that no burst crosses one.
        let align = bytes.max(4096);
        let mut ring = || map(&mut self.memory, &mut self.random, bytes, align);
        (self.ring.submissions, self.ring.completions) = (ring(), ring());
        self.ring.log_size = log_size;
        let (sq, cq) = (self.ring.submissions.bus(), self.ring.completions.bus());
        for (register, value) in [
            (queue::SQ_BASE_LO, sq as u32),
            (queue::SQ_BASE_HI, (sq >> 32) as u32),
            (queue::CQ_BASE_LO, cq as u32),
            (queue::CQ_BASE_HI, (cq >> 32) as u32),
            (queue::SIZE, log_size),
        ] {
            self.write(self.ring.at(register), value);
        }
        self.write(regs::CARD + card::CONTROL, regs::CONTROL_ENABLE);
    }

    /// Sets an input that no part of the bench drives.
    pub fn set(&mut self, port: &str, value: u64) {
        let port = self.model.port(port).expect("the shell has it");
        self.model.set_u64(port, value);
    }

    /// Speaks through the other queue pair from now on.
    pub fn turn(&mut self) {
        std::mem::swap(&mut self.ring, &mut self.other);
    }

    /// Interrupts with this vector.
    pub fn irq(&mut self, vector: u16) {
        self.ring.vector = vector;
        self.write(
            self.ring.at(queue::IRQ),
            regs::IRQ_ENABLE | u32::from(vector),
        );
    }

    /// `CONTROL`'s reset, released when the bus is at rest; what was in flight is forgotten.
    pub fn reset_card(&mut self) {
        self.write(regs::CARD + card::CONTROL, regs::CONTROL_RESET);
        let mut polls = 0;
        while self.read(regs::CARD + card::STATUS) & regs::STATUS_DMA != 0 {
            polls += 1;
            assert!(polls < 2000, "the bus does not come to rest");
        }
        assert_eq!(self.memory.outstanding(), (0, 0), "the card forgot a burst");
        self.ring.forget();
        self.other.forget();
        self.flights.clear();
        self.questions.clear();
        self.write(regs::CARD + card::CONTROL, regs::CONTROL_ENABLE);
    }

    /// How messages ended: kind and code, and how many.
    pub fn outcomes(&self) -> BTreeMap<(u8, u8), usize> {
        self.outcomes.clone()
    }

    /// Messages that the lanes themselves ended.
    pub fn lane_completions(&self) -> u32 {
        self.lanes.iter().map(|lane| lane.ended).sum()
    }
}

/// What a lane writes into the result buffer of a message.
fn result_of(id: u32) -> [u8; BEAT] {
    std::array::from_fn(|i| (id.rotate_left(i as u32) as u8).wrapping_mul(2 * i as u8 + 1))
}

/// What the host answers to a question.
fn answer_to(tag: u32) -> [u8; BEAT] {
    std::array::from_fn(|i| (tag >> (8 * (i % 4))) as u8 ^ i as u8)
}
