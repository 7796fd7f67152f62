//! How fast the link is: messages that do nothing, one at a time and in batches.

use std::time::{Duration, Instant};

use gatewei_abi::message::{Account, Message, code_image, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::{BEAT, word};

use crate::transport::{Transport, Wait};
use crate::{Card, Code, Event, SubmitError, Traffic};

/// Most messages of a batch.
const BATCH: usize = 64;
/// Longest time of each half. A simulation is a thousand times slower than a card.
const LONGEST: Duration = Duration::from_secs(2);
/// Polls without a completion before the card is given time of its own: a transport that is clocked by
/// waiting gets on by nothing else.
const POLLS: u32 = 10_000;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A message was not taken.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A message that does nothing did not end well.
    #[error("a message that does nothing ended otherwise: {0}; try `gatewei card selftest`")]
    Ended(String),
}

/// Figures of a link.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Wall time of each message that went alone, from its submission to its completion, ascending.
    pub latencies: Vec<Duration>,
    /// Card's cycles of a message, median.
    pub cycles: u64,
    /// Messages that went in batches.
    pub batched: u64,
    /// Messages of a batch: 64, or what the card takes.
    pub batch: usize,
    /// Wall time of a batch, median: what others take from the processor is not in it.
    pub time: Duration,
    /// What they moved.
    pub traffic: Traffic,
}

impl Bench {
    /// Wall time that so many per cent of the single messages did not exceed.
    pub fn latency(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).copied().unwrap_or_default()
    }

    /// Messages in batches per second of wall time, by the median batch.
    pub fn rate(&self) -> f64 {
        self.batch as f64 / self.time.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Doorbells for each message in batches.
    pub fn doorbells(&self) -> f64 {
        self.traffic.doorbells as f64 / self.batched.max(1) as f64
    }
}

/// Sends `messages` messages that do nothing alone, and about as many in batches; fewer where that takes
/// seconds.
///
/// # Errors
/// [`BenchError`].
pub fn bench<T: Transport>(card: &mut Card<T>, messages: usize) -> Result<Bench, BenchError> {
    let mut cycles = Vec::with_capacity(messages);
    let mut latencies = Vec::with_capacity(messages);
    // The first ones map memory and warm up.
    for _ in 0..16 {
        batch(card, 1, &mut cycles)?;
    }
    cycles.clear();
    let start = Instant::now();
    while latencies.len() < messages && start.elapsed() < LONGEST {
        let began = Instant::now();
        batch(card, 1, &mut cycles)?;
        latencies.push(began.elapsed());
    }
    latencies.sort_unstable();
    let room: usize = (0..card.caps().lanes)
        .map(|lane| usize::from(card.credit(lane)))
        .sum();
    let size = room.clamp(1, BATCH);
    card.take_traffic();
    let began = Instant::now();
    let (mut batched, mut times) = (0, Vec::new());
    while batched < messages && began.elapsed() < LONGEST {
        let sent = Instant::now();
        batch(card, size, &mut cycles)?;
        times.push(sent.elapsed());
        batched += size;
    }
    times.sort_unstable();
    cycles.sort_unstable();
    Ok(Bench {
        latencies,
        cycles: cycles.get(cycles.len() / 2).copied().unwrap_or_default(),
        batched: batched as u64,
        batch: size,
        time: times.get(times.len() / 2).copied().unwrap_or_default(),
        traffic: card.take_traffic(),
    })
}

/// Submits `size` messages, over the lanes in turn, and polls until all have ended.
fn batch<T: Transport>(
    card: &mut Card<T>,
    size: usize,
    cycles: &mut Vec<u64>,
) -> Result<(), BenchError> {
    let mut env = [[0; BEAT]; header::WORDS];
    env[header::ADDRESS] = word(0x1000);
    let accounts = [Account {
        address: env[header::ADDRESS],
        warm: true,
        ..Account::default()
    }];
    let lanes = usize::from(card.caps().lanes);
    for n in 0..size {
        let message = Message {
            env,
            fork: Fork::Osaka,
            flags: 0,
            gas: 100_000,
            code: 0,
            code_tag: 0,
            spill: 0,
            code_bytes: 1,
            calldata: &[],
            blobs: &[],
            precompiles: 0,
            accounts: &accounts,
        };
        // STOP.
        let code = Code {
            key: word(0),
            image: &|| code_image(&[0], |_| false),
        };
        card.submit((n % lanes) as u16, message, code, &[])?;
    }
    let mut events = Vec::new();
    let mut idle = 0;
    let mut left = size;
    while left > 0 {
        card.poll(&mut events);
        idle = if events.is_empty() { idle + 1 } else { 0 };
        for event in events.drain(..) {
            match event {
                Event::Done { result, .. } => {
                    cycles.push(result.cost.cycles);
                    left -= 1;
                }
                other => return Err(BenchError::Ended(format!("{other:?}"))),
            }
        }
        if left > 0 && (idle > POLLS || card.is_clocked()) {
            card.wait(Wait::default());
        } else {
            std::hint::spin_loop();
        }
    }
    Ok(())
}
