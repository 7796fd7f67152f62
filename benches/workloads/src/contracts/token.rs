//! `contracts/Token.sol`.

use alloy_primitives::{Address, B256, U256};

use crate::{
    call::{Argument, Call, encode},
    sender::Sender,
    world::{World, mapping_slot, plain_slot},
};

/// A deployed token.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Its address.
    pub address: Address,
}

impl Token {
    /// Gas limit of a call that moves tokens once: two cold slots, one of them new, and the event
    /// need less.
    const MOVE_GAS: u64 = 120_000;
    /// Gas that each recipient of an airdrop adds at most.
    const RECIPIENT_GAS: u64 = 30_000;

    /// Deploys a token without holders.
    pub fn deploy(world: &mut World) -> Self {
        Self {
            address: world.deploy("Token"),
        }
    }

    /// Slot of `balanceOf[owner]`.
    pub fn balance_slot(owner: Address) -> B256 {
        mapping_slot(owner, plain_slot(1))
    }

    /// Slot of `allowance[owner][spender]`.
    pub fn allowance_slot(owner: Address, spender: Address) -> B256 {
        mapping_slot(spender, mapping_slot(owner, plain_slot(2)))
    }

    /// Gives `owner` more of the token before the block; the total supply grows with it.
    pub fn mint(&self, world: &mut World, owner: Address, amount: U256) {
        for slot in [plain_slot(0), Self::balance_slot(owner)] {
            let value = world.load(self.address, slot) + amount;
            world.store(self.address, slot, value);
        }
    }

    /// Lets `spender` spend up to `amount` of the owner's tokens.
    pub fn allow(&self, world: &mut World, owner: Address, spender: Address, amount: U256) {
        world.store(self.address, Self::allowance_slot(owner, spender), amount);
    }

    /// `transfer(to, value)`.
    pub fn transfer(&self, world: &World, from: Sender, to: Address, value: U256) -> Call {
        let slots = vec![
            Self::balance_slot(world.address_of(from)),
            Self::balance_slot(to),
        ];
        let arguments = [Argument::Address(to), Argument::Number(value)];
        self.call(
            from,
            "transfer(address,uint256)",
            &arguments,
            slots,
            Self::MOVE_GAS,
        )
    }

    /// `transferFrom(owner, to, value)` by `spender`.
    pub fn transfer_from(
        &self,
        world: &World,
        spender: Sender,
        owner: Address,
        to: Address,
        value: U256,
    ) -> Call {
        let allowance = Self::allowance_slot(owner, world.address_of(spender));
        let slots = vec![allowance, Self::balance_slot(owner), Self::balance_slot(to)];
        let arguments = [
            Argument::Address(owner),
            Argument::Address(to),
            Argument::Number(value),
        ];
        self.call(
            spender,
            "transferFrom(address,address,uint256)",
            &arguments,
            slots,
            Self::MOVE_GAS,
        )
    }

    /// `approve(spender, value)`.
    pub fn approve(&self, world: &World, owner: Sender, spender: Address, value: U256) -> Call {
        let slots = vec![Self::allowance_slot(world.address_of(owner), spender)];
        let arguments = [Argument::Address(spender), Argument::Number(value)];
        self.call(
            owner,
            "approve(address,uint256)",
            &arguments,
            slots,
            Self::MOVE_GAS,
        )
    }

    /// `airdrop(recipients, value)`.
    pub fn airdrop(
        &self,
        world: &World,
        from: Sender,
        recipients: &[Address],
        value: U256,
    ) -> Call {
        let owners = recipients.iter().copied().chain([world.address_of(from)]);
        let slots = owners.map(Self::balance_slot).collect();
        let arguments = [Argument::Addresses(recipients), Argument::Number(value)];
        let gas = Self::MOVE_GAS + Self::RECIPIENT_GAS * recipients.len() as u64;
        self.call(from, "airdrop(address[],uint256)", &arguments, slots, gas)
    }

    fn call(
        &self,
        from: Sender,
        signature: &str,
        arguments: &[Argument<'_>],
        slots: Vec<B256>,
        gas_limit: u64,
    ) -> Call {
        let input = encode(signature, arguments);
        Call::plain(from, self.address, input, gas_limit, slots)
    }
}
