//! Synthesis with yosys.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::area::{BLOCK_RAM_FROM, logic_delay};
use super::{Area, Family, Program, ToolError, scratch};
use crate::emit::Design;

const YOSYS: Program = Program {
    name: "yosys",
    file: "yosys",
    home: "python",
    verb: "synth",
};

/// Maps `design` to `family`, for a clock of `mhz`.
///
/// # Errors
/// A [`ToolError`] with what yosys says. Whether the result is acceptable is for [`Area::check`].
pub fn synth(design: &Design, family: Family, mhz: f64) -> Result<Area, ToolError> {
    let folder = scratch(&design.top, YOSYS.name)?;
    let read = std::fs::write(folder.join("design.v"), &design.verilog).map_err(|e| YOSYS.io(e));
    let result = read.and_then(|()| {
        map(
            &folder,
            &YOSYS,
            &design.top,
            "read_verilog design.v\n",
            (family, mhz),
        )
    });
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// Maps module `top` of what the commands `read` read in `folder`, for a clock in MHz.
///
/// # Errors
/// As [`synth`].
pub(crate) fn map(
    folder: &Path,
    yosys: &Program,
    top: &str,
    read: &str,
    (family, mhz): (Family, f64),
) -> Result<Area, ToolError> {
    let io = |error| yosys.io(error);
    // Sizes of the memories come from the source, what becomes of them from the log of their mapping.
    // Memories find their output registers module by module, before all is one: in a flat lane that takes longer than
    // everything else together. Relative paths: the WebAssembly build sees the working folder alone.
    let map = family.command(top);
    let script = format!(
        "{read}hierarchy -check -top {top}\ndesign -save source\n\
         proc\nflatten\nopt_clean\nmemory_collect\nselect {top}\nwrite_json -selected source.json\nselect -clear\n\
         design -load source\nproc\nopt_clean\nmemory_dff\n{delay}{map} -run begin:{memory}\ntee -q -o memory.log {map} -run {memory}:map_ffram\n\
         {map} -run map_ffram:\ntee -q -o stat.json stat -json\n",
        memory = family.memory_step(),
        delay = logic_delay(mhz),
    );
    std::fs::write(folder.join("run.ys"), script).map_err(io)?;
    yosys.run(folder, top, &["-q", "-s", "run.ys"])?;
    let refused = |output: String| ToolError::Refused {
        block: top.into(),
        tool: yosys.name,
        output,
    };
    let source =
        json(&folder.join("source.json")).map_err(|e| refused(format!("source.json: {e}")))?;
    let stat = json(&folder.join("stat.json")).map_err(|e| refused(format!("stat.json: {e}")))?;
    let log = std::fs::read_to_string(folder.join("memory.log")).map_err(io)?;
    Ok(Area {
        block: top.into(),
        family,
        cells: cells(&stat),
        in_logic: in_logic(&log, top, &memories(&source)),
    })
}

fn json(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

/// Cells of the whole design by type.
fn cells(stat: &Value) -> BTreeMap<String, u64> {
    let types = stat["design"]["num_cells_by_type"].as_object();
    types
        .into_iter()
        .flatten()
        .filter_map(|(t, n)| Some((t.clone(), n.as_u64()?)))
        .collect()
}

/// Memories of the flattened source that are written: name and bits. Tables that are only read may stay in
/// logic.
fn memories(source: &Value) -> BTreeMap<String, usize> {
    let modules = source["modules"].as_object();
    let cells = modules
        .into_iter()
        .flatten()
        .filter_map(|(_, m)| m["cells"].as_object())
        .flatten();
    cells
        .filter(|(_, cell)| {
            let is_memory = cell["type"].as_str().is_some_and(|t| t.starts_with("$mem"));
            is_memory && number(&cell["parameters"]["WR_PORTS"]) > 0
        })
        .map(|(name, cell)| {
            let parameter = |key: &str| number(&cell["parameters"][key]);
            (name.clone(), parameter("SIZE") * parameter("WIDTH"))
        })
        .collect()
}

/// A parameter of a cell: yosys writes numbers in binary.
fn number(parameter: &Value) -> usize {
    usize::from_str_radix(parameter.as_str().unwrap_or_default(), 2).unwrap_or_default()
}

/// The memories of more than [`BLOCK_RAM_FROM`] bits that the mapping step put into flip-flops or LUTs.
fn in_logic(log: &str, top: &str, bits: &BTreeMap<String, usize>) -> Vec<String> {
    let large = |name: &str| {
        let name = name.strip_prefix(top)?.strip_prefix('.')?;
        bits.get(name)
            .is_some_and(|bits| *bits > BLOCK_RAM_FROM)
            .then(|| name.to_string())
    };
    log.lines()
        .filter_map(|line| {
            if let Some(name) = line.strip_prefix("using FF mapping for memory ") {
                return large(name.trim());
            }
            let (name, cell) = line.strip_prefix("mapping memory ")?.split_once(" via ")?;
            let in_luts = cell.contains("DPR16X4") || cell.contains("LUTRAM");
            in_luts.then(|| large(name)).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_in_logic_are_found_in_the_log() {
        let log = "\
4.1. Executing MEMORY_LIBMAP pass (mapping memories to cells).
mapping memory top.u_a.words via $__DP16KD_
mapping memory top.u_b.words via $__TRELLIS_DPR16X4_
using FF mapping for memory top.u_c.words
using FF mapping for memory top.u_small.words
";
        let bits = [("u_a", 4096), ("u_b", 4096), ("u_c", 4096), ("u_small", 64)]
            .map(|(name, bits)| (format!("{name}.words"), bits))
            .into();
        assert_eq!(in_logic(log, "top", &bits), ["u_b.words", "u_c.words"]);
    }
}
