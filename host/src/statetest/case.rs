//! From fixture files to cases: a block of one transaction, and what must come of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable as _};
use alloy_eips::Decodable2718 as _;
use alloy_evm::ToTxEnv as _;
use alloy_primitives::{Address, B256, Bytes};
use serde::Deserialize;

use super::fixture::{JsonTest, environment, header, pre_state};
use crate::{Block, Chain, Fork, PreState, Scope};

/// A fixture that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateTestError {
    /// The path is not there, or holds no fixtures.
    #[error("{path}: no state tests: give a `.json` fixture or a folder of them")]
    None {
        /// The path that was given.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no state test.
    #[error("{path}: field `{field}`: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

/// One transaction under one fork.
#[derive(Clone, Debug)]
pub struct Case {
    /// The fixture file.
    pub file: PathBuf,
    /// Name of the test in the file.
    pub name: String,
    /// The fork as the file names it.
    pub fork: String,
    /// Which of the test's data, gas limits and values the transaction has.
    pub indexes: Indexes,
    /// The block of one transaction, or why the bytes are no transaction; `None` when no executor covers the fork.
    pub block: Option<Result<Block, String>>,
    /// The state before the transaction, and after it when it must be rejected.
    pub pre_state: Arc<PreState>,
    /// What must come of it.
    pub expected: Expectation,
}

/// Indexes of a case in its test.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Indexes {
    /// Of the data.
    pub data: usize,
    /// Of the gas limit.
    pub gas: usize,
    /// Of the value.
    pub value: usize,
}

/// What must come of a case.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// State root after the transaction.
    pub state_root: B256,
    /// Keccak-256 of the RLP list of logs.
    pub logs_hash: B256,
    /// Names of the exceptions, one of which must reject the transaction: `TransactionException.NONCE_IS_MAX|…`.
    pub exception: Option<String>,
}

/// Fixture files at a path, sorted: the path itself or all `.json` files below it.
///
/// # Errors
/// A path that is not there, cannot be read or holds no fixture.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, StateTestError> {
    let mut found = Vec::new();
    if path.is_file() {
        found.push(path.to_owned());
    } else if path.is_dir() {
        walk(path, &mut found)?;
    }
    if found.is_empty() {
        return Err(StateTestError::None {
            path: path.to_owned(),
        });
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), StateTestError> {
    let read = |source| StateTestError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        // What a link points to is taken as a file at most: links could run in a circle.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads the cases of a fixture file.
///
/// # Errors
/// A file that cannot be read or is no state test.
pub fn load(path: &Path) -> Result<Vec<Case>, StateTestError> {
    let text = fs::read(path).map_err(|source| StateTestError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    let tests: BTreeMap<String, JsonTest> =
        serde_path_to_error::deserialize(&mut json).map_err(|error| StateTestError::Malformed {
            path: path.to_owned(),
            field: error.path().to_string(),
            reason: error.inner().to_string(),
        })?;
    let chain = Arc::new(Chain::mainnet());
    let mut cases = Vec::new();
    for (name, test) in tests {
        let pre_state = Arc::new(pre_state(&test));
        for (fork_name, posts) in &test.post {
            let fork = fork_name.parse::<Fork>().ok();
            let environment = fork.map(|fork| environment(&test.env, fork.spec()));
            for post in posts {
                let block = fork.zip(environment.as_ref()).map(|(fork, environment)| {
                    let base = Block {
                        source: path.to_owned(),
                        header: header(&test.env, environment),
                        transactions: Vec::new(),
                        tx_envs: Vec::new(),
                        withdrawals: None,
                        fork,
                        chain: chain.clone(),
                        environment: environment.clone(),
                        pre_state: pre_state.clone(),
                        access_list: None,
                        list_accesses: false,
                        witness: None,
                        scope: Scope::Transactions,
                    };
                    with_transaction(base, &post.txbytes, test.transaction.sender)
                });
                cases.push(Case {
                    file: path.to_owned(),
                    name: name.clone(),
                    fork: fork_name.clone(),
                    indexes: post.indexes,
                    block,
                    pre_state: pre_state.clone(),
                    expected: Expectation {
                        state_root: post.hash,
                        logs_hash: post.logs,
                        exception: post.expect_exception.clone(),
                    },
                });
            }
        }
    }
    Ok(cases)
}

fn with_transaction(
    mut block: Block,
    bytes: &Bytes,
    sender: Option<Address>,
) -> Result<Block, String> {
    let mut rest = bytes.as_ref();
    let tx = TxEnvelope::decode_2718(&mut rest).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow the transaction", rest.len()));
    }
    let tx = tx.try_into_recovered().map_err(|error| error.to_string())?;
    if let Some(sender) = sender.filter(|sender| *sender != tx.signer()) {
        return Err(format!("{} has signed, not {sender}", tx.signer()));
    }
    block.tx_envs.push(tx.to_tx_env());
    block.transactions.push(tx);
    Ok(block)
}
