//! From fixture files to cases: a block of one transaction, and what must come of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::{Header, TxEnvelope, transaction::SignerRecoverable as _};
use alloy_eips::{Decodable2718 as _, eip7825::MAX_TX_GAS_LIMIT_OSAKA, eip7840::BlobParams};
use alloy_evm::{EvmEnv, ToTxEnv as _};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256, map::HashMap};
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
    primitives::hardfork::SpecId,
};
use serde::Deserialize;

use crate::{Block, Chain, Fork, PreState, Scope, block::MAINNET};

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
    /// The block of one transaction; the reason when the bytes are no transaction, `None` when no executor covers the
    /// fork.
    pub block: Option<Result<Block, String>>,
    /// State root before the transaction: also after, when it must be rejected.
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonTest {
    env: JsonEnvironment,
    pre: HashMap<Address, JsonAccount>,
    post: BTreeMap<String, Vec<JsonPost>>,
    transaction: JsonTransaction,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonEnvironment {
    current_coinbase: Address,
    current_gas_limit: U256,
    current_number: U64,
    current_timestamp: U64,
    #[serde(default)]
    current_difficulty: U256,
    current_base_fee: Option<U64>,
    current_random: Option<B256>,
    current_excess_blob_gas: Option<U64>,
}

#[derive(Deserialize)]
struct JsonAccount {
    balance: U256,
    nonce: U64,
    code: Bytes,
    storage: HashMap<U256, U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonPost {
    hash: B256,
    logs: B256,
    txbytes: Bytes,
    indexes: Indexes,
    expect_exception: Option<String>,
}

#[derive(Deserialize)]
struct JsonTransaction {
    sender: Option<Address>,
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
                        parent_state_root: None,
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

fn pre_state(test: &JsonTest) -> PreState {
    let mut state = PreState::new();
    for (address, account) in &test.pre {
        let slots = account.storage.iter().map(|(slot, value)| (*slot, *value));
        let code = account.code.clone();
        state.insert(*address, account.balance, account.nonce.to(), code, slots);
    }
    // Ancestors of a test's block have the hashes of their decimal numbers.
    let number: u64 = test.env.current_number.to();
    for ancestor in number.saturating_sub(256)..number {
        state.insert_block_hash(ancestor, keccak256(ancestor.to_string()));
    }
    state
}

fn environment(env: &JsonEnvironment, spec: SpecId) -> EvmEnv<SpecId> {
    let blobs = match spec {
        SpecId::CANCUN => Some(BlobParams::cancun()),
        SpecId::PRAGUE => Some(BlobParams::prague()),
        SpecId::OSAKA => Some(BlobParams::osaka()),
        _ => None,
    };
    let mut cfg = CfgEnv::new_with_spec(spec).with_chain_id(MAINNET);
    if let Some(blobs) = &blobs {
        cfg.set_max_blobs_per_tx(blobs.max_blobs_per_tx);
    }
    if spec.is_enabled_in(SpecId::OSAKA) {
        cfg.tx_gas_limit_cap = Some(MAX_TX_GAS_LIMIT_OSAKA);
    }
    let merged = spec.is_enabled_in(SpecId::MERGE);
    let excess = env.current_excess_blob_gas.unwrap_or_default().to();
    let block = BlockEnv {
        number: env.current_number.to(),
        beneficiary: env.current_coinbase,
        timestamp: env.current_timestamp.to(),
        gas_limit: env.current_gas_limit.saturating_to(),
        basefee: env.current_base_fee.unwrap_or_default().to(),
        difficulty: if merged {
            U256::ZERO
        } else {
            env.current_difficulty
        },
        prevrandao: merged.then(|| env.current_random.unwrap_or_default()),
        blob_excess_gas_and_price: blobs.map(|blobs| BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: blobs.calc_blob_fee(excess),
        }),
        ..BlockEnv::default()
    };
    EvmEnv::new(cfg, block)
}

/// The part of a header that messages and executors may want.
fn header(env: &JsonEnvironment, environment: &EvmEnv<SpecId>) -> Header {
    Header {
        number: env.current_number.to(),
        timestamp: env.current_timestamp.to(),
        beneficiary: env.current_coinbase,
        gas_limit: environment.block_env.gas_limit,
        base_fee_per_gas: env.current_base_fee.map(|fee| fee.to()),
        ..Header::default()
    }
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
