//! A card at a serial line: a board without PCIe.
//!
//! Registers are questions that this side asks; host memory is what the card asks for. A thread reads the line,
//! serves the card's accesses from ordinary memory and hands answers to whoever asked. What gets lost is asked
//! again by whoever misses it: see [`gatewei_abi::serial`].

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatewei_abi::serial::{HEAD_BYTES, kind};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::{Transport, TransportError, Wait, WaitOutcome, check_offset, lock};
use crate::dma::{BusSpace, DmaBuffer};
use crate::serial::{Decoder, FromCard, encode};
use crate::vfio_user::channel::timespec;

/// How long an answer may take before the question is asked again. A `FETCH` that is on its way the other
/// direction does not delay it; an adapter's timer, of 16 ms, does.
const PATIENCE: Duration = Duration::from_millis(200);
/// Times that a question is asked.
const TRIES: u32 = 25;
/// How soon the reading thread notices that it is to end.
const LOOK: Duration = Duration::from_millis(50);
/// How long the line may refuse to take a frame.
const WRITE: Duration = Duration::from_secs(2);

/// A card at a serial line.
#[derive(Debug)]
pub struct Uart {
    name: String,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    /// Number of the last question.
    number: u8,
}

/// What both threads use.
#[derive(Debug)]
struct Shared {
    port: File,
    /// Held while a frame goes out, so that frames of two threads do not mix.
    sends: Mutex<()>,
    memory: Mutex<BusSpace>,
    news: Mutex<News>,
    changed: Condvar,
    stop: AtomicBool,
}

/// What the card has said.
#[derive(Debug, Default)]
struct News {
    /// The last answer: number of the question, value.
    answer: Option<(u8, u32)>,
    interrupt: bool,
    /// Why nothing comes any more.
    gone: Option<String>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        let mut line = Vec::with_capacity(2 * frame.len());
        encode(frame, &mut line);
        let _whole = locked(&self.sends);
        let (mut rest, began) = (&line[..], Instant::now());
        while !rest.is_empty() {
            match (&self.port).write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if began.elapsed() > WRITE {
                        return Err(io::Error::new(
                            io::ErrorKind::TimedOut,
                            "the line takes nothing",
                        ));
                    }
                    let mut fds = [PollFd::new(&self.port, PollFlags::OUT)];
                    poll(&mut fds, Some(&timespec(LOOK)))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn tell(&self, news: impl FnOnce(&mut News)) {
        news(&mut locked(&self.news));
        self.changed.notify_all();
    }

    fn fetch(&self, number: u8, address: u64, bytes: usize) -> Vec<u8> {
        // Behind the doorbell that made the card ask, and what was written before that.
        fence(Ordering::Acquire);
        let mut frame = vec![0; HEAD_BYTES + bytes];
        frame[..HEAD_BYTES].copy_from_slice(&[kind::DATA, number]);
        let found = locked(&self.memory).find(address, bytes);
        match found.map(|(buffer, at)| buffer.copy_out(at, &mut frame[HEAD_BYTES..])) {
            Some(Ok(())) => frame,
            _ => vec![kind::FAULT, number],
        }
    }

    fn store(&self, address: u64, strobes: u32, beat: &[u8]) -> bool {
        let Some((buffer, at)) = locked(&self.memory).find(address, beat.len()) else {
            return false;
        };
        let mut whole = beat.to_vec();
        if strobes != u32::MAX {
            if buffer.copy_out(at, &mut whole).is_err() {
                return false;
            }
            for (i, octet) in beat
                .iter()
                .enumerate()
                .filter(|(i, _)| strobes >> i & 1 == 1)
            {
                whole[i] = *octet;
            }
        }
        // In order: what a beat ends with, a phase, is seen last.
        let (head, tail) = whole.split_at(whole.len() - size_of::<u64>());
        let wrote = buffer.copy_in(at, head).is_ok();
        fence(Ordering::Release);
        wrote && buffer.copy_in(at + head.len(), tail).is_ok()
    }
}

/// Reads the line until it ends.
fn read(shared: &Shared) {
    let mut decoder = Decoder::default();
    let mut bytes = [0; 4096];
    // The last store: its frame, and whether there was such memory.
    let mut stored: Option<(Vec<u8>, bool)> = None;
    while !shared.stop.load(Ordering::Acquire) {
        let mut fds = [PollFd::new(&shared.port, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(LOOK))) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return shared.tell(|news| news.gone = Some(error.to_string())),
        }
        let count = match rustix::io::read(&shared.port, &mut bytes) {
            Ok(0) => return shared.tell(|news| news.gone = Some("the line has ended".into())),
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => continue,
            Err(error) => return shared.tell(|news| news.gone = Some(error.to_string())),
        };
        for octet in &bytes[..count] {
            let Some(frame) = decoder.push(*octet) else {
                continue;
            };
            let sent = match FromCard::parse(&frame) {
                None => {
                    tracing::warn!(bytes = frame.len(), "a frame that no card sends");
                    continue;
                }
                Some(FromCard::Value { number, value }) => {
                    shared.tell(|news| news.answer = Some((number, value)));
                    continue;
                }
                Some(FromCard::Interrupt { .. }) => {
                    shared.tell(|news| news.interrupt = true);
                    continue;
                }
                Some(FromCard::Fetch {
                    number,
                    address,
                    bytes,
                }) => shared.send(&shared.fetch(number, address, bytes)),
                Some(FromCard::Store {
                    number,
                    address,
                    strobes,
                    beat,
                }) => {
                    let again = stored.as_ref().filter(|(last, _)| *last == frame);
                    let done = match again {
                        Some((_, done)) => *done,
                        None => shared.store(address, strobes, beat),
                    };
                    stored = Some((frame, done));
                    shared.send(&[if done { kind::DONE } else { kind::FAULT }, number])
                }
            };
            if let Err(error) = sent {
                return shared.tell(|news| news.gone = Some(error.to_string()));
            }
        }
    }
}

impl Uart {
    /// Opens the line, at `baud` bits a second, for this process alone.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] with the remedy. Whether there is a card is not known yet.
    pub fn open(path: &Path, baud: u32) -> Result<Self, TransportError> {
        let name = format!("uart {}", path.display());
        let port = lock::own(&name, path)?;
        let unavailable = |reason: String| TransportError::Unavailable {
            name: name.clone(),
            reason,
        };
        let refused = |error: Errno| unavailable(format!("{}: {error}", path.display()));
        let mut mode = tcgetattr(&port)
            .map_err(|_| unavailable(format!("{} is no serial line", path.display())))?;
        mode.make_raw();
        mode.set_speed(baud)
            .and_then(|()| tcsetattr(&port, OptionalActions::Flush, &mode))
            .map_err(|error| {
                unavailable(format!("{}: no {baud} bits/s: {error}", path.display()))
            })?;
        let flags = rustix::fs::fcntl_getfl(&port).map_err(refused)?;
        rustix::fs::fcntl_setfl(&port, flags | rustix::fs::OFlags::NONBLOCK).map_err(refused)?;
        let shared = Arc::new(Shared {
            port,
            sends: Mutex::default(),
            memory: Mutex::default(),
            news: Mutex::default(),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let reads = Arc::clone(&shared);
        let reader = std::thread::Builder::new()
            .name("uart".into())
            .spawn(move || read(&reads))
            .map_err(|error| unavailable(format!("no thread to read the line: {error}")))?;
        Ok(Self {
            name,
            shared,
            reader: Some(reader),
            number: 0,
        })
    }

    /// Asks until there is an answer.
    fn ask(&mut self, kind: u8, body: &[u8]) -> Result<u32, TransportError> {
        self.number = self.number.wrapping_add(1);
        let frame = [&[kind, self.number][..], body].concat();
        locked(&self.shared.news).answer = None;
        for _ in 0..TRIES {
            let sent = self.shared.send(&frame);
            sent.map_err(|error| TransportError::Gone(format!("{}: {error}", self.name)))?;
            let asked = Instant::now();
            let mut news = locked(&self.shared.news);
            loop {
                if let Some(why) = &news.gone {
                    return Err(TransportError::Gone(format!("{}: {why}", self.name)));
                }
                match news.answer {
                    Some((number, value)) if number == self.number => return Ok(value),
                    _ => {}
                }
                let Some(left) = PATIENCE.checked_sub(asked.elapsed()) else {
                    break;
                };
                let waited = self.shared.changed.wait_timeout(news, left);
                news = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        Err(TransportError::Gone(format!(
            "{}: no answer in {:?}; check the cable, the rate, and that the bitstream is loaded",
            self.name,
            PATIENCE * TRIES
        )))
    }
}

impl Transport for Uart {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.ask(kind::READ, &(offset as u16).to_le_bytes())
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        // What was written before is there when the card asks for it.
        fence(Ordering::Release);
        let mut body = [0; 6];
        body[..2].copy_from_slice(&(offset as u16).to_le_bytes());
        body[2..].copy_from_slice(&value.to_le_bytes());
        self.ask(kind::WRITE, &body).map(drop)
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        Ok(locked(&self.shared.memory).map(bytes, align))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        locked(&self.shared.memory).unmap(&buffer);
        Ok(())
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        let began = Instant::now();
        let mut news = locked(&self.shared.news);
        loop {
            if let Some(why) = &news.gone {
                return Err(TransportError::Gone(format!("{}: {why}", self.name)));
            }
            if std::mem::take(&mut news.interrupt) {
                return Ok(WaitOutcome::Interrupt);
            }
            let Some(left) = budget.time.checked_sub(began.elapsed()) else {
                return Ok(WaitOutcome::Elapsed);
            };
            let waited = self.shared.changed.wait_timeout(news, left);
            news = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.ask(kind::RESET, &[]).map(drop)
    }
}

impl Drop for Uart {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
