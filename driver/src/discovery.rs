//! Which PCI functions there are, and which of them are cards.
//!
//! The kernel enumerates buses; sysfs lists what it found. Decoding configuration space is `pci_types`'
//! work, on a checked copy: what a device says there is not believed, and nothing is written to it.

mod config;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gatewei_abi::pci;

pub use config::{Bar, BarKind, ConfigError, Endpoint};

use crate::transport::PciAddress;

/// Most bytes of configuration space that are read: what is behind them is no business of a driver's.
const CONFIG_BYTES: usize = 256;

/// Sysfs, where it is mounted.
#[derive(Clone, Debug)]
pub struct Sysfs {
    root: PathBuf,
}

impl Default for Sysfs {
    /// `/sys`.
    fn default() -> Self {
        Self::new(Path::new("/sys"))
    }
}

/// The PCIe link of a function, as the kernel words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Speed now: `"8.0 GT/s PCIe"`.
    pub speed: String,
    /// Lanes in use.
    pub width: String,
    /// Speed that the function is capable of.
    pub max_speed: String,
    /// Lanes that it has.
    pub max_width: String,
}

/// A PCI function.
#[derive(Debug)]
pub struct Function {
    /// Where it is.
    pub address: PciAddress,
    /// What its configuration space says, or why that is not to be believed.
    pub endpoint: Result<Endpoint, ConfigError>,
    /// Vendor and device id, as the kernel read them.
    pub id: (u16, u16),
    /// Driver that it is bound to.
    pub driver: Option<String>,
    /// IOMMU group.
    pub group: Option<String>,
    /// NUMA node; none on a machine with one.
    pub numa_node: Option<u32>,
    /// Its link; none for a function that has none.
    pub link: Option<Link>,
}

impl Function {
    /// Whether it has the ids of a gatewei card.
    pub const fn is_card(&self) -> bool {
        self.id.0 == pci::VENDOR && self.id.1 == pci::DEVICE
    }
}

/// Why there is no list of functions.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}; is sysfs mounted, and does this machine have PCI?", path.display())]
pub struct DiscoveryError {
    path: PathBuf,
    error: io::Error,
}

impl Sysfs {
    /// Sysfs at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    fn devices(&self) -> PathBuf {
        self.root.join("bus/pci/devices")
    }

    /// All PCI functions, by address. A function that goes meanwhile is left out.
    ///
    /// # Errors
    /// [`DiscoveryError`] where there is no list.
    pub fn functions(&self) -> Result<Vec<Function>, DiscoveryError> {
        let path = self.devices();
        let failed = |error| DiscoveryError {
            path: path.clone(),
            error,
        };
        let mut functions = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let address = name.to_str().and_then(|name| name.parse().ok());
            functions.extend(address.and_then(|address| self.function(address)));
        }
        functions.sort_by_key(|function| function.address);
        Ok(functions)
    }

    /// One function; none where it does not exist.
    pub fn function(&self, address: PciAddress) -> Option<Function> {
        let place = self.devices().join(address.to_string());
        let text = |name: &str| {
            let text = fs::read_to_string(place.join(name)).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let link = |name: &str| {
            let target = fs::read_link(place.join(name)).ok()?;
            Some(target.file_name()?.to_string_lossy().into_owned())
        };
        let hex = |name: &str| {
            let text = text(name)?;
            u16::from_str_radix(text.trim_start_matches("0x"), 16).ok()
        };
        let id = (hex("vendor")?, hex("device")?);
        let sizes = bar_sizes(&text("resource").unwrap_or_default());
        let mut bytes = fs::read(place.join("config")).unwrap_or_default();
        bytes.truncate(CONFIG_BYTES);
        let speed = text("current_link_speed");
        Some(Function {
            address,
            endpoint: Endpoint::decode(address, &bytes, sizes),
            id,
            driver: link("driver"),
            group: link("iommu_group"),
            // -1 where the machine has no nodes.
            numa_node: text("numa_node").and_then(|node| node.parse().ok()),
            link: speed.map(|speed| Link {
                speed,
                width: text("current_link_width").unwrap_or_default(),
                max_speed: text("max_link_speed").unwrap_or_default(),
                max_width: text("max_link_width").unwrap_or_default(),
            }),
        })
    }
}

/// Sizes of the six BARs, from sysfs' `resource`: a line each with first and last address and flags.
fn bar_sizes(resource: &str) -> [u64; 6] {
    let mut sizes = [0; 6];
    for (size, line) in sizes.iter_mut().zip(resource.lines()) {
        let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        let mut fields = line.split_whitespace().map(number);
        if let (Some(Some(first)), Some(Some(last))) = (fields.next(), fields.next())
            && last > first
        {
            *size = (last - first).saturating_add(1);
        }
    }
    sizes
}

#[cfg(test)]
mod tests;
