//! Host memory and the bridge in front of it, as the card's AXI4 master sees them.
//!
//! Reads and writes take their time, other ids may overtake, and the bridge may refuse to take or give a
//! beat: all of that by options and a seed. A write reaches memory with its response, not before, so that a
//! card that tells the host of data whose response it has not awaited shows stale memory.

mod regions;

use std::collections::VecDeque;

use crate::axi::{Burst, IDS, Master, Response, Slave, Violation, WriteBeat};
use crate::random::Random;

pub use regions::Regions;

/// How host memory behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Cycles from taking a read's address to its first beat.
    pub read_latency: u32,
    /// Cycles from taking a write's last beat to its response.
    pub write_latency: u32,
    /// Up to this many cycles more, at random for each burst: bursts of other ids overtake.
    pub jitter: u32,
    /// Percent of cycles in which each channel holds back, at random: 0 to 99.
    pub backpressure: u8,
    /// Bursts in progress at once, reads and writes apart; at least 1.
    pub outstanding: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Timing {
    /// 1 µs at 100 MHz each way, in order, without back-pressure.
    fn default() -> Self {
        Self {
            read_latency: 100,
            write_latency: 100,
            jitter: 0,
            backpressure: 0,
            outstanding: 32,
            seed: 0,
        }
    }
}

/// What the card has moved since power-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bursts that it read.
    pub reads: u64,
    /// Beats of them.
    pub read_beats: u64,
    /// Bursts that it wrote.
    pub writes: u64,
    /// Beats of them.
    pub write_beats: u64,
}

/// A read on its way.
#[derive(Debug)]
struct Read {
    burst: Burst,
    /// Order of arrival.
    order: u64,
    ready_at: u64,
    /// Beats given.
    given: usize,
}

/// A write on its way.
#[derive(Debug)]
struct Write {
    burst: Burst,
    order: u64,
    ready_at: u64,
    beats: Vec<WriteBeat>,
}

/// AR, AW and W payloads that the card offers and the host has not taken.
type Offers = (Option<Burst>, Option<Burst>, Option<WriteBeat>);
const NO_OFFERS: Offers = (None, None, None);

/// Host memory behind the card's AXI4 master. Once a cycle: read [`HostMemory::outputs`], then
/// [`HostMemory::clock`] with what the card drives.
#[derive(Debug)]
pub struct HostMemory {
    /// What is mapped.
    pub regions: Regions,
    timing: Timing,
    random: Random,
    now: u64,
    order: u64,
    reads: [VecDeque<Read>; IDS],
    reading: usize,
    /// Writes whose beats are still to come, in the order of their addresses.
    open: VecDeque<Write>,
    /// Beats that came before their address.
    early: VecDeque<WriteBeat>,
    writes: [VecDeque<Write>; IDS],
    writing: usize,
    outputs: Slave,
    silent: bool,
    moved: Moved,
    /// What the card must offer again in the next cycle.
    offered: Offers,
    violation: Option<Violation>,
}

impl HostMemory {
    /// Empty memory.
    pub fn new(timing: Timing) -> Self {
        let mut memory = Self {
            regions: Regions::default(),
            timing: Timing {
                outstanding: timing.outstanding.max(1),
                backpressure: timing.backpressure.min(99),
                ..timing
            },
            random: Random::new(timing.seed),
            now: 0,
            order: 0,
            reads: Default::default(),
            reading: 0,
            open: VecDeque::new(),
            early: VecDeque::new(),
            writes: Default::default(),
            writing: 0,
            outputs: Slave::default(),
            silent: false,
            moved: Moved::default(),
            offered: NO_OFFERS,
            violation: None,
        };
        memory.drive();
        memory
    }

    /// What the host drives in this cycle.
    #[inline]
    pub const fn outputs(&self) -> &Slave {
        &self.outputs
    }

    /// The first rule that the card has broken.
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Bursts in progress: reads, writes.
    pub const fn outstanding(&self) -> (usize, usize) {
        (self.reading, self.writing)
    }

    /// What the card has moved.
    pub const fn moved(&self) -> Moved {
        self.moved
    }

    /// Test hook: a silent memory takes requests but gives no response.
    pub const fn set_silent(&mut self, silent: bool) {
        self.silent = silent;
    }

    /// Forgets all bursts: the card was reset. Writes without a response never reach memory.
    pub fn reset(&mut self) {
        self.reads.iter_mut().for_each(VecDeque::clear);
        self.writes.iter_mut().for_each(VecDeque::clear);
        self.open.clear();
        self.early.clear();
        (self.reading, self.writing) = (0, 0);
        self.outputs = Slave::default();
        self.offered = NO_OFFERS;
        self.drive();
    }

    /// The rising clock edge: `card` is what the card drove while the host drove
    /// [`HostMemory::outputs`].
    #[inline]
    pub fn clock(&mut self, card: &Master) {
        self.now += 1;
        let asks = card.ar_valid || card.aw_valid || card.w_valid;
        let gives = self.outputs.r_valid || self.outputs.b_valid;
        let works = self.reading + self.writing > 0 || !self.early.is_empty();
        if !(asks || gives || works || self.timing.backpressure > 0 || self.offered != NO_OFFERS) {
            return;
        }
        self.check(card);
        self.take_requests(card);
        if self.outputs.r_valid && card.r_ready {
            self.outputs.r_valid = false;
        }
        if self.outputs.b_valid && card.b_ready {
            self.outputs.b_valid = false;
        }
        self.drive();
    }

    /// Checks what AXI asks of the card's channels.
    fn check(&mut self, card: &Master) {
        let ar = card.ar_valid.then_some(card.ar);
        let aw = card.aw_valid.then_some(card.aw);
        let w = card.w_valid.then_some(card.w);
        let (old_ar, old_aw, old_w) = self.offered;
        let changed = [
            ("AR", old_ar.is_some() && old_ar != ar),
            ("AW", old_aw.is_some() && old_aw != aw),
            ("W", old_w.is_some() && old_w != w),
        ];
        if let Some((channel, _)) = changed.into_iter().find(|(_, changed)| *changed) {
            self.blame(Violation::Unstable { channel });
        }
        self.offered = (
            ar.filter(|_| !self.outputs.ar_ready),
            aw.filter(|_| !self.outputs.aw_ready),
            w.filter(|_| !self.outputs.w_ready),
        );
    }

    fn blame(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    fn due(&mut self, latency: u32) -> u64 {
        let jitter = match self.timing.jitter {
            0 => 0,
            most => self.random.below(u64::from(most) + 1),
        };
        self.now + u64::from(latency) + jitter
    }

    fn take_requests(&mut self, card: &Master) {
        if card.ar_valid && self.outputs.ar_ready {
            let burst = card.ar;
            if !burst.is_regular() {
                self.blame(Violation::Shape {
                    channel: "AR",
                    burst,
                });
            }
            let ready_at = self.due(self.timing.read_latency);
            self.moved.reads += 1;
            self.order += 1;
            let read = Read {
                burst,
                order: self.order,
                ready_at,
                given: 0,
            };
            self.reads[usize::from(burst.id) % IDS].push_back(read);
            self.reading += 1;
        }
        if card.aw_valid && self.outputs.aw_ready {
            let burst = card.aw;
            if !burst.is_regular() {
                self.blame(Violation::Shape {
                    channel: "AW",
                    burst,
                });
            }
            self.order += 1;
            self.moved.writes += 1;
            let beats = Vec::with_capacity(burst.beats());
            self.open.push_back(Write {
                burst,
                order: self.order,
                ready_at: 0,
                beats,
            });
            self.writing += 1;
        }
        if card.w_valid && self.outputs.w_ready {
            self.early.push_back(card.w);
        }
        self.match_beats();
    }

    /// Gives beats to the writes whose address has come.
    fn match_beats(&mut self) {
        while let Some(write) = self.open.front_mut() {
            let Some(beat) = self.early.pop_front() else {
                return;
            };
            let (burst, at) = (write.burst, write.beats.len());
            write.beats.push(beat);
            self.moved.write_beats += 1;
            let complete = at + 1 == burst.beats();
            if beat.last != complete {
                self.blame(Violation::Last {
                    burst,
                    beat: at,
                    found: beat.last,
                });
            }
            if complete {
                let ready_at = self.due(self.timing.write_latency);
                if let Some(mut write) = self.open.pop_front() {
                    write.ready_at = ready_at;
                    self.writes[usize::from(burst.id) % IDS].push_back(write);
                }
            }
        }
    }

    /// Chooses what to drive in the next cycle. A response on offer stays.
    fn drive(&mut self) {
        let most = self.timing.outstanding;
        self.outputs.ar_ready = self.reading < most && !self.holds_back();
        self.outputs.aw_ready = self.writing < most && !self.holds_back();
        self.outputs.w_ready = self.early.len() < most && !self.holds_back();
        if !self.outputs.r_valid && self.reading > 0 && !self.silent && !self.holds_back() {
            self.next_read_beat();
        }
        if !self.outputs.b_valid && self.writing > 0 && !self.silent && !self.holds_back() {
            self.next_write_response();
        }
    }

    fn holds_back(&mut self) -> bool {
        self.random.percent(self.timing.backpressure)
    }

    /// Offers a beat of the oldest burst that is due; with jitter of any, so that ids interleave. Within an
    /// id bursts stay in order and whole.
    fn next_read_beat(&mut self) {
        let due = |read: &Read| read.ready_at <= self.now;
        let heads = self
            .reads
            .iter()
            .enumerate()
            .filter_map(|(id, q)| q.front().map(|r| (id, r)));
        let mut due: Vec<_> = heads
            .filter(|(_, r)| due(r))
            .map(|(id, r)| (r.order, id))
            .collect();
        let Some(id) = choose(&mut due, self.timing.jitter, &mut self.random) else {
            return;
        };
        let Some(read) = self.reads[id].front_mut() else {
            return;
        };
        let address = read.burst.beat_address(read.given);
        read.given += 1;
        self.moved.read_beats += 1;
        let last = read.given == read.burst.beats();
        let data = self.regions.read(address);
        self.outputs.r_valid = true;
        self.outputs.r_id = id as u8;
        self.outputs.r_last = last;
        self.outputs.r_response = if data.is_some() {
            Response::Okay
        } else {
            Response::SlaveError
        };
        self.outputs.r_data = data.unwrap_or([0xde; 32]);
        if last {
            self.reads[id].pop_front();
            self.reading -= 1;
        }
    }

    /// Does the oldest write that is due, with jitter any, and offers its response.
    fn next_write_response(&mut self) {
        let due = |write: &Write| write.ready_at <= self.now;
        let heads = self
            .writes
            .iter()
            .enumerate()
            .filter_map(|(id, q)| q.front().map(|w| (id, w)));
        let mut due: Vec<_> = heads
            .filter(|(_, w)| due(w))
            .map(|(id, w)| (w.order, id))
            .collect();
        let Some(id) = choose(&mut due, self.timing.jitter, &mut self.random) else {
            return;
        };
        let Some(write) = self.writes[id].pop_front() else {
            return;
        };
        self.writing -= 1;
        let mut response = Response::Okay;
        for (i, beat) in write.beats.iter().enumerate() {
            if !self
                .regions
                .write(write.burst.beat_address(i), &beat.data, beat.strobe)
            {
                response = Response::SlaveError;
            }
        }
        self.outputs.b_valid = true;
        self.outputs.b_id = id as u8;
        self.outputs.b_response = response;
    }
}

/// The oldest of `due` (order of arrival, id), or any where there is jitter.
fn choose(due: &mut [(u64, usize)], jitter: u32, random: &mut Random) -> Option<usize> {
    due.sort_unstable();
    let at = if jitter == 0 {
        0
    } else {
        random.below(due.len() as u64) as usize
    };
    due.get(at).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests;
