//! Sizes of a mapped design.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::json;

use super::ToolError;

/// Memories of more bits than this belong into block RAM.
pub(super) const BLOCK_RAM_FROM: usize = 2048;

/// Device families that yosys maps to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// Lattice ECP5.
    Ecp5,
    /// Xilinx UltraScale+.
    Xcup,
}

impl Family {
    /// The script that maps module `top` to the family.
    pub(super) fn command(self, top: &str) -> String {
        match self {
            Family::Ecp5 => format!("synth_ecp5 -top {top}"),
            Family::Xcup => format!("synth_xilinx -family xcup -top {top}"),
        }
    }

    /// The step of the script that maps memories; the next is `map_ffram` in both.
    pub(super) fn memory_step(self) -> &'static str {
        match self {
            Family::Ecp5 => "map_ram",
            Family::Xcup => "map_memory",
        }
    }

    /// Columns of the table: title, and the cells counted in it.
    fn columns(self) -> [(&'static str, &'static [&'static str]); 4] {
        match self {
            Family::Ecp5 => [
                ("LUT4", &["LUT4"]),
                ("FF", &["TRELLIS_FF"]),
                ("DP16KD", &["DP16KD"]),
                ("MULT18X18D", &["MULT18X18D"]),
            ],
            Family::Xcup => [
                ("LUT", &["LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6"]),
                ("FF", &["FDRE", "FDSE", "FDCE", "FDPE"]),
                ("RAMB", &["RAMB18E2", "RAMB36E2", "URAM288"]),
                ("DSP48E2", &["DSP48E2"]),
            ],
        }
    }

    /// The table's head.
    pub fn header(self) -> String {
        let titles: Vec<String> = self
            .columns()
            .iter()
            .map(|(title, _)| format!("{title:>11}"))
            .collect();
        format!("{:<20}{}", "block", titles.concat())
    }
}

/// What a block maps to.
#[derive(Clone, Debug)]
pub struct Area {
    pub(super) block: String,
    pub(super) family: Family,
    /// Cells by type.
    pub(super) cells: BTreeMap<String, u64>,
    /// Large memories that are not in block RAM.
    pub(super) in_logic: Vec<String>,
}

impl Area {
    /// Cells of the given types.
    fn count(&self, types: &[&str]) -> u64 {
        types.iter().filter_map(|t| self.cells.get(*t)).sum()
    }

    /// A line of the table.
    pub fn row(&self) -> String {
        let columns = self.family.columns();
        let counts: Vec<String> = columns
            .iter()
            .map(|(_, cells)| format!("{:>11}", self.count(cells)))
            .collect();
        format!("{:<20}{}", self.block, counts.concat())
    }

    /// The same as a JSON object: `block`, and a count for each column.
    pub fn json(&self) -> String {
        let mut object = json!({ "block": self.block });
        for (title, cells) in self.family.columns() {
            object[title] = self.count(cells).into();
        }
        object.to_string()
    }

    /// Refuses latches, and memories above 2 kbit that are not in block RAM.
    ///
    /// # Errors
    /// [`ToolError::Mapping`].
    pub fn check(&self) -> Result<(), ToolError> {
        let refuse = |what: String| {
            Err(ToolError::Mapping {
                block: self.block.clone(),
                what,
            })
        };
        let latch = self
            .cells
            .keys()
            .find(|cell| cell.to_lowercase().contains("latch"));
        if let Some(cell) = latch {
            return refuse(format!(
                "it contains latches ({cell}); assign the signal on every path"
            ));
        }
        if !self.in_logic.is_empty() {
            let names = self.in_logic.join(", ");
            return refuse(format!("the memories {names} did not map to block RAM"));
        }
        Ok(())
    }
}
