//! All other kinds in one block, as traffic comes.

use super::{
    Kind, Stream, Traffic, amm_hot, amm_pools, erc20_airdrop, erc20_hot, erc20_independent,
    transfers,
};
use crate::{call::Call, world::World};

/// The parts with their shares in percent.
const PARTS: [(Kind, u64); 6] = [
    (transfers::KIND, 30),
    (erc20_independent::KIND, 20),
    (erc20_hot::KIND, 15),
    (erc20_airdrop::KIND, 10),
    (amm_pools::KIND, 15),
    (amm_hot::KIND, 10),
];

pub(super) const KIND: Kind = Kind {
    name: "mixed",
    summary: "transfers, tokens and swaps of every other kind, each with its usual contention",
    hot_spot: "that of every part, if a contention is given",
    contention: 0.0,
    start: |world, txs, contention| {
        let parts = PARTS.iter().map(|(kind, share)| {
            let expected = (txs * *share as usize).div_ceil(100);
            (Stream::start(kind, world, expected, contention), *share)
        });
        Box::new(Mixed {
            parts: parts.collect(),
        })
    },
};

struct Mixed {
    parts: Vec<(Stream, u64)>,
}

impl Traffic for Mixed {
    fn next(&mut self, world: &mut World, _: bool) -> Call {
        let total = self.parts.iter().map(|(_, share)| share).sum();
        let mut draw = world.random.between(1, total);
        let index = self.parts.iter().position(|(_, share)| {
            let chosen = draw <= *share;
            draw = draw.saturating_sub(*share);
            chosen
        });
        self.parts[index.unwrap_or(0)].0.next(world)
    }
}
