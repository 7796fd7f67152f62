//! What can be wrong with a block directory.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};

use crate::{InvalidAccessList, WitnessError};

/// A block that cannot be loaded. Each message names the file, the block, the transaction and the field, as far as they
/// are known.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The path is not there or holds no block.
    #[error(
        "{path}: no block directory: give a folder with `block.json` and `prestate.json`, or a folder of such folders"
    )]
    NoBlock {
        /// The path that was given.
        path: PathBuf,
    },
    /// A folder or file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no JSON or a value has the wrong form.
    #[error("{path}: {place}{reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Transaction, account and field: `transaction 4: field `gas`: `, or nothing where the text is no JSON.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A field that the block's fork needs is missing.
    #[error("{path}: block {block}: field `{field}` is missing, and {fork} blocks have it")]
    MissingField {
        /// The file.
        path: PathBuf,
        /// Number of the block.
        block: u64,
        /// Name of the fork.
        fork: &'static str,
        /// Name of the field in `block.json`.
        field: &'static str,
    },
    /// A transaction that cannot be what it claims to be.
    #[error("{path}: block {block}: transaction {index}: field `{field}`: {reason}")]
    Transaction {
        /// The file.
        path: PathBuf,
        /// Number of the block.
        block: u64,
        /// Index of the transaction in the block, from 0.
        index: usize,
        /// Name of the field in `block.json`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The block is under rules that no executor has.
    #[error(
        "{path}: block {block}: field `timestamp`: {timestamp} is after Osaka ({spec}), which no executor covers; \
         blocks from Frontier to Osaka can run"
    )]
    UnknownFork {
        /// The file.
        path: PathBuf,
        /// Number of the block.
        block: u64,
        /// Seconds since 1970.
        timestamp: u64,
        /// revm's name of the rules.
        spec: &'static str,
    },
    /// An account's code is not what its hash says.
    #[error(
        "{path}: account {address}: field `code` hashes to {hashed}, but `codeHash` is {given}"
    )]
    CodeHash {
        /// The file.
        path: PathBuf,
        /// The account.
        address: Address,
        /// Keccak-256 of the code in the file.
        hashed: B256,
        /// `codeHash` in the file.
        given: B256,
    },
    /// An account has the hash of a code that no account in the file has.
    #[error(
        "{path}: account {address}: field `code` is missing: its `codeHash` is {hash}, which is not empty"
    )]
    MissingCode {
        /// The file.
        path: PathBuf,
        /// The account.
        address: Address,
        /// `codeHash` in the file.
        hash: B256,
    },
    /// A block access list that breaks a rule of EIP-7928.
    #[error("{path}: {source}")]
    AccessList {
        /// The file.
        path: PathBuf,
        /// The rule.
        source: InvalidAccessList,
    },
    /// A witness that is none, or not the block's.
    #[error("{path}: {source}")]
    Witness {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: WitnessError,
    },
    /// A part of the block that is not what its header says.
    #[error("{path}: field `{field}` is {given}, but that of the block's parts is {own}")]
    Body {
        /// The file.
        path: PathBuf,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        given: String,
        /// What it should be.
        own: String,
    },
}
