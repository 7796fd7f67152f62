//! Keccak-256: the permutation, the sponge around it, and the pool that lanes share.

mod pool;
mod round;
mod sponge;
mod turn;

pub use pool::KeccakPool;
pub use round::{KeccakRound, Lanes};
pub use sponge::Keccak;
