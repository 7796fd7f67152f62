//! `contracts/Game.sol`.

use alloy_primitives::{Address, B256, U256};

use crate::{
    call::{Argument, Call, encode},
    sender::Sender,
    world::{World, number_slot, plain_slot},
};

/// A deployed game.
#[derive(Clone, Copy, Debug)]
pub struct Game {
    /// Its address.
    pub address: Address,
}

impl Game {
    /// Gas limit of a birth, with the loop over a child's genes.
    const BIRTH_GAS: u64 = 150_000;
    /// Gas limit of a fight of 64 rounds.
    const FIGHT_GAS: u64 = 200_000;

    /// Deploys a game without creatures.
    pub fn deploy(world: &mut World) -> Self {
        Self {
            address: world.deploy("Game"),
        }
    }

    /// Slot of `genes[creature]`.
    pub fn genes_slot(creature: U256) -> B256 {
        number_slot(creature, plain_slot(1))
    }

    /// A creature that is there before the block; its number.
    pub fn creature(&self, world: &mut World) -> U256 {
        let count = world.load(self.address, plain_slot(0)) + U256::ONE;
        world.store(self.address, plain_slot(0), count);
        let genes = world.random.word();
        world.store(self.address, Self::genes_slot(count), genes);
        count
    }

    /// `mint(seed)`.
    pub fn mint(&self, from: Sender, seed: U256) -> Call {
        let input = encode("mint(uint256)", &[Argument::Number(seed)]);
        let slots = vec![plain_slot(0)];
        Call::plain(from, self.address, input, Self::BIRTH_GAS, slots)
    }

    /// `breed(mother, father, seed)`.
    pub fn breed(&self, from: Sender, mother: U256, father: U256, seed: U256) -> Call {
        let numbers = [mother, father, seed];
        let input = encode(
            "breed(uint256,uint256,uint256)",
            &numbers.map(Argument::Number),
        );
        let slots = vec![
            plain_slot(0),
            Self::genes_slot(mother),
            Self::genes_slot(father),
        ];
        Call::plain(from, self.address, input, Self::BIRTH_GAS, slots)
    }

    /// `fight(one, other, seed)`.
    pub fn fight(&self, from: Sender, one: U256, other: U256, seed: U256) -> Call {
        let numbers = [one, other, seed];
        let input = encode(
            "fight(uint256,uint256,uint256)",
            &numbers.map(Argument::Number),
        );
        let slots = vec![Self::genes_slot(one), Self::genes_slot(other)];
        Call::plain(from, self.address, input, Self::FIGHT_GAS, slots)
    }
}
