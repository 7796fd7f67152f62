//! An airdrop: one holder sends to many, batch after batch.

use alloy_primitives::{Address, U256};

use super::{Kind, Traffic, erc20_independent::any_movement};
use crate::{
    call::Call,
    contracts::Token,
    sender::Sender,
    world::{World, ether},
};

/// Recipients of the largest batch.
const BATCH: u64 = 8;

pub(super) const KIND: Kind = Kind {
    name: "erc20-airdrop",
    summary: "one holder sends a token to many in batches: a chain of transactions, each in one frame",
    hot_spot: "the sender of the airdrop: its nonce and its balance",
    contention: 1.0,
    start: |world, _, _| {
        let token = Token::deploy(world);
        let sender = world.sender();
        let owner = world.address_of(sender);
        token.mint(world, owner, ether(1_000_000_000));
        Box::new(Airdrop { token, sender })
    },
};

struct Airdrop {
    token: Token,
    sender: Sender,
}

impl Traffic for Airdrop {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        if !hot {
            return any_movement(world, self.token);
        }
        let size = world.random.between(1, BATCH);
        let recipients: Vec<Address> = (0..size).map(|_| world.random.address()).collect();
        let value = ether(1) + U256::from(world.random.between(0, 1_000_000));
        self.token.airdrop(world, self.sender, &recipients, value)
    }
}
