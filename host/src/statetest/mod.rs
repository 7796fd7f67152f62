//! The public state tests: one transaction a case, on any executor, judged by post-state root and logs hash.
//!
//! The transaction is decoded from the test's signed bytes, as a node gets it, and runs as a block of [`Scope::Transactions`]
//! (no system calls, withdrawals or rewards), so that every [`Executor`] runs it the way it runs blocks.
//!
//! [`Scope::Transactions`]: crate::Scope::Transactions
//! [`Executor`]: crate::Executor

mod case;
mod exception;
mod fixture;
mod judge;
mod run;
mod skip;

pub use case::{Case, Expectation, StateTestError, find, load};
pub use judge::{Report, Verdict, judge};
pub use run::{Options, Summary, run};
pub use skip::{SKIPS, Skip, skip};
