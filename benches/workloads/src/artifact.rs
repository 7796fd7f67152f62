//! The committed compiler output of `contracts/*.sol`.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};
use serde::Deserialize;

use crate::WorkloadError;

/// One contract as `make contracts` compiled it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Name of the contract.
    pub contract: String,
    /// The source that it was compiled from.
    pub source: Source,
    /// The compiler.
    pub compiler: Compiler,
    /// Selectors in hexadecimal by signature, e.g. `transfer(address,uint256)`.
    pub method_identifiers: BTreeMap<String, String>,
    /// Creation code.
    pub bytecode: Bytes,
    /// Code of the deployed contract; no contract here has immutables, so it is complete.
    pub deployed_bytecode: Bytes,
}

/// The source of an [`Artifact`].
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// File name in `contracts/`.
    pub file: String,
    /// Keccak-256 of the file.
    pub keccak256: B256,
}

/// The compiler of an [`Artifact`].
#[derive(Clone, Debug, Deserialize)]
pub struct Compiler {
    /// Name, `solc`.
    pub name: String,
    /// Full version with commit.
    pub version: String,
}

/// Texts of the artifacts with the name of each.
const TEXTS: [(&str, &str); 7] = [
    ("Game", include_str!("../contracts/artifacts/Game.json")),
    (
        "Lending",
        include_str!("../contracts/artifacts/Lending.json"),
    ),
    ("Pool", include_str!("../contracts/artifacts/Pool.json")),
    (
        "Provenance",
        include_str!("../contracts/artifacts/Provenance.json"),
    ),
    ("Router", include_str!("../contracts/artifacts/Router.json")),
    ("Token", include_str!("../contracts/artifacts/Token.json")),
    ("Voting", include_str!("../contracts/artifacts/Voting.json")),
];

/// All committed artifacts.
///
/// # Errors
/// An artifact that does not parse.
pub fn artifacts() -> Result<Vec<Artifact>, WorkloadError> {
    TEXTS.iter().map(|(name, text)| parse(name, text)).collect()
}

/// The deployed code of every contract, by its name.
pub(crate) fn codes() -> Result<BTreeMap<&'static str, Bytes>, WorkloadError> {
    let codes = TEXTS
        .iter()
        .map(|(name, text)| Ok((*name, parse(name, text)?.deployed_bytecode)));
    codes.collect()
}

fn parse(contract: &'static str, text: &str) -> Result<Artifact, WorkloadError> {
    serde_json::from_str(text).map_err(|error| WorkloadError::Artifact {
        contract,
        reason: error.to_string(),
    })
}
