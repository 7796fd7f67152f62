//! `contracts/Lending.sol`.

use alloy_primitives::{Address, B256, U256};

use crate::{
    call::{Argument, Call, encode},
    sender::Sender,
    world::{World, ether, mapping_slot, plain_slot},
};

/// A deployed market.
#[derive(Clone, Copy, Debug)]
pub struct Lending {
    /// Its address.
    pub address: Address,
}

impl Lending {
    const GAS: u64 = 200_000;

    /// Deploys a market in which a unit of collateral is worth two of debt.
    pub fn deploy(world: &mut World) -> Self {
        let address = world.deploy("Lending");
        world.store(address, plain_slot(0), ether(2));
        Self { address }
    }

    fn slots(borrower: Address) -> [B256; 2] {
        [1, 2].map(|slot| mapping_slot(borrower, plain_slot(slot)))
    }

    /// Gives a borrower a loan before the block, of `percent` of what the collateral is worth.
    pub fn lend(&self, world: &mut World, borrower: Address, percent: u64) {
        let collateral = ether(world.random.between(1, 1_000));
        let debt = collateral * U256::from(2 * percent) / U256::from(100);
        for (slot, value) in Self::slots(borrower).into_iter().zip([collateral, debt]) {
            world.store(self.address, slot, value);
        }
    }

    /// `borrow(amount)`.
    pub fn borrow(&self, world: &World, from: Sender, amount: U256) -> Call {
        let mut slots = Self::slots(world.address_of(from)).to_vec();
        slots.push(plain_slot(0));
        let input = encode("borrow(uint256)", &[Argument::Number(amount)]);
        Call::plain(from, self.address, input, Self::GAS, slots)
    }

    /// `liquidate(borrower)`.
    pub fn liquidate(&self, world: &World, from: Sender, borrower: Address) -> Call {
        let mut slots = Self::slots(borrower).to_vec();
        let seized = mapping_slot(world.address_of(from), plain_slot(3));
        slots.extend([plain_slot(0), seized, plain_slot(4)]);
        let input = encode("liquidate(address)", &[Argument::Address(borrower)]);
        Call::plain(from, self.address, input, Self::GAS, slots)
    }
}
