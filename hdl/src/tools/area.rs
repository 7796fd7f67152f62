//! Sizes of a mapped design.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::json;

use super::{ToolError, checkout};

/// Memories of more bits than this belong into block RAM.
pub(super) const BLOCK_RAM_FROM: usize = 2048;

/// Cells of both Xilinx families.
const XILINX_LUTS: &[&str] = &["LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6"];
const XILINX_FLIP_FLOPS: &[&str] = &["FDRE", "FDSE", "FDCE", "FDPE"];

/// The yosys command, before one of the mapping's, that says how long paths through logic alone may be: two fifths of a
/// clock of `mhz`, for wires take the rest.
///
/// Without it abc makes every path as short as it can, and for that writes out what is shared: a rotation by bytes of
/// five levels becomes a tree of 4,752 LUT4 in place of 1,280.
pub(crate) fn logic_delay(mhz: f64) -> String {
    format!("scratchpad -set abc9.D {:.0}\n", 0.4e6 / mhz)
}

/// Device families that yosys maps to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// Lattice ECP5.
    Ecp5,
    /// Xilinx 7 series.
    Xc7,
    /// Xilinx UltraScale+.
    Xcup,
}

impl Family {
    /// The command that maps module `top` to the family.
    pub(crate) fn command(self, top: &str) -> String {
        match self {
            Family::Ecp5 => format!("synth_ecp5 -top {top}"),
            Family::Xc7 => format!("synth_xilinx -family xc7 -top {top}"),
            Family::Xcup => format!("synth_xilinx -family xcup -top {top}"),
        }
    }

    /// The step of the script that maps memories; the next is `map_ffram` in both.
    pub(super) fn memory_step(self) -> &'static str {
        match self {
            Family::Ecp5 => "map_ram",
            Family::Xc7 | Family::Xcup => "map_memory",
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
            Family::Xc7 => [
                ("LUT", XILINX_LUTS),
                ("FF", XILINX_FLIP_FLOPS),
                ("RAMB", &["RAMB18E1", "RAMB36E1"]),
                ("DSP48E1", &["DSP48E1"]),
            ],
            Family::Xcup => [
                ("LUT", XILINX_LUTS),
                ("FF", XILINX_FLIP_FLOPS),
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

/// What blocks may take: `hdl/budgets.json`, by family, block, kind and column of the table.
///
/// A `budget` is a little above what the block takes now: more is an error. A `goal` is what it is to take one day: that it is
/// missed is said, and no more.
#[derive(Clone, Debug, Default)]
pub struct Budgets(serde_json::Value);

impl Budgets {
    /// The recorded budgets.
    ///
    /// # Errors
    /// [`ToolError::Budgets`] where the file is missing or no JSON.
    pub fn recorded() -> Result<Self, ToolError> {
        let path = checkout().join("hdl/budgets.json");
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
            .map(Self)
            .map_err(|error| ToolError::Budgets { path, error })
    }

    /// The columns that have a limit of this kind: title, cells, limit.
    fn limits(&self, area: &Area, kind: &str) -> Vec<(&'static str, u64, u64)> {
        let family = area.family.to_possible_value();
        let family = family.map_or_else(String::new, |value| value.get_name().to_string());
        let limits = &self.0[family][&area.block][kind];
        let columns = area.family.columns().into_iter();
        columns
            .filter_map(|(title, cells)| Some((title, area.count(cells), limits[title].as_u64()?)))
            .collect()
    }
}

impl Budgets {
    /// Holds the clock of a routed block, MHz, to the `floor` that is recorded for it under `routed`. Gives a line that
    /// compares it with its `goal`, or nothing where it has none.
    ///
    /// # Errors
    /// [`ToolError::Mapping`] where it is slower than the floor.
    pub fn routed(&self, block: &str, mhz: f64) -> Result<String, ToolError> {
        let limits = &self.0["routed"][block];
        if let Some(floor) = limits["floor"].as_f64().filter(|floor| mhz < *floor) {
            return Err(ToolError::Mapping {
                block: block.into(),
                what: format!(
                    "it runs at {mhz:.1} MHz, and at least {floor} are recorded (hdl/budgets.json)"
                ),
            });
        }
        let goal = limits["goal"].as_f64();
        Ok(goal.map_or_else(String::new, |goal| {
            let word = if mhz >= goal { "met" } else { "missed" };
            format!("\n  goal of {goal} MHz: {word}")
        }))
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

    /// Cells by type.
    pub const fn cells(&self) -> &BTreeMap<String, u64> {
        &self.cells
    }

    /// A line of the table, and one more for each goal that the block has.
    pub fn row(&self, budgets: &Budgets) -> String {
        let columns = self.family.columns();
        let counts: Vec<String> = columns
            .iter()
            .map(|(_, cells)| format!("{:>11}", self.count(cells)))
            .collect();
        let goals = budgets.limits(self, "goal").into_iter();
        let goals = goals.map(|(title, count, goal)| {
            let word = if count <= goal { "met" } else { "missed" };
            format!("\n  goal of {goal} {title}: {word}")
        });
        format!(
            "{:<20}{}{}",
            self.block,
            counts.concat(),
            goals.collect::<String>()
        )
    }

    /// The same as a JSON object: `block`, a count for each column, and in `goals` for each goal whether it is met.
    pub fn json(&self, budgets: &Budgets) -> String {
        let mut object = json!({ "block": self.block });
        for (title, cells) in self.family.columns() {
            object[title] = self.count(cells).into();
        }
        for (title, count, goal) in budgets.limits(self, "goal") {
            object["goals"][title] = json!({ "goal": goal, "met": count <= goal });
        }
        object.to_string()
    }

    /// Refuses latches, memories above 2 kbit that are not in block RAM, and what exceeds its budget.
    ///
    /// # Errors
    /// [`ToolError::Mapping`].
    pub fn check(&self, budgets: &Budgets) -> Result<(), ToolError> {
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
        let budget = budgets.limits(self, "budget");
        if let Some((title, count, budget)) = budget.iter().find(|(_, count, limit)| count > limit)
        {
            return refuse(format!(
                "it takes {count} {title}, and its budget is {budget} (hdl/budgets.json)"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(luts: u64, family: Family) -> Area {
        let cells = [("LUT4", luts), ("TRELLIS_FF", 5)];
        Area {
            block: "lane".into(),
            family,
            cells: cells.map(|(name, n)| (name.to_string(), n)).into(),
            in_logic: Vec::new(),
        }
    }

    #[test]
    fn a_block_above_its_budget_is_refused() {
        let budgets = Budgets(json!({ "ecp5": { "lane": { "budget": { "LUT4": 100 } } } }));
        assert!(lane(100, Family::Ecp5).check(&budgets).is_ok());
        let refused = lane(101, Family::Ecp5).check(&budgets).unwrap_err();
        assert!(refused.to_string().contains("101 LUT4"), "{refused}");
        assert!(lane(101, Family::Xcup).check(&budgets).is_ok());
    }

    #[test]
    fn a_missed_goal_is_told_and_no_error() {
        let budgets = Budgets(json!({ "ecp5": { "lane": { "goal": { "LUT4": 100, "FF": 5 } } } }));
        let area = lane(101, Family::Ecp5);
        assert!(area.check(&budgets).is_ok());
        let row = area.row(&budgets);
        assert!(
            row.contains("goal of 100 LUT4: missed") && row.contains("goal of 5 FF: met"),
            "{row}"
        );
        let json: serde_json::Value = serde_json::from_str(&area.json(&budgets)).unwrap();
        assert_eq!(json["goals"]["LUT4"]["met"], false);
        assert!(!area.row(&Budgets::default()).contains("goal"));
    }

    #[test]
    fn a_block_that_has_become_slower_is_refused() {
        let budgets = Budgets(json!({ "routed": { "lane": { "floor": 70, "goal": 100.5 } } }));
        assert!(budgets.routed("lane", 69.9).is_err());
        let told = |mhz| budgets.routed("lane", mhz).unwrap();
        assert!(told(70.0).contains("goal of 100.5 MHz: missed"));
        assert!(told(100.5).contains("met"));
        assert_eq!(budgets.routed("shell", 1.0).unwrap(), "");
    }

    #[test]
    fn the_recorded_budgets_name_blocks_and_columns_that_exist() {
        let Budgets(recorded) = Budgets::recorded().unwrap();
        let blocks = crate::catalog::blocks();
        for family in [Family::Ecp5, Family::Xcup] {
            let name = family.to_possible_value().unwrap().get_name().to_string();
            let titles = family.columns().map(|(title, _)| title);
            for (block, kinds) in recorded[&name].as_object().unwrap() {
                assert!(blocks.iter().any(|entry| entry.name == block), "{block}");
                for (kind, limits) in kinds.as_object().unwrap() {
                    assert!(["budget", "goal"].contains(&kind.as_str()), "{kind}");
                    for (title, count) in limits.as_object().unwrap() {
                        assert!(titles.contains(&title.as_str()), "{title}");
                        assert!(count.is_u64(), "{block}: {title}");
                    }
                }
            }
        }
        for (block, limits) in recorded["routed"].as_object().unwrap() {
            assert!(blocks.iter().any(|entry| entry.name == block), "{block}");
            for (kind, mhz) in limits.as_object().unwrap() {
                assert!(["floor", "goal"].contains(&kind.as_str()), "{kind}");
                assert!(mhz.as_f64().is_some(), "{block}: {kind}");
            }
        }
    }
}
