//! What crosses the link, counted by the driver: a card's own paging is not in it.

/// Bytes of a step of [`Sizes`]: a beat.
const STEP: u64 = 32;
/// Steps that are told apart: up to 128 KiB.
const STEPS: usize = 4096;

/// Sizes of messages, exact to a beat up to 128 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// How many there were of each number of steps; no longer than needed.
    counts: Vec<u64>,
    count: u64,
    bytes: u64,
}

impl Sizes {
    pub(crate) fn add(&mut self, bytes: u64) {
        let step = (bytes.div_ceil(STEP) as usize).min(STEPS);
        if self.counts.len() <= step {
            self.counts.resize(step + 1, 0);
        }
        self.counts[step] += 1;
        self.count += 1;
        self.bytes += bytes;
    }

    /// How many.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of all.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that so many per cent do not exceed; 0 where there were none.
    pub fn percentile(&self, percent: u64) -> u64 {
        let mut left = (self.count * percent).div_ceil(100);
        for (step, count) in (0..).zip(&self.counts) {
            if *count >= left {
                return step * STEP;
            }
            left -= count;
        }
        0
    }

    /// Bytes that half of them do not exceed; 0 where there were none.
    pub fn median(&self) -> u64 {
        self.percentile(50)
    }
}

/// What crossed the link since the card was opened, or since it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Doorbell registers written.
    pub doorbells: u64,
    /// Of messages that ended on the card: to it, with submissions and answers, without codes.
    pub sent: Sizes,
    /// From it, with completions and requests.
    pub received: Sizes,
    /// Code images made visible to it.
    pub code_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sizes() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.median(), 0);
        (1..=100).for_each(|n| sizes.add(n * STEP));
        assert_eq!(
            (sizes.median(), sizes.percentile(99)),
            (50 * STEP, 99 * STEP)
        );
        assert_eq!((sizes.count(), sizes.bytes()), (100, 5050 * STEP));
        (0..200).for_each(|_| sizes.add(u64::MAX / 1_000));
        assert_eq!(
            sizes.median(),
            STEPS as u64 * STEP,
            "the last step has no end"
        );
    }
}
