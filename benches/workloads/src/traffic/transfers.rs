//! Plain value transfers.

use alloy_primitives::{Address, Bytes, U256};

use super::{Kind, Traffic};
use crate::{call::Call, world::World};

pub(super) const KIND: Kind = Kind {
    name: "transfers",
    summary: "plain ether transfers, each with a sender and a recipient of its own",
    hot_spot: "one recipient, as an exchange is",
    contention: 0.0,
    start: |world, _, _| {
        Box::new(Transfers {
            hot: world.funded(),
        })
    },
};

struct Transfers {
    hot: Address,
}

impl Traffic for Transfers {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        let from = world.sender();
        let to = match (hot, world.random.one_in(4)) {
            (true, _) => self.hot,
            // A new account.
            (false, true) => world.random.address(),
            (false, false) => world.funded(),
        };
        let value = U256::from(world.random.between(1, 1_000_000_000)) * U256::from(1_000_000_000);
        Call {
            from,
            to,
            value,
            input: Bytes::new(),
            gas_limit: 21_000,
            slots: Vec::new(),
        }
    }
}
