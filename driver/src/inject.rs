//! Faults on purpose: a decorator over any transport that misbehaves by a script.
//!
//! ```text
//! driver ──▶ Injector ──▶ transport ══▶ card
//!   ▲            │ completion ring of its own            │
//!   └── front ◀──┴────────── back ◀══════════════════════╯
//! ```
//!
//! The driver's completion ring is not the card's: what the card completes passes through here, and is
//! delivered as it came, or as the script wants it. Submissions, results and messages are changed where
//! they lie; register accesses, waits, mappings and resets on their way. The card behind is healthy, so
//! whatever a test sees the driver make of a fault is the driver's doing, on every transport alike.

mod list;
mod memory;
mod rings;

use std::collections::VecDeque;

use gatewei_abi::command::{Completion, Submission, kind, op};
use gatewei_abi::regs::{self, card, queue};

pub use list::{Injected, Point};

use crate::dma::DmaBuffer;
use crate::transport::{Transport, TransportError, Wait, WaitOutcome};
use memory::Memory;
use rings::Rings;

/// A fault, and when it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// What happens.
    pub what: Injected,
    /// How many occasions ([`Injected::point`]) pass before it strikes.
    pub after: u64,
    /// How many occasions it then strikes at.
    pub times: u64,
}

impl Injection {
    /// A fault that strikes once, at the occasion after the first `after` ones.
    pub const fn once(what: Injected, after: u64) -> Self {
        let times = 1;
        Self { what, after, times }
    }

    /// A fault that strikes at every occasion from the one after the first `after` ones on.
    pub const fn always(what: Injected, after: u64) -> Self {
        let times = u64::MAX;
        Self { what, after, times }
    }
}

/// How a card that is not there any more shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    /// Registers read all ones.
    AllOnes,
    /// Every call fails.
    Unplugged,
}

/// Until when a completion is kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// So many waits.
    Waits(u32),
    /// The driver has cancelled the command.
    Cancelled,
    /// The driver has reset the card, and enabled it again.
    Restarted,
}

/// Waits that what comes slowly takes, and that are coalesced into one.
const SLOW: u32 = 6;
/// Interrupts of a storm, and the cycles that the card gets in each.
const STORM: (u32, u64) = (2_000, 3);
/// A bus address at which no transport maps memory.
const UNMAPPED: u64 = 0x0dea_d000_0000;
/// Where x86 delivers message-signalled interrupts.
const MSI_WINDOW: u64 = 0xfee0_0000;
/// The last 64 bytes of the address space: an access of more wraps.
const LAST: u64 = !63;

/// A transport with faults. See the module's text.
pub struct Injector<T> {
    inner: T,
    script: Vec<(Injection, u64)>,
    struck: u64,
    memory: Memory,
    rings: Rings,
    kept: Vec<(Until, Completion)>,
    /// Completions that wait for room in the driver's ring.
    ready: VecDeque<Completion>,
    /// What was hidden for one wait: a buffer, and its true contents from an offset on.
    hidden: Vec<(DmaBuffer, usize, Vec<u8>)>,
    absence: Option<Absence>,
    /// No completion passes until the card is reset.
    hung: bool,
    /// DMA never ends, and the function does not come out of a reset.
    stuck: bool,
    /// A doorbell is kept back for so many waits.
    unrung: Option<(u32, u32)>,
    /// Interrupts of the storm to come.
    storm: u32,
}

impl<T: Transport> Injector<T> {
    /// `inner`, misbehaving by `script`.
    pub fn new(inner: T, script: &[Injection]) -> Self {
        Self {
            inner,
            script: script.iter().map(|injection| (*injection, 0)).collect(),
            struck: 0,
            memory: Memory::default(),
            rings: Rings::default(),
            kept: Vec::new(),
            ready: VecDeque::new(),
            hidden: Vec::new(),
            absence: None,
            hung: false,
            stuck: false,
            unrung: None,
            storm: 0,
        }
    }

    /// How often a fault of the script has struck.
    pub const fn struck(&self) -> u64 {
        self.struck
    }

    /// The transport behind.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// Plugs in again what was gone. The driver that saw it go does not trust it any more.
    pub const fn repair(&mut self) {
        (self.absence, self.stuck) = (None, false);
    }

    /// The fault that strikes at this occasion.
    fn strike(&mut self, point: Point) -> Option<Injected> {
        let mut strikes = None;
        for (injection, seen) in &mut self.script {
            if injection.what.point() != point {
                continue;
            }
            let past = seen.checked_sub(injection.after);
            if strikes.is_none() && past.is_some_and(|past| past < injection.times) {
                strikes = Some(injection.what);
            }
            *seen += 1;
        }
        self.struck += u64::from(strikes.is_some());
        strikes
    }

    /// Err where the card is unplugged; whether it is there.
    fn present(&self) -> Result<bool, TransportError> {
        match self.absence {
            None => Ok(true),
            Some(Absence::AllOnes) => Ok(false),
            Some(Absence::Unplugged) => Err(TransportError::Gone("unplugged by a script".into())),
        }
    }

    /// Moves what the card has completed to the driver's ring.
    fn pump(&mut self) -> Result<(), TransportError> {
        for (buffer, offset, bytes) in self.hidden.drain(..) {
            buffer.copy_in(offset, &bytes).map_err(failed)?;
        }
        self.rings.mend()?;
        while let Some(completion) = self.rings.take()? {
            let completion = self.twist(completion)?;
            self.ready.extend(completion);
        }
        self.rings.consumed(&mut self.inner)?;
        self.deliver()
    }

    /// Gives the driver what its ring has room for.
    fn deliver(&mut self) -> Result<(), TransportError> {
        while self.rings.has_room() {
            let Some(completion) = self.ready.pop_front() else {
                break;
            };
            self.rings.put(&completion)?;
        }
        Ok(())
    }

    /// What becomes of a completion: it, another one, or none.
    fn twist(&mut self, mut completion: Completion) -> Result<Option<Completion>, TransportError> {
        let point = match completion.kind {
            kind::DONE => Point::Done,
            kind::REQUEST => Point::Request,
            _ => Point::Trap,
        };
        let strikes = self.strike(point);
        if self.hung {
            return Ok(None);
        }
        let Some(what) = strikes else {
            return Ok(Some(completion));
        };
        match what {
            Injected::Hang => {
                self.hung = true;
                return Ok(None);
            }
            Injected::Swallowed => return Ok(None),
            Injected::Slow | Injected::Coalesced => {
                self.kept.push((Until::Waits(SLOW), completion));
                return Ok(None);
            }
            Injected::EarlyInterrupt => {
                self.kept.push((Until::Waits(1), completion));
                return Ok(None);
            }
            Injected::LateAfterCancel => {
                self.kept.push((Until::Cancelled, completion));
                return Ok(None);
            }
            Injected::LateAfterReset => {
                self.kept.push((Until::Restarted, completion));
                return Ok(None);
            }
            Injected::OutOfRange => completion.command |= 0xffff,
            Injected::StaleGeneration => {
                completion.command = completion.command.wrapping_sub(1 << 16);
            }
            Injected::Duplicate => self.ready.push_back(completion),
            Injected::WrongLane => completion.lane ^= 1,
            Injected::BadHead => completion.sq_head = completion.sq_head.wrapping_add(30_000),
            Injected::ReservedStatus => completion.code = 0xee,
            Injected::StalePhase => {
                self.rings.put_unseen(&completion)?;
                return Ok(None);
            }
            Injected::Torn => {
                self.rings.put_torn(&completion)?;
                return Ok(None);
            }
            Injected::Overflow => {
                for _ in 0..=self.rings.entries() {
                    self.rings.put(&completion)?;
                }
            }
            Injected::BeyondBuffer => self.memory.claim_beyond(&completion)?,
            Injected::TornResult => self.hidden.extend(self.memory.hide_tail(&completion)?),
            Injected::FlippedGas => self.memory.flip_gas(&completion)?,
            Injected::FlippedResult => self.memory.flip_result(&completion, self.struck)?,
            Injected::FlippedKey => completion.key[0] ^= 1,
            Injected::SelfReset => {
                self.restart_behind()?;
                return Ok(None);
            }
            _ => {}
        }
        Ok(Some(completion))
    }

    /// The card resets itself: all it knew is lost, and it waits to be enabled.
    fn restart_behind(&mut self) -> Result<(), TransportError> {
        let control = regs::CARD + card::CONTROL;
        self.inner.write32(control, regs::CONTROL_RESET)?;
        self.inner.write32(control, 0)
    }

    /// The driver rings for submissions up to `tail`: notes them, and changes what the script wants.
    fn submissions(&mut self, tail: u16) -> Result<(), TransportError> {
        while let Some((mut submission, at)) = self.rings.submitted(tail)? {
            match submission.op {
                op::EXEC => {
                    let strikes = self.strike(Point::Exec);
                    self.memory.note(&submission);
                    if let Some(what) = strikes {
                        self.misdirect(what, &mut submission)?;
                        self.rings.resubmit(&submission, at)?;
                    }
                }
                op::CANCEL => {
                    for (until, completion) in &mut self.kept {
                        if *until == Until::Cancelled && completion.command == submission.command {
                            *until = Until::Waits(0);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn misdirect(
        &mut self,
        what: Injected,
        submission: &mut Submission,
    ) -> Result<(), TransportError> {
        match what {
            Injected::Unmapped => submission.address = UNMAPPED,
            Injected::UnmappedResult => submission.result = UNMAPPED,
            Injected::Crossing => {
                submission.result = self.memory.end_of(submission.result).saturating_sub(64);
            }
            Injected::Overflowing => submission.address = LAST,
            Injected::MsiWindow => submission.result = MSI_WINDOW,
            Injected::FlippedMessage => self.memory.flip_message(submission)?,
            Injected::BeforeDoorbell => {
                // As if it had run before the card could know of it.
                let early = Completion {
                    command: submission.command,
                    kind: kind::DONE,
                    code: 1,
                    lane: submission.lane,
                    sq_head: self.rings.rung_before().into(),
                    ..Completion::default()
                };
                self.ready.push_back(early);
            }
            _ => {}
        }
        Ok(())
    }

    /// One wait less for what is kept back.
    fn age(&mut self) -> Result<(), TransportError> {
        let mut due = Vec::new();
        self.kept.retain_mut(|(until, completion)| match until {
            Until::Waits(0) => {
                due.push(*completion);
                false
            }
            Until::Waits(left) => {
                *left -= 1;
                true
            }
            _ => true,
        });
        self.ready.extend(due);
        match self.unrung.take() {
            Some((0, tail)) => self.ring(tail)?,
            Some((left, tail)) => self.unrung = Some((left - 1, tail)),
            None => {}
        }
        Ok(())
    }

    fn ring(&mut self, tail: u32) -> Result<(), TransportError> {
        self.submissions(tail as u16)?;
        self.deliver()?;
        self.inner
            .write32(regs::queue_base(0) + queue::SQ_TAIL, tail)
    }

    /// The driver writes `CONTROL`.
    fn control(&mut self, value: u32) {
        if value & regs::CONTROL_RESET != 0 {
            self.rings.clear();
            self.ready.clear();
            self.hidden.clear();
            self.kept.retain(|(until, _)| *until == Until::Restarted);
            (self.hung, self.unrung, self.storm) = (false, None, 0);
        }
        if value & regs::CONTROL_ENABLE != 0 {
            for (until, _) in &mut self.kept {
                *until = Until::Waits(0);
            }
        }
    }
}

fn failed(error: crate::dma::OutOfBounds) -> TransportError {
    TransportError::Failed(error.to_string())
}

impl<T: Transport> Transport for Injector<T> {
    fn name(&self) -> String {
        format!("{} with faults", self.inner.name())
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        match self.strike(Point::Read) {
            Some(Injected::AllOnes) => self.absence = Some(Absence::AllOnes),
            Some(Injected::Unplugged) => self.absence = Some(Absence::Unplugged),
            Some(Injected::AccessFails) => {
                return Err(TransportError::Failed("refused by a script".into()));
            }
            _ => {}
        }
        if !self.present()? {
            return Ok(u32::MAX);
        }
        if offset == regs::CARD + card::STATUS
            && self.strike(Point::Status) == Some(Injected::AllOnesOnce)
        {
            return Ok(u32::MAX);
        }
        let value = self.inner.read32(offset)?;
        Ok(match offset {
            card::STATUS if self.stuck => value | regs::STATUS_DMA,
            _ => value,
        })
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        if !self.present()? {
            return Ok(());
        }
        if offset == regs::CARD + card::CONTROL {
            if value & regs::CONTROL_RESET != 0
                && self.strike(Point::Reset) == Some(Injected::FlrStall)
            {
                self.stuck = true;
            }
            self.control(value);
            return self.inner.write32(offset, value);
        }
        if let Some(register) = offset.checked_sub(regs::queue_base(0))
            && register < regs::QUEUE_STRIDE
        {
            if register == queue::SQ_TAIL {
                if self.unrung.is_some() || self.strike(Point::Doorbell).is_some() {
                    self.unrung = Some((SLOW, value));
                    return Ok(());
                }
                return self.ring(value);
            }
            return self
                .rings
                .program(&mut self.inner, &self.memory, register, value);
        }
        self.inner.write32(offset, value)
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.present()?;
        let reason = match self.strike(Point::Dma) {
            Some(Injected::LockedMemory) => {
                "RLIMIT_MEMLOCK is used up; raise it with `ulimit -l`, by a script"
            }
            Some(Injected::MappingLimit) => {
                "the IOMMU takes no more mappings; raise vfio_iommu_type1.dma_entry_limit, by a script"
            }
            _ => {
                let buffer = self.inner.dma(bytes, align)?;
                self.memory.add(&buffer);
                return Ok(buffer);
            }
        };
        let reason = reason.to_owned();
        Err(TransportError::NoMemory { bytes, reason })
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.present()?;
        self.memory.remove(&buffer);
        self.inner.release(buffer)
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        let strikes = self.strike(Point::Wait);
        if !self.present()? {
            return Ok(WaitOutcome::Elapsed);
        }
        if strikes == Some(Injected::Storm) {
            self.storm = STORM.0;
        }
        let storm = self.storm > 0;
        self.storm = self.storm.saturating_sub(1);
        let cycles = if storm { STORM.1 } else { budget.cycles };
        let before = self.rings.delivered();
        let mut outcome = match strikes {
            Some(Injected::Spurious) => WaitOutcome::Interrupt,
            _ => self.inner.wait(Wait { cycles, ..budget })?,
        };
        self.age()?;
        self.pump()?;
        if storm {
            outcome = WaitOutcome::Interrupt;
        } else if strikes == Some(Injected::LostInterrupt) {
            outcome = WaitOutcome::Elapsed;
        } else if self.rings.delivered() != before {
            outcome = WaitOutcome::Interrupt;
        }
        Ok(outcome)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.present()?;
        if self.stuck {
            let why = "the function does not come out of its reset, by a script";
            return Err(TransportError::Failed(why.into()));
        }
        self.control(regs::CONTROL_RESET);
        self.inner.reset()
    }

    /// What passes is moved by [`Transport::wait`].
    fn is_clocked(&self) -> bool {
        true
    }

    fn take_profile(&mut self) -> Option<crate::profile::Profile> {
        self.inner.take_profile()
    }
}
