//! The workloads' contracts: their storage before the block, and calls to them. The layouts are
//! those that the sources in `contracts/` state.

mod pool;
mod token;

pub use pool::{Pool, Router};
pub use token::Token;
