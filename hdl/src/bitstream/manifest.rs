//! What a bitstream is: `manifest.toml` beside it.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{BitstreamError, Board, Routed, tool_versions};
use crate::card::Origin;

/// What was built, of what, with what, and how fast it is. The fields of the first part are those that the card's
/// identity registers have: `gatewei card info CARD --manifest FILE` compares them.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Name of the board.
    pub board: String,
    /// Version of the card's interface.
    pub abi_version: u32,
    /// EVM lanes.
    pub lanes: u8,
    /// Keccak engines.
    pub keccak_engines: u8,
    /// Clock of the card.
    pub clock_khz: u32,
    /// First 32 bits of the git commit, in hexadecimal.
    pub commit: String,
    /// When that commit was made, seconds since 1970.
    pub built: u32,
    /// The checkout had changes that the commit has not.
    pub changed: bool,
    /// Bits a second of the serial line.
    pub baud: u32,
    /// nextpnr's seed.
    pub seed: u32,
    /// MHz that the slowest clock reaches.
    pub fmax_mhz: f64,
    /// MHz that it must.
    pub needed_mhz: f64,
    /// The bitstream's file.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Versions of the tools.
    pub tools: BTreeMap<String, String>,
    /// Cells used, by type.
    pub cells: BTreeMap<String, u64>,
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Manifest {
    /// The manifest of a bitstream.
    ///
    /// # Errors
    /// [`BitstreamError::File`] where the bitstream cannot be read; [`BitstreamError::Tool`] where a tool is gone.
    pub fn new(
        board: &Board,
        lanes: u8,
        origin: Origin,
        seed: u32,
        routed: &Routed,
    ) -> Result<Self, BitstreamError> {
        let file = routed.file.clone().unwrap_or_default();
        let bytes = std::fs::read(&file).map_err(BitstreamError::file(&file))?;
        let name = file.file_name().unwrap_or_default();
        Ok(Self {
            board: board.name.clone(),
            abi_version: gatewei_abi::ABI_VERSION,
            lanes,
            keccak_engines: board.card.engines,
            clock_khz: board.clock.card_khz,
            commit: format!("{:08x}", origin.commit),
            built: origin.built,
            changed: origin.changed,
            baud: board.serial.baud,
            seed,
            fmax_mhz: routed.timing.reached,
            needed_mhz: routed.timing.wanted,
            file: name.to_string_lossy().into_owned(),
            sha256: sha256(&bytes),
            tools: tool_versions()?.into_iter().collect(),
            cells: routed
                .cells
                .iter()
                .map(|(name, used, _)| (name.clone(), *used))
                .collect(),
        })
    }

    /// As TOML.
    pub fn text(&self) -> String {
        toml::to_string(self).expect("a manifest is plain data")
    }
}
