//! From a board's data to a bitstream, or to what a vendor's tools take: `gatewei-hdl bitstream BOARD`.
//!
//! ```text
//! board.toml ─▶ SerialCard ─▶ card.v ╮
//!           ╰─▶ pads, PLL ─▶ top.v ──┴▶ yosys ─▶ nextpnr-ecp5 ─▶ ecppack ─▶ BOARD.bit, manifest.toml
//!
//! board.toml ─▶ LiteCard or ShellCard ─▶ card.v ╮
//!           ╰─▶ vendor's blocks ───────▶ top.v ─┴▶ yosys checks and maps ─▶ constraints, Tcl, manifest.toml
//! ```
//!
//! The card is the same for all boards; a board is data ([`Board`]). What was made, of what, with which tools, and how
//! fast it is or what the next step is, stands in the [`Manifest`] beside it.

mod board;
mod ecp5;
mod manifest;
mod origin;
mod top;
mod vendor;

use std::path::{Path, PathBuf};

pub use board::{Board, boards};
use board::{Ecp5, Link, Part, Reset, Serial};
pub use ecp5::{Routed, Timing, route, tool_versions};
pub use manifest::{Manifest, Outcome};
pub use origin::make;
pub use vendor::{Project, simulated};

use crate::card::Make;
use crate::emit::{Design, EmitError, design, on_large_stack};
use crate::link::{Line, SerialCard};
use crate::tools::ToolError;

/// Why there is no bitstream.
#[derive(Debug, thiserror::Error)]
pub enum BitstreamError {
    /// There is no such board.
    #[error("there is no board `{name}` in {}; there are: {known}", folder.display())]
    NoBoard {
        /// What was asked for.
        name: String,
        /// Where boards are.
        folder: PathBuf,
        /// Those that there are.
        known: String,
    },
    /// A board's file is wrong.
    #[error("{}: {reason}", path.display())]
    Board {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The card cannot be emitted.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// A tool is missing or refuses.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It does not run at the board's clock.
    #[error(
        "timing is missed: {reached:.2} MHz of {wanted:.2} MHz. The worst path goes\n{path}\nThe log is {}; another \
         SEED= may do, or a lower card_khz in the board's file",
        log.display()
    )]
    Timing {
        /// MHz that it reaches.
        reached: f64,
        /// MHz that the board's clock has.
        wanted: f64,
        /// Its cells and nets.
        path: String,
        /// nextpnr's log.
        log: PathBuf,
    },
}

impl BitstreamError {
    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::File { path, error }
    }
}

/// What to build.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Lanes, in place of the board's own number.
    pub lanes: Option<u8>,
    /// nextpnr's seed.
    pub seed: u32,
    /// Folder for the bitstream, its manifest and the logs.
    pub out: PathBuf,
}

/// Builds what there is for a board: a bitstream, or a project for its vendor's tools.
///
/// # Errors
/// [`BitstreamError`]: among them that timing is missed; the files and logs are kept then, too.
pub fn build(board: &Board, wish: &Wish) -> Result<Manifest, BitstreamError> {
    match (&board.part, &board.link, &board.reset) {
        (Part::Ecp5(chip), Link::Serial(line), Some(button)) => {
            serial(board, chip, line, button, wish)
        }
        _ => vendor::build(board, wish),
    }
}

fn serial(
    board: &Board,
    chip: &Ecp5,
    serial: &Serial,
    button: &Reset,
    wish: &Wish,
) -> Result<Manifest, BitstreamError> {
    let make = make(board);
    let lanes = wish.lanes.unwrap_or(board.card.lanes);
    let wrong = |reason| BitstreamError::Board {
        path: board.path.clone(),
        reason,
    };
    let line = Line::at(make.clock_khz, serial.baud).map_err(wrong)?;
    let card = match (lanes, board.card.engines) {
        (1, 1) => emit::<1, 1>(make, line),
        (2, 1) => emit::<2, 1>(make, line),
        (lanes, engines) => {
            return Err(wrong(format!(
                "no card has {lanes} lanes and {engines} Keccak engines at a serial line; choose 1 or 2 lanes, 1 engine"
            )));
        }
    };
    let card = card?.verilog;
    std::fs::create_dir_all(&wish.out).map_err(BitstreamError::file(&wish.out))?;
    let write = |name: &str, text: &str| {
        let path = wish.out.join(name);
        std::fs::write(&path, text).map_err(BitstreamError::file(&path))
    };
    write("card.v", &card)?;
    write("top.v", &top::verilog(board, button))?;
    write("top.lpf", &top::constraints(board, button, serial))?;
    let routed = ecp5::board(board, chip, wish)?;
    let file = routed.file.clone().unwrap_or_default();
    let outcome = Outcome::bitstream(&file, serial.baud, wish.seed, &routed)?;
    let cells = routed
        .cells
        .iter()
        .map(|(name, used, _)| (name.clone(), *used));
    let manifest = Manifest::new(
        board,
        lanes,
        make,
        outcome,
        tool_versions()?,
        cells.collect(),
    );
    write("manifest.toml", &manifest.text())?;
    routed.timing.check(&wish.out.join("nextpnr.log"))?;
    Ok(manifest)
}

fn emit<const LANES: usize, const ENGINES: usize>(
    make: Make,
    line: Line,
) -> Result<Design, EmitError> {
    on_large_stack(move || {
        let card = SerialCard::<LANES, ENGINES>::new(make, line);
        design("serial_card", card)
    })
}
