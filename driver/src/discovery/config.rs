//! Configuration space, checked before it is decoded (PCI local bus specification 3.0, chapter 6).

use std::cell::RefCell;

use pci_types::capability::PciCapability;
use pci_types::{ConfigRegionAccess, EndpointHeader, HeaderType, PciAddress as Place, PciHeader};

use crate::transport::PciAddress;

/// Bytes of a header; what a user without privileges may read.
const HEADER: usize = 64;
/// Bytes of a capability's identity, pointer and first word.
const CAPABILITY: usize = 4;
/// Most capabilities: each has four bytes at least.
const MOST: usize = (256 - HEADER) / CAPABILITY;
/// Identity of PCI Express' capability, and bytes of it that are read.
const EXPRESS: u8 = 0x10;
const EXPRESS_BYTES: usize = 8;
/// Identity of MSI-X' capability, its bytes, and those of a table entry.
const MSIX: u8 = 0x11;
const MSIX_BYTES: usize = 12;
const MSIX_ENTRY: u64 = 16;

/// Why configuration space is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Fewer bytes than a header.
    #[error("its configuration space has {0} bytes, a header has {HEADER}")]
    Short(usize),
    /// It reads all ones.
    #[error("it does not answer: its configuration space reads all ones")]
    Gone,
    /// It is a bridge, or something newer than this driver.
    #[error("it is no endpoint: its header has type {0:#x}")]
    NoEndpoint(u8),
    /// A BAR of a kind, a size or in a place that no BAR has.
    #[error("its BAR {bar} is impossible: value {value:#010x}, {size} bytes")]
    Bar {
        /// Number.
        bar: usize,
        /// Low word.
        value: u32,
        /// Bytes, as the kernel found them.
        size: u64,
    },
    /// A list of capabilities that runs in circles or to where none can be.
    #[error("its list of capabilities is broken at {0:#04x}")]
    Capabilities(u8),
    /// An MSI-X table that is not in its BAR.
    #[error("its MSI-X table of {vectors} vectors at {offset:#x} is not within BAR {bar}")]
    MsixTable {
        /// Vectors.
        vectors: u16,
        /// Number of the BAR.
        bar: u8,
        /// Where in it.
        offset: u32,
    },
}

/// Kind of a BAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarKind {
    /// Memory below 4 GiB.
    Memory32,
    /// Memory anywhere; takes two places.
    Memory64,
    /// Ports.
    Io,
}

/// A base address register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Number.
    pub index: u8,
    /// Kind.
    pub kind: BarKind,
    /// Where it is mapped.
    pub address: u64,
    /// Bytes.
    pub size: u64,
}

/// What an endpoint's configuration space says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Vendor.
    pub vendor: u16,
    /// Device.
    pub device: u16,
    /// Subsystem vendor and subsystem.
    pub subsystem: (u16, u16),
    /// Class code: base class, subclass, interface.
    pub class: u32,
    /// Revision; of a card the ABI version.
    pub revision: u8,
    /// BARs that exist.
    pub bars: Vec<Bar>,
    /// Identities of the capabilities, in their order; none where the system shows only the header.
    pub capabilities: Option<Vec<u8>>,
    /// Vectors of MSI-X.
    pub msix_vectors: Option<u16>,
    /// It has function level reset.
    pub resets: bool,
}

impl Endpoint {
    /// Checks and decodes configuration space. `sizes` are the BARs', as the kernel found them when it wrote
    /// to them; nobody does that again.
    ///
    /// # Errors
    /// [`ConfigError`], for everything that a device may say wrongly.
    pub fn decode(address: PciAddress, bytes: &[u8], sizes: [u64; 6]) -> Result<Self, ConfigError> {
        let PciAddress {
            segment,
            bus,
            device,
            function,
        } = address;
        let capabilities = check(bytes, sizes)?;
        let shadow = &Shadow::new(bytes, sizes);
        let header = PciHeader::new(Place::new(segment, bus, device, function));
        let (vendor, device) = header.id(shadow);
        let (revision, base, sub, interface) = header.revision_and_class(shadow);
        // The check has found an endpoint.
        let kind = bytes[0x0e] & 0x7f;
        let HeaderType::Endpoint = header.header_type(shadow) else {
            return Err(ConfigError::NoEndpoint(kind));
        };
        let endpoint = EndpointHeader::from_header(header, shadow);
        let endpoint = endpoint.ok_or(ConfigError::NoEndpoint(kind))?;
        let (subsystem, subsystem_vendor) = endpoint.subsystem(shadow);
        let bars = bars(&endpoint, shadow);
        let mut decoded = Self {
            vendor,
            device,
            subsystem: (subsystem_vendor, subsystem),
            class: u32::from(base) << 16 | u32::from(sub) << 8 | u32::from(interface),
            revision,
            bars,
            capabilities: None,
            msix_vectors: None,
            resets: false,
        };
        if let Some(list) = capabilities {
            for capability in endpoint.capabilities(shadow).take(MOST) {
                match capability {
                    PciCapability::MsiX(msix) => decoded.take_msix(&msix)?,
                    PciCapability::PciExpress(at) => {
                        let at = usize::from(at.offset) + 7;
                        // Device capabilities, bit 28.
                        decoded.resets = bytes.get(at).is_some_and(|byte| byte & 0x10 != 0);
                    }
                    _ => {}
                }
            }
            decoded.capabilities = Some(list);
        }
        Ok(decoded)
    }

    /// Takes MSI-X' table over, if it lies where it says.
    fn take_msix(
        &mut self,
        msix: &pci_types::capability::MsixCapability,
    ) -> Result<(), ConfigError> {
        let (vectors, bar, offset) = (msix.table_size(), msix.table_bar(), msix.table_offset());
        let end = u64::from(offset) + u64::from(vectors) * MSIX_ENTRY;
        let within =
            |found: &Bar| found.index == bar && found.kind != BarKind::Io && end <= found.size;
        if !self.bars.iter().any(within) {
            return Err(ConfigError::MsixTable {
                vectors,
                bar,
                offset,
            });
        }
        self.msix_vectors = Some(vectors);
        Ok(())
    }
}

/// Refuses everything that would let decoding run in circles, out of the bytes, or into a panic. Returns the
/// identities of the capabilities where the bytes have them.
fn check(bytes: &[u8], sizes: [u64; 6]) -> Result<Option<Vec<u8>>, ConfigError> {
    if bytes.len() < HEADER {
        return Err(ConfigError::Short(bytes.len()));
    }
    if bytes[..4] == [0xff; 4] {
        return Err(ConfigError::Gone);
    }
    let kind = bytes[0x0e] & 0x7f;
    if kind != 0 {
        return Err(ConfigError::NoEndpoint(kind));
    }
    let mut bar = 0;
    while bar < 6 {
        let at = 0x10 + 4 * bar;
        let value = word(bytes, at);
        let size = sizes[bar];
        let most = match value & 7 {
            0b000 => 1 << 31,
            0b100 if bar < 5 => 1 << 63,
            kind if kind & 1 == 1 => 1 << 16,
            _ => 0,
        };
        let sane = size == 0 || size >= 4 && size <= most && size.is_power_of_two();
        if !sane || most == 0 {
            return Err(ConfigError::Bar { bar, value, size });
        }
        bar += if value & 7 == 0b100 { 2 } else { 1 };
    }
    let has_list = bytes[0x06] & 0x10 != 0;
    if !has_list {
        return Ok(Some(Vec::new()));
    }
    if bytes.len() <= HEADER {
        return Ok(None);
    }
    capabilities(bytes).map(Some)
}

/// Walks the list once, within its bytes, each place at most once.
fn capabilities(bytes: &[u8]) -> Result<Vec<u8>, ConfigError> {
    let (mut at, mut seen, mut found) = (bytes[0x34], [false; 256], Vec::new());
    while at != 0 {
        let place = usize::from(at);
        let broken = Err(ConfigError::Capabilities(at));
        if place < HEADER || !place.is_multiple_of(4) || seen[place] {
            return broken;
        }
        seen[place] = true;
        let Some(head) = bytes.get(place..place + CAPABILITY) else {
            return broken;
        };
        let needs = match head[0] {
            EXPRESS => EXPRESS_BYTES,
            MSIX => MSIX_BYTES,
            _ => CAPABILITY,
        };
        if place + needs > bytes.len() {
            return broken;
        }
        found.push(head[0]);
        at = head[1];
    }
    Ok(found)
}

/// The BARs that exist; the second place of a wide one is none.
fn bars(endpoint: &EndpointHeader, shadow: &Shadow) -> Vec<Bar> {
    let (mut bars, mut index) = (Vec::new(), 0);
    while index < 6 {
        let (kind, address, size) = match endpoint.bar(index, shadow) {
            Some(pci_types::Bar::Memory32 { address, size, .. }) => {
                (BarKind::Memory32, address.into(), size.into())
            }
            Some(pci_types::Bar::Memory64 { address, size, .. }) => {
                (BarKind::Memory64, address, size)
            }
            Some(pci_types::Bar::Io { port }) => {
                let size = shadow.sizes[usize::from(index)];
                (BarKind::Io, port.into(), size)
            }
            None => {
                index += 1;
                continue;
            }
        };
        bars.push(Bar {
            index,
            kind,
            address,
            size,
        });
        index += if kind == BarKind::Memory64 { 2 } else { 1 };
    }
    bars
}

/// The word at a byte offset; zero beyond the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_le_bytes)
}

/// A copy of configuration space that `pci_types` may write to: it finds a BAR's size by writing ones.
struct Shadow {
    words: RefCell<[u32; 64]>,
    sizes: [u64; 6],
}

impl Shadow {
    fn new(bytes: &[u8], sizes: [u64; 6]) -> Self {
        let mut words: [u32; 64] = std::array::from_fn(|i| word(bytes, 4 * i));
        let mut bar = 0;
        while bar < 6 {
            let wide = words[4 + bar] & 7 == 0b100;
            if sizes[bar] == 0 && words[4 + bar] & 1 == 0 {
                // Not there: it must read as zero whatever is written.
                words[4 + bar] = 0;
                if wide {
                    words[5 + bar] = 0;
                }
            }
            bar += if wide { 2 } else { 1 };
        }
        let words = RefCell::new(words);
        Self { words, sizes }
    }

    /// What a BAR reads as after ones were written to it.
    fn mask(&self, bar: usize) -> u32 {
        let low = self.words.borrow()[4 + bar];
        let mask = |size: u64| !size.saturating_sub(1);
        match (self.sizes[bar], bar.checked_sub(1)) {
            (0, Some(below)) if self.words.borrow()[4 + below] & 7 == 0b100 => {
                (mask(self.sizes[below]) >> 32) as u32
            }
            (0, _) => 0,
            (size, _) => mask(size) as u32 & !0xf | low & 0xf,
        }
    }
}

impl ConfigRegionAccess for Shadow {
    unsafe fn read(&self, _: Place, offset: u16) -> u32 {
        let words = self.words.borrow();
        words.get(usize::from(offset) / 4).copied().unwrap_or(0)
    }

    unsafe fn write(&self, _: Place, offset: u16, value: u32) {
        let index = usize::from(offset) / 4;
        let value = match index.checked_sub(4).filter(|bar| *bar < 6) {
            Some(bar) if value == u32::MAX => self.mask(bar),
            _ => value,
        };
        if let Some(word) = self.words.borrow_mut().get_mut(index) {
            *word = value;
        }
    }
}
