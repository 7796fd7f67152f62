//! The engine with its shortcuts left out: what is tested is the parallel path.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::num::NonZeroUsize;

use gatewei::{
    Block, Engine, ExecutionError, Executor, Outcome, Verify, access_list_difference,
    engine::{Session, Task},
    first_difference,
};
use revm::ExecuteEvm as _;

/// Workers as a user may write them.
pub fn helper(session: &Session<'_>) {
    let mut evm = session.evm();
    loop {
        match session.wait() {
            Task::Execute(attempt) => {
                session.aim(&mut evm, attempt);
                let result = evm.transact(session.transaction(attempt).clone());
                session.submit(&mut evm, result, None);
            }
            Task::Commit => session.commit(),
            Task::Wait => {}
            Task::Done => return,
        }
    }
}

/// Executes every block in a session, however small it is and on however few threads. The caller's
/// thread does not lead: alone, it executes everything by speculation.
pub struct Parallel(Engine);

impl Parallel {
    pub fn new(threads: usize) -> Self {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        Self(Engine::builder().threads(threads).build())
    }
}

impl Executor for Parallel {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn threads(&self) -> usize {
        self.0.threads().get()
    }

    fn execute(&mut self, block: &Block) -> Result<Outcome, ExecutionError> {
        self.0.execute_with(block, Verify::None, helper)
    }
}

/// Asserts that two executions of a block are the same, errors and all that a bundle keeps included.
pub fn assert_same(
    expected: &Result<Outcome, ExecutionError>,
    got: &Result<Outcome, ExecutionError>,
    what: &str,
) {
    let (expected, got) = match (expected, got) {
        (Ok(expected), Ok(got)) => (expected, got),
        (Err(expected), Err(got)) => return assert_eq!(expected, got, "{what}"),
        (Err(error), Ok(_)) => panic!("{what}: succeeded in place of: {error}"),
        (Ok(_), Err(error)) => panic!("{what}: {error}"),
    };
    assert_eq!(first_difference(expected, got), None, "{what}");
    if let (Some(left), Some(right)) = (&expected.access_list, &got.access_list) {
        assert_eq!(access_list_difference(left, right), None, "{what}: list");
        assert_eq!(left, right, "{what}: access list");
    }
    let (left, right) = (&expected.state, &got.state);
    assert_eq!(left.state, right.state, "{what}: changed accounts");
    assert_eq!(left.contracts, right.contracts, "{what}: new codes");
    let reverts = |outcome: &Outcome| {
        let mut all: Vec<_> = outcome.state.reverts.iter().cloned().collect();
        // Their order is a hash map's.
        all.iter_mut()
            .for_each(|block| block.sort_by_key(|(address, _)| *address));
        all
    };
    assert_eq!(reverts(expected), reverts(got), "{what}: reverts");
}
