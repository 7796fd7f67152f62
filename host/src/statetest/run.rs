//! Many cases on several threads, reported in the order of the files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use serde::Serialize;

use super::{Case, Report, StateTestError, Verdict, judge, load};
use crate::{CardStatistics, Executor, Fork};

/// Which cases to run, and on how many threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Only cases of this fork.
    pub fork: Option<Fork>,
    /// Threads, each with an executor of its own; 0 counts as 1.
    pub threads: usize,
    /// Whether to run the cases of the skip list too.
    pub with_skipped: bool,
}

/// Counts of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Cases that ended as they must.
    pub passed: u64,
    /// Cases that did not, and files that could not be read.
    pub failed: u64,
    /// Cases that were not run, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// The card's share of the first frames' gas, 0 to 1.
    pub offloaded_share: f64,
    /// First frames that ended on the CPU, by reason.
    pub fallbacks: BTreeMap<String, u64>,
}

/// What a worker made of a file.
type File = Result<Vec<(Case, Report)>, StateTestError>;

/// Runs all cases of the files. `executor` makes the executor of a thread; `report` sees every case, or the error of a
/// file, in the order of the files, and `done` hears of every finished file at once.
///
/// # Errors
/// The first failure of `executor`.
pub fn run<E>(
    files: &[PathBuf],
    options: Options,
    executor: impl Fn() -> Result<Box<dyn Executor>, E> + Sync,
    mut report: impl FnMut(Result<&(Case, Report), &StateTestError>),
    mut done: impl FnMut(),
) -> Result<Summary, E>
where
    E: Send,
{
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel::<Result<(usize, File), E>>();
    thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            let (next, executor, sender) = (&next, &executor, sender.clone());
            scope.spawn(move || {
                let mut executor = match executor() {
                    Ok(executor) => executor,
                    Err(error) => {
                        // Nobody listens any more only when another thread has failed.
                        let _ = sender.send(Err(error));
                        return;
                    }
                };
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(index) else { break };
                    let file = file(path, options, executor.as_mut());
                    if sender.send(Ok((index, file))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut summary = Summary::default();
        let mut card = CardStatistics::default();
        let mut early = BTreeMap::new();
        let mut due = 0;
        for message in receiver {
            let (index, file) = message?;
            done();
            early.insert(index, file);
            while let Some(file) = early.remove(&due) {
                due += 1;
                match &file {
                    Err(error) => {
                        summary.failed += 1;
                        report(Err(error));
                    }
                    Ok(cases) => {
                        for case in cases {
                            count(&mut summary, &mut card, &case.1);
                            report(Ok(case));
                        }
                    }
                }
            }
        }
        summary.offloaded_share = card.offloaded_share();
        summary.fallbacks = card.fallbacks;
        Ok(summary)
    })
}

fn file(path: &Path, options: Options, executor: &mut dyn Executor) -> File {
    let cases = load(path)?;
    let wanted = cases.into_iter().filter(|case| {
        let fork = case.fork.parse::<Fork>().ok();
        options.fork.is_none() || options.fork == fork
    });
    let judged = wanted.map(|case| {
        let report = judge(&case, executor, options.with_skipped);
        (case, report)
    });
    Ok(judged.collect())
}

fn count(summary: &mut Summary, card: &mut CardStatistics, report: &Report) {
    match &report.verdict {
        Verdict::Passed => summary.passed += 1,
        Verdict::Failed(_) => summary.failed += 1,
        Verdict::Skipped(reason) => *summary.skipped.entry(reason.clone()).or_default() += 1,
    }
    card.add(&report.statistics.card);
}
