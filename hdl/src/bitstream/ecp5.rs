//! yosys, nextpnr and Project Trellis' tools, for Lattice ECP5.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::board::Ecp5;
use super::{BitstreamError, Board, Wish};
use crate::emit::Design;
use crate::tools::{Family, Program, ToolError, logic_delay, scratch};

/// A placed and routed design.
#[derive(Clone, Debug)]
pub struct Routed {
    /// Cells by type: used, there are.
    pub cells: Vec<(String, u64, u64)>,
    /// How fast it is.
    pub timing: Timing,
    /// The bitstream, where one was made.
    pub file: Option<PathBuf>,
}

/// How fast a design is.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// MHz that the slowest clock reaches.
    pub reached: f64,
    /// MHz that were asked for.
    pub wanted: f64,
    /// The slowest path: a line for each cell and net.
    pub path: String,
}

impl Timing {
    /// Fails where the clock is missed.
    ///
    /// # Errors
    /// [`BitstreamError::Timing`].
    pub fn check(&self, log: &Path) -> Result<(), BitstreamError> {
        if self.reached >= self.wanted {
            return Ok(());
        }
        Err(BitstreamError::Timing {
            reached: self.reached,
            wanted: self.wanted,
            path: self.path.clone(),
            log: log.into(),
        })
    }
}

const fn tool(name: &'static str, file: &'static str, home: &'static str) -> Program {
    let verb = "bitstream";
    Program {
        name,
        file,
        home,
        verb,
    }
}

pub(super) const YOSYS: Program = tool("yosys", "yosys", "python");
const PLL: Program = tool("ecppll", "ecppll", "nextpnr");
const NEXTPNR: Program = tool("nextpnr", "nextpnr-ecp5", "nextpnr");
const PACK: Program = tool("ecppack", "ecppack", "nextpnr");

/// Name and version of every tool of the flow.
///
/// # Errors
/// [`ToolError`] where one is missing.
pub fn tool_versions() -> Result<Vec<(String, String)>, ToolError> {
    let version = |tool: &Program| Ok((tool.name.to_string(), tool.version()?));
    [&YOSYS, &NEXTPNR].into_iter().map(version).collect()
}

/// Says on stderr what takes minutes.
pub(super) fn step(what: &str) {
    eprintln!("bitstream: {what}");
}

/// The yosys script: from Verilog files to `netlist.json`, for a clock of `mhz`.
///
/// Memories find their output registers module by module, before all is one: in the flat design that takes longer than
/// everything else together.
fn script(top: &str, files: &str, mhz: f64) -> String {
    format!(
        "read_verilog {files}\nhierarchy -top {top}\nproc\nopt_clean\nmemory_dff\n\
         {delay}{map} -json netlist.json\n",
        delay = logic_delay(mhz),
        map = Family::Ecp5.command(top),
    )
}

/// Places and routes a block without pads, for its area and speed.
///
/// # Errors
/// [`BitstreamError::Tool`].
pub fn route(
    design: &Design,
    mhz: f64,
    seed: u32,
    part: &[&str],
) -> Result<(Routed, String), BitstreamError> {
    let folder = scratch(&design.top, NEXTPNR.name)?;
    let result = (|| {
        let io = |error| YOSYS.io(error);
        std::fs::write(folder.join("card.v"), &design.verilog).map_err(io)?;
        let block = &design.top;
        std::fs::write(folder.join("run.ys"), script(block, "card.v", mhz)).map_err(io)?;
        YOSYS.run(&folder, block, &["-q", "-s", "run.ys"])?;
        let (mhz_text, seed) = (mhz.to_string(), seed.to_string());
        let mut arguments = part.to_vec();
        arguments.extend(["--out-of-context", "--freq", &mhz_text, "--seed", &seed]);
        // Without pads there is no bitstream: the routed netlist stands for it.
        arguments.extend(["--write", "routed.json"]);
        place(&folder, block, &arguments)?;
        let routed = Routed {
            file: None,
            ..report(&folder, block)?
        };
        let bits = std::fs::read(folder.join("routed.json")).map_err(io)?;
        Ok((routed, super::manifest::sha256(&bits)))
    })();
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn place(folder: &Path, block: &str, arguments: &[&str]) -> Result<(), ToolError> {
    let mut all = vec!["--json", "netlist.json"];
    all.extend([
        "--report",
        "report.json",
        "--router",
        "router2",
        "--timing-allow-fail",
    ]);
    all.extend(arguments);
    NEXTPNR.run(folder, block, &all)
}

/// Runs the whole flow for a board whose Verilog and constraints lie in `wish.out`.
pub(super) fn board(board: &Board, chip: &Ecp5, wish: &Wish) -> Result<Routed, BitstreamError> {
    let (folder, block) = (&wish.out, &board.name);
    let [oscillator, card] =
        [board.clock.khz, board.clock.card_khz].map(|khz| f64::from(khz) / 1e3);
    let (from, to) = (oscillator.to_string(), card.to_string());
    PLL.run(folder, block, &["-i", &from, "-o", &to, "-f", "pll.v"])?;
    let path = folder.join("run.ys");
    std::fs::write(&path, script("top", "card.v top.v pll.v", card))
        .map_err(BitstreamError::file(&path))?;
    step("yosys maps the card (minutes)");
    YOSYS.run(folder, block, &["-q", "-s", "run.ys"])?;
    step("nextpnr places and routes it (an hour, or more); it tells in nextpnr.log how far it is");
    let device = format!("--{}", chip.device);
    let (speed, seed) = (chip.speed.to_string(), wish.seed.to_string());
    let part = [&device, "--package", &chip.package, "--speed", &speed];
    // What leaves the router the fewest conflicts on a chip as full as this (bitstreams/README.md): the clock has room,
    // the wires have none.
    let rest = [
        "--placer",
        "static",
        "--no-tmdriv",
        "--lpf",
        "top.lpf",
        "--seed",
        &seed,
        "--textcfg",
        "routed.config",
    ];
    place(folder, block, &[&part[..], &rest[..]].concat())?;
    step("ecppack packs the bits");
    let file = format!("{}.bit", board.name);
    PACK.run(
        folder,
        block,
        &["--compress", "--input", "routed.config", "--bit", &file],
    )?;
    Ok(Routed {
        file: Some(folder.join(file)),
        ..report(folder, block)?
    })
}

/// Reads nextpnr's report.
fn report(folder: &Path, block: &str) -> Result<Routed, ToolError> {
    let path = folder.join("report.json");
    let refused = |output: String| ToolError::Refused {
        block: block.into(),
        tool: NEXTPNR.name,
        output: format!("report.json: {output}"),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    timed(&report).ok_or_else(|| refused("it names no clock".into()))
}

fn timed(report: &Value) -> Option<Routed> {
    let cells = report["utilization"].as_object().into_iter().flatten();
    let cells = cells
        .filter_map(|(name, n)| Some((name.clone(), n["used"].as_u64()?, n["available"].as_u64()?)))
        .filter(|(_, used, _)| *used > 0);
    let clocks = report["fmax"].as_object()?.iter();
    let clocks =
        clocks.filter_map(|(_, f)| Some((f["achieved"].as_f64()?, f["constraint"].as_f64()?)));
    // The clock that is furthest behind what it must be.
    let (reached, wanted) = clocks.min_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)))?;
    let paths = report["critical_paths"].as_array()?.iter();
    let length = |path: &Value| -> f64 {
        let steps = path["path"].as_array().into_iter().flatten();
        steps.filter_map(|step| step["delay"].as_f64()).sum()
    };
    let inner = paths.filter(|path| path["from"] == path["to"]);
    let worst = inner.max_by(|a, b| length(a).total_cmp(&length(b)));
    let path = worst.map_or_else(String::new, |path| {
        let steps = path["path"].as_array().into_iter().flatten();
        let lines = steps.map(|step| {
            let delay = step["delay"].as_f64().unwrap_or_default();
            let what = match step["net"].as_str() {
                Some(net) => format!("net {net}"),
                None => format!(
                    "{} of {}",
                    step["type"].as_str().unwrap_or("?"),
                    name(&step["to"])
                ),
            };
            format!("  {delay:6.2} ns  {what}\n")
        });
        lines.collect()
    });
    Some(Routed {
        cells: cells.collect(),
        timing: Timing {
            reached,
            wanted,
            path,
        },
        file: None,
    })
}

fn name(end: &Value) -> String {
    let part = |key: &str| end[key].as_str().unwrap_or("?");
    format!("{}.{}", part("cell"), part("port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_is_furthest_behind_counts() {
        let report = serde_json::json!({
            "utilization": { "DP16KD": { "used": 3, "available": 208 }, "DCCA": { "used": 0, "available": 56 } },
            "fmax": {
                "fast": { "achieved": 90.0, "constraint": 100.0 },
                "slow": { "achieved": 30.0, "constraint": 25.0 },
            },
            "critical_paths": [
                { "from": "a", "to": "a", "path": [
                    { "delay": 1.5, "type": "clk-to-q", "from": {}, "to": { "cell": "stack", "port": "Q" } },
                    { "delay": 2.5, "type": "routing", "net": "word", "from": {}, "to": {} },
                ] },
                { "from": "a", "to": "async", "path": [{ "delay": 99.0, "type": "routing", "net": "far" }] },
            ],
        });
        let routed = timed(&report).unwrap();
        assert_eq!(routed.cells, [("DP16KD".to_string(), 3, 208)]);
        assert_eq!((routed.timing.reached, routed.timing.wanted), (90.0, 100.0));
        assert_eq!(
            routed.timing.path,
            "    1.50 ns  clk-to-q of stack.Q\n    2.50 ns  net word\n"
        );
        let log = Path::new("nextpnr.log");
        let missed = routed.timing.check(log).unwrap_err().to_string();
        assert!(
            missed.contains("90.00 MHz of 100.00 MHz") && missed.contains("net word"),
            "{missed}"
        );
        assert!(
            Timing {
                reached: 100.0,
                ..routed.timing
            }
            .check(log)
            .is_ok()
        );
        assert!(timed(&serde_json::json!({ "fmax": {} })).is_none());
    }
}
