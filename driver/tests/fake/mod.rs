//! A card in Rust, its queue side alone, that can be made to misbehave in every way the driver must
//! survive. What a lane does with a message is the test's plan, not the message's contents.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod messages;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use gatewei_abi::command::{Completion, PAIR_SHIFT, Submission, kind, op};
use gatewei_abi::layout;
use gatewei_abi::message::header;
use gatewei_abi::regs::{self, card, lane, queue};
use gatewei_abi::status::Trap;
use gatewei_abi::{Word, word};
use gatewei_driver::dma::{DmaBuffer, DmaMemory, HeapMemory, read_bytes, write_bytes};
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome};
use zerocopy::{FromBytes, IntoBytes};

pub use messages::*;

/// Queue pairs that a card can have; it has one unless its `caps` say more.
const PAIRS: usize = 2;

/// What a lane does next with its message. Each step takes one look at the card.
#[derive(Clone, Debug)]
pub enum Step {
    /// Asks, and goes on when answered.
    Ask(u8, Word),
    /// Asks about the account with this index.
    AskOf(u8, u32, Word),
    /// Ends with these bytes in the result buffer.
    Done(u8, Vec<u8>),
    /// Traps with this code and tag.
    Trap(u8, u32),
    /// Retires an opcode.
    Work,
    /// Retires opcodes until it is cancelled.
    Spin,
    /// Does nothing until it is cancelled.
    Hang,
}

/// Ways of misbehaving.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Registers read all ones.
    pub gone: bool,
    /// The clock stands still.
    pub frozen: bool,
    /// No interrupt ever comes.
    pub deaf: bool,
    /// Cancels are ignored.
    pub stubborn: bool,
    /// The queue error bit is set.
    pub queue_error: bool,
    /// DMA never ends, so that a reset by register does not.
    pub busy: bool,
    /// Results cannot be written: their memory is mapped for reading alone.
    pub read_only: bool,
    /// Completions claim this submission head.
    pub head: Option<u32>,
    /// Completions name this lane.
    pub lane: Option<u16>,
    /// Each completion is written twice.
    pub twice: bool,
    /// A test writes completions of its own, so that the driver loses track of the lanes.
    pub noisy: bool,
}

/// What a lane asked: kind, account, key.
pub type Question = (u8, u32, Word);

#[derive(Debug)]
struct Running {
    submission: Submission,
    steps: VecDeque<Step>,
    asked: Option<u32>,
    question: Question,
    answers: Vec<(Question, Word)>,
}

/// A message that is about to run, or to go on with one answer more.
pub struct Exec<'a> {
    /// Its submission.
    pub submission: Submission,
    /// Answers so far.
    pub answers: &'a [(Question, Word)],
    /// Reads host memory: address, bytes.
    pub read: &'a dyn Fn(u64, usize) -> Vec<u8>,
}

/// Makes the plan of a message. Where the plan is used up when an answer comes, it is made again.
pub type Planner = Box<dyn FnMut(&Exec<'_>) -> Vec<Step> + Send>;

/// The card's insides.
pub struct Inside {
    pub faults: Faults,
    pub magic: u32,
    pub version: u32,
    pub caps: u32,
    pub slots: u32,
    pub cycles: u64,
    pub resets: u32,
    pub answers: Vec<Submission>,
    pub fetched: Vec<Submission>,
    pub released: usize,
    registers: BTreeMap<u32, u32>,
    memory: BTreeMap<u64, Arc<HeapMemory>>,
    lanes: Vec<VecDeque<Running>>,
    retired: Vec<u32>,
    messages: Vec<u32>,
    /// Of each queue pair.
    sq_head: [u16; PAIRS],
    cq_tail: [u16; PAIRS],
    asked: u32,
    planner: Planner,
}

/// The transport: a handle to the card, of which a test keeps another.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<Inside>>);

impl Fake {
    /// A card of `lanes` lanes with room for four messages before each, and what it does.
    pub fn new(
        lanes: u8,
        mut planner: impl FnMut(&Submission, &[u8]) -> Vec<Step> + Send + 'static,
    ) -> Self {
        Self::with(lanes, move |exec| {
            let header = (exec.read)(exec.submission.address, header::WORDS * 32);
            planner(&exec.submission, &header)
        })
    }

    /// The same, with a planner that sees the whole memory.
    pub fn with(lanes: u8, planner: impl FnMut(&Exec<'_>) -> Vec<Step> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            faults: Faults::default(),
            magic: gatewei_abi::MAGIC,
            version: gatewei_abi::ABI_VERSION,
            caps: u32::from_le_bytes([lanes, 1, 4, 1]),
            slots: layout::SLOTS as u32,
            cycles: 0,
            resets: 0,
            answers: Vec::new(),
            fetched: Vec::new(),
            released: 0,
            registers: BTreeMap::new(),
            memory: BTreeMap::new(),
            lanes: (0..lanes).map(|_| VecDeque::new()).collect(),
            retired: vec![0; lanes.into()],
            messages: vec![0; lanes.into()],
            sq_head: [0; PAIRS],
            cq_tail: [0; PAIRS],
            asked: 0,
            planner: Box::new(planner),
        })))
    }

    /// The insides.
    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Inside {
    fn register(&self, offset: u32) -> u32 {
        self.registers.get(&offset).copied().unwrap_or_default()
    }

    fn queue_register(&self, pair: usize, offset: u32) -> u32 {
        self.register(regs::queue_base(pair as u32) + offset)
    }

    fn bus(&self, pair: usize, low: u32, high: u32) -> u64 {
        let half = |register| u64::from(self.queue_register(pair, register));
        half(high) << 32 | half(low)
    }

    /// The queue pair that a command's completions go to.
    fn pair_of(&self, command: u32) -> usize {
        let pair = command >> PAIR_SHIFT & 15;
        if pair < self.caps >> 24 {
            pair as usize
        } else {
            0
        }
    }

    /// Memory at a bus address: the card may reach what was mapped, and nothing else.
    fn find(&self, address: u64, bytes: usize) -> Option<(&HeapMemory, usize)> {
        let (base, memory) = self.memory.range(..=address).next_back()?;
        let offset = (address - base) as usize;
        (offset + bytes <= memory.units().len() * 8).then_some((memory, offset))
    }

    fn at(&self, address: u64, bytes: usize) -> (&HeapMemory, usize) {
        self.find(address, bytes).expect("DMA to what is mapped")
    }

    /// Host memory at a bus address.
    pub fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        let (memory, offset) = self.at(address, bytes);
        let mut out = vec![0; bytes];
        assert!(read_bytes(memory, offset, &mut out));
        out
    }

    /// Writes host memory, as a lane does.
    pub fn write(&self, address: u64, bytes: &[u8]) {
        let (memory, offset) = self.at(address, bytes.len());
        assert!(write_bytes(memory, offset, bytes));
    }

    fn entries(&self, pair: usize) -> u16 {
        1 << self.queue_register(pair, queue::SIZE)
    }

    /// True where the first completion ring has a free entry.
    pub fn room(&self) -> bool {
        self.room_of(0)
    }

    fn room_of(&self, pair: usize) -> bool {
        let consumed = self.queue_register(pair, queue::CQ_HEAD) as u16;
        self.cq_tail[pair].wrapping_sub(consumed) < self.entries(pair)
    }

    /// Writes a completion as it is, but for head and phase.
    pub fn complete(&mut self, mut completion: Completion) {
        let pair = self.pair_of(completion.command);
        let round = self.cq_tail[pair] / self.entries(pair);
        completion.phase = u32::from(round & 1 == 0);
        completion.sq_head = self.faults.head.unwrap_or(self.sq_head[pair].into());
        completion.lane = self.faults.lane.unwrap_or(completion.lane);
        let at = u64::from(self.cq_tail[pair] % self.entries(pair)) * 64;
        let base = self.bus(pair, queue::CQ_BASE_LO, queue::CQ_BASE_HI);
        self.write(base + at, completion.as_bytes());
        self.cq_tail[pair] = self.cq_tail[pair].wrapping_add(1);
    }

    fn clear(&mut self) {
        self.lanes.iter_mut().for_each(VecDeque::clear);
        (self.sq_head, self.cq_tail) = ([0; PAIRS], [0; PAIRS]);
        self.retired.fill(0);
        self.messages.fill(0);
        // Rings keep their places, as in the card.
        let doorbells = [queue::SQ_TAIL, queue::CQ_HEAD];
        let doorbell = |offset: u32| {
            (0..PAIRS as u32).any(|p| doorbells.iter().any(|d| regs::queue_base(p) + d == offset))
        };
        self.registers.retain(|offset, _| !doorbell(*offset));
    }

    fn enabled(&self) -> bool {
        self.register(regs::CARD + card::CONTROL) == regs::CONTROL_ENABLE
    }

    fn fetch(&mut self) {
        for pair in 0..PAIRS {
            let tail = self.queue_register(pair, queue::SQ_TAIL) as u16;
            while self.sq_head[pair] != tail {
                let at = u64::from(self.sq_head[pair] % self.entries(pair)) * 64;
                let base = self.bus(pair, queue::SQ_BASE_LO, queue::SQ_BASE_HI);
                let submission = Submission::read_from_bytes(&self.read(base + at, 64)).unwrap();
                self.sq_head[pair] = self.sq_head[pair].wrapping_add(1);
                self.fetched.push(submission);
                self.obey(submission);
            }
        }
    }

    fn obey(&mut self, submission: Submission) {
        let index = usize::from(submission.lane);
        match submission.op {
            op::EXEC => {
                if self.lanes[index].len() > 4 {
                    assert!(self.faults.noisy, "more than the lane's credit");
                    let Submission { command, lane, .. } = submission;
                    let (kind, code) = (kind::TRAP, Trap::Queue as u8);
                    self.complete(Completion {
                        command,
                        lane,
                        kind,
                        code,
                        ..Completion::default()
                    });
                    return;
                }
                let readable = self.find(submission.address, header::WORDS * 32).is_some();
                let steps = match readable {
                    true => self.plan(submission, &[]),
                    false => vec![Step::Trap(Trap::Dma as u8, 0)].into(),
                };
                self.lanes[index].push_back(Running {
                    submission,
                    steps,
                    asked: None,
                    question: (0, 0, word(0)),
                    answers: Vec::new(),
                });
            }
            op::REPLY => {
                self.answers.push(submission);
                let Some(running) = self.lanes[index].front_mut() else {
                    return;
                };
                if running.asked != Some(submission.tag) {
                    return;
                }
                running.asked = None;
                running.answers.push((running.question, submission.value));
                if submission.failed != 0 {
                    running.steps = vec![Step::Trap(Trap::Host as u8, 0)].into();
                } else if running.steps.is_empty() {
                    let (submission, answers) = (running.submission, running.answers.clone());
                    let steps = self.plan(submission, &answers);
                    if let Some(running) = self.lanes[index].front_mut() {
                        running.steps = steps;
                    }
                }
            }
            op::CANCEL if !self.faults.stubborn => {
                for running in &mut self.lanes[index] {
                    if running.submission.command == submission.command {
                        running.asked = None;
                        running.steps = vec![Step::Trap(Trap::Cancelled as u8, 0)].into();
                    }
                }
            }
            op::CANCEL => {}
            other => panic!("the driver submitted opcode {other}"),
        }
    }

    fn plan(&mut self, submission: Submission, answers: &[(Question, Word)]) -> VecDeque<Step> {
        let mut planner = std::mem::replace(&mut self.planner, Box::new(|_| Vec::new()));
        let read = |address, bytes| self.read(address, bytes);
        let steps = planner(&Exec {
            submission,
            answers,
            read: &read,
        });
        self.planner = planner;
        steps.into()
    }

    /// One step of each lane. True if a completion was written.
    fn work(&mut self) -> bool {
        let before = self.cq_tail;
        for index in 0..self.lanes.len() {
            let front = self.lanes[index].front();
            let Some(pair) = front.map(|running| self.pair_of(running.submission.command)) else {
                continue;
            };
            if !self.room_of(pair) {
                continue;
            }
            let Some(running) = self.lanes[index].front_mut() else {
                continue;
            };
            if running.asked.is_some() {
                continue;
            }
            let Submission {
                command,
                lane,
                result,
                ..
            } = running.submission;
            let mut completion = Completion {
                command,
                lane,
                ..Completion::default()
            };
            match running.steps.pop_front().unwrap_or(Step::Hang) {
                Step::Hang => continue,
                Step::Spin => {
                    running.steps.push_front(Step::Spin);
                    self.retired[index] += 1;
                    continue;
                }
                Step::Work => {
                    self.retired[index] += 1;
                    continue;
                }
                step @ (Step::Ask(..) | Step::AskOf(..)) => {
                    let (code, account, key) = match step {
                        Step::AskOf(code, account, key) => (code, account, key),
                        Step::Ask(code, key) => (code, 0, key),
                        _ => continue,
                    };
                    self.asked += 1;
                    running.asked = Some(self.asked);
                    running.question = (code, account, key);
                    completion.kind = kind::REQUEST;
                    (completion.code, completion.key, completion.tag) = (code, key, self.asked);
                    completion.account = account;
                }
                Step::Done(code, bytes) => {
                    self.lanes[index].pop_front();
                    let mapped = self.find(result, bytes.len()).is_some();
                    if mapped && !self.faults.read_only {
                        (completion.kind, completion.code) = (kind::DONE, code);
                        self.write(result, &bytes);
                    } else {
                        (completion.kind, completion.code) = (kind::TRAP, Trap::Dma as u8);
                    }
                }
                Step::Trap(code, tag) => {
                    (completion.kind, completion.code) = (kind::TRAP, code);
                    completion.tag = tag;
                    self.lanes[index].pop_front();
                }
            }
            if completion.kind != kind::REQUEST {
                self.messages[index] += 1;
            }
            self.complete(completion);
            if self.faults.twice && self.room_of(pair) {
                self.complete(completion);
            }
        }
        self.cq_tail != before
    }
}

impl Transport for Fake {
    fn name(&self) -> String {
        "fake".into()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        let inside = self.inside();
        if inside.faults.gone {
            return Ok(u32::MAX);
        }
        let lane_block = (offset - regs::LANES.min(offset)) / regs::LANE_STRIDE;
        Ok(match offset {
            card::MAGIC => inside.magic,
            card::VERSION => inside.version,
            card::CAPS => inside.caps,
            card::CLOCK_KHZ => 100_000,
            card::SLOTS => inside.slots,
            card::STATUS => {
                let dma = if inside.faults.busy {
                    regs::STATUS_DMA
                } else {
                    0
                };
                let error = if inside.faults.queue_error {
                    regs::STATUS_QUEUE_ERROR
                } else {
                    0
                };
                let enabled = u32::from(inside.enabled());
                enabled | dma | error
            }
            card::CYCLES_LO => inside.cycles as u32,
            card::CYCLES_HI => (inside.cycles >> 32) as u32,
            _ if offset >= regs::LANES => match offset - regs::lane_base(lane_block) {
                lane::RETIRED => inside.retired[lane_block as usize],
                lane::MESSAGES => inside.messages[lane_block as usize],
                _ => 0,
            },
            _ if offset == regs::queue_base(0) + queue::SQ_HEAD => inside.sq_head[0].into(),
            _ if offset == regs::queue_base(1) + queue::SQ_HEAD => inside.sq_head[1].into(),
            _ => inside.register(offset),
        })
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        let mut inside = self.inside();
        if inside.faults.gone {
            return Ok(());
        }
        inside.registers.insert(offset, value);
        if offset == regs::CARD + card::CONTROL && value & regs::CONTROL_RESET != 0 {
            inside.clear();
            inside.faults.queue_error = false;
        }
        Ok(())
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        let mut inside = self.inside();
        let end = inside.memory.iter().next_back();
        let end = end.map_or(0x10_0000, |(base, memory)| {
            base + memory.units().len() as u64 * 8
        });
        // A gap behind each buffer, so that an overrun is seen.
        let base = (end + 4096).next_multiple_of(align as u64);
        let memory = Arc::new(HeapMemory::new(bytes));
        inside.memory.insert(base, memory.clone());
        Ok(DmaBuffer::new(base, memory))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        let mut inside = self.inside();
        inside.released += 1;
        inside
            .memory
            .remove(&buffer.bus())
            .expect("released what was not mapped");
        Ok(())
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        let mut inside = self.inside();
        if inside.faults.frozen || inside.faults.gone {
            return Ok(WaitOutcome::Elapsed);
        }
        inside.cycles += budget.cycles;
        if !inside.enabled() {
            return Ok(WaitOutcome::Elapsed);
        }
        inside.fetch();
        let interrupt = inside.work() && !inside.faults.deaf;
        Ok(if interrupt {
            WaitOutcome::Interrupt
        } else {
            WaitOutcome::Elapsed
        })
    }

    fn is_clocked(&self) -> bool {
        true
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        let mut inside = self.inside();
        inside.resets += 1;
        inside.clear();
        inside.faults.busy = false;
        Ok(())
    }
}
