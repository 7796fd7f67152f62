//! Inputs that grow of a corpus.

mod json;

/// Longest input that mutations make of shorter ones.
const MOST: usize = 4096;

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Another input, from one or two of the corpus.
pub fn mutate(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut data = corpus[rng.below(corpus.len())].clone();
    if rng.below(8) > 0
        && let Some(data) = json::mutate(rng, &data)
    {
        return data;
    }
    let most = data.len().max(MOST);
    for _ in 0..=rng.below(6) {
        let at = rng.below(data.len());
        match rng.below(7) {
            0 if !data.is_empty() => data[at] ^= 1 << rng.below(8),
            1 if !data.is_empty() => data[at] = rng.next() as u8,
            2 => {
                let edges = [0, 1, 0x7f, 0x80, 0xff];
                let edge = edges[rng.below(edges.len())];
                let end = data.len().min(at + 1 + rng.below(8));
                data[at..end].fill(edge);
            }
            3 => data.truncate(at),
            4 => {
                let bytes: Vec<u8> = (0..rng.below(64)).map(|_| rng.next() as u8).collect();
                data.splice(at..at, bytes);
            }
            5 => {
                let other = &corpus[rng.below(corpus.len())];
                let from = rng.below(other.len());
                let to = (from + rng.below(256)).min(other.len());
                data.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let end = data.len().min(at + rng.below(64));
                data.drain(at..end);
            }
        }
    }
    data.truncate(most);
    data
}
