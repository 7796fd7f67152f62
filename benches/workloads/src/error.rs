//! What can go wrong when a block is generated.

use std::path::PathBuf;

/// Failures of the generators; each names the thing and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// No kind of traffic has this name.
    #[error("there is no workload `{name}`; the kinds are: {}", kind_names())]
    UnknownKind {
        /// The name asked for.
        name: String,
    },
    /// More transactions than [`crate::MAX_TXS`].
    #[error(
        "{txs} transactions are too many for one block: ask for at most {}",
        crate::MAX_TXS
    )]
    TooManyTransactions {
        /// The number asked for.
        txs: usize,
    },
    /// A contention outside 0..=1.
    #[error("contention {contention} is no share: give a number from 0 to 1")]
    Contention {
        /// The number asked for.
        contention: f64,
    },
    /// A committed artifact cannot be read.
    #[error(
        "contract artifact {contract} cannot be read ({reason}); `make contracts` regenerates it"
    )]
    Artifact {
        /// Name of the contract.
        contract: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A key or signature failed.
    #[error("transaction {index} cannot be signed: {reason}")]
    Sign {
        /// Index of the transaction in the block.
        index: usize,
        /// What the signer said.
        reason: String,
    },
    /// The sequential execution rejected the block: the generator made an invalid transaction.
    #[error(
        "{place} of the generated block is invalid: {reason}; this is a defect of the generator"
    )]
    Invalid {
        /// The transaction or the system call.
        place: String,
        /// What the executor said.
        reason: String,
    },
    /// A value could not be written as JSON.
    #[error("{file} cannot be encoded: {source}")]
    Encode {
        /// Name of the file.
        file: &'static str,
        /// The encoder's error.
        source: serde_json::Error,
    },
    /// A file could not be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

fn kind_names() -> String {
    crate::KINDS
        .iter()
        .map(|kind| kind.name)
        .collect::<Vec<_>>()
        .join(", ")
}
