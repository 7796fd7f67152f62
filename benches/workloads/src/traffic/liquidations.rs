//! A lending market after a fall of prices: bots liquidate, others still borrow.

use alloy_primitives::U256;

use super::{Kind, Traffic};
use crate::{call::Call, contracts::Lending, sender::Sender, world::World};

pub(super) const KIND: Kind = Kind {
    name: "liquidations",
    summary: "a lending market after a fall of prices: liquidations, which all pay into one reserve, and loans",
    hot_spot: "one bot that liquidates: its nonce and what it has seized",
    contention: 0.25,
    start: |world, _, _| {
        let market = Lending::deploy(world);
        let bot = world.sender();
        Box::new(Market { market, bot })
    },
};

struct Market {
    market: Lending,
    bot: Sender,
}

impl Traffic for Market {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        if hot || world.random.one_in(2) {
            let by = if hot { self.bot } else { world.sender() };
            let borrower = world.random.address();
            // Above two thirds a loan is unsafe.
            let percent = world.random.between(70, 95);
            self.market.lend(world, borrower, percent);
            return self.market.liquidate(world, by, borrower);
        }
        let borrower = world.sender();
        let address = world.address_of(borrower);
        self.market.lend(world, address, 30);
        // Every collateral is worth more than this.
        let amount = U256::from(world.random.between(1, 1_000_000_000));
        self.market.borrow(world, borrower, amount)
    }
}
