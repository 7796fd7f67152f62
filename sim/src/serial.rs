//! The board without PCIe: the verilated top of such a board, with a UART at its pins, at a pseudo-terminal.
//!
//! ```text
//! gatewei run --card uart:/dev/pts/7 ─▶ pseudo-terminal ─▶ SerialServer ─▶ SerialBoard: bits at the pins
//! ```
//!
//! The clock rests while nothing moves on the line and the card has no message.

mod line;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatewei_driver::vfio_user::channel::timespec;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::model::{Model, ModelError, PortId};
use crate::random::Random;

use line::{LineIn, LineOut};

/// Cycles that the board's top has for a bit: as its catalog entry says.
const DIVIDER: u32 = 4;
/// Cycles without anything on the line, or a message, after which the board is quiet: longer than it waits
/// before it asks again.
const QUIET: u64 = 100_000;
/// Cycles between two looks at the terminal.
const SLICE: u64 = 400;
/// Sleep while nothing happens: how soon a stop is noticed.
const SLEEP: Duration = Duration::from_millis(100);
/// LEDs: a message, and out of reset.
const LED_BUSY: u64 = 1 << 3;
const LED_READY: u64 = 1 << 5;

/// Damage on the line, for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// Of a million bytes, each way, so many are damaged.
    pub per_million: u32,
    /// Which: a seed.
    pub seed: u64,
}

/// The board's top.
pub struct SerialBoard {
    model: Model,
    clock: PortId,
    rx: PortId,
    tx: PortId,
    led: PortId,
    from_board: LineIn,
    to_board: LineOut,
    /// Bytes that the board has sent.
    sent: VecDeque<u8>,
    noise: Noise,
    random: Random,
    damaged: u64,
    quiet: u64,
    cycles: u64,
}

impl std::fmt::Debug for SerialBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SerialBoard")
            .field("cycles", &self.cycles)
            .finish_non_exhaustive()
    }
}

impl SerialBoard {
    /// A board that has just been powered up.
    ///
    /// # Errors
    /// [`ModelError`] where the model is not what this crate expects.
    pub fn new(noise: Noise) -> Result<Self, ModelError> {
        let mut model = Model::new("serial_card")?;
        let hold = model.input("hold", 1)?;
        model.set_u64(hold, 0);
        let mut board = Self {
            clock: model.input("clock", 1)?,
            rx: model.input("uart_rx", 1)?,
            tx: model.output("uart_tx", 1)?,
            led: model.output("led", 8)?,
            from_board: LineIn::new(DIVIDER),
            to_board: LineOut::new(DIVIDER),
            sent: VecDeque::new(),
            random: Random::new(noise.seed),
            noise,
            damaged: 0,
            quiet: 0,
            cycles: 0,
            model,
        };
        while board.led() & LED_READY == 0 && board.cycles < 100 {
            board.cycle();
        }
        Ok(board)
    }

    /// Clock cycles since power-up.
    pub const fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Bytes that the line has damaged.
    pub const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// What the LEDs show.
    pub fn led(&self) -> u64 {
        self.model.get_u64(self.led)
    }

    /// Bytes for the board.
    pub fn give(&mut self, bytes: &[u8]) {
        for octet in bytes {
            let octet = self.damage(*octet);
            self.to_board.push(octet);
        }
    }

    /// Whether the board has all that was given.
    pub fn is_drained(&self) -> bool {
        self.to_board.is_idle()
    }

    /// What the board has sent.
    pub fn take(&mut self) -> Vec<u8> {
        self.sent.drain(..).collect()
    }

    /// Whether nothing will happen until something is given.
    pub const fn is_quiet(&self) -> bool {
        self.quiet > QUIET
    }

    fn damage(&mut self, octet: u8) -> u8 {
        let hit = self.noise.per_million > 0
            && self.random.below(1_000_000) < u64::from(self.noise.per_million);
        if hit {
            self.damaged += 1;
            octet ^ 1 << self.random.below(8)
        } else {
            octet
        }
    }

    /// One cycle of the board's clock.
    pub fn cycle(&mut self) {
        self.model.set_u64(self.rx, self.to_board.level().into());
        self.model.set_u64(self.clock, 0);
        self.model.eval();
        let level = self.model.get_u64(self.tx) != 0;
        if let Some(octet) = self.from_board.sample(level) {
            let octet = self.damage(octet);
            self.sent.push_back(octet);
        }
        let works = !level || !self.to_board.is_idle() || self.led() & LED_BUSY != 0;
        self.quiet = if works { 0 } else { self.quiet + 1 };
        self.model.set_u64(self.clock, 1);
        self.model.eval();
        self.cycles += 1;
    }
}

/// A board at a pseudo-terminal.
#[derive(Debug)]
pub struct SerialServer {
    board: SerialBoard,
    terminal: File,
    path: PathBuf,
    /// Held open, so that the terminal lives on between two clients.
    _client: OwnedFd,
}

impl SerialServer {
    /// Makes the pseudo-terminal.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(board: SerialBoard) -> io::Result<Self> {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let path = PathBuf::from(
            name.to_str()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
        );
        let client = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        let mut mode = tcgetattr(&client)?;
        mode.make_raw();
        tcsetattr(&client, OptionalActions::Now, &mode)?;
        let flags = rustix::fs::fcntl_getfl(&terminal)?;
        rustix::fs::fcntl_setfl(&terminal, flags | OFlags::NONBLOCK)?;
        Ok(Self {
            board,
            terminal: File::from(terminal),
            path,
            _client: client,
        })
    }

    /// The terminal that a driver opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The board.
    pub const fn board(&self) -> &SerialBoard {
        &self.board
    }

    /// Serves until `stop` is set.
    ///
    /// # Errors
    /// What the system says of the terminal.
    pub fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut bytes = [0; 4096];
        let mut pending: VecDeque<u8> = VecDeque::new();
        while !stop.load(Ordering::Acquire) {
            if self.board.is_quiet() && pending.is_empty() {
                let mut fds = [PollFd::new(&self.terminal, PollFlags::IN)];
                match poll(&mut fds, Some(&timespec(SLEEP))) {
                    Ok(0) | Err(Errno::INTR) => continue,
                    Ok(_) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            // No more than the line takes in a while: the terminal holds the rest.
            if self.board.is_drained() {
                match self.terminal.read(&mut bytes) {
                    Ok(count) => self.board.give(&bytes[..count]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            for _ in 0..SLICE {
                self.board.cycle();
            }
            pending.extend(self.board.take());
            let waiting = pending.make_contiguous();
            match self.terminal.write(waiting) {
                Ok(count) => drop(pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
