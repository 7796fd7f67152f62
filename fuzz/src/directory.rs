//! A block directory of the files in one input.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use gatewei::{Block, block::LoadError};

/// The files of an input, one behind the other with a zero byte between them. One that is empty is not there.
pub const FILES: [&str; 5] = [
    "block.json",
    "prestate.json",
    "block_hashes.json",
    "bal.json",
    "witness.json",
];

/// Most gas of a block that is executed: more is right, but takes too long.
const MOST_GAS: u64 = 60_000_000;

/// Gone with its files when it is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    fn new(data: &[u8]) -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gatewei-fuzz-{}-{count}", std::process::id());
        let directory = Self(std::env::temp_dir().join(name));
        fs::create_dir(&directory.0)?;
        for (file, text) in FILES.iter().zip(data.split(|byte| *byte == 0)) {
            if !text.is_empty() {
                fs::write(directory.0.join(file), text)?;
            }
        }
        Ok(directory)
    }

    /// An input's files, and the block that `load` reads there.
    pub(crate) fn loaded(
        data: &[u8],
        load: fn(&Path) -> Result<Block, LoadError>,
    ) -> Option<(Self, Block)> {
        let directory = Self::new(data).ok()?;
        let block = directory.block(load)?;
        Some((directory, block))
    }

    /// Its block, as `load` reads it, if it can be and is not too long.
    pub(crate) fn block(&self, load: fn(&Path) -> Result<Block, LoadError>) -> Option<Block> {
        let block = load(&self.0).ok()?;
        let gas = block
            .tx_envs
            .iter()
            .try_fold(0u64, |sum, tx| sum.checked_add(tx.gas_limit));
        gas.is_some_and(|gas| gas <= MOST_GAS).then_some(block)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
