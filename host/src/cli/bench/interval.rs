//! Medians, and how far they can be trusted.

use serde::Serialize;

/// A median with its 95 % interval by order statistics: no assumption about how the noise is distributed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Interval {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Interval {
    /// Of some numbers, at least one. Of less than six the interval is all of them, which is less than 95 %.
    pub(super) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len() - 1;
        let rank = rank(numbers.len());
        Self {
            median: (numbers[last / 2] + numbers[numbers.len() / 2]) / 2.0,
            low: numbers[rank],
            high: numbers[last - rank],
        }
    }

    /// The same, in another unit.
    pub(super) fn over(self, unit: f64) -> Self {
        Self {
            median: self.median / unit,
            low: self.low / unit,
            high: self.high / unit,
        }
    }
}

/// The number of samples that can be left out at each end: how many lie below the true median is binomial, and is at
/// most this number in no more than 2.5 % of all cases.
fn rank(samples: usize) -> usize {
    let n = samples as f64;
    let (mut rank, mut term, mut below) = (0, 0.5f64.powf(n), 0.0);
    loop {
        below += term;
        if below > 0.025 || 2 * (rank + 1) >= samples {
            return rank.saturating_sub(1);
        }
        term *= (n - rank as f64) / (rank as f64 + 1.0);
        rank += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_tables() {
        // Samples, and the rank (from 1) of the lower bound in tables of confidence intervals of the median.
        for (samples, lower) in [(5, 1), (6, 1), (9, 2), (15, 4), (20, 6), (30, 10)] {
            assert_eq!(rank(samples) + 1, lower, "{samples}");
        }
    }

    #[test]
    fn the_median_is_between_its_bounds() {
        let interval = Interval::of(vec![3.0, 1.0, 2.0, 9.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(
            (interval.low, interval.median, interval.high),
            (2.0, 5.0, 8.0)
        );
        assert_eq!(Interval::of(vec![2.0, 4.0]).median, 3.0);
        assert_eq!(interval.over(2.0).median, 2.5);
    }
}
