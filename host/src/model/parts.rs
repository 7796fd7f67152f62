//! FPGAs and boards: clock, area, link and watts, each with where it comes from.

mod board;
mod table;

use std::fmt;

pub use board::{Board, BoardError, Manifest, boards};
pub use table::parts;

use super::Power;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody has measured it: what, and how.
    Measured(String),
    /// A tool has computed it for the card as it is.
    Estimated(String),
    /// The maker's data sheet.
    DataSheet(&'static str),
    /// A file: a board's, or the manifest of what was routed for it.
    File(String),
    /// The user's choice.
    Option(&'static str),
    /// Nobody knows: a guess, with its reason.
    Assumed(String),
}

impl Source {
    /// One word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Measured(_) => "measured",
            Self::Estimated(_) => "estimated",
            Self::DataSheet(_) => "datasheet",
            Self::File(_) => "file",
            Self::Option(_) | Self::Assumed(_) => "assumed",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Measured(what) | Self::Estimated(what) | Self::Assumed(what) => {
                write!(f, "{kind}: {what}")
            }
            Self::DataSheet(what) => write!(f, "{kind}: {what}"),
            Self::File(path) => f.write_str(path),
            Self::Option(option) => write!(f, "{kind}: {option}"),
        }
    }
}

/// A value with its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Known<T> {
    /// A guess.
    pub fn assumed(value: T, why: impl Into<String>) -> Self {
        Self {
            value,
            source: Source::Assumed(why.into()),
        }
    }

    /// The user's choice.
    pub const fn chosen(value: T, option: &'static str) -> Self {
        Self {
            value,
            source: Source::Option(option),
        }
    }
}

/// How card and host are connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkKind {
    /// A bus on which many accesses are under way at once: PCIe.
    Bus,
    /// A serial line on which one access waits for the other, each a frame and its answer.
    Serial,
}

/// A link.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What kind.
    pub kind: LinkKind,
    /// Bytes a second, each way.
    pub bytes_per_s: Known<f64>,
    /// From a lane's question to the host's answer at the card without the host's work, in microseconds: a write to
    /// host memory and a read of it.
    pub round_trip_us: Known<f64>,
}

impl Link {
    /// Seconds in which a message keeps the link busy, each way together: what it moves over a bus, every frame over a
    /// serial line.
    pub fn seconds(&self, moved: super::Moved) -> (f64, f64) {
        let beat = gatewei_abi::BEAT as u64;
        let (down, up) = match self.kind {
            LinkKind::Bus => (moved.read_beats * beat, moved.write_beats * beat),
            LinkKind::Serial => (
                moved.reads * (FETCH + DATA) + moved.read_beats * beat,
                // Every beat is a frame of its own.
                moved.write_beats * (STORE + DONE + beat),
            ),
        };
        let rate = self.bytes_per_s.value;
        (down as f64 / rate, up as f64 / rate)
    }
}

/// Bytes of frames of a serial line without their beats ([`gatewei_abi::serial`]): two flags, kind, number and check,
/// and bus address, number of beats or byte strobes. Escapes are not counted.
const EMPTY: u64 = 2 + (gatewei_abi::serial::HEAD_BYTES + gatewei_abi::serial::CHECK_BYTES) as u64;
const FETCH: u64 = EMPTY + 8 + 1;
const DATA: u64 = EMPTY;
const STORE: u64 = EMPTY + 8 + 4;
const DONE: u64 = EMPTY;

/// An FPGA.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Clock of the lanes, MHz.
    pub mhz: Known<f64>,
    /// Lookup tables of the part, and of a lane.
    pub luts: Known<u32>,
    /// Those of a lane.
    pub lane_luts: Known<u32>,
    /// How it is connected where no board says.
    pub link: Link,
    /// What it draws.
    pub power: Known<Power>,
}

impl Part {
    /// Lanes for which it has lookup tables; those of Keccak engines and shell are not counted.
    pub fn lanes(&self) -> u32 {
        self.luts.value / self.lane_luts.value.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Moved;
    use super::*;

    #[test]
    fn a_serial_line_moves_frames_and_a_bus_beats() {
        let rate = Known::assumed(100_000.0, "test");
        let mut link = Link {
            kind: LinkKind::Serial,
            bytes_per_s: rate,
            round_trip_us: Known::assumed(0.0, "test"),
        };
        // A page of 4 KiB in one burst: the README of the boards says 41 ms.
        let page = Moved {
            reads: 1,
            read_beats: 128,
            ..Moved::default()
        };
        let (down, up) = link.seconds(page);
        assert!((0.041..0.042).contains(&down) && up == 0.0, "{down} {up}");
        link.kind = LinkKind::Bus;
        assert_eq!(link.seconds(page), (0.04096, 0.0));
    }

    #[test]
    fn every_part_has_one_name_and_room_for_a_lane() {
        let mut names: Vec<_> = parts().iter().map(|part| part.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for part in parts() {
            assert!(part.lanes() >= 1, "{}", part.name);
            assert!(part.mhz.value > 0.0 && part.power.value.watts(1, 1.0) > 0.0);
        }
    }

    #[test]
    fn a_source_says_what_it_is() {
        assert_eq!(
            Known::assumed(1, "nobody has placed it").source.to_string(),
            "assumed: nobody has placed it"
        );
        assert_eq!(
            Known::chosen(1, "--mhz").source.to_string(),
            "assumed: --mhz"
        );
    }
}
