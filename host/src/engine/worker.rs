//! The CPU workers: one transaction at a time.

use std::thread;

use revm::ExecuteEvm as _;

use super::{
    scheduler::{Attempt, Task},
    session::{Session, WorkerEvm},
    timeline::{Activity, timed},
};

/// Works on a block until it is complete or given up.
pub(crate) fn lead(session: &Session<'_>) {
    let _guard = StopOnPanic(session);
    let mut leader = session.leader();
    // Made when there is the first use for it: a leader may find none.
    let mut evm = None;
    loop {
        match timed(session.timeline(), Activity::Wait, || {
            session.wait_leading()
        }) {
            Task::Execute(attempt) => {
                let evm = evm.get_or_insert_with(|| session.evm());
                execute(session, evm, attempt);
            }
            Task::Commit => session.lead(&mut leader),
            // `wait_leading` does not return `Wait`; asking again would be right.
            Task::Wait => {}
            Task::Done => return,
        }
    }
}

/// Runs attempts of a block, which another thread leads, until it is complete or given up.
pub(crate) fn run(session: &Session<'_>) {
    let _guard = StopOnPanic(session);
    session.read_ahead();
    let mut evm = session.evm();
    let next = || {
        timed(session.timeline(), Activity::Wait, || {
            session.wait_running()
        })
    };
    while let Task::Execute(attempt) = next() {
        execute(session, &mut evm, attempt);
    }
}

fn execute<'s>(session: &'s Session<'_>, evm: &mut WorkerEvm<'s>, attempt: Attempt) {
    let Attempt { tx, incarnation } = attempt;
    timed(
        session.timeline(),
        Activity::Execute { tx, incarnation },
        || {
            session.aim(evm, attempt);
            let result = evm.transact(session.transaction(attempt).clone());
            session.submit(evm, result, None);
        },
    );
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
