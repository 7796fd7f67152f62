//! Alternating samples of sequential revm and of new engines.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use gatewei::{Block, Engine, Executor, Sequential, first_difference};

use super::super::Failure;

/// Seconds an execution takes on both, by round.
#[derive(Debug, Default)]
pub(super) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// How much faster the engine was, by round.
    pub(super) fn ratios(&self) -> Vec<f64> {
        self.0.iter().map(|(left, right)| left / right).collect()
    }

    /// The same of several blocks together.
    pub(super) fn total(all: &[Self]) -> Vec<f64> {
        let rounds = all.iter().map(|pairs| pairs.0.len()).min().unwrap_or(0);
        let sum = |round: usize| {
            let pairs = all.iter().map(|pairs| pairs.0[round]);
            pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
        };
        (0..rounds)
            .map(sum)
            .map(|(left, right)| left / right)
            .collect()
    }
}

/// How to take samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub(super) threads: NonZeroUsize,
    pub(super) rounds: usize,
    pub(super) shortest: Duration,
}

impl Sampling {
    /// Samples of a block. Results are compared once.
    pub(super) fn pairs(self, block: &Block) -> Result<Pairs, Failure> {
        let left = Sequential.execute(block)?;
        let right = self.engine().execute(block)?;
        if let Some(difference) = first_difference(&left, &right) {
            return Err(Failure::new(format!(
                "{}: block {}: sequential and cpu differ: {difference}",
                block.path().display(),
                block.number()
            )));
        }
        drop((left, right));
        let mut pairs = Pairs::default();
        for round in 0..self.rounds {
            let reference = |pairs: &Self| pairs.sample(&mut Sequential, block);
            let engine = |pairs: &Self| pairs.sample(&mut pairs.engine(), block);
            pairs.0.push(if round % 2 == 0 {
                let left = reference(&self)?;
                (left, engine(&self)?)
            } else {
                let right = engine(&self)?;
                (reference(&self)?, right)
            });
        }
        Ok(pairs)
    }

    fn engine(&self) -> Engine {
        Engine::builder().threads(self.threads).build()
    }

    /// Seconds of one execution, without the time in which its result is dropped.
    fn sample(&self, executor: &mut dyn Executor, block: &Block) -> Result<f64, Failure> {
        let (mut spent, mut executions) = (Duration::ZERO, 0u32);
        while executions == 0 || spent < self.shortest {
            let started = Instant::now();
            let outcome = executor.execute(block)?;
            spent += started.elapsed();
            drop(outcome);
            executions += 1;
        }
        Ok(spent.as_secs_f64() / f64::from(executions))
    }
}
