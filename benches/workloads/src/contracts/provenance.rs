//! `contracts/Provenance.sol`.

use alloy_primitives::{Address, B256, U256};

use crate::{
    call::{Argument, Call, encode},
    sender::Sender,
    world::{World, number_slot, plain_slot},
};

/// A deployed record of goods.
#[derive(Clone, Copy, Debug)]
pub struct Provenance {
    /// Its address.
    pub address: Address,
}

impl Provenance {
    /// Gas limit of an event: two slots, perhaps new.
    const APPEND_GAS: u64 = 150_000;
    /// Gas that each level of a proof adds at most: two hashes.
    const LEVEL_GAS: u64 = 2_000;

    /// Deploys an empty record.
    pub fn deploy(world: &mut World) -> Self {
        Self {
            address: world.deploy("Provenance"),
        }
    }

    /// Slots of an item: the head of its history, and its length.
    pub fn slots(item: U256) -> Vec<B256> {
        (0..2)
            .map(|slot| number_slot(item, plain_slot(slot)))
            .collect()
    }

    /// Gives an item a history before the block.
    pub fn begin(&self, world: &mut World, item: U256) {
        let head = U256::from_be_bytes(world.random.word().0);
        for (slot, value) in Self::slots(item).into_iter().zip([head, U256::ONE]) {
            world.store(self.address, slot, value);
        }
    }

    /// `append(item, what)`.
    pub fn append(&self, from: Sender, item: U256, what: U256) -> Call {
        let arguments = [Argument::Number(item), Argument::Number(what)];
        let input = encode("append(uint256,uint256)", &arguments);
        Call::plain(
            from,
            self.address,
            input,
            Self::APPEND_GAS,
            Self::slots(item),
        )
    }

    /// `prove(item, seed, depth, 0)`: a proof of any root.
    pub fn prove(&self, from: Sender, item: U256, seed: U256, depth: u64) -> Call {
        let numbers = [item, seed, U256::from(depth), U256::ZERO];
        let input = encode(
            "prove(uint256,uint256,uint256,uint256)",
            &numbers.map(Argument::Number),
        );
        let gas = Self::APPEND_GAS + Self::LEVEL_GAS * depth;
        Call::plain(from, self.address, input, gas, Self::slots(item))
    }
}
