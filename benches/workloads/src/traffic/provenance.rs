//! A supply chain: goods change hands, and batches of them are proven.

use alloy_primitives::U256;

use super::{Kind, Traffic};
use crate::{call::Call, contracts::Provenance, world::World};

/// Levels of the smallest and the largest proof.
const DEPTHS: (u64, u64) = (8, 24);

pub(super) const KIND: Kind = Kind {
    name: "provenance",
    summary: "a supply chain: events are appended to hash chains, Merkle proofs are checked",
    hot_spot: "one item, such as a container that many handle",
    contention: 0.0,
    start: |world, _, _| {
        let record = Provenance::deploy(world);
        let hot_item = U256::from_be_bytes(world.random.word().0);
        record.begin(world, hot_item);
        Box::new(SupplyChain { record, hot_item })
    },
};

struct SupplyChain {
    record: Provenance,
    hot_item: U256,
}

impl Traffic for SupplyChain {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        let from = world.sender();
        let what = U256::from_be_bytes(world.random.word().0);
        if hot {
            return self.record.append(from, self.hot_item, what);
        }
        let item = U256::from_be_bytes(world.random.word().0);
        if world.random.one_in(2) {
            self.record.begin(world, item);
        }
        if world.random.one_in(2) {
            let depth = world.random.between(DEPTHS.0, DEPTHS.1);
            self.record.prove(from, item, what, depth)
        } else {
            self.record.append(from, item, what)
        }
    }
}
