//! The CPU worker: one EVM, one transaction at a time.

use revm::ExecuteEvm as _;

use super::{scheduler::Task, session::Session};

/// Works on a block until it is complete or given up.
pub(crate) fn run(session: &Session<'_>) {
    let mut evm = session.evm();
    loop {
        match session.wait() {
            Task::Execute(attempt) => {
                session.aim(&mut evm, attempt);
                let result = evm.transact(session.transaction(attempt).clone());
                session.submit(&mut evm, result);
            }
            Task::Commit => session.commit(),
            // `wait` does not return `Wait`; asking again would be right.
            Task::Wait => {}
            Task::Done => return,
        }
    }
}
