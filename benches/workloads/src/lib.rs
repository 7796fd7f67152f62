//! Generators of blocks in the block-directory format.
//!
//! A generated block is a real block to every command that reads block directories: its
//! transactions are signed, its header is true (gas used, receipts root, logs bloom, requests hash,
//! transactions root, state root), and its pre-state is everything the block reads. It is a mainnet
//! block under Osaka rules with contracts of our own, whose sources and compiled artifacts are in
//! `contracts/`.
//!
//! ```
//! use gatewei_workloads::{Params, generate};
//!
//! let block = generate("erc20-hot", &Params { txs: 8, seed: 1, contention: None })?;
//! assert_eq!(block.receipts.len(), 8);
//! # Ok::<(), gatewei_workloads::WorkloadError>(())
//! ```
//!
//! **A new kind of traffic is one file** in `src/traffic/`, with a [`Kind`] in it, and one line in
//! [`KINDS`].
//!
//! Everything is a function of the kind and the [`Params`]: the same parameters give the same bytes
//! on every machine.

mod artifact;
mod call;
mod contracts;
mod directory;
mod error;
mod random;
mod seal;
mod sender;
mod state_root;
mod traffic;
mod world;

pub use artifact::{Artifact, artifacts};
pub use directory::{GeneratedBlock, write};
pub use error::WorkloadError;
pub use traffic::{KINDS, Kind, kind};
pub use world::{PreAccount, PreState};

use seal::{BLOCK_NUMBER, TIMESTAMP};
use traffic::Stream;
use world::World;

/// Transactions that one block may hold: keeps the sum of the gas limits and the files within
/// reason.
pub const MAX_TXS: usize = 200_000;

/// What a block is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// Number of transactions, at most [`MAX_TXS`].
    pub txs: usize,
    /// Seed of every choice: keys, addresses, amounts, order.
    pub seed: u64,
    /// Share of the transactions, 0 to 1, that go to the kind's hot spot ([`Kind::hot_spot`]);
    /// `None` takes [`Kind::contention`]. It is exact: of n transactions ⌊n · contention⌋ are hot,
    /// evenly spread.
    pub contention: Option<f64>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            txs: 400,
            seed: 1,
            contention: None,
        }
    }
}

/// Generates one block of traffic of the kind with this name.
///
/// # Errors
/// An unknown kind, parameters out of range, or a transaction that the sequential execution rejects
/// (a defect of the generator: it names the transaction).
pub fn generate(name: &str, params: &Params) -> Result<GeneratedBlock, WorkloadError> {
    let kind = kind(name).ok_or_else(|| WorkloadError::UnknownKind {
        name: name.to_owned(),
    })?;
    if params.txs > MAX_TXS {
        return Err(WorkloadError::TooManyTransactions { txs: params.txs });
    }
    if let Some(contention) = params.contention
        && !(0.0..=1.0).contains(&contention)
    {
        return Err(WorkloadError::Contention { contention });
    }
    let mut world = World::new(params.seed, BLOCK_NUMBER, TIMESTAMP)?;
    let mut stream = Stream::start(kind, &mut world, params.txs, params.contention);
    let calls = (0..params.txs).map(|_| stream.next(&mut world)).collect();
    let transactions = world.sign(calls)?;
    seal::seal(world.into_state(), transactions, params.seed)
}
