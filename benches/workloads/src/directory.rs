//! A generated block and its directory: `block.json`, `prestate.json`, `block_hashes.json`,
//! `witness.json`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use alloy_consensus::{Header, ReceiptEnvelope};
use alloy_primitives::{B256, Bytes};
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
    /// Header of the parent. Its state root is that of the pre-state, which is the whole state: so the
    /// state root after the block can be checked.
    pub parent: Header,
    /// Receipts of the sequential execution, whose root is in the header.
    pub receipts: Vec<ReceiptEnvelope>,
}

/// The part of an execution witness (`debug_executionWitness`) that a whole pre-state leaves to tell:
/// RLP headers of ancestors.
#[derive(Serialize)]
struct Witness {
    headers: Vec<Bytes>,
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
    file(dir, "block_hashes.json", &block.block_hashes)?;
    let headers = vec![alloy_rlp::encode(&block.parent).into()];
    file(dir, "witness.json", &Witness { headers })
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
