//! Words for block tests: edge values, structured values, and plain random ones, from a seed.
#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

use alloy_primitives::U256;

/// The most negative word as a signed number.
pub const MIN: U256 = U256::from_limbs([0, 0, 0, 1 << 63]);

/// SplitMix64: deterministic, so that a failure repeats.
pub struct Words(u64);

impl Words {
    /// A source from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A random word of all lengths alike.
    pub fn sized(&mut self) -> U256 {
        let shift = self.below(256);
        self.uniform() >> shift
    }

    /// A uniformly random word.
    pub fn uniform(&mut self) -> U256 {
        U256::from_limbs([self.bits(), self.bits(), self.bits(), self.bits()])
    }

    /// A word of any kind.
    pub fn word(&mut self) -> U256 {
        match self.below(8) {
            0 => self.pick(&edges()),
            1 => U256::from(self.below(300)),
            2 => U256::from(self.bits()),
            3 => {
                let power = U256::from(1) << self.below(256);
                let one = U256::from(1);
                self.pick(&[
                    power,
                    power.wrapping_sub(one),
                    power.wrapping_add(one),
                    power.wrapping_neg(),
                ])
            }
            4 => self.sized(),
            5 => !self.sized(),
            6 => {
                // Limbs that are all zeros or all ones bring out carries.
                let mut limbs = [0; 4];
                for limb in &mut limbs {
                    *limb = match self.below(3) {
                        0 => 0,
                        1 => u64::MAX,
                        _ => self.bits(),
                    };
                }
                U256::from_limbs(limbs)
            }
            _ => self.uniform(),
        }
    }
}

/// Words at which something changes.
pub fn edges() -> Vec<U256> {
    let one = U256::from(1);
    let mut out: Vec<U256> = [0u64, 1, 2, 3, 7, 8, 9, 30, 31, 32, 33, 254, 255, 256, 257]
        .map(U256::from)
        .into();
    for power in [32, 64, 128, 192, 255] {
        let power = one << power;
        out.extend([power - one, power, power + one]);
    }
    out.extend([
        U256::MAX,
        U256::MAX - one,
        U256::from(10).pow(U256::from(18)),
    ]);
    out
}

/// Little-endian bytes, as the ports take them.
pub fn bytes(word: U256) -> [u8; 32] {
    word.to_le_bytes()
}

/// The word of a port.
pub fn word(bytes: [u8; 32]) -> U256 {
    U256::from_le_bytes(bytes)
}
