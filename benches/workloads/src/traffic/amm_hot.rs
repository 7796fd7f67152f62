//! Swaps that all want the same pool.

use super::{Kind, amm_pools::Swaps};

pub(super) const KIND: Kind = Kind {
    name: "amm-hot",
    summary: "swaps through a router in one hot pool: each depends on the one before",
    hot_spot: "one pool",
    contention: 1.0,
    start: |world, txs, contention| {
        // Markets of their own are needed only by swaps that are not hot.
        let spread = if contention.unwrap_or(1.0) >= 1.0 {
            1
        } else {
            txs
        };
        Box::new(Swaps::new(world, spread))
    },
};
