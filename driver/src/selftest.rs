//! Is this card fit for work? Every part between a register and a lane's result, from the bottom up.

use std::time::{Duration, Instant};

use gatewei_abi::message::{Account, Message, code_image, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::regs::{self, card};
use gatewei_abi::status::Status;
use gatewei_abi::{BEAT, Word, word};

use crate::transport::{Transport, TransportError, Wait};
use crate::{Card, Code, Event, OpenError, Options, identify, share};

/// `MSTORE(0, 2 + 3)`, `MSTORE(32, KECCAK256 of that word)`, `RETURN(0, 64)`.
const CODE: [u8; 18] = [
    0x60, 2, 0x60, 3, 0x01, 0x5f, 0x52, 0x60, 32, 0x5f, 0x20, 0x60, 32, 0x52, 0x60, 64, 0x5f, 0xf3,
];
/// Keccak-256 of the word 5: where Solidity puts the first element of a list in slot 5.
const KECCAK_OF_5: Word = [
    0x03, 0x6b, 0x63, 0x84, 0xb5, 0xec, 0xa7, 0x91, 0xc6, 0x27, 0x61, 0x15, 0x2d, 0x0c, 0x79, 0xbb,
    0x06, 0x04, 0xc1, 0x04, 0xa5, 0xfb, 0x6f, 0x4e, 0xb0, 0x70, 0x3f, 0x31, 0x54, 0xbb, 0x3d, 0xb0,
];
/// Gas of a message: plenty.
const GAS: u64 = 1_000_000;
/// Messages for each lane: the small rings wrap several times.
const MESSAGES: usize = 24;
/// Wall time for each of them, on a simulated card that others slow down as well.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well, with what was seen.
    Passed(String),
    /// Badly: what is wrong.
    Failed(String),
    /// This transport cannot do it: why.
    Absent(String),
}

/// A check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

/// Looks at everything, until something fails. The card is left in reset. `options` are those that the card is
/// used with, for their deadlines.
pub fn selftest<T: Transport>(mut transport: T, options: Options) -> Vec<Check> {
    let mut checks = Vec::new();
    let done = note(&mut checks, "identity", || identity(&mut transport))
        && note(&mut checks, "scratch", || scratch(&mut transport))
        && note(&mut checks, "clock", || clock(&mut transport))
        && note(&mut checks, "reset", || reset(&mut transport));
    if !done {
        return checks;
    }
    // The smallest rings, so that they wrap and fill.
    let options = Options {
        ring_log2: 3,
        ..options
    };
    let mut cards = Vec::new();
    note(&mut checks, "open", || {
        cards = share(transport, options, u16::MAX)?;
        let credits = cards.first().map_or(0, |card| card.caps().credits);
        Ok(format!(
            "{} queue pairs, {credits} messages for each lane",
            cards.len()
        ))
    });
    if !cards.is_empty() {
        note(&mut checks, "lanes", || lanes(&mut cards));
        note(&mut checks, "interrupts", || interrupts(&cards));
    }
    checks
}

/// Why a check did not pass.
enum Trouble {
    Failed(String),
    Absent(String),
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unsupported(why) => Self::Absent(why),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Transport(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Does a check and notes it; false where it failed.
fn note(
    checks: &mut Vec<Check>,
    name: &'static str,
    check: impl FnOnce() -> Result<String, Trouble>,
) -> bool {
    let outcome = match check() {
        Ok(seen) => Outcome::Passed(seen),
        Err(Trouble::Failed(why)) => Outcome::Failed(why),
        Err(Trouble::Absent(why)) => Outcome::Absent(why),
    };
    let failed = matches!(outcome, Outcome::Failed(_));
    checks.push(Check { name, outcome });
    !failed
}

fn identity(transport: &mut impl Transport) -> Result<String, Trouble> {
    let caps = identify(transport)?;
    Ok(format!(
        "ABI {}, {} lanes of {} slots, {} Keccak engines, {} MHz",
        gatewei_abi::ABI_VERSION,
        caps.lanes,
        caps.slots,
        caps.keccak_engines,
        f64::from(caps.clock_khz) / 1_000.0
    ))
}

/// Every bit of the bus, each way.
fn scratch(transport: &mut impl Transport) -> Result<String, Trouble> {
    let register = regs::CARD + card::SCRATCH;
    let bits = (0..32).flat_map(|bit| [1 << bit, !(1 << bit)]);
    for value in bits.chain([0, u32::MAX, 0x5555_5555, 0xaaaa_aaaa]) {
        transport.write32(register, value)?;
        let found = transport.read32(register)?;
        if found != value {
            return Err(Trouble::Failed(format!(
                "{value:#010x} was written and {found:#010x} read back: the register bus is faulty"
            )));
        }
    }
    Ok("68 patterns read back".into())
}

fn clock(transport: &mut impl Transport) -> Result<String, Trouble> {
    let mut cycles = || {
        let low = transport.read32(regs::CARD + card::CYCLES_LO)?;
        let high = transport.read32(regs::CARD + card::CYCLES_HI)?;
        transport.wait(Wait::default())?;
        Ok::<_, Trouble>(u64::from(high) << 32 | u64::from(low))
    };
    let (first, second) = (cycles()?, cycles()?);
    if second <= first {
        return Err(Trouble::Failed(format!(
            "the cycle counter stands at {second}: the card's clock does not run, or it is held in reset"
        )));
    }
    Ok(format!("{} cycles between two looks", second - first))
}

fn reset(transport: &mut impl Transport) -> Result<String, Trouble> {
    transport.write32(regs::CARD + card::SCRATCH, 0x1234)?;
    transport.reset()?;
    let found = transport.read32(regs::CARD + card::SCRATCH)?;
    if found != 0 {
        return Err(Trouble::Failed(format!(
            "a register kept {found:#x} through a function reset"
        )));
    }
    identify(transport)?;
    Ok("registers are cleared, the card is back".into())
}

/// A message with a known result, many times on each lane of each queue pair.
fn lanes<T: Transport>(cards: &mut [Card<T>]) -> Result<String, Trouble> {
    let (mut count, mut cycles) = (0, 0);
    for (pair, card) in cards.iter_mut().enumerate() {
        for lane in 0..card.caps().lanes {
            for _ in 0..MESSAGES {
                cycles += message(card, lane).map_err(|why| {
                    Trouble::Failed(format!("queue pair {pair}, its lane {lane}: {why}"))
                })?;
                count += 1;
            }
        }
    }
    Ok(format!("{count} messages right, {cycles} cycles"))
}

/// Each queue pair has seen interrupts of its own.
fn interrupts<T: Transport>(cards: &[Card<T>]) -> Result<String, Trouble> {
    let seen: Vec<_> = cards
        .iter()
        .map(|card| card.counters().interrupts)
        .collect();
    if let Some(pair) = seen.iter().position(|seen| *seen == 0) {
        return Err(Trouble::Failed(format!(
            "none came for queue pair {pair}: the driver would poll; see the vector's routing (/proc/interrupts)"
        )));
    }
    let seen: Vec<_> = seen.iter().map(u64::to_string).collect();
    Ok(format!("{} seen", seen.join(" and ")))
}

/// One message; its cycles.
fn message<T: Transport>(card: &mut Card<T>, lane: u16) -> Result<u64, String> {
    let mut env = [[0; BEAT]; header::WORDS];
    env[header::ADDRESS] = word(0x1000);
    let accounts = [Account {
        address: env[header::ADDRESS],
        warm: true,
        ..Account::default()
    }];
    let message = Message {
        env,
        fork: Fork::Osaka,
        flags: 0,
        gas: GAS,
        code: 0,
        code_tag: 0,
        spill: 0,
        code_bytes: CODE.len(),
        calldata: &[],
        blobs: &[],
        precompiles: 0,
        accounts: &accounts,
    };
    let code = Code {
        key: KECCAK_OF_5,
        image: &|| code_image(&CODE, |_| false),
    };
    let submitted = card.submit(lane, message, code, &[]);
    submitted.map_err(|error| error.to_string())?;
    let (began, mut events) = (Instant::now(), Vec::new());
    while events.is_empty() {
        if began.elapsed() > PATIENCE {
            return Err(format!("no completion within {PATIENCE:?}"));
        }
        card.wait(Wait::default());
        card.poll(&mut events);
    }
    let mut five = [0; BEAT];
    five[BEAT - 1] = 5;
    let want = [five, KECCAK_OF_5].concat();
    match events.swap_remove(0) {
        Event::Done { result, .. } if result.status == Status::Return && result.output == want => {
            Ok(result.cost.cycles)
        }
        Event::Done { result, .. } => Err(format!(
            "it computes wrongly: {:?} with {:02x?}",
            result.status, result.output
        )),
        other => Err(format!("the message did not complete: {other:?}")),
    }
}
