//! The workloads' contracts: their storage before the block, and calls to them. The layouts are
//! those that the sources in `contracts/` state.

mod game;
mod lending;
mod pool;
mod provenance;
mod token;
mod voting;

pub use game::Game;
pub use lending::Lending;
pub use pool::{Pool, Router};
pub use provenance::Provenance;
pub use token::Token;
pub use voting::Voting;
