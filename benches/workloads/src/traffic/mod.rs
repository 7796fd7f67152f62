//! Kinds of traffic. A new one is a file here with a `KIND` in it, and a line in [`KINDS`].

mod amm_hot;
mod amm_pools;
mod erc20_airdrop;
mod erc20_hot;
mod erc20_independent;
mod game;
mod liquidations;
mod mixed;
mod provenance;
mod transfers;
mod voting;

use std::fmt;

use crate::{call::Call, world::World};

/// Every kind of traffic.
pub const KINDS: &[Kind] = &[
    transfers::KIND,
    erc20_independent::KIND,
    erc20_hot::KIND,
    erc20_airdrop::KIND,
    amm_pools::KIND,
    amm_hot::KIND,
    game::KIND,
    provenance::KIND,
    voting::KIND,
    liquidations::KIND,
    mixed::KIND,
];

/// A kind of traffic.
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// What its hot transactions have in common.
    pub hot_spot: &'static str,
    /// Share of hot transactions unless the parameters say otherwise, 0 to 1.
    pub contention: f64,
    /// Prepares the world for `txs` transactions, with this contention if it is given.
    start: fn(&mut World, txs: usize, contention: Option<f64>) -> Box<dyn Traffic>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .field("contention", &self.contention)
            .finish_non_exhaustive()
    }
}

/// The kind with this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Makes one transaction after the other.
trait Traffic {
    /// The next transaction; a `hot` one goes to the hot spot. What it needs before the block it
    /// writes into the world.
    fn next(&mut self, world: &mut World, hot: bool) -> Call;
}

/// Traffic with its contention.
pub(crate) struct Stream {
    traffic: Box<dyn Traffic>,
    contention: f64,
    drawn: usize,
}

impl Stream {
    /// Prepares the world for `txs` transactions of this kind.
    pub(crate) fn start(
        kind: &Kind,
        world: &mut World,
        txs: usize,
        contention: Option<f64>,
    ) -> Self {
        let traffic = (kind.start)(world, txs, contention);
        Self {
            traffic,
            contention: contention.unwrap_or(kind.contention),
            drawn: 0,
        }
    }

    /// The next transaction. Hot ones are evenly spread, so that after n transactions ⌊n ·
    /// contention⌋ were hot.
    pub(crate) fn next(&mut self, world: &mut World) -> Call {
        let hot_before = (self.drawn as f64 * self.contention).floor();
        self.drawn += 1;
        let hot = (self.drawn as f64 * self.contention).floor() > hot_before;
        self.traffic.next(world, hot)
    }
}
