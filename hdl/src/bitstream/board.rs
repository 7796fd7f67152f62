//! A board, as `bitstreams/<board>/board.toml` has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::BitstreamError;
use crate::lane::stores::Stores;
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
    /// The way to the host.
    pub link: Link,
    /// The reset button, where there is one.
    pub reset: Option<Reset>,
    /// What else is wired.
    #[serde(default)]
    pub pins: Pins,
    /// What is built where nobody says otherwise.
    pub card: Size,
    /// Sizes of a lane's memories.
    #[serde(skip)]
    pub stores: Stores,
}

/// An FPGA, by its maker: the flow is the maker's, too.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A Lattice ECP5.
    Ecp5(Ecp5),
    /// One of Xilinx (AMD).
    Xilinx(Xilinx),
}

/// A Lattice ECP5.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ecp5 {
    /// nextpnr's option for the device, without dashes: `85k`, `um5g-85k`.
    pub device: String,
    /// Package: `CABGA381`.
    pub package: String,
    /// Speed grade, 6 to 8.
    pub speed: u8,
}

/// A Xilinx FPGA.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xilinx {
    /// Vivado's name of the part.
    pub name: String,
    /// yosys' name of the family.
    pub family: XilinxFamily,
    /// Vivado's properties of the design: how the FPGA loads its bitstream.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
}

/// Families of Xilinx FPGAs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XilinxFamily {
    /// 7 series.
    Xc7,
    /// UltraScale+.
    Xcup,
}

/// Clocks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Pin of the oscillator, or two of a differential one; none where the link brings the clock.
    #[serde(default)]
    pub pins: Vec<String>,
    /// Its electrical standard.
    #[serde(default = "lvcmos33")]
    pub standard: String,
    /// Its rate.
    pub khz: u32,
    /// Rate of the card, made of it by a PLL.
    pub card_khz: u32,
}

fn lvcmos33() -> String {
    "LVCMOS33".into()
}

/// The way to the host.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// A serial line.
    Serial(Serial),
    /// PCIe, by LitePCIe's core.
    Litepcie(Pcie),
    /// The shell of AWS' F2 machines: it owns the pins.
    F2,
    /// PCIe, by AMD's bridge (XDMA in bridge mode).
    Xdma(Pcie),
}

/// A serial line.
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

/// A PCIe slot. Pins are those of the positive and the negative side, in turn; the transceivers' may be left to the
/// vendor's block, which knows its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pcie {
    /// Lanes of the link.
    pub lanes: u8,
    /// The slot's reset, low.
    pub reset: String,
    /// Electrical standard of the reset.
    #[serde(default = "lvcmos33")]
    pub standard: String,
    /// The slot's clock of 100 MHz: two pins.
    pub clock: [String; 2],
    /// From the host: positive, negative, of lane 0 on.
    #[serde(default)]
    pub rx: Vec<[String; 2]>,
    /// To the host.
    #[serde(default)]
    pub tx: Vec<[String; 2]>,
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// LEDs, from 0 on; at most 8.
    #[serde(default)]
    pub leds: Vec<String>,
    /// The level that lights them.
    #[serde(default)]
    pub leds_active: Active,
    /// Electrical standard of all of them; LVCMOS33 where none is given.
    #[serde(default)]
    pub standard: Option<String>,
    /// Pins that are held high.
    #[serde(default)]
    pub high: Vec<String>,
    /// Pins that are held low.
    #[serde(default)]
    pub low: Vec<String>,
}

/// Parts of the card.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// EVM lanes.
    pub lanes: u8,
    /// Keccak engines.
    pub engines: u8,
    /// Entries of a lane's slot table, a power of two; without it, as many as there can be.
    slots: Option<u32>,
    /// Pages of 1 KiB of its code store, likewise.
    code_pages: Option<u32>,
    /// Pages of 4 KiB of its data store, likewise.
    data_pages: Option<u32>,
}

impl Size {
    /// Sizes of a lane's memories.
    ///
    /// # Errors
    /// Names the one that a lane cannot have.
    fn stores(&self) -> Result<Stores, String> {
        let bits = |name, number: Option<u32>, least: usize, most: usize| match number {
            None => Ok(most),
            Some(number)
                if number.is_power_of_two()
                    && (least..=most).contains(&(number.ilog2() as usize)) =>
            {
                Ok(number.ilog2() as usize)
            }
            Some(_) => Err(format!(
                "card.{name}: a power of two from {} to {}",
                1 << least,
                1 << most
            )),
        };
        let (least, most) = (Stores::LEAST, Stores::MOST);
        Ok(Stores {
            slot_bits: bits("slots", self.slots, least.slot_bits, most.slot_bits)?,
            code_bits: bits(
                "code_pages",
                self.code_pages,
                least.code_bits,
                most.code_bits,
            )?,
            data_bits: bits(
                "data_pages",
                self.data_pages,
                least.data_bits,
                most.data_bits,
            )?,
        })
    }
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
        board.whole().map_err(wrong)?;
        board.stores = board.card.stores().map_err(wrong)?;
        (board.name, board.path) = (name.into(), path.into());
        Ok(board)
    }

    /// Whether its parts go together.
    fn whole(&self) -> Result<(), String> {
        let say = |what: &str| Err(what.to_string());
        if self.pins.leds.len() > 8 {
            return say("pins.leds: at most 8 LEDs");
        }
        let slot = match &self.link {
            Link::Serial(_) | Link::F2 => None,
            Link::Litepcie(slot) | Link::Xdma(slot) => Some(slot),
        };
        if let Some(slot) = slot {
            let lanes = usize::from(slot.lanes);
            if !matches!(lanes, 1 | 2 | 4 | 8 | 16) {
                return say("link: lanes are 1, 2, 4, 8 or 16");
            }
            for pins in [&slot.rx, &slot.tx] {
                if !pins.is_empty() && pins.len() != lanes {
                    return say("link: rx and tx have pins for all lanes, or for none");
                }
            }
        }
        match (&self.part, &self.link) {
            (Part::Ecp5(part), Link::Serial(_)) => {
                if !(6..=8).contains(&part.speed) {
                    return say("part.ecp5.speed: an ECP5 has 6, 7 or 8");
                }
                if self.clock.pins.len() != 1 || self.reset.is_none() || self.pins.leds.is_empty() {
                    return say("an ECP5 board has one clock pin, a reset button, and LEDs");
                }
                Ok(())
            }
            (Part::Ecp5(_), _) => {
                say("an ECP5 has a serial link: no PCIe core for it is known here")
            }
            (Part::Xilinx(_), Link::Serial(_)) => {
                say("no flow takes a Xilinx part with a serial link to a bitstream")
            }
            (Part::Xilinx(part), _) => {
                let pins = if matches!(self.link, Link::Litepcie(_)) {
                    2
                } else {
                    0
                };
                if self.clock.pins.len() != pins {
                    return say(
                        "clock.pins: two with LitePCIe, none where the link brings the clock",
                    );
                }
                super::vendor::Mmcm::of(part.family, self.clock.khz, self.clock.card_khz).map(drop)
            }
        }
    }

    /// Every pin that it uses.
    pub fn every_pin(&self) -> Vec<&String> {
        let own = [
            &self.clock.pins,
            &self.pins.leds,
            &self.pins.high,
            &self.pins.low,
        ];
        let mut pins: Vec<&String> = own.into_iter().flatten().collect();
        pins.extend(self.reset.as_ref().map(|reset| &reset.pin));
        match &self.link {
            Link::Serial(line) => pins.extend([&line.rx, &line.tx]),
            Link::Litepcie(slot) | Link::Xdma(slot) => {
                pins.push(&slot.reset);
                let pairs = [&slot.clock].into_iter().chain(&slot.rx).chain(&slot.tx);
                pins.extend(pairs.flatten());
            }
            Link::F2 => {}
        }
        pins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Line;

    #[test]
    fn every_board_s_file_is_whole_and_its_line_can_be_made() {
        let names = boards();
        // All that have a number, but the simulation.
        let numbered = gatewei_abi::board::BOARDS.iter().skip(1);
        let mut numbered: Vec<_> = numbered.map(|(_, name)| name.to_string()).collect();
        numbered.sort();
        assert_eq!(names, numbered);
        for name in names {
            let board = Board::load(&name).unwrap();
            if let Link::Serial(line) = &board.link {
                Line::at(board.clock.card_khz, line.baud).unwrap();
            }
            let mut pins = board.every_pin();
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

    #[test]
    fn parts_that_do_not_go_together_are_refused() {
        let text = |name: &str| {
            let path = folder().join(name).join("board.toml");
            std::fs::read_to_string(path).unwrap()
        };
        for (name, from, to, why) in [
            ("ulx3s-85f", "speed = 6", "speed = 5", "6, 7 or 8"),
            ("ulx3s-85f", "slots = 512", "slots = 500", "power of two"),
            ("ulx3s-85f", "slots = 512", "slots = 4096", "64 to 2048"),
            (
                "ulx3s-85f",
                "data_pages = 8",
                "data_pages = 4",
                "data_pages: a power of two from 8 to 16",
            ),
            (
                "ulx3s-85f",
                "code_pages = 32",
                "code_pages = 16",
                "code_pages: a power of two from 32 to 64",
            ),
            (
                "aws-f2",
                "link = \"f2\"",
                "link = \"f3\"",
                "unknown variant",
            ),
            (
                "acorn-cle215p",
                "lanes = 4",
                "lanes = 3",
                "1, 2, 4, 8 or 16",
            ),
            ("acorn-cle215p", "lanes = 4", "lanes = 2", "for all lanes"),
            (
                "acorn-cle215p",
                "card_khz = 16000",
                "card_khz = 16001",
                "16001 kHz",
            ),
            (
                "aws-f2",
                "khz = 250000",
                "pins = [\"A1\"]\nkhz = 250000",
                "clock.pins",
            ),
        ] {
            let changed = text(name).replacen(from, to, 1);
            assert_ne!(changed, text(name), "{name} has no `{from}`");
            let refused = Board::parse(name, Path::new("board.toml"), &changed);
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(why), "{from} as {to}: {refused}");
        }
    }
}
