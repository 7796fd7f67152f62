//! What was made: `manifest.toml` beside it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{BitstreamError, Board, Routed};
use crate::card::Make;

/// What was built, of what, with what. The fields of the first part are those that the card's identity registers have:
/// `gatewei card info CARD --manifest FILE` compares them.
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
    /// Entries of a lane's slot table.
    pub slots: u32,
    /// Pages of 1 KiB of a lane's code store.
    pub code_pages: u32,
    /// Pages of 4 KiB of a lane's data store.
    pub data_pages: u32,
    /// First 32 bits of the git commit, in hexadecimal.
    pub commit: String,
    /// When that commit was made, seconds since 1970.
    pub built: u32,
    /// The checkout had changes that the commit has not.
    pub changed: bool,
    /// The bitstream, or how one is made.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Versions of the tools.
    pub tools: BTreeMap<String, String>,
    /// Cells used, by type.
    pub cells: BTreeMap<String, u64>,
}

/// How far the flow went.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// To a bitstream.
    Bitstream {
        /// Bits a second of the serial line.
        baud: u32,
        /// nextpnr's seed.
        seed: u32,
        /// MHz that the slowest clock reaches.
        fmax_mhz: f64,
        /// MHz that it must.
        needed_mhz: f64,
        /// The bitstream's file.
        file: String,
        /// Its SHA-256.
        sha256: String,
    },
    /// To what the vendor's tools take.
    Project {
        /// `not built`.
        bitstream: String,
        /// The next step.
        how: String,
        /// SHA-256 of the card's Verilog.
        verilog_sha256: String,
    },
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Outcome {
    /// A bitstream.
    ///
    /// # Errors
    /// [`BitstreamError::File`] where it cannot be read.
    pub fn bitstream(
        path: &Path,
        baud: u32,
        seed: u32,
        routed: &Routed,
    ) -> Result<Self, BitstreamError> {
        let bytes = std::fs::read(path).map_err(BitstreamError::file(path))?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self::Bitstream {
            baud,
            seed,
            fmax_mhz: routed.timing.reached,
            needed_mhz: routed.timing.wanted,
            file: name.to_string_lossy().into_owned(),
            sha256: sha256(&bytes),
        })
    }

    /// A project for the vendor's tools around this Verilog.
    pub fn project(how: &str, verilog: &str) -> Self {
        Self::Project {
            bitstream: "not built".into(),
            how: how.into(),
            verilog_sha256: sha256(verilog.as_bytes()),
        }
    }
}

impl Manifest {
    /// The manifest of what became of a board.
    pub fn new(
        board: &Board,
        lanes: u8,
        make: Make,
        outcome: Outcome,
        tools: Vec<(String, String)>,
        cells: BTreeMap<String, u64>,
    ) -> Self {
        Self {
            board: board.name.clone(),
            abi_version: gatewei_abi::ABI_VERSION,
            lanes,
            keccak_engines: board.card.engines,
            clock_khz: make.clock_khz,
            slots: 1 << make.stores.slot_bits,
            code_pages: 1 << make.stores.code_bits,
            data_pages: 1 << make.stores.data_bits,
            commit: format!("{:08x}", make.origin.commit),
            built: make.origin.built,
            changed: make.origin.changed,
            outcome,
            tools: tools.into_iter().collect(),
            cells,
        }
    }

    /// As TOML.
    pub fn text(&self) -> String {
        toml::to_string(self).expect("a manifest is plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_the_card_says_and_how_far_the_flow_went() {
        let board = Board::load("acorn-cle215p").unwrap();
        let outcome = Outcome::project("vivado -mode batch", "module top; endmodule");
        let cells = [("LUT6".to_string(), 3)].into();
        let tools = vec![("yosys".to_string(), "0".to_string())];
        let manifest = Manifest::new(&board, 2, Make::default(), outcome, tools, cells);
        let read: toml::Table = manifest.text().parse().unwrap();
        assert_eq!(read["board"].as_str(), Some("acorn-cle215p"));
        assert_eq!(read["lanes"].as_integer(), Some(2));
        assert_eq!(read["bitstream"].as_str(), Some("not built"));
        assert_eq!(read["cells"]["LUT6"].as_integer(), Some(3));
        assert!(!read.contains_key("file"), "{read}");
    }
}
