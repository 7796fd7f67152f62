//! No card: a thread that ends every message at once, over memory that both share. What is left is what the
//! driver and two caches cost, which no link goes below.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use gatewei_abi::command::{Completion, Submission, kind, op};
use gatewei_abi::layout;
use gatewei_abi::regs::{self, card, queue};
use gatewei_abi::result::{HEADER_BYTES, Header};
use gatewei_abi::status::Status;
use zerocopy::IntoBytes;

use super::{Transport, TransportError, Wait, WaitOutcome, check_offset};
use crate::dma::{BusSpace, DmaBuffer, OutOfBounds};

/// Lanes and, in front of each, messages: enough for a batch of 64.
const LANES: u8 = 16;
const QUEUED: u8 = 4;
/// Bytes of an entry of a ring.
const ENTRY: usize = size_of::<Completion>();
/// Looks at the doorbell before the processor goes to others.
const LOOKS: u32 = 20_000;

/// The registers and the memory.
#[derive(Debug)]
struct Shared {
    registers: Box<[AtomicU32]>,
    /// What the thread has taken of `CONTROL`.
    obeyed: AtomicU32,
    memory: Mutex<BusSpace>,
    stop: AtomicBool,
}

impl Shared {
    fn register(&self, offset: u32) -> &AtomicU32 {
        &self.registers[offset as usize / 4 % self.registers.len()]
    }

    /// The clock runs while the thread does: one that waits for a processor is not late.
    fn tick(&self) {
        let clock = self.register(card::CYCLES_LO);
        clock.store(
            clock.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
    }

    fn memory(&self) -> MutexGuard<'_, BusSpace> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bus(&self, low: u32) -> u64 {
        let half = |at| {
            u64::from(
                self.register(regs::queue_base(0) + at)
                    .load(Ordering::Acquire),
            )
        };
        half(low + 4) << 32 | half(low)
    }
}

/// The transport to nowhere.
#[derive(Debug)]
pub struct Loopback {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] where the system has none.
    pub fn new() -> Result<Self, TransportError> {
        let registers = (0..regs::SPACE / 4).map(|_| AtomicU32::new(0)).collect();
        let shared = Arc::new(Shared {
            registers,
            obeyed: AtomicU32::new(0),
            memory: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let echo = shared.clone();
        let thread = std::thread::Builder::new().name("loopback".into());
        let thread =
            thread
                .spawn(move || serve(&echo))
                .map_err(|error| TransportError::Unavailable {
                    name: "loopback".into(),
                    reason: error.to_string(),
                })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the loopback's thread panicked");
        }
    }
}

/// The other side, until it is stopped.
fn serve(shared: &Shared) {
    let mut idle = 0;
    while !shared.stop.load(Ordering::Acquire) {
        shared.tick();
        let control = shared.register(card::CONTROL).load(Ordering::Acquire);
        if control == regs::CONTROL_ENABLE {
            let rings = [queue::SQ_BASE_LO, queue::CQ_BASE_LO]
                .map(|low| shared.memory().find(shared.bus(low), ENTRY));
            if let [Some((submissions, _)), Some((completions, _))] = rings {
                shared.obeyed.store(control, Ordering::Release);
                if let Err(error) = echo(shared, &submissions, &completions) {
                    tracing::error!(%error, "the loopback's rings are too small");
                    return;
                }
                continue;
            }
        }
        shared.obeyed.store(control, Ordering::Release);
        rest(&mut idle);
    }
}

/// Lets others run after a while.
fn rest(idle: &mut u32) {
    *idle += 1;
    if *idle > LOOKS {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

/// Completes what is submitted for as long as the card is enabled.
fn echo(
    shared: &Shared,
    submissions: &DmaBuffer,
    completions: &DmaBuffer,
) -> Result<(), OutOfBounds> {
    let base = regs::queue_base(0);
    let log2 = shared.register(base + queue::SIZE).load(Ordering::Acquire) & 15;
    let place = |count: u16| usize::from(count & ((1 << log2) - 1)) * ENTRY;
    let mut results: HashMap<u64, DmaBuffer> = HashMap::new();
    let (mut fetched, mut written, mut idle) = (0u16, 0u16, 0);
    loop {
        shared.tick();
        if shared.register(card::CONTROL).load(Ordering::Acquire) != regs::CONTROL_ENABLE
            || shared.stop.load(Ordering::Acquire)
        {
            return Ok(());
        }
        let tail = shared
            .register(base + queue::SQ_TAIL)
            .load(Ordering::Acquire) as u16;
        let head = shared
            .register(base + queue::CQ_HEAD)
            .load(Ordering::Acquire) as u16;
        if fetched == tail || written.wrapping_sub(head) >> log2 != 0 {
            rest(&mut idle);
            continue;
        }
        idle = 0;
        let submission: Submission = submissions.load(place(fetched))?;
        fetched = fetched.wrapping_add(1);
        shared
            .register(base + queue::SQ_HEAD)
            .store(fetched.into(), Ordering::Release);
        if submission.op != op::EXEC {
            continue;
        }
        let bus = submission.result;
        if !results.contains_key(&bus) {
            let found = shared.memory().find(bus, HEADER_BYTES);
            results.extend(found.map(|(buffer, _)| (bus, buffer)));
        }
        let end = HEADER_BYTES as u32;
        let header = Header {
            logs_end: end,
            slots_offset: end,
            output_offset: end,
            ..Header::default()
        };
        if let Some(result) = results.get(&bus) {
            result.store(0, &header)?;
        }
        let completion = Completion {
            command: submission.command,
            kind: kind::DONE,
            code: Status::Stop as u8,
            lane: submission.lane,
            sq_head: fetched.into(),
            phase: u32::from(written >> log2 & 1 == 0),
            ..Completion::default()
        };
        let (at, split) = (place(written), ENTRY - size_of::<u64>());
        completions.copy_in(at, &completion.as_bytes()[..split])?;
        // The phase is the last thing to be seen.
        fence(Ordering::Release);
        completions.copy_in(at + split, &completion.as_bytes()[split..])?;
        written = written.wrapping_add(1);
    }
}

impl Transport for Loopback {
    fn name(&self) -> String {
        "loopback".into()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        let shared = &self.shared;
        Ok(match offset {
            card::MAGIC => gatewei_abi::MAGIC,
            card::VERSION => gatewei_abi::ABI_VERSION,
            card::CAPS => u32::from_le_bytes([LANES, 0, QUEUED, 1]),
            card::CLOCK_KHZ => 100_000,
            card::SLOTS => layout::SLOTS as u32,
            card::STATUS => {
                let control = shared.register(card::CONTROL).load(Ordering::Acquire);
                let obeyed = shared.obeyed.load(Ordering::Acquire);
                let at_work = if obeyed == control {
                    0
                } else {
                    regs::STATUS_DMA
                };
                let enabled = if control == regs::CONTROL_ENABLE {
                    regs::STATUS_ENABLED
                } else {
                    0
                };
                enabled | at_work
            }
            _ => shared.register(offset).load(Ordering::Acquire),
        })
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        let shared = &self.shared;
        if offset == card::CONTROL && value & regs::CONTROL_RESET != 0 {
            for register in [queue::SQ_TAIL, queue::CQ_HEAD, queue::SQ_HEAD] {
                shared
                    .register(regs::queue_base(0) + register)
                    .store(0, Ordering::Release);
            }
        }
        shared.register(offset).store(value, Ordering::Release);
        Ok(())
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        Ok(self.shared.memory().map(bytes, align))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.shared.memory().unmap(&buffer);
        Ok(())
    }

    fn wait(&mut self, _: Wait) -> Result<WaitOutcome, TransportError> {
        std::thread::yield_now();
        Ok(WaitOutcome::Elapsed)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.write32(card::CONTROL, regs::CONTROL_RESET)
    }
}
