//! Transfers of one token that everybody uses.

use alloy_primitives::Address;

use super::{
    Kind, Traffic,
    erc20_independent::{any_movement, transfer},
};
use crate::{
    call::Call,
    contracts::Token,
    world::{World, ether},
};

pub(super) const KIND: Kind = Kind {
    name: "erc20-hot",
    summary: "transfers of one hot token; some recipients are shared",
    hot_spot: "one recipient, as an exchange's deposit address is",
    contention: 0.25,
    start: |world, _, _| {
        let token = Token::deploy(world);
        let hot_holder = world.random.address();
        token.mint(world, hot_holder, ether(1_000_000));
        Box::new(Hot { token, hot_holder })
    },
};

struct Hot {
    token: Token,
    hot_holder: Address,
}

impl Traffic for Hot {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        if hot {
            transfer(world, self.token, self.hot_holder)
        } else {
            any_movement(world, self.token)
        }
    }
}
