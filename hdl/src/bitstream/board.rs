//! A board, as `bitstreams/<board>/board.toml` has it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::BitstreamError;
use crate::tools::checkout;

/// A board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its folder's name.
    #[serde(skip)]
    pub name: String,
    /// Its file.
    #[serde(skip)]
    pub path: PathBuf,
    /// Its number in the identity registers.
    #[serde(skip)]
    pub number: u16,
    /// What it is, for people.
    pub title: String,
    /// The FPGA.
    pub part: Part,
    /// Its clock, and the card's.
    pub clock: Clock,
    /// The serial line.
    pub serial: Serial,
    /// The reset button.
    pub reset: Reset,
    /// What else is wired.
    pub pins: Pins,
    /// What is built where nobody says otherwise.
    pub card: Size,
}

/// A Lattice ECP5.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// nextpnr's option for the device, without dashes: `85k`, `um5g-85k`.
    pub device: String,
    /// Package: `CABGA381`.
    pub package: String,
    /// Speed grade, 6 to 8.
    pub speed: u8,
}

/// Clocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Pin of the oscillator.
    pub pin: String,
    /// Its rate.
    pub khz: u32,
    /// Rate of the card, made of it by a PLL.
    pub card_khz: u32,
}

/// The line to the host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// Pin that the host drives.
    pub rx: String,
    /// Pin that the card drives.
    pub tx: String,
    /// Bits a second.
    pub baud: u32,
}

/// A level that means yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Active {
    /// The high one.
    #[default]
    High,
    /// The low one.
    Low,
}

/// A button.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Its pin.
    pub pin: String,
    /// Its level when pressed.
    pub active: Active,
}

/// Other pins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// LEDs, from 0 on; at most 8.
    pub leds: Vec<String>,
    /// The level that lights them.
    #[serde(default)]
    pub leds_active: Active,
    /// Pins that are held high.
    #[serde(default)]
    pub high: Vec<String>,
}

/// Parts of the card.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// EVM lanes.
    pub lanes: u8,
    /// Keccak engines.
    pub engines: u8,
}

/// Where boards are.
fn folder() -> PathBuf {
    checkout().join("bitstreams")
}

/// Names of the boards, in order.
pub fn boards() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("board.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

impl Board {
    /// Reads a board's file.
    ///
    /// # Errors
    /// [`BitstreamError::NoBoard`], [`BitstreamError::Board`].
    pub fn load(name: &str) -> Result<Self, BitstreamError> {
        if !boards().iter().any(|known| known == name) {
            return Err(BitstreamError::NoBoard {
                name: name.into(),
                folder: folder(),
                known: boards().join(", "),
            });
        }
        let path = folder().join(name).join("board.toml");
        let text = std::fs::read_to_string(&path).map_err(BitstreamError::file(&path))?;
        Self::parse(name, &path, &text)
    }

    fn parse(name: &str, path: &Path, text: &str) -> Result<Self, BitstreamError> {
        let wrong = |reason: String| BitstreamError::Board {
            path: path.into(),
            reason,
        };
        let mut board: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        board.number = gatewei_abi::board::number(name)
            .ok_or_else(|| wrong(format!("`{name}` has no number in hdl/abi/src/board.rs")))?;
        if board.pins.leds.is_empty() || board.pins.leds.len() > 8 {
            return Err(wrong("pins.leds: 1 to 8 LEDs".into()));
        }
        if !(6..=8).contains(&board.part.speed) {
            return Err(wrong("part.speed: an ECP5 has 6, 7 or 8".into()));
        }
        (board.name, board.path) = (name.into(), path.into());
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Line;

    #[test]
    fn every_board_s_file_is_whole_and_its_line_can_be_made() {
        let names = boards();
        assert!(names.iter().any(|name| name == "ulx3s-85f"), "{names:?}");
        for name in names {
            let board = Board::load(&name).unwrap();
            Line::at(board.clock.card_khz, board.serial.baud).unwrap();
            let pins = (board.pins.leds.iter()).chain(&board.pins.high).chain([
                &board.clock.pin,
                &board.serial.rx,
                &board.serial.tx,
                &board.reset.pin,
            ]);
            let mut pins: Vec<_> = pins.collect();
            let count = pins.len();
            pins.sort();
            pins.dedup();
            assert_eq!(pins.len(), count, "{name} uses a pin twice");
        }
    }

    #[test]
    fn a_wrong_file_is_named_with_its_line() {
        let unknown = Board::load("ulx4s").unwrap_err().to_string();
        assert!(unknown.contains("ulx3s-85f"), "{unknown}");
        let path = Path::new("board.toml");
        let wrong = Board::parse("ulx3s-85f", path, "title = \"x\"\nspeed = 6\n").unwrap_err();
        let wrong = wrong.to_string();
        assert!(
            wrong.contains("board.toml") && wrong.contains("speed"),
            "{wrong}"
        );
    }
}
