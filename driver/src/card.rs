//! A card: messages in, events out.
//!
//! [`Card::submit`] puts a message in flight on a lane, [`Card::poll`] tells what came back, and
//! [`Card::wait`] lets the card make progress when nothing did. Whatever goes wrong comes out of
//! `poll` as an event of the message that it hit; after [`State::Dead`] the card takes no more.

mod completions;
mod create;
mod identity;
mod life;
mod precompile;
mod submit;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gatewei_abi::command::{Completion, Submission, op};
use gatewei_abi::message::header;
use gatewei_abi::result::Header;
use gatewei_abi::status::Trap;
use gatewei_abi::{BEAT, Word, layout};

use crate::codes::CodeCache;
use crate::deadline::{Deadlines, Heartbeat, LaneWatch};
use crate::dma::DmaBuffer;
use crate::fault::{Failure, Fault, Lost, OpenError};
use crate::queue::QueuePair;
use crate::result::{Cost, FrameResult};
use crate::share::Part;
use crate::slots::{self, Slots};
use crate::traffic::Traffic;
use crate::transport::{Transport, Wait, WaitOutcome};

pub use create::Creation;
pub use identity::{Caps, Origin, identify, origin};
pub use precompile::PrecompileCall;

/// Polls between two looks at the clock.
const POLLS: u32 = 16;
/// Bytes that a slot's message buffer has at first: any message with this much calldata fits.
const MESSAGE_BYTES: usize =
    layout::ENV_WORDS * BEAT + layout::SLOTS * 2 * BEAT + layout::CALLDATA_AHEAD;
const _: () = assert!(header::WORDS <= layout::ENV_WORDS);

/// What a caller may choose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Entries of the rings, as a power of two: 1 to 12.
    pub ring_log2: u32,
    /// Bytes of a result buffer.
    pub result_bytes: usize,
    /// Bytes of code images that are kept for messages to come.
    pub code_cache_bytes: usize,
    /// Deadlines.
    pub deadlines: Deadlines,
    /// How long [`Card::wait`] looks for a completion before it waits for an interrupt.
    pub spin: Duration,
    /// Completions that share an interrupt, and how long one awaits others: a sleeping host is woken once for many.
    /// Not for a card that gets on only while the host waits.
    pub coalesce: (u8, Duration),
    /// Resets that faults may cause without a message completed between them. After one more, the
    /// card is out of use: what fails each time only costs time.
    pub patience: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ring_log2: 8,
            result_bytes: layout::RESULT_BYTES,
            code_cache_bytes: 64 << 20,
            deadlines: Deadlines::default(),
            spin: Duration::from_micros(20),
            coalesce: (8, Duration::from_micros(2)),
            patience: 3,
        }
    }
}

/// A message in flight. Good for one message, ever: it carries the slot's generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

impl Ticket {
    /// The command id on the rings.
    pub const fn command(self) -> u32 {
        self.0
    }
}

/// What [`Card::poll`] reports. All but `Request` end the message.
#[derive(Debug)]
pub enum Event {
    /// The frame ended.
    Done {
        /// Which message.
        ticket: Ticket,
        /// Its result.
        result: Box<FrameResult>,
    },
    /// The lane asks something and waits for [`Card::reply`].
    Request {
        /// Which message.
        ticket: Ticket,
        /// What kind: [`gatewei_abi::command::request`], never `CODE`, which the driver answers itself.
        kind: u8,
        /// The account that it is about, as the index of its entry in the lane's slot table. That of
        /// an account asked for is the one that it will have.
        account: u32,
        /// What is asked for.
        key: Word,
    },
    /// The lane gave the message back.
    Trap {
        /// Which message.
        ticket: Ticket,
        /// Why.
        trap: Trap,
        /// The opcode at which it trapped.
        opcode: u8,
        /// Its program counter, modulo 2^24.
        pc: u32,
        /// What it cost until then.
        cost: Cost,
    },
    /// A message that was cancelled has left the card, one way or another.
    Cancelled {
        /// Which message.
        ticket: Ticket,
    },
    /// The message is lost.
    Fault {
        /// Which message.
        ticket: Ticket,
        /// Why.
        fault: Fault,
    },
}

/// Whether a card can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It takes messages.
    Ready,
    /// It is out of use since this fault; open it again to try once more.
    Dead(Fault),
}

/// Things that must not happen, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages submitted.
    pub submitted: u64,
    /// Waits that an interrupt ended.
    pub interrupts: u64,
    /// Completions consumed, the dropped ones included.
    pub completions: u64,
    /// Completions for an earlier occupant of a slot, or repeated: dropped.
    pub stale: u64,
    /// Completions for a slot that does not exist: dropped.
    pub out_of_range: u64,
    /// Requests of a lane that awaits an answer already, or of an undefined kind.
    pub bad_requests: u64,
    /// Completions that claim an impossible submission head; their rest was used.
    pub bad_heads: u64,
    /// Messages that were told to stop because their deadline was over.
    pub expired: u64,
    /// Resets that a fault made necessary.
    pub resets: u64,
    /// Replies and cancels for messages that are no longer in flight: not sent.
    pub late: u64,
    /// Messages lost, by fault.
    pub lost: Lost,
}

/// A command in flight.
#[derive(Debug)]
struct Command {
    /// Its lane, as its owner counts them.
    lane: u16,
    /// Submissions before its own, since the card was started.
    before: u64,
    gas: u64,
    /// Codes that it may point to until it ends; the first frame's in front.
    codes: Vec<Word>,
    code_tag: u64,
    /// Tag of the request that awaits an answer.
    asked: Option<u32>,
    requests: u64,
    /// The caller has cancelled it.
    cancelled: bool,
    /// The driver has cancelled it, because its deadline is over.
    late: bool,
    /// Bytes to the card and from it.
    sent: u64,
    received: u64,
}

/// Buffers of a slot.
#[derive(Debug)]
struct Buffers {
    message: DmaBuffer,
    result: DmaBuffer,
}

/// A lane's performance counters. They wrap at 2^32; a reset clears them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounters {
    /// Cycles with a message.
    pub busy: u32,
    /// Opcodes retired.
    pub retired: u32,
    /// Cycles stalled for an answer of the host.
    pub stall_host: u32,
    /// Cycles stalled for a Keccak engine.
    pub stall_keccak: u32,
    /// Cycles stalled for message loading or result writing.
    pub stall_dma: u32,
    /// Cycles stalled for the multi-cycle arithmetic unit.
    pub stall_arith: u32,
    /// Messages completed.
    pub messages: u32,
}

/// A card that was opened. One owner; it may move between threads.
pub struct Card<T: Transport> {
    transport: T,
    caps: Caps,
    options: Options,
    state: State,
    queue: QueuePair,
    part: Part,
    slots: Slots<Command>,
    buffers: Vec<Buffers>,
    /// Home of the pages of EVM memory that a lane has no room for, a lane each.
    spills: Vec<DmaBuffer>,
    /// Commands of each lane, in the order in which it runs them.
    lanes: Vec<VecDeque<u32>>,
    watches: Vec<LaneWatch>,
    codes: CodeCache,
    heartbeat: Heartbeat,
    looked: Instant,
    /// Polls since the clock was last read: that costs as much as a poll.
    polls: u32,
    /// Completions that were consumed to make room, and events not yet told.
    inbox: VecDeque<Completion>,
    events: Vec<Event>,
    counters: Counters,
    traffic: Traffic,
    /// What [`Card::take_traffic`] has told of doorbells and codes.
    told: Traffic,
    /// Resets since a message was last completed.
    fruitless: u32,
}

impl<T: Transport> std::fmt::Debug for Card<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Card");
        out.field("transport", &self.transport.name())
            .field("caps", &self.caps);
        out.field("state", &self.state)
            .field("in_flight", &self.slots.len());
        out.field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> Card<T> {
    /// Opens the card behind a transport: checks its identity, resets it and starts its queues.
    pub fn open(transport: T, options: Options) -> Result<Self, OpenError> {
        Self::open_part(transport, options, Part::WHOLE)
    }

    /// Opens a queue pair of a card, with its part of the lanes.
    pub(crate) fn open_part(
        mut transport: T,
        options: Options,
        part: Part,
    ) -> Result<Self, OpenError> {
        if !(1..=12).contains(&options.ring_log2) {
            return Err(OpenError::RingSize(options.ring_log2));
        }
        let mut caps = identify(&mut transport)?;
        caps.lanes = part.lanes(caps.lanes);
        let mut queue = QueuePair::new(&mut transport, part.pair.into(), options.ring_log2)?;
        if !transport.is_clocked() {
            let (completions, time) = options.coalesce;
            let cycles = time.as_micros() * u128::from(caps.clock_khz) / 1_000;
            queue.coalesce(completions, u16::try_from(cycles).unwrap_or(u16::MAX));
        }
        let count = (caps.lanes * caps.credits).min(slots::MOST as u16);
        let result_bytes = options.result_bytes.max(size_of::<Header>());
        let buffers = (0..count)
            .map(|_| {
                Ok(Buffers {
                    message: transport.dma(MESSAGE_BYTES, layout::ALIGN)?,
                    result: transport.dma(result_bytes, layout::ALIGN)?,
                })
            })
            .collect::<Result<_, OpenError>>()?;
        let spills = (0..caps.lanes)
            .map(|_| transport.dma(layout::SPILL_BYTES, layout::SPILL_ALIGN))
            .collect::<Result<_, _>>()?;
        let mut card = Self {
            transport,
            caps,
            options,
            state: State::Ready,
            queue,
            part,
            slots: Slots::new(count, part.pair),
            buffers,
            spills,
            lanes: vec![VecDeque::new(); caps.lanes.into()],
            watches: vec![LaneWatch::default(); caps.lanes.into()],
            codes: CodeCache::new(options.code_cache_bytes),
            heartbeat: Heartbeat::new(),
            looked: Instant::now(),
            polls: 0,
            inbox: VecDeque::new(),
            events: Vec::new(),
            counters: Counters::default(),
            traffic: Traffic::default(),
            told: Traffic::default(),
            fruitless: 0,
        };
        card.start().map_err(|failure| OpenError::Start {
            name: card.transport.name(),
            fault: failure.fault(),
        })?;
        tracing::info!(card = card.transport.name(), ?caps, "card opened");
        Ok(card)
    }

    /// What the card is made of.
    pub const fn caps(&self) -> Caps {
        self.caps
    }

    /// Whether it can be used.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Counters of what went wrong.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What crossed the link since this was last asked for.
    pub fn take_traffic(&mut self) -> Traffic {
        let doorbells = self.queue.doorbells() - self.told.doorbells;
        let code_bytes = self.codes.uploaded() - self.told.code_bytes;
        self.told.doorbells += doorbells;
        self.told.code_bytes += code_bytes;
        Traffic {
            doorbells,
            code_bytes,
            ..std::mem::take(&mut self.traffic)
        }
    }

    /// The transport, for what it offers beside: waves, traces.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, as [`Card::transport`]. Registers and memory are the driver's.
    pub const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Whether the card gets on only while the driver waits.
    pub fn is_clocked(&self) -> bool {
        self.transport.is_clocked()
    }

    /// Messages in flight.
    pub fn in_flight(&self) -> usize {
        self.slots.len()
    }

    /// Messages that a lane takes now; 0 for a lane that the card does not have.
    pub fn credit(&self, lane: u16) -> u16 {
        let used = self.lanes.get(usize::from(lane)).map(VecDeque::len);
        used.map_or(0, |used| self.caps.credits.saturating_sub(used as u16))
    }

    /// Abandons a message. Its slot stays taken until the card has let go of it:
    /// [`Event::Cancelled`].
    pub fn cancel(&mut self, ticket: Ticket) {
        let Ok(command) = self.slots.get_mut(ticket.0) else {
            self.counters.late += 1;
            return;
        };
        if std::mem::replace(&mut command.cancelled, true) {
            return;
        }
        let (lane, late) = (command.lane, command.late);
        if late {
            return;
        }
        self.send(&Submission {
            op: op::CANCEL,
            lane: self.part.lane(lane),
            command: ticket.0,
            ..Submission::default()
        });
    }

    /// Tells the card what was submitted. [`Card::poll`] and [`Card::wait`] do that as well.
    pub fn flush(&mut self) {
        if self.state == State::Ready
            && let Err(error) = self.queue.ring(&mut self.transport)
        {
            let failure = Failure::from(error);
            self.fail(failure.fault(), None, &failure);
        }
    }

    /// Takes what the card has completed and appends what it means to `events`. Never waits.
    pub fn poll(&mut self, events: &mut Vec<Event>) {
        if self.state == State::Ready
            && let Err(failure) = self.take_completions()
        {
            self.fail(failure.fault(), None, &failure);
        }
        events.append(&mut self.events);
    }

    /// Lets the card make progress, for at most `budget`. Whether there are completions then, the
    /// next poll tells: interrupts get lost.
    pub fn wait(&mut self, budget: Wait) {
        self.flush();
        if self.state != State::Ready {
            return;
        }
        self.heartbeat.waited();
        if self.spins() {
            return;
        }
        // What waits can afford a look at the clock, and lanes are to be seen between their waits for the host.
        self.polls = POLLS;
        match self.transport.wait(budget) {
            Ok(WaitOutcome::Interrupt) => self.counters.interrupts += 1,
            Ok(WaitOutcome::Elapsed) => {}
            Err(error) => {
                let failure = Failure::from(error);
                self.fail(failure.fault(), None, &failure);
            }
        }
    }

    /// Looks for a completion for a moment, without the system. A card that runs by itself and is busy
    /// answers within it; only an idle one is worth an interrupt.
    fn spins(&self) -> bool {
        if self.transport.is_clocked() {
            return false;
        }
        let began = Instant::now();
        while !self.queue.has_completion() {
            if began.elapsed() > self.options.spin {
                return false;
            }
            std::hint::spin_loop();
        }
        true
    }

    /// Queues a short submission.
    fn send(&mut self, submission: &Submission) {
        if self.state != State::Ready {
            return;
        }
        let sent = self
            .make_room()
            .and_then(|()| Ok(self.queue.push(submission)?));
        if let Err(failure) = sent {
            self.fail(failure.fault(), None, &failure);
        }
    }

    /// Waits until the submission ring has a free entry. Completions that come meanwhile are kept:
    /// the card may need their room to go on.
    fn make_room(&mut self) -> Result<(), Failure> {
        if !self.queue.is_full() {
            return Ok(());
        }
        let began = Instant::now();
        while self.queue.is_full() {
            self.queue.ring(&mut self.transport)?;
            let head = self.read(self.queue.head_register())?;
            if !self.queue.fetched(head) {
                return Err(Failure::Fault(Fault::Queue));
            }
            while let Some(completion) = self.queue.pop()? {
                self.inbox.push_back(completion);
            }
            if !self.queue.is_full() {
                break;
            }
            if began.elapsed() > self.options.deadlines.heartbeat {
                return Err(Failure::Fault(Fault::Hung));
            }
            self.transport.wait(Wait::default())?;
        }
        Ok(())
    }
}

/// A field of a request's key.
fn field<const N: usize>(word: &Word, at: usize) -> [u8; N] {
    std::array::from_fn(|i| word[at + i])
}
