//! When a message, or the whole card, has taken too long.
//!
//! Time is the card's own: a simulation runs a thousand times slower than a card, and is not late for
//! that. A message at the head of its lane may use cycles in proportion to its gas, apart from waits
//! for the host, and its lane must retire opcodes meanwhile. Wall time counts only where the card's
//! cycle counter stands still.

use std::time::{Duration, Instant};

/// Limits. The defaults suit the lane of this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Cycles that any message may take: loading, and writing its result.
    pub base_cycles: u64,
    /// Cycles per unit of gas. The dearest opcodes are divisions, and loads of one page after another: some
    /// 60 cycles per gas.
    pub cycles_per_gas: u64,
    /// Cycles in which a lane that does not await the host must retire an opcode or end a message. The
    /// longest opcode that 100 Mgas can buy, a hash of 7 MiB, takes some 2.7 million by count.
    pub stall_cycles: u64,
    /// Wall time in which the card's cycle counter must move.
    pub heartbeat: Duration,
    /// Least wall time between two looks at the card's counters.
    pub interval: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            base_cycles: 4_000_000,
            cycles_per_gas: 100,
            stall_cycles: 4_000_000,
            heartbeat: Duration::from_secs(10),
            interval: Duration::from_millis(2),
        }
    }
}

/// Requests that a frame of `gas` can make at most, with room: the cheapest, SELFBALANCE, costs 5 gas.
pub(crate) const fn most_requests(gas: u64) -> u64 {
    16 + gas / 5
}

/// Looks that a standing counter must be seen in, at least.
const LOOKS: u32 = 16;

/// The card's cycle counter, watched against the wall clock.
///
/// Only time in which the card could have run counts: where nobody let it (a simulation is clocked by
/// [`crate::Card::wait`] alone) or looked for long, because the host was busy, it is not to blame.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    cycles: u64,
    looked: Instant,
    waited: bool,
    still: Duration,
}

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self {
            cycles: 0,
            looked: Instant::now(),
            waited: false,
            still: Duration::ZERO,
        }
    }

    /// The card was given time.
    pub(crate) fn waited(&mut self) {
        self.waited = true;
    }

    /// Takes a reading; false when the counter has stood still for longer than `limit`.
    pub(crate) fn alive(&mut self, cycles: u64, limit: Duration) -> bool {
        let passed = self.looked.elapsed();
        self.looked = Instant::now();
        if cycles != self.cycles {
            (self.cycles, self.still) = (cycles, Duration::ZERO);
        } else if std::mem::take(&mut self.waited) {
            self.still += passed.min(limit / LOOKS);
        }
        self.still < limit
    }
}

/// What a lane was seen doing: its head message, and when that got where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LaneWatch {
    /// Command id of the head and its cycle limit; none while the lane is idle or awaits the host.
    head: Option<(u32, u64)>,
    /// Retired opcodes and completed messages, and the cycle at which they last changed.
    progress: (u32, u32),
    since: u64,
}

impl LaneWatch {
    /// The lane awaits nothing but the host, or has no message: no limit runs.
    pub(crate) fn pause(&mut self) {
        self.head = None;
    }

    /// The head was told to go: gives it until then.
    pub(crate) fn grace(&mut self, command: u32, now: u64, limits: &Deadlines) {
        self.head = Some((command, now.saturating_add(limits.stall_cycles)));
        self.since = now;
    }

    /// Looks at a lane that should be running `command` at cycle `now`; false when it is late.
    pub(crate) fn in_time(
        &mut self,
        command: u32,
        gas: u64,
        now: u64,
        progress: (u32, u32),
        limits: &Deadlines,
    ) -> bool {
        let limit = match self.head {
            Some((watched, limit)) if watched == command => limit,
            _ => {
                let limit = now
                    .saturating_add(limits.base_cycles)
                    .saturating_add(gas.saturating_mul(limits.cycles_per_gas));
                self.since = now;
                self.head = Some((command, limit));
                limit
            }
        };
        if progress != self.progress {
            (self.progress, self.since) = (progress, now);
        }
        now <= limit && now.saturating_sub(self.since) <= limits.stall_cycles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Deadlines = Deadlines {
        base_cycles: 1_000,
        cycles_per_gas: 10,
        stall_cycles: 500,
        heartbeat: Duration::ZERO,
        interval: Duration::ZERO,
    };

    #[test]
    fn a_heartbeat_is_not_missed_while_nobody_listens() {
        let (limit, long) = (Duration::from_millis(32), Duration::from_millis(40));
        let mut heart = Heartbeat::new();
        std::thread::sleep(long);
        assert!(heart.alive(0, limit), "nobody let it beat");
        for _ in 0..LOOKS - 1 {
            heart.waited();
            std::thread::sleep(long / 10);
            assert!(heart.alive(0, limit));
        }
        heart.waited();
        assert!(heart.alive(1, limit), "it has moved");
        let looks = (0..1_000).take_while(|_| {
            heart.waited();
            std::thread::sleep(long / 10);
            heart.alive(1, limit)
        });
        assert_eq!(looks.count(), LOOKS as usize - 1);
    }

    #[test]
    fn gas_bounds_a_message_that_keeps_retiring() {
        let mut lane = LaneWatch::default();
        for step in 0..=15 {
            let (now, progress) = (7_000 + step * 100, (step as u32, 0));
            assert!(lane.in_time(1, 50, now, progress, &LIMITS), "{now}");
        }
        assert!(!lane.in_time(1, 50, 8_501, (99, 0), &LIMITS));
        assert!(
            lane.in_time(2, 50, 8_501, (100, 1), &LIMITS),
            "the next message starts anew"
        );
    }

    #[test]
    fn a_lane_must_retire_unless_it_awaits_the_host() {
        let mut lane = LaneWatch::default();
        assert!(lane.in_time(1, 1 << 40, 100, (3, 0), &LIMITS));
        assert!(lane.in_time(1, 1 << 40, 600, (3, 0), &LIMITS));
        lane.pause();
        assert!(lane.in_time(1, 1 << 40, 9_000, (3, 0), &LIMITS));
        assert!(!lane.in_time(1, 1 << 40, 9_501, (3, 0), &LIMITS));
    }
}
