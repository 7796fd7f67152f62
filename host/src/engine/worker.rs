//! The CPU worker: one EVM, one transaction at a time.

use std::thread;

use revm::ExecuteEvm as _;

use super::{scheduler::Task, session::Session};

/// Works on a block until it is complete or given up.
pub(crate) fn run(session: &Session<'_>) {
    let _guard = StopOnPanic(session);
    let mut leader = session.leader();
    let mut evm = session.evm();
    loop {
        match session.wait_leading() {
            Task::Execute(attempt) => {
                session.aim(&mut evm, attempt);
                let result = evm.transact(session.transaction(attempt).clone());
                session.submit(&mut evm, result, None);
            }
            Task::Commit => session.lead(&mut leader),
            // `wait_leading` does not return `Wait`; asking again would be right.
            Task::Wait => {}
            Task::Done => return,
        }
    }
}

/// Releases the other workers of a block when this one panics, so that the panic reaches the caller
/// in place of a deadlock.
pub(crate) struct StopOnPanic<'s, 'b>(pub &'s Session<'b>);

impl Drop for StopOnPanic<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}
