//! Keccak-256: the permutation, the sponge around it, and the pool that lanes share.
//!
//! This is Ethereum's Keccak: Keccak-f\[1600\] with a rate of 136 bytes and the padding of the submission to NIST
//! (0x01 … 0x80), not that of SHA-3 (FIPS 202).

mod chunk;
mod fast;
mod feed;
mod fill;
mod pipe;
mod pool;
mod round;
mod sponge;
mod turns;

pub use fast::KeccakFast;
pub use pipe::KeccakPipe;
pub use pool::KeccakPool;
pub use sponge::Keccak;
