//! Swaps through a router over many pools.

use alloy_primitives::U256;

use super::{Kind, Traffic};
use crate::{
    call::Call,
    contracts::{Pool, Router, Token},
    world::{World, ether},
};

/// Markets that swaps are spread over: of as many transactions, none has to wait for another.
const MARKETS: usize = 128;

pub(super) const KIND: Kind = Kind {
    name: "amm-pools",
    summary: "swaps through a router over many pools, one in four along two pools",
    hot_spot: "one pool",
    contention: 0.0,
    start: |world, txs, _| Box::new(Swaps::new(world, txs)),
};

/// Three tokens A, B, C with pools A–B and B–C.
#[derive(Clone, Copy)]
struct Market {
    tokens: [Token; 3],
    pools: [Pool; 2],
}

impl Market {
    fn deploy(world: &mut World) -> Self {
        let tokens = [(); 3].map(|()| Token::deploy(world));
        let reserve = ether(1_000_000);
        let pools = [0, 1].map(|i| Pool::deploy(world, [tokens[i], tokens[i + 1]], reserve));
        Self { tokens, pools }
    }
}

/// Swaps by traders who come once.
pub(super) struct Swaps {
    router: Router,
    hot: Market,
    markets: Vec<Market>,
    drawn: usize,
}

impl Swaps {
    pub(super) fn new(world: &mut World, txs: usize) -> Self {
        let router = Router::deploy(world);
        let hot = Market::deploy(world);
        let markets = (0..txs.clamp(1, MARKETS))
            .map(|_| Market::deploy(world))
            .collect();
        Self {
            router,
            hot,
            markets,
            drawn: 0,
        }
    }
}

impl Traffic for Swaps {
    /// A hot swap goes through the first pool of the hot market alone, in either direction; the
    /// others take the markets in turn.
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        self.drawn += 1;
        let market = if hot {
            self.hot
        } else {
            self.markets[self.drawn % self.markets.len()]
        };
        let (path, token) = match (hot, world.random.between(0, 7)) {
            (false, 0) => (market.pools.to_vec(), market.tokens[0]),
            (false, 1) => (vec![market.pools[1], market.pools[0]], market.tokens[2]),
            (_, draw) => (vec![market.pools[0]], market.tokens[draw as usize % 2]),
        };
        let trader = world.sender();
        let owner = world.address_of(trader);
        token.mint(world, owner, ether(100));
        let allowed = if world.random.one_in(2) {
            U256::MAX
        } else {
            ether(100)
        };
        token.allow(world, owner, self.router.address, allowed);
        // The price is about 1 and moves by far less than the tenth that the trader grants.
        let amount = U256::from(world.random.between(1, 10_000)) * ether(1) / U256::from(1_000);
        let least = amount * U256::from(9) / U256::from(10);
        self.router.swap(world, trader, &path, token, amount, least)
    }
}
