//! Giving a block up from outside.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Tells an execution that its result is not wanted any more. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Not cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the execution with [`Fault::Cancelled`](crate::Fault::Cancelled), after the transactions that are being
    /// executed; nothing if it has ended.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
