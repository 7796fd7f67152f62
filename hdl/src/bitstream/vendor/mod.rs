//! From a board's data to what a vendor's tools take: Verilog, constraints and scripts, checked by yosys with the
//! vendor's blocks as black boxes. The vendor's step itself is not run here.

mod lite;
mod mmcm;
mod pins;
mod ports;
mod shell;
mod tables;

use std::path::Path;

pub use mmcm::Mmcm;

use super::board::{Link, Part, XilinxFamily};
use super::ecp5::{YOSYS, step};
use super::{BitstreamError, Board, Manifest, Outcome, Wish, make};
use crate::card::{Make, Origin};
use crate::emit::{Design, EmitError, design, on_large_stack};
use crate::link::{IrqLines, LiteCard, ShellCard};
use crate::tools::{Area, Budgets, Family, ToolError, map};

/// The last steps of a Vivado script that places and routes: it fails where timing is missed.
const ROUTE: &str = "\
place_design
route_design
report_utilization -file utilisation.rpt
report_timing_summary -file timing.rpt
if {[get_property SLACK [get_timing_paths]] < 0} { error \"timing is missed: timing.rpt\" }
";

/// What is written for a board, beside the card.
pub struct Files {
    /// Name of the top module.
    pub top: &'static str,
    /// Verilog beside `card.v`: name and text.
    pub sources: Vec<(String, String)>,
    /// Constraints, scripts.
    pub others: Vec<(String, String)>,
    /// The vendor's blocks as black boxes.
    pub boxes: String,
    /// The next step, for people.
    pub how: &'static str,
}

/// What is built for a board with a Xilinx part.
pub struct Project {
    /// The card.
    pub card: Design,
    /// Everything else.
    pub files: Files,
    /// Lanes.
    pub lanes: u8,
    /// What the card is made with.
    pub make: Make,
    family: Family,
}

impl From<XilinxFamily> for Family {
    fn from(family: XilinxFamily) -> Self {
        match family {
            XilinxFamily::Xc7 => Self::Xc7,
            XilinxFamily::Xcup => Self::Xcup,
        }
    }
}

impl Project {
    /// The project of a board; `lanes` in place of the board's own number.
    ///
    /// # Errors
    /// [`BitstreamError::Board`] for a number of lanes that no card has, and where card and PCIe do not meet.
    pub fn new(board: &Board, lanes: Option<u8>) -> Result<Self, BitstreamError> {
        let wrong = |reason: String| BitstreamError::Board {
            path: board.path.clone(),
            reason,
        };
        let Part::Xilinx(chip) = &board.part else {
            return Err(wrong("it has no Xilinx part".into()));
        };
        let lanes = lanes.unwrap_or(board.card.lanes);
        let make = make(board);
        let size = (lanes, board.card.engines);
        let unknown = |choice: &str| {
            wrong(format!(
                "no card has {lanes} lanes and {} Keccak engines at this link; choose {choice} lanes, 1 engine",
                board.card.engines
            ))
        };
        let (card, files) = match &board.link {
            Link::Serial(_) => return Err(wrong("a Xilinx part has no serial link".into())),
            Link::Litepcie(slot) => {
                let card = match size {
                    (1, 1) => lite::<1, 1>(make),
                    (2, 1) => lite::<2, 1>(make),
                    _ => return Err(unknown("1 or 2")),
                }?;
                let files = lite::files(board, chip, slot, &card);
                (card, files)
            }
            Link::F2 | Link::Xdma(_) => {
                let card = match size {
                    (1, 1) => shell::<1, 1, 1>(make),
                    (2, 1) => shell::<2, 1, 2>(make),
                    (4, 1) => shell::<4, 1, 4>(make),
                    _ => return Err(unknown("1, 2 or 4")),
                }?;
                let lines = on_large_stack(|| design("irq_lines", IrqLines::default()))?;
                let files = match &board.link {
                    Link::Xdma(slot) => shell::xdma(board, chip, slot, &card, &lines),
                    _ => shell::f2(board, chip, &card, &lines),
                };
                (card, files)
            }
        };
        Ok(Self {
            card,
            files: files.map_err(wrong)?,
            lanes,
            make,
            family: chip.family.into(),
        })
    }

    /// Writes everything.
    ///
    /// # Errors
    /// [`BitstreamError::File`].
    pub fn write(&self, folder: &Path) -> Result<(), BitstreamError> {
        let own = [
            ("card.v".to_string(), self.card.verilog.clone()),
            ("check/boxes.v".into(), self.files.boxes.clone()),
        ];
        for (name, text) in own
            .iter()
            .chain(&self.files.sources)
            .chain(&self.files.others)
        {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(BitstreamError::file(parent))?;
            std::fs::write(&path, text).map_err(BitstreamError::file(&path))?;
        }
        Ok(())
    }

    /// yosys' commands that read it.
    fn read(&self) -> String {
        let names: Vec<_> = self
            .files
            .sources
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        format!(
            "read_verilog -lib check/boxes.v\nread_verilog card.v\nread_verilog -sv -Icheck {}\n",
            names.join(" ")
        )
    }

    /// Elaborates what [`Project::write`] has written into `folder`: every module and every port must be there.
    ///
    /// # Errors
    /// [`ToolError`] with what yosys says.
    pub fn elaborate(&self, folder: &Path) -> Result<(), ToolError> {
        let path = folder.join("check.ys");
        // Cells of the family, then the hierarchy: the first steps of the mapping.
        let command = self.family.command(self.files.top);
        let script = format!(
            "{}{command} -run begin:prepare\ncheck -assert\n",
            self.read()
        );
        std::fs::write(&path, script).map_err(|error| YOSYS.io(error))?;
        YOSYS.run(folder, self.files.top, &["-q", "-s", "check.ys"])
    }

    /// Maps it.
    ///
    /// # Errors
    /// [`ToolError`] with what yosys says.
    pub fn map(&self, folder: &Path) -> Result<Area, ToolError> {
        let top = self.files.top;
        // As for an ECP5: memories find their output registers module by module, before all is one.
        let read = format!(
            "read_verilog -lib +/xilinx/cells_sim.v\nread_verilog -lib +/xilinx/cells_xtra.v\n{}\
             hierarchy -check -top {top}\nproc\nopt_clean\nmemory_dff\n",
            self.read()
        );
        let mhz = f64::from(self.make.clock_khz) / 1e3;
        map(folder, &YOSYS, top, &read, (self.family, mhz))
    }
}

/// Writes and checks the project of a board.
///
/// # Errors
/// [`BitstreamError`].
pub fn build(board: &Board, wish: &Wish) -> Result<Manifest, BitstreamError> {
    let project = Project::new(board, wish.lanes)?;
    project.write(&wish.out)?;
    step("yosys elaborates the top, with the vendor's blocks as black boxes");
    project.elaborate(&wish.out)?;
    step("yosys maps it (a quarter of an hour, or more)");
    let area = project.map(&wish.out)?;
    area.check(&Budgets::default())?;
    println!(
        "{}\n{}",
        project.family.header(),
        area.row(&Budgets::default())
    );
    let outcome = Outcome::project(project.files.how, &project.card.verilog);
    let tools = vec![(YOSYS.name.to_string(), YOSYS.version()?)];
    let cells = area.cells().clone();
    let manifest = Manifest::new(board, project.lanes, project.make, outcome, tools, cells);
    let path = wish.out.join("manifest.toml");
    std::fs::write(&path, manifest.text()).map_err(BitstreamError::file(&path))?;
    Ok(manifest)
}

fn lite<const LANES: usize, const ENGINES: usize>(make: Make) -> Result<Design, EmitError> {
    on_large_stack(move || {
        let card = LiteCard::<LANES, ENGINES>::new(make, lite::patience(make.clock_khz));
        design("lite_card", card)
    })
}

fn shell<const LANES: usize, const ENGINES: usize, const PAIRS: usize>(
    make: Make,
) -> Result<Design, EmitError> {
    on_large_stack(move || {
        let card = ShellCard::<LANES, ENGINES, PAIRS>::new(make);
        design("shell_card", card)
    })
}

/// The top of the board with LitePCIe, for a simulation, over a stub of its core.
///
/// # Errors
/// [`EmitError`]; a board's file that is wrong is one that is not supported, with the reason.
pub fn simulated() -> Result<Design, EmitError> {
    let failed = |what: String| EmitError::Unsupported {
        block: "lite_top".into(),
        what,
    };
    let board = Board::load("acorn-cle215p").map_err(|error| failed(error.to_string()))?;
    let (Part::Xilinx(chip), Link::Litepcie(slot)) = (&board.part, &board.link) else {
        return Err(failed(format!("{} has no LitePCIe", board.name)));
    };
    let mut make = make(&board);
    // Of any checkout the same.
    make.origin = Origin {
        board: board.number,
        ..Origin::default()
    };
    let card = on_large_stack(move || {
        design(
            "lite_card",
            LiteCard::<1, 1>::new(make, crate::catalog::PATIENCE),
        )
    })?;
    lite::simulated(&board, chip, slot, &card).map_err(failed)
}
