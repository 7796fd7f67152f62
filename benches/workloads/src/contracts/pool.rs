//! `contracts/Pool.sol` and `contracts/Router.sol`.

use alloy_primitives::{Address, U256};

use crate::{
    call::{Argument, Call, encode},
    contracts::Token,
    sender::Sender,
    world::{World, mapping_slot, plain_slot},
};

/// A deployed pool of two tokens.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Its address.
    pub address: Address,
}

impl Pool {
    /// Deploys a pool with the same reserve of both tokens, owned by nobody in particular.
    /// `reserve` is below 2^112.
    pub fn deploy(world: &mut World, tokens: [Token; 2], reserve: U256) -> Self {
        let address = world.deploy("Pool");
        for (slot, token) in tokens.iter().enumerate() {
            token.mint(world, address, reserve);
            world.store(address, plain_slot(slot as u64), token.address.into_word());
        }
        let updated = U256::from((world.timestamp - 12) & 0xffff_ffff);
        world.store(
            address,
            plain_slot(2),
            (updated << 224) | (reserve << 112) | reserve,
        );
        let owner = world.random.address();
        world.store(address, plain_slot(3), reserve);
        world.store(address, mapping_slot(owner, plain_slot(4)), reserve);
        Self { address }
    }
}

/// The deployed router.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    /// Its address.
    pub address: Address,
}

impl Router {
    /// Gas limit of a swap through one pool.
    const HOP_GAS: u64 = 250_000;
    /// Seconds that a swap may wait.
    const PATIENCE: u64 = 600;

    /// Deploys the router.
    pub fn deploy(world: &mut World) -> Self {
        Self {
            address: world.deploy("Router"),
        }
    }

    /// `swap`: sells `amount` of `token` along `pools`, for the sender itself; takes whatever at
    /// least `least` comes out.
    pub fn swap(
        &self,
        world: &World,
        from: Sender,
        pools: &[Pool],
        token: Token,
        amount: U256,
        least: U256,
    ) -> Call {
        let pools: Vec<Address> = pools.iter().map(|pool| pool.address).collect();
        let input = encode(
            "swap(address[],address,uint256,uint256,address,uint256)",
            &[
                Argument::Addresses(&pools),
                Argument::Address(token.address),
                Argument::Number(amount),
                Argument::Number(least),
                Argument::Address(world.address_of(from)),
                Argument::Number(U256::from(world.timestamp + Self::PATIENCE)),
            ],
        );
        let gas_limit = Self::HOP_GAS * (1 + pools.len() as u64);
        Call {
            from,
            to: self.address,
            value: U256::ZERO,
            input,
            gas_limit,
            slots: Vec::new(),
        }
    }
}
