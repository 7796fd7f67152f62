//! The source of all choices: SplitMix64.
//!
//! A generator of our own, because a block must not change when a library changes its algorithm.
//! Not for secrets: the keys it makes are public by design.

use alloy_primitives::{Address, B256};

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(low <= high);
        let span = u128::from(high - low) + 1;
        // Multiply and shift: the bias of span / 2^64 does not matter here.
        low + ((u128::from(self.bits()) * span) >> 64) as u64
    }

    /// True once in `n` times on average.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.between(1, n) == 1
    }

    /// 32 random bytes.
    pub fn word(&mut self) -> B256 {
        let mut word = B256::ZERO;
        for chunk in word.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.bits().to_be_bytes());
        }
        word
    }

    /// A random address: no key is known for it.
    pub fn address(&mut self) -> Address {
        Address::from_word(self.word())
    }
}
