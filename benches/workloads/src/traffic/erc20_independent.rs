//! Token transfers that have nothing in common but the code.

use alloy_primitives::{Address, U256};

use super::{Kind, Traffic};
use crate::{
    call::Call,
    contracts::Token,
    world::{World, ether},
};

/// Tokens that the transfers are spread over.
const TOKENS: usize = 16;

pub(super) const KIND: Kind = Kind {
    name: "erc20-independent",
    summary: "transfers, spent allowances and approvals over many tokens, holders never shared",
    hot_spot: "one recipient of one token",
    contention: 0.0,
    start: |world, txs, _| Box::new(Independent::new(world, txs)),
};

struct Independent {
    tokens: Vec<Token>,
    hot_holder: Address,
    drawn: usize,
}

impl Independent {
    fn new(world: &mut World, txs: usize) -> Self {
        let tokens: Vec<Token> = (0..txs.clamp(1, TOKENS))
            .map(|_| Token::deploy(world))
            .collect();
        let hot_holder = world.random.address();
        tokens[0].mint(world, hot_holder, ether(1_000));
        Self {
            tokens,
            hot_holder,
            drawn: 0,
        }
    }
}

impl Traffic for Independent {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        self.drawn += 1;
        if hot {
            return transfer(world, self.tokens[0], self.hot_holder);
        }
        any_movement(world, self.tokens[self.drawn % self.tokens.len()])
    }
}

/// A transfer by a new holder to `to`.
pub(super) fn transfer(world: &mut World, token: Token, to: Address) -> Call {
    let from = world.sender();
    let owner = world.address_of(from);
    token.mint(world, owner, ether(1_000));
    let value = amount(world);
    token.transfer(world, from, to, value)
}

/// A movement among new holders: mostly a transfer, one in eight spends an allowance, one in
/// sixteen gives one. Half of the recipients hold the token already, so that both prices of SSTORE
/// occur.
pub(super) fn any_movement(world: &mut World, token: Token) -> Call {
    let to = world.random.address();
    if world.random.one_in(2) {
        token.mint(world, to, ether(5));
    }
    match world.random.between(0, 15) {
        0 => {
            let owner = world.sender();
            let value = amount(world);
            token.approve(world, owner, to, value)
        }
        1 | 2 => {
            let spender = world.sender();
            let owner = world.random.address();
            token.mint(world, owner, ether(1_000));
            let allowed = if world.random.one_in(2) {
                U256::MAX
            } else {
                ether(1_000)
            };
            token.allow(world, owner, world.address_of(spender), allowed);
            let value = amount(world);
            token.transfer_from(world, spender, owner, to, value)
        }
        _ => transfer(world, token, to),
    }
}

/// A thousandth of a token to ten tokens.
fn amount(world: &mut World) -> U256 {
    U256::from(world.random.between(1, 10_000)) * ether(1) / U256::from(1_000)
}
