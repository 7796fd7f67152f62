//! The verilated card in this process, as a transport of the driver.
//!
//! The model's clock runs only inside the transport's calls: a register access takes the cycles of an
//! AXI4-Lite transaction, and [`Transport::wait`] runs the clock until the card raises an interrupt or the
//! budget of cycles is used up.

use std::time::Duration;

use gatewei_abi::regs::{self, SPACE};
use gatewei_driver::dma::DmaBuffer;
use gatewei_driver::profile::Profile;
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome, check_offset};

use crate::axi::Response;
use crate::host_memory::{HostMemory, Timing};
use crate::model::{Model, ModelError};
use crate::ports::{Control, Lite, Memory, Trace};
use crate::trace::{Recorder, Step};

/// Most cycles that a register access may take.
const ACCESS_CYCLES: u64 = 1_000;
/// Cycles of a reset pulse.
const RESET_CYCLES: u64 = 4;
/// What a dead clock lets the driver wait at most per call.
const DEAD_WAIT: Duration = Duration::from_millis(1);

/// A way in which a simulated card stops working. Test hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The clock stands still: registers read what they read last, writes are lost, the heartbeat stops.
    Clock,
    /// Host memory gives no responses: lanes hang in their DMA while the heartbeat goes on. A reset of the
    /// function gets the card out, until it asks again.
    Memory,
    /// The card has left the bus: every register reads all ones.
    Gone,
}

/// What a simulated card is and how its surroundings behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Lanes: 1 or 2; 4 with the feature `lanes4`.
    pub lanes: u8,
    /// Cycles from taking a read's address to its first beat.
    pub read_latency: u32,
    /// Cycles from taking a write's last beat to its response.
    pub write_latency: u32,
    /// Up to this many cycles more at random for each burst, so that ids overtake each other.
    pub jitter: u32,
    /// Percent of cycles in which each channel holds back, at random: 0 to 99.
    pub backpressure: u8,
    /// Seed of everything random.
    pub seed: u64,
    /// Record what the lanes retire: see [`SimCard::take_steps`].
    pub trace: bool,
    /// What breaks, and at which cycle.
    pub pause: Option<(u64, Pause)>,
}

impl Default for Options {
    /// One lane, memory 1 µs away at 100 MHz, nothing random, nothing broken.
    fn default() -> Self {
        let timing = Timing::default();
        Self {
            lanes: 1,
            read_latency: timing.read_latency,
            write_latency: timing.write_latency,
            jitter: timing.jitter,
            backpressure: timing.backpressure,
            seed: timing.seed,
            trace: false,
            pause: None,
        }
    }
}

/// Why there is no simulated card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// A number of lanes for which no model was built.
    #[error("no simulated card has {0} lanes; choose 1 or 2 (4 with the feature `lanes4`)")]
    Lanes(u8),
    /// The model is not what this crate expects.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The verilated card with the host's memory around it.
pub struct SimCard {
    model: Model,
    control: Control,
    lite: Lite,
    bus: Memory,
    lanes: Vec<Trace>,
    profile: Profile,
    /// The opcodes that the lanes are at.
    now: Vec<Option<u8>>,
    memory: HostMemory,
    trace: Option<Recorder>,
    cycles: u64,
    interrupts: u64,
    last_vector: u16,
    /// An interrupt was raised since the last wait.
    raised: bool,
    /// Vectors raised since they were last taken, a bit each.
    vectors: u64,
    /// Cycles since the card last did something.
    quiet: u64,
    planned: Option<(u64, Pause)>,
    paused: Option<Pause>,
    /// Registers as last read, for a clock that stands still.
    last_read: Vec<u32>,
}

impl std::fmt::Debug for SimCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("SimCard");
        out.field("model", &self.model)
            .field("cycles", &self.cycles);
        out.field("paused", &self.paused).finish_non_exhaustive()
    }
}

impl SimCard {
    /// A card that has just been powered up.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn new(options: Options) -> Result<Self, SimError> {
        let model = Model::new(match options.lanes {
            1 => "card",
            2 => "card2",
            4 if cfg!(feature = "lanes4") => "card4",
            lanes => return Err(SimError::Lanes(lanes)),
        })?;
        let lanes = (0..options.lanes).map(|lane| Trace::find(&model, &format!("_{lane}")));
        let mut card = Self {
            control: Control::find(&model, "")?,
            lite: Lite::find(&model, "")?,
            bus: Memory::find(&model, "")?,
            lanes: lanes.collect::<Result<_, _>>()?,
            profile: Profile::default(),
            now: vec![None; options.lanes.into()],
            memory: HostMemory::new(Timing {
                read_latency: options.read_latency,
                write_latency: options.write_latency,
                jitter: options.jitter,
                backpressure: options.backpressure,
                seed: options.seed,
                ..Timing::default()
            }),
            trace: options.trace.then(Recorder::default),
            model,
            cycles: 0,
            interrupts: 0,
            last_vector: 0,
            raised: false,
            vectors: 0,
            quiet: 0,
            planned: options.pause,
            paused: None,
            last_read: vec![0; SPACE as usize / 4],
        };
        card.model.set_u64(card.lite.r_ready, 1);
        card.model.set_u64(card.lite.b_ready, 1);
        card.pulse_reset();
        Ok(card)
    }

    /// Fingerprint of the Verilog that the model was made of.
    pub fn fingerprint(&self) -> &'static str {
        self.model.fingerprint()
    }

    /// Clock cycles since power-up, resets included.
    pub const fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Interrupts raised since power-up.
    pub const fn interrupts(&self) -> u64 {
        self.interrupts
    }

    /// MSI-X vector of the last interrupt; 0 before the first.
    pub const fn last_vector(&self) -> u16 {
        self.last_vector
    }

    /// Cycles since the card last used memory, ran a message or was accessed. A card that has been quiet for
    /// some hundred cycles stays so until somebody writes a register.
    pub const fn quiet(&self) -> u64 {
        self.quiet
    }

    /// Interrupt vectors below 64 that were raised since the last call, a bit each.
    pub const fn take_vectors(&mut self) -> u64 {
        std::mem::replace(&mut self.vectors, 0)
    }

    /// The memory that the card reaches, to be changed by whoever serves the card to others.
    pub(crate) const fn memory_mut(&mut self) -> &mut HostMemory {
        &mut self.memory
    }

    /// The memory that the card reaches.
    pub const fn memory(&self) -> &HostMemory {
        &self.memory
    }

    /// What a command's lane has retired, in order, and forgets it; empty where tracing is off. See
    /// [`gatewei_driver::Ticket::command`].
    pub fn take_steps(&mut self, command: u32) -> Vec<Step> {
        self.trace
            .as_mut()
            .map(|trace| trace.take(command))
            .unwrap_or_default()
    }

    /// Switches the recording of retired opcodes; what was recorded is forgotten.
    pub fn set_trace(&mut self, on: bool) {
        self.trace = on.then(Recorder::default);
    }

    /// Breaks the card now, or repairs it. Test hook.
    pub fn set_pause(&mut self, pause: Option<Pause>) {
        if pause == Some(Pause::Clock) && self.paused != pause {
            self.remember_registers();
        }
        self.memory.set_silent(pause == Some(Pause::Memory));
        self.paused = pause;
    }

    /// Runs the clock for `cycles` cycles, whatever happens.
    ///
    /// # Errors
    /// [`TransportError::Failed`] where the card breaks a rule of its bus.
    pub fn run(&mut self, cycles: u64) -> Result<(), TransportError> {
        for _ in 0..cycles {
            self.cycle();
        }
        self.checked()
    }

    /// One cycle: both sides drive, everything settles, then the clock rises.
    #[inline]
    fn cycle(&mut self) {
        self.bus.drive(&mut self.model, self.memory.outputs());
        self.model.set_u64(self.control.clock, 0);
        self.model.eval();
        let card = self.bus.sample(&self.model);
        if self.model.get_u64(self.control.msix_valid) != 0 {
            self.interrupts += 1;
            self.last_vector = self.model.get_u64(self.control.msix_vector) as u16;
            self.raised = true;
            self.vectors |= 1u64.checked_shl(self.last_vector.into()).unwrap_or(0);
        }
        let (reading, writing) = self.memory.outstanding();
        let mut works = card.ar_valid || card.aw_valid || reading + writing > 0;
        for (lane, now) in self.lanes.iter().zip(&mut self.now) {
            works |= lane.count(&self.model, &mut self.profile, now);
        }
        self.quiet = if works { 0 } else { self.quiet + 1 };
        if let Some(trace) = &mut self.trace {
            for lane in &self.lanes {
                if let Some((command, step, jump)) = lane.sample(&self.model) {
                    trace.push(command, step);
                    if let Some(jump) = jump {
                        trace.push(command, jump);
                    }
                }
            }
        }
        self.memory.clock(&card);
        self.model.set_u64(self.control.clock, 1);
        self.model.eval();
        self.cycles += 1;
    }

    /// Breaks the card if its time has come.
    fn apply_plan(&mut self) {
        if let Some((_, pause)) = self.planned.filter(|(at, _)| self.cycles >= *at) {
            self.planned = None;
            self.set_pause(Some(pause));
        }
    }

    fn pulse_reset(&mut self) {
        self.memory.reset();
        if let Some(trace) = &mut self.trace {
            trace.clear();
        }
        self.raised = false;
        self.model.set_u64(self.control.reset, 1);
        for _ in 0..RESET_CYCLES {
            self.cycle();
        }
        self.model.set_u64(self.control.reset, 0);
        self.cycle();
    }

    /// Fails where the card has broken a rule of its bus.
    fn checked(&self) -> Result<(), TransportError> {
        match self.memory.violation() {
            None => Ok(()),
            Some(violation) => Err(TransportError::Failed(format!(
                "the card breaks AXI4: {violation}"
            ))),
        }
    }

    /// Runs cycles until `done` says so after settling; false when that takes too long.
    fn until(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        (0..ACCESS_CYCLES).any(|_| {
            // Settle first: a handshake is what both sides drive before the edge.
            self.model.set_u64(self.control.clock, 0);
            self.model.eval();
            let done = done(self);
            self.cycle();
            done
        })
    }

    fn bus_read(&mut self, offset: u32) -> Result<u32, TransportError> {
        let lite = self.lite;
        self.quiet = 0;
        self.model.set_u64(lite.ar_addr, offset.into());
        self.model.set_u64(lite.ar_valid, 1);
        let taken = self.until(|card| card.model.get_u64(lite.ar_ready) != 0);
        self.model.set_u64(lite.ar_valid, 0);
        let (mut value, mut okay) = (0, false);
        let answered = taken
            && self.until(|card| {
                value = card.model.get_u64(lite.r_data) as u32;
                okay = card.model.get_u64(lite.r_response) == Response::Okay as u64;
                card.model.get_u64(lite.r_valid) != 0
            });
        if answered && okay {
            Ok(value)
        } else {
            Err(no_answer("read", offset))
        }
    }

    fn bus_write(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        let lite = self.lite;
        self.quiet = 0;
        self.model.set_u64(lite.aw_addr, offset.into());
        self.model.set_u64(lite.w_data, value.into());
        self.model.set_u64(lite.w_strobe, 0xf);
        self.model.set_u64(lite.aw_valid, 1);
        self.model.set_u64(lite.w_valid, 1);
        let (mut address, mut data) = (false, false);
        let taken = self.until(|card| {
            address |= card.model.get_u64(lite.aw_ready) != 0;
            data |= card.model.get_u64(lite.w_ready) != 0;
            address && data
        });
        self.model.set_u64(lite.aw_valid, 0);
        self.model.set_u64(lite.w_valid, 0);
        let mut okay = false;
        let answered = taken
            && self.until(|card| {
                okay = card.model.get_u64(lite.b_response) == Response::Okay as u64;
                card.model.get_u64(lite.b_valid) != 0
            });
        if answered && okay {
            Ok(())
        } else {
            Err(no_answer("write", offset))
        }
    }

    /// Reads every register, so that a stopped clock can repeat them.
    fn remember_registers(&mut self) {
        let lanes = self.lanes.len() as u32;
        let caps = self.bus_read(regs::CARD + regs::card::CAPS).unwrap_or(0);
        let pairs = (0..caps >> 24).map(|pair| (regs::queue_base(pair), regs::queue::TABLE));
        let card = (regs::CARD, regs::card::TABLE);
        let blocks = pairs
            .chain([card])
            .chain((0..lanes).map(|lane| (regs::lane_base(lane), regs::lane::TABLE)));
        for (base, table) in blocks {
            for register in table {
                let offset = base + register.offset;
                if let Ok(value) = self.bus_read(offset) {
                    self.last_read[offset as usize / 4] = value;
                }
            }
        }
    }
}

fn no_answer(access: &str, offset: u32) -> TransportError {
    TransportError::Failed(format!(
        "no answer, or an error, to a register {access} at {offset:#x} within {ACCESS_CYCLES} cycles"
    ))
}

impl Transport for SimCard {
    fn name(&self) -> String {
        "sim".into()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.apply_plan();
        match self.paused {
            Some(Pause::Gone) => return Ok(u32::MAX),
            Some(Pause::Clock) => return Ok(self.last_read[offset as usize / 4]),
            Some(Pause::Memory) | None => {}
        }
        let value = self.bus_read(offset)?;
        self.checked()?;
        Ok(value)
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        self.apply_plan();
        if matches!(self.paused, Some(Pause::Gone | Pause::Clock)) {
            return Ok(());
        }
        self.bus_write(offset, value)?;
        self.checked()
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.memory
            .regions
            .map(bytes, align)
            .ok_or_else(|| TransportError::NoMemory {
                bytes,
                reason: format!(
                    "no bus addresses left at alignment {align}, or it is no power of two"
                ),
            })
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        if self.memory.regions.unmap(buffer.bus()) {
            return Ok(());
        }
        Err(TransportError::Failed(format!(
            "release of {buffer:?}, which is not mapped; report this"
        )))
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.apply_plan();
        let mut left = budget.cycles;
        while !self.raised && left > 0 {
            if matches!(self.paused, Some(Pause::Gone | Pause::Clock)) {
                std::thread::sleep(budget.time.min(DEAD_WAIT));
                return Ok(WaitOutcome::Elapsed);
            }
            self.cycle();
            self.apply_plan();
            left -= 1;
        }
        self.checked()?;
        match std::mem::take(&mut self.raised) {
            true => Ok(WaitOutcome::Interrupt),
            false => Ok(WaitOutcome::Elapsed),
        }
    }

    fn is_clocked(&self) -> bool {
        true
    }

    fn take_profile(&mut self) -> Option<Profile> {
        Some(std::mem::take(&mut self.profile))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.apply_plan();
        match self.paused {
            Some(Pause::Gone) => Err(TransportError::Gone(
                "it does not answer a function reset".into(),
            )),
            Some(Pause::Clock) => {
                self.memory.reset();
                Ok(())
            }
            Some(Pause::Memory) | None => {
                self.pulse_reset();
                Ok(())
            }
        }
    }
}
