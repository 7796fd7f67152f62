//! From a profile and what is assumed to throughput, latency, load and energy.

use std::collections::HashMap;
use std::num::NonZeroU16;

use super::energy::mgas_per_joule;
use super::{
    Code, Cost, Known, Link, LinkKind, Load, Message, Place, Power, Profile, Run, Setting, Spent,
    Stuck, schedule,
};

/// Cycles of the card's fetcher for a submission beyond the latency of its read: asking, two beats, handing over.
const FETCH: u64 = 9;
/// Cycles for which a lane that asks waits beyond a write and a read of host memory, where no answer was measured.
const ANSWER: u64 = 17;
/// Cycles from a message that a lane is done with to the next one, if that waits in front of it.
const GAP: u64 = 7;

/// What figures rest on beside the block.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumptions {
    /// Clock of the lanes, MHz.
    pub mhz: Known<f64>,
    /// The link.
    pub link: Link,
    /// The host's work for a message to be sent, an answer, or a result, in microseconds.
    pub host_us: Known<f64>,
    /// What the card draws.
    pub power: Known<Power>,
    /// What the host's thread executes where the card does not, in million gas a second.
    pub cpu_mgas_per_s: f64,
}

impl Assumptions {
    /// How far away the host's memory is, in cycles each way: what a simulation for these figures has to have.
    pub fn latency_cycles(&self) -> u32 {
        let cycles = self.link.round_trip_us.value / 2.0 * self.mhz.value;
        cycles.round().clamp(1.0, u32::MAX.into()) as u32
    }

    fn cycles(&self, seconds: f64) -> u64 {
        (seconds * self.mhz.value * 1e6).round() as u64
    }

    /// `pages`: cycles of it that another run on the same lane does not have.
    fn cost(&self, spent: &Spent, pages: u64) -> Cost {
        let (down, up) = self.link.seconds(spent.moved);
        let link = (self.cycles(down), self.cycles(up));
        Cost {
            cycles: spent.work_cycles(),
            pages,
            requests: spent.requests,
            link: match self.link.kind {
                LinkKind::Serial => link,
                // What the simulated bus took for the beats is in the message's cycles already.
                LinkKind::Bus => (
                    link.0.saturating_sub(spent.moved.read_beats),
                    link.1.saturating_sub(spent.moved.write_beats),
                ),
            },
            moved: spent.moved,
        }
    }

    /// `codes`: cycles in which a lane loads the codes of each function.
    fn load(&self, message: &Message, codes: &HashMap<u32, u64>) -> Load {
        let on_lane = message.place != Place::Nowhere && message.spent.cycles > 0;
        let host = match message.place {
            Place::Nowhere => 0.0,
            _ if self.cpu_mgas_per_s > 0.0 => message.gas as f64 / 1e6 / self.cpu_mgas_per_s,
            _ => 0.0,
        };
        let first = message.code_cycles.is_some();
        let pages = |spent: &Spent| message.code_cycles.unwrap_or(spent.page_cycles);
        let code = message.function.map(|name| Code {
            name,
            cycles: codes.get(&name).copied().unwrap_or(0),
            first,
        });
        let cost = |spent: &Spent| self.cost(spent, pages(spent));
        Load {
            lane: on_lane.then(|| cost(&message.spent)),
            cold: on_lane.then(|| cost(&message.cold)),
            function: message.function,
            code,
            given_back: message.place == Place::Cpu,
            host: self.cycles(host),
        }
    }
}

/// What a block takes on a card of so many lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Lanes.
    pub lanes: u16,
    /// The schedule, in cycles.
    pub run: Run,
    /// From the first submission to the last result, in seconds.
    pub seconds: f64,
    /// Million gas of the block a second.
    pub mgas_per_s: f64,
    /// Share of the time in which the lanes had a message, 0 to 1.
    pub utilisation: f64,
    /// Share of the lanes' busy time that was for results that were thrown away, 0 to 1.
    pub wasted: f64,
    /// Share of the time in which the host's thread was busy, 0 to 1.
    pub host: f64,
    /// Bytes a second to the card.
    pub down_bytes_per_s: f64,
    /// Bytes a second from it.
    pub up_bytes_per_s: f64,
    /// Share of what the link can move, 0 to 1: of a bus in its busier direction.
    pub link: f64,
    /// Watts of the card.
    pub watts: f64,
    /// Million gas of the block for each joule of the card.
    pub mgas_per_joule: f64,
}

/// What a block takes on a card of so many lanes.
///
/// # Errors
/// [`Stuck`], never.
pub fn figures(
    profile: &Profile,
    assumptions: &Assumptions,
    lanes: NonZeroU16,
) -> Result<Figures, Stuck> {
    let messages = profile.messages.iter();
    let codes = messages
        .clone()
        .filter_map(|message| Some((message.function?, message.code_cycles?)));
    let codes: HashMap<u32, u64> = codes.collect();
    let loads: Vec<Load> = messages
        .map(|message| assumptions.load(message, &codes))
        .collect();
    let fetch = u64::from(assumptions.latency_cycles()) + FETCH;
    let turn = profile.turn();
    // A message's cycles end before the last of its result is written: that is what its turn has beyond an answer's.
    let asked = 2 * u64::from(assumptions.latency_cycles()) + ANSWER;
    let answer = profile.answer().unwrap_or(asked).min(turn);
    let setting = Setting {
        lanes,
        credits: NonZeroU16::new(profile.credits).unwrap_or(NonZeroU16::MIN),
        fetch,
        ask: answer.saturating_sub(fetch),
        complete: turn.saturating_sub(fetch),
        gap: turn - answer + GAP,
        host: assumptions.cycles(assumptions.host_us.value / 1e6),
    };
    let run = schedule(&profile.graph, &loads, &profile.hints, setting)?;
    let seconds = run.makespan as f64 / (assumptions.mhz.value * 1e6);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let makespan = run.makespan as f64;
    let beat = gatewei_abi::BEAT as f64;
    let down = share(run.moved.read_beats as f64 * beat, seconds);
    let up = share(run.moved.write_beats as f64 * beat, seconds);
    let link = match assumptions.link.kind {
        LinkKind::Serial => share(run.link as f64, makespan),
        LinkKind::Bus => share(down.max(up), assumptions.link.bytes_per_s.value),
    };
    let watts = assumptions
        .power
        .value
        .watts(lanes.get(), assumptions.mhz.value);
    Ok(Figures {
        lanes: lanes.get(),
        run,
        seconds,
        mgas_per_s: share(profile.gas as f64 / 1e6, seconds),
        utilisation: share(run.busy as f64, makespan * f64::from(lanes.get())),
        wasted: share(run.wasted as f64, run.busy as f64),
        host: share(run.host as f64, makespan),
        down_bytes_per_s: down,
        up_bytes_per_s: up,
        link,
        watts,
        mgas_per_joule: mgas_per_joule(profile.gas, watts, seconds),
    })
}
