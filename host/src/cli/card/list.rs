//! `gatewei card list`: the PCI functions that are cards.

use std::io::{self, Write as _};

use clap::Args;
use gatewei_driver::discovery::{BarKind, Function, Sysfs};
use serde::Serialize;

use super::{End, Failure};
use crate::cli::table::{Align, Table};

/// Lists the cards in this machine
///
/// Reads sysfs; no card is opened, nothing is written. As root it also sees capabilities.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// All PCI functions, not only cards
    #[arg(long)]
    all: bool,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// A function, as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    address: String,
    vendor: String,
    device: String,
    card: bool,
    driver: Option<String>,
    iommu_group: Option<String>,
    numa_node: Option<u32>,
    link_speed: Option<String>,
    link_width: Option<String>,
    link_max_speed: Option<String>,
    link_max_width: Option<String>,
    subsystem: Option<String>,
    class: Option<String>,
    bars: Vec<BarRow>,
    msix_vectors: Option<u16>,
    function_level_reset: Option<bool>,
    error: Option<String>,
}

/// A BAR.
#[derive(Debug, Serialize)]
struct BarRow {
    index: u8,
    kind: &'static str,
    address: u64,
    bytes: u64,
}

impl Row {
    pub(super) fn new(function: &Function) -> Self {
        let endpoint = function.endpoint.as_ref().ok();
        let link = function.link.as_ref();
        let bars = endpoint.map_or(&[][..], |endpoint| &endpoint.bars);
        Self {
            address: function.address.to_string(),
            vendor: format!("{:04x}", function.id.0),
            device: format!("{:04x}", function.id.1),
            card: function.is_card(),
            driver: function.driver.clone(),
            iommu_group: function.group.clone(),
            numa_node: function.numa_node,
            link_speed: link.map(|link| link.speed.clone()),
            link_width: link.map(|link| link.width.clone()),
            link_max_speed: link.map(|link| link.max_speed.clone()),
            link_max_width: link.map(|link| link.max_width.clone()),
            subsystem: endpoint.map(|e| format!("{:04x}:{:04x}", e.subsystem.0, e.subsystem.1)),
            class: endpoint.map(|endpoint| format!("{:06x}", endpoint.class)),
            bars: (bars.iter())
                .map(|bar| BarRow {
                    index: bar.index,
                    kind: match bar.kind {
                        BarKind::Memory32 => "memory32",
                        BarKind::Memory64 => "memory64",
                        BarKind::Io => "io",
                    },
                    address: bar.address,
                    bytes: bar.size,
                })
                .collect(),
            msix_vectors: endpoint.and_then(|endpoint| endpoint.msix_vectors),
            // Unknown where the system shows no capabilities.
            function_level_reset: endpoint.and_then(|e| e.capabilities.as_ref().map(|_| e.resets)),
            error: function.endpoint.as_ref().err().map(ToString::to_string),
        }
    }

    fn cells(&self) -> [String; 7] {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
        let link = match (&self.link_speed, &self.link_width) {
            (Some(speed), Some(width)) => {
                format!("{} x{width}", speed.trim_end_matches(" PCIe"))
            }
            _ => "none".into(),
        };
        let bars = self
            .bars
            .iter()
            .map(|bar| format!("{}:{}", bar.index, size(bar.bytes)));
        [
            self.address.clone(),
            format!("{}:{}", self.vendor, self.device),
            or_none(&self.driver),
            or_none(&self.iommu_group),
            link,
            self.numa_node
                .map_or_else(|| "none".into(), |node| node.to_string()),
            match &self.error {
                Some(error) => error.clone(),
                None => bars.collect::<Vec<_>>().join(" "),
            },
        ]
    }
}

/// Bytes in the largest unit that they are a multiple of.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    let unit = units
        .iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(
        || bytes.to_string(),
        |(unit, name)| format!("{}{name}", bytes / unit),
    )
}

/// Lists.
pub(super) fn list(arguments: &Arguments) -> Result<End, Failure> {
    let functions = Sysfs::default().functions()?;
    let wanted = functions.iter().filter(|f| arguments.all || f.is_card());
    let rows: Vec<Row> = wanted.map(Row::new).collect();
    let mut out = io::stdout();
    if arguments.json {
        for row in &rows {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        return Ok(End::Good);
    }
    if rows.is_empty() {
        writeln!(
            out,
            "no gatewei card among {} PCI functions (--all lists them); `--card sim` needs none",
            functions.len()
        )?;
        return Ok(End::Good);
    }
    let mut table = Table::new(&[
        ("address", Align::Left),
        ("id", Align::Left),
        ("driver", Align::Left),
        ("group", Align::Right),
        ("link", Align::Left),
        ("node", Align::Right),
        ("BARs", Align::Left),
    ]);
    rows.iter().for_each(|row| table.row(row.cells()));
    write!(out, "{table}")?;
    Ok(End::Good)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_exact() {
        let said = [0, 16, 4096, 5000, 1 << 20, 3 << 30].map(size);
        assert_eq!(said, ["0", "16", "4K", "5000", "1M", "3G"]);
    }
}
