//! Criterion benches of the executors, and the blocks that they run.

use std::{error::Error, fs, path::Path};

use gatewei::Block;
use gatewei_workloads::{Params, generate, write};

/// A generated block, written as a block directory below `folder` and read back by the product's own
/// loader, so that a bench runs exactly what the command line runs.
///
/// # Errors
/// An unknown kind, a folder that cannot be written, or a directory that the loader rejects.
pub fn block(kind: &str, params: &Params, folder: &Path) -> Result<Block, Box<dyn Error>> {
    let directory = folder.join(format!("{kind}-{}-{}", params.txs, params.seed));
    write(&generate(kind, params)?, &directory)?;
    let block = Block::load(&directory)?;
    fs::remove_dir_all(&directory)?;
    Ok(block)
}
