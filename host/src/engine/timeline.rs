//! What every worker of a block did when: a trace for Chrome or [Perfetto](https://ui.perfetto.dev).

use std::{
    collections::BTreeSet,
    io,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// What a worker did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Began a block: system calls, the schedule.
    Open,
    /// Ended a block: requests, withdrawals, the state changes of the whole.
    Close,
    /// Executed a transaction; one that had run before, if the number is not 0.
    Execute {
        /// Index of the transaction, from 0.
        tx: usize,
        /// How often it had run before.
        incarnation: u32,
    },
    /// Executed a transaction in order, on the committed state, and committed it.
    InOrder {
        /// Index of the transaction, from 0.
        tx: usize,
    },
    /// Validated a transaction that had run, and committed it if it was right.
    Commit {
        /// Index of the transaction, from 0.
        tx: usize,
    },
    /// Had nothing to do.
    Wait,
}

/// A stretch of one worker's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Number of the worker: 0 is the caller's thread.
    pub worker: usize,
    /// What it did.
    pub activity: Activity,
    /// From when, since the recording began.
    pub start: Duration,
    /// For how long.
    pub length: Duration,
    /// How much of that the worker had a processor: less, where others wanted it too.
    pub processor: Duration,
}

/// Records what the workers of an engine do. Costs a lock for every span.
#[derive(Debug)]
pub struct Timeline {
    began: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            spans: Mutex::default(),
        }
    }
}

impl Timeline {
    /// Everything so far, in no order.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().clone()
    }

    /// Writes the trace as JSON, in the format that Chrome and Perfetto read.
    ///
    /// # Errors
    /// As the writer.
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        let event = |span: &Span| -> Value {
            let (name, category) = match span.activity {
                Activity::Execute { tx, incarnation: 0 } => (format!("tx {tx}"), "execute"),
                Activity::Execute { tx, .. } => (format!("tx {tx} again"), "execute again"),
                Activity::InOrder { tx } => (format!("tx {tx} in order"), "execute in order"),
                Activity::Commit { tx } => (format!("commit {tx}"), "commit"),
                Activity::Open => ("open".to_owned(), "block"),
                Activity::Close => ("close".to_owned(), "block"),
                Activity::Wait => ("wait".to_owned(), "wait"),
            };
            json!({
                "name": name, "cat": category, "ph": "X", "pid": 1, "tid": span.worker,
                "ts": micros(span.start), "dur": micros(span.length), "tdur": micros(span.processor),
            })
        };
        let spans = self.spans.lock();
        let workers: BTreeSet<usize> = spans.iter().map(|span| span.worker).collect();
        let name = |worker: usize| -> Value {
            let name = match worker {
                0 => "leader".to_owned(),
                other => format!("worker {other}"),
            };
            json!({
                "name": "thread_name", "ph": "M", "pid": 1, "tid": worker, "args": { "name": name },
            })
        };
        let names = workers.into_iter().map(name);
        let events: Vec<Value> = names.chain(spans.iter().map(event)).collect();
        serde_json::to_writer(
            out,
            &json!({ "traceEvents": events, "displayTimeUnit": "ns" }),
        )
        .map_err(io::Error::from)
    }

    fn record(&self, activity: Activity, from: Instant, processor: Duration) {
        let span = Span {
            worker: rayon::current_thread_index().map_or(0, |index| index + 1),
            activity,
            start: from.saturating_duration_since(self.began),
            length: from.elapsed(),
            processor: processor_time().saturating_sub(processor),
        };
        self.spans.lock().push(span);
    }
}

/// Does something, and records it where there is a timeline.
pub(crate) fn timed<R>(
    timeline: Option<&Timeline>,
    activity: Activity,
    work: impl FnOnce() -> R,
) -> R {
    let Some(timeline) = timeline else {
        return work();
    };
    let (from, processor) = (Instant::now(), processor_time());
    let result = work();
    timeline.record(activity, from, processor);
    result
}

/// Time that this thread has had a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
