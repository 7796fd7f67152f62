//! An execution in which everything goes wrong that may: all transactions run on the state before the block, and hand their
//! results in with the last one first.

use std::num::NonZeroUsize;

use gatewei::{
    Block, Engine, ExecutionError, Outcome, Verify, access_list_difference,
    engine::{Session, Task},
    first_difference,
};
use revm::ExecuteEvm as _;

fn work(session: &Session<'_>) {
    let mut held = Vec::new();
    loop {
        match session.poll() {
            Task::Execute(attempt) => {
                let mut evm = session.evm();
                session.aim(&mut evm, attempt);
                let result = evm.transact(session.transaction(attempt).clone());
                held.push((evm, result));
            }
            Task::Commit => session.commit(),
            Task::Wait => {
                let (mut evm, result) = held.pop().expect("nobody has work");
                session.submit(&mut evm, result, None);
            }
            Task::Done => return,
        }
    }
}

pub(crate) fn execute(block: &Block) -> Result<Outcome, ExecutionError> {
    let engine = Engine::builder().threads(NonZeroUsize::MIN).build();
    engine.execute_with(block, Verify::None, work)
}

/// Asserts that two executions are the same, also in their errors and access lists.
pub(crate) fn assert_same(
    expected: &Result<Outcome, ExecutionError>,
    got: &Result<Outcome, ExecutionError>,
) {
    let (expected, got) = match (expected, got) {
        (Ok(expected), Ok(got)) => (expected, got),
        (expected, got) => {
            let error = |outcome: &Result<Outcome, _>| outcome.as_ref().err().cloned();
            return assert_eq!(error(expected), error(got));
        }
    };
    assert_eq!(first_difference(expected, got), None);
    if let (Some(left), Some(right)) = (&expected.access_list, &got.access_list) {
        assert_eq!(access_list_difference(left, right), None);
    }
}
