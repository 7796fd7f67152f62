//! Boards, as their files have them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Known, Link, LinkKind, Part, Source, parts};

/// Folder of boards in a checkout.
const FOLDER: &str = "bitstreams";
/// Bits on a serial line for a byte: a start bit, eight, a stop bit.
const BITS: f64 = 10.0;

/// Why there is no board.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// Neither a file nor a board of this checkout.
    #[error(
        "there is no board `{name}`: {known}; or give the path of a board.toml, or choose a part with --part"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file that cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What of `board.toml` matters here; `gatewei-hdl bitstream` reads all of it.
#[derive(Debug, Deserialize)]
struct File {
    title: String,
    part: FilePart,
    clock: Clock,
    link: FileLink,
    card: Size,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FilePart {
    Ecp5(Ecp5),
    Xilinx(Xilinx),
}

#[derive(Debug, Deserialize)]
struct Ecp5 {
    speed: u8,
}

#[derive(Debug, Deserialize)]
struct Xilinx {
    /// As Vivado has it.
    name: String,
}

impl FilePart {
    /// Its name among the parts that are known.
    fn known(&self) -> String {
        match self {
            Self::Ecp5(Ecp5 { speed }) => format!("ecp5-85-{speed}"),
            Self::Xilinx(Xilinx { name }) => {
                let parts = parts().into_iter();
                let mut named = parts.filter(|part| name.contains(part.name));
                named
                    .next()
                    .map_or_else(|| name.clone(), |part| part.name.to_owned())
            }
        }
    }
}

/// How a board is reached. What is no serial line is a bus, whatever makes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FileLink {
    Serial { serial: Serial },
    Bus(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Clock {
    card_khz: u32,
}

#[derive(Debug, Deserialize)]
struct Serial {
    baud: u32,
}

#[derive(Debug, Deserialize)]
struct Size {
    lanes: u16,
}

/// The manifest of a bitstream, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Manifest {
    /// Clock of the card.
    pub clock_khz: u32,
    /// MHz that its slowest clock reaches, where it was routed: a project for the vendor's tools was not.
    pub fmax_mhz: Option<f64>,
    /// EVM lanes.
    pub lanes: u16,
}

/// A board: a part with its clock and link, and the lanes that are built where nobody says otherwise.
#[derive(Clone, Debug)]
pub struct Board {
    /// What it is.
    pub title: String,
    /// Its FPGA, with the board's clock and link.
    pub part: Part,
    /// Lanes.
    pub lanes: Known<u16>,
}

/// Names of the boards of the checkout in the working directory, in order.
pub fn boards() -> Vec<String> {
    let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("board.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

impl Board {
    /// A board of the checkout in the working directory, or of a `board.toml` of any place. Where a bitstream was built
    /// in its checkout (`.build/bitstream/NAME/manifest.toml`), the clock is that one's.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn load(name: &str) -> Result<Self, BoardError> {
        let given = Path::new(name);
        let path = if given.is_file() {
            given.to_owned()
        } else {
            Path::new(FOLDER).join(name).join("board.toml")
        };
        if !path.is_file() {
            let known = match boards() {
                known if known.is_empty() => {
                    "the working directory is no checkout of gatewei".into()
                }
                known => format!("there are {}", known.join(", ")),
            };
            return Err(BoardError::Unknown {
                name: name.into(),
                known,
            });
        }
        let text = read(&path)?;
        let mut board = Self::parse(&path, &text)?;
        if let Some(manifest) = manifest_of(&path)
            && manifest.is_file()
        {
            board.built(&manifest)?;
        }
        Ok(board)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BoardError> {
        let wrong = |reason: String| BoardError::File {
            path: path.into(),
            reason,
        };
        let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let baud = match file.link {
            FileLink::Serial { serial } => Some(serial.baud),
            FileLink::Bus(_) => None,
        };
        if file.clock.card_khz == 0 || baud == Some(0) || file.card.lanes == 0 {
            return Err(wrong(
                "clock.card_khz, link.serial.baud and card.lanes are at least 1".into(),
            ));
        }
        let name = file.part.known();
        let part = parts().into_iter().find(|part| part.name == name);
        let mut part = part.ok_or_else(|| wrong(format!("no part `{name}` is known")))?;
        let from = |what: &str| Source::File(format!("{}: {what}", path.display()));
        part.mhz = Known {
            value: f64::from(file.clock.card_khz) / 1e3,
            source: from("clock.card_khz"),
        };
        if let Some(baud) = baud {
            part.link = Link {
                kind: LinkKind::Serial,
                bytes_per_s: Known {
                    value: f64::from(baud) / BITS,
                    source: from("link.serial.baud"),
                },
                round_trip_us: Known::assumed(
                    0.0,
                    "the frames on the line, one after the other, are all",
                ),
            };
        }
        Ok(Self {
            title: file.title,
            part,
            lanes: Known {
                value: file.card.lanes,
                source: from("card.lanes"),
            },
        })
    }

    /// Takes over what a bitstream's manifest says.
    ///
    /// # Errors
    /// [`BoardError::File`].
    pub fn built(&mut self, path: &Path) -> Result<(), BoardError> {
        let manifest: Manifest =
            toml::from_str(&read(path)?).map_err(|error| BoardError::File {
                path: path.into(),
                reason: error.to_string(),
            })?;
        if manifest.clock_khz == 0 || manifest.lanes == 0 {
            return Err(BoardError::File {
                path: path.into(),
                reason: "clock_khz and lanes are at least 1".into(),
            });
        }
        let from = |what: String| Source::File(format!("{}: {what}", path.display()));
        self.part.mhz = Known {
            value: f64::from(manifest.clock_khz) / 1e3,
            source: from(match manifest.fmax_mhz {
                Some(fmax) => format!("clock_khz, routed for {fmax:.1} MHz"),
                None => "clock_khz, not routed".into(),
            }),
        };
        self.lanes = Known {
            value: manifest.lanes,
            source: from("lanes".into()),
        };
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, BoardError> {
    std::fs::read_to_string(path).map_err(|error| BoardError::File {
        path: path.into(),
        reason: error.to_string(),
    })
}

/// Where the manifest of what is built for a board's file would be.
fn manifest_of(board: &Path) -> Option<PathBuf> {
    let folder = board.parent()?;
    let checkout = folder.parent()?.parent()?;
    let built = checkout.join(".build/bitstream").join(folder.file_name()?);
    Some(built.join("manifest.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> String {
        format!(
            "{}/../{FOLDER}/{name}/board.toml",
            env!("CARGO_MANIFEST_DIR")
        )
    }

    #[test]
    fn a_board_s_file_gives_its_clock_line_and_lanes() {
        let board = Board::load(&path("ulx3s-85f")).expect("it is whole");
        assert_eq!(board.part.name, "ecp5-85-6");
        assert_eq!(board.part.link.kind, LinkKind::Serial);
        assert_eq!(board.part.link.bytes_per_s.value, 100_000.0);
        let source = board.part.mhz.source.to_string();
        assert!(source.contains("board.toml") || source.contains("manifest.toml"));
    }

    #[test]
    fn every_board_has_a_part_and_a_link() {
        let folder = format!("{}/../{FOLDER}", env!("CARGO_MANIFEST_DIR"));
        let boards = std::fs::read_dir(folder)
            .expect("there are boards")
            .flatten();
        let boards = boards.filter(|entry| entry.path().join("board.toml").is_file());
        let mut kinds = Vec::new();
        for board in boards {
            let name = board.file_name().to_string_lossy().into_owned();
            let board = Board::load(&path(&name)).unwrap_or_else(|error| panic!("{error}"));
            kinds.push((name, board.part.name, board.part.link.kind));
        }
        let acorn = ("acorn-cle215p".to_owned(), "xc7a200t", LinkKind::Bus);
        assert!(kinds.len() >= 5 && kinds.contains(&acorn), "{kinds:?}");
    }

    #[test]
    fn a_manifest_s_clock_is_the_routed_one() {
        let mut board = Board::load(&path("ecpix5-85f")).expect("it is whole");
        let file =
            std::env::temp_dir().join(format!("gatewei-manifest-{}.toml", std::process::id()));
        let text = "board = \"x\"\nclock_khz = 12500\nfmax_mhz = 13.25\nlanes = 2\n";
        std::fs::write(&file, text).expect("it is written");
        board.built(&file).expect("it is a manifest");
        assert_eq!((board.part.mhz.value, board.lanes.value), (12.5, 2));
        let source = board.part.mhz.source.to_string();
        assert!(source.contains("routed for 13.2 MHz") || source.contains("routed for 13.3 MHz"));
        let text = "clock_khz = 16000\nlanes = 1\nbitstream = \"not built\"\n";
        std::fs::write(&file, text).expect("it is written");
        board.built(&file).expect("it is a project's manifest");
        assert_eq!((board.part.mhz.value, board.lanes.value), (16.0, 1));
        assert!(board.part.mhz.source.to_string().contains("not routed"));
        std::fs::write(&file, "clock_khz = 0\nfmax_mhz = 1.0\nlanes = 1\n").expect("written");
        let error = board.built(&file).expect_err("no clock").to_string();
        assert!(error.contains("clock_khz"), "{error}");
        std::fs::remove_file(&file).expect("it is there");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let unknown = Board::load("ulx4s").expect_err("there is none").to_string();
        assert!(unknown.contains("ulx4s") && unknown.contains("--part"));
        let file = Path::new("board.toml");
        let wrong = Board::parse(file, "title = 3").expect_err("no title");
        assert!(wrong.to_string().starts_with("board.toml: "), "{wrong}");
    }
}
