//! What every worker of a block did when: a trace for Chrome or [Perfetto](https://ui.perfetto.dev).

use std::{
    io,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// What a worker did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Executed a transaction; one that had run before, if the number is not 0.
    Execute {
        /// Index of the transaction, from 0.
        tx: usize,
        /// How often it had run before.
        incarnation: u32,
    },
    /// Walked from the cursor: validated, committed, executed in order.
    Commit,
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
                Activity::Commit => ("commit".to_owned(), "commit"),
                Activity::Wait => ("wait".to_owned(), "wait"),
            };
            json!({
                "name": name, "cat": category, "ph": "X", "pid": 1, "tid": span.worker,
                "ts": micros(span.start), "dur": micros(span.length),
            })
        };
        let events: Vec<Value> = self.spans.lock().iter().map(event).collect();
        serde_json::to_writer(
            out,
            &json!({ "traceEvents": events, "displayTimeUnit": "ns" }),
        )
        .map_err(io::Error::from)
    }

    fn record(&self, activity: Activity, from: Instant) {
        let span = Span {
            worker: rayon::current_thread_index().map_or(0, |index| index + 1),
            activity,
            start: from.saturating_duration_since(self.began),
            length: from.elapsed(),
        };
        self.spans.lock().push(span);
    }
}

/// Does something, and records it where there is a timeline.
pub(super) fn timed<R>(
    timeline: Option<&Timeline>,
    activity: Activity,
    work: impl FnOnce() -> R,
) -> R {
    let Some(timeline) = timeline else {
        return work();
    };
    let from = Instant::now();
    let result = work();
    timeline.record(activity, from);
    result
}
