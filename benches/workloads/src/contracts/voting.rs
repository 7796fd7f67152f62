//! `contracts/Voting.sol`.

use alloy_primitives::{Address, B256, U256};

use crate::{
    call::{Argument, Call, encode},
    sender::Sender,
    world::{World, mapping_slot, number_slot, plain_slot},
};

/// A deployed organisation.
#[derive(Clone, Copy, Debug)]
pub struct Voting {
    /// Its address.
    pub address: Address,
}

impl Voting {
    const GAS: u64 = 150_000;

    /// Deploys an organisation without members.
    pub fn deploy(world: &mut World) -> Self {
        Self {
            address: world.deploy("Voting"),
        }
    }

    /// Slot of `power[member]`.
    pub fn power_slot(member: Address) -> B256 {
        mapping_slot(member, plain_slot(0))
    }

    /// Slot of `tally[proposal]`.
    pub fn tally_slot(proposal: U256) -> B256 {
        number_slot(proposal, plain_slot(2))
    }

    /// A new member with power.
    pub fn member(&self, world: &mut World) -> Sender {
        let member = world.sender();
        let power = U256::from(world.random.between(1, 1_000_000));
        let slot = Self::power_slot(world.address_of(member));
        world.store(self.address, slot, power);
        member
    }

    /// `delegate(to)`.
    pub fn delegate(&self, world: &World, from: Sender, to: Address) -> Call {
        let member = world.address_of(from);
        let slots = vec![
            Self::power_slot(member),
            mapping_slot(member, plain_slot(1)),
            Self::power_slot(to),
        ];
        let input = encode("delegate(address)", &[Argument::Address(to)]);
        Call::plain(from, self.address, input, Self::GAS, slots)
    }

    /// `vote(proposal, support)`.
    pub fn vote(&self, world: &World, from: Sender, proposal: U256, support: bool) -> Call {
        let member = world.address_of(from);
        let slots = vec![
            mapping_slot(member, number_slot(proposal, plain_slot(3))),
            Self::power_slot(member),
            Self::tally_slot(proposal),
        ];
        let numbers = [proposal, U256::from(support)];
        let input = encode("vote(uint256,uint256)", &numbers.map(Argument::Number));
        Call::plain(from, self.address, input, Self::GAS, slots)
    }
}
