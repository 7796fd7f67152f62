//! Repeated executions with their times, alone or alternating with another executor.

use std::time::Instant;

use gatewei::{Block, ExecutionError, Executor, Outcome};
use serde::Serialize;

/// An execution's result with the seconds of every repetition, ascending.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) outcome: Outcome,
    pub(super) seconds: Vec<f64>,
}

/// Ratios of seconds over all pairs of runs: above 1, the second executor is faster.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Ratio {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Measured {
    /// The median time in seconds.
    pub(super) fn median(&self) -> f64 {
        median(&self.seconds)
    }
}

/// Middle of ascending numbers, of an even number the mean of the middle two; 0 of none.
fn median(ascending: &[f64]) -> f64 {
    let middle = ascending.len() / 2;
    match ascending {
        [] => 0.0,
        odd if odd.len() % 2 == 1 => odd[middle],
        even => (even[middle - 1] + even[middle]) / 2.0,
    }
}

/// Executes once, with the time in seconds. The result of an earlier run is dropped before, not in between.
fn once(executor: &mut dyn Executor, block: &Block) -> Result<(Outcome, f64), ExecutionError> {
    let started = Instant::now();
    let outcome = executor.execute(block)?;
    Ok((outcome, started.elapsed().as_secs_f64()))
}

/// Executes a block `repeat` times.
pub(super) fn alone(
    executor: &mut dyn Executor,
    block: &Block,
    repeat: usize,
) -> Result<Measured, ExecutionError> {
    let (mut outcome, first) = once(executor, block)?;
    let mut seconds = vec![first];
    for _ in 1..repeat {
        drop(outcome);
        let (again, time) = once(executor, block)?;
        outcome = again;
        seconds.push(time);
    }
    seconds.sort_by(f64::total_cmp);
    Ok(Measured { outcome, seconds })
}

/// Executes a block `repeat` times on each of two executors, one after the other, and changes who begins.
pub(super) fn alternating(
    reference: &mut dyn Executor,
    executor: &mut dyn Executor,
    block: &Block,
    repeat: usize,
) -> Result<(Measured, Measured, Ratio), ExecutionError> {
    let mut left = once(reference, block)?;
    let mut right = once(executor, block)?;
    let mut times = (vec![left.1], vec![right.1]);
    let mut ratios = vec![ratio(left.1, right.1)];
    for round in 1..repeat {
        drop((left, right));
        if round % 2 == 0 {
            left = once(reference, block)?;
            right = once(executor, block)?;
        } else {
            right = once(executor, block)?;
            left = once(reference, block)?;
        }
        times.0.push(left.1);
        times.1.push(right.1);
        ratios.push(ratio(left.1, right.1));
    }
    for numbers in [&mut times.0, &mut times.1, &mut ratios] {
        numbers.sort_by(f64::total_cmp);
    }
    let ratio = Ratio {
        median: median(&ratios),
        min: ratios.first().copied().unwrap_or_default(),
        max: ratios.last().copied().unwrap_or_default(),
    };
    let measured = |outcome, seconds| Measured { outcome, seconds };
    Ok((measured(left.0, times.0), measured(right.0, times.1), ratio))
}

/// A clock that does not see any time pass gives 0, which JSON can hold.
pub(super) fn ratio(reference: f64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        reference / seconds
    } else {
        0.0
    }
}

/// Million gas per second.
pub(super) fn mgas_per_s(gas: u64, seconds: f64) -> f64 {
    ratio(gas as f64 / 1e6, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
    }

    #[test]
    fn ratios_are_numbers_always() {
        assert_eq!(ratio(1.0, 0.0), 0.0);
        assert_eq!(ratio(3.0, 2.0), 1.5);
        assert_eq!(mgas_per_s(3_000_000, 0.5), 6.0);
    }
}
