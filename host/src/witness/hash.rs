//! Keccak-256 of many inputs at once: trie nodes come in batches, level by level.

use alloy_primitives::{B256, keccak256};
use rayon::prelude::*;

/// Hashes batches. A card with free Keccak engines is another one.
pub trait Hasher: Sync {
    /// Keccak-256 of every input, in order.
    fn hash(&self, inputs: &[&[u8]]) -> Vec<B256>;
}

/// On all threads of rayon's pool, where there is enough to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

/// Inputs for which another thread is worth waking: some 10 µs of work.
const WORTH: usize = 32;

impl Hasher for Threads {
    fn hash(&self, inputs: &[&[u8]]) -> Vec<B256> {
        let inputs = inputs.par_iter().with_min_len(WORTH);
        inputs.map(keccak256).collect()
    }
}
