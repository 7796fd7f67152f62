//! A generated block and its directory: `block.json`, `prestate.json`, `block_hashes.json`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use alloy_consensus::ReceiptEnvelope;
use alloy_primitives::B256;
use alloy_rpc_types_eth::Block;
use serde::Serialize;

use crate::{PreState, WorkloadError};

/// A block with all that its execution reads, and the receipts that it must give.
#[derive(Clone, Debug)]
pub struct GeneratedBlock {
    /// Header and full transactions, as `eth_getBlockByNumber(n, true)` gives them.
    pub block: Block,
    /// All accounts before the block.
    pub pre_state: PreState,
    /// Hashes of the ancestors that it needs, by number.
    pub block_hashes: BTreeMap<u64, B256>,
    /// Receipts of the sequential execution, whose root is in the header.
    pub receipts: Vec<ReceiptEnvelope>,
}

/// Writes the block as a directory, which is made if need be; files of an older block in it are
/// replaced.
///
/// # Errors
/// A file that cannot be written.
pub fn write(block: &GeneratedBlock, dir: &Path) -> Result<(), WorkloadError> {
    fs::create_dir_all(dir).map_err(|source| WorkloadError::Write {
        path: dir.to_owned(),
        source,
    })?;
    file(dir, "block.json", &block.block)?;
    file(dir, "prestate.json", &block.pre_state)?;
    file(dir, "block_hashes.json", &block.block_hashes)
}

fn file(dir: &Path, name: &'static str, value: &impl Serialize) -> Result<(), WorkloadError> {
    let path = dir.join(name);
    let text =
        serde_json::to_vec(value).map_err(|source| WorkloadError::Encode { file: name, source })?;
    let write = || {
        let mut out = BufWriter::new(File::create(&path)?);
        out.write_all(&text)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    write().map_err(|source| WorkloadError::Write {
        path: path.clone(),
        source,
    })
}
