//! Configuration space of the simulated function (PCIe base specification, chapter 7.5).

use gatewei_abi::{ABI_VERSION, pci};

/// Bytes.
pub(super) const BYTES: usize = 256;

/// Where the capabilities lie.
const EXPRESS: usize = 0x40;
const MSIX: usize = 0x80;
/// Identities of capabilities.
const ID_EXPRESS: u8 = 0x10;
const ID_MSIX: u8 = 0x11;
/// The command register, and its bits.
const COMMAND: usize = 0x04;
const COMMAND_MEMORY: u8 = 1 << 1;
const COMMAND_MASTER: u8 = 1 << 2;
/// Upper byte of the PCIe device control register; its bit 7 starts a function level reset.
const DEVICE_CONTROL_HIGH: usize = EXPRESS + 9;
const START_RESET: u8 = 1 << 7;

/// Bytes, and which of their bits can be written.
#[derive(Clone, Debug)]
pub(super) struct Config {
    bytes: [u8; BYTES],
    mask: [u8; BYTES],
}

impl Config {
    /// As after power-up.
    pub(super) fn new() -> Self {
        let mut config = Self {
            bytes: [0; BYTES],
            mask: [0; BYTES],
        };
        config.header();
        config.express();
        config.msix();
        config
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn writable(&mut self, at: usize, mask: &[u8]) {
        self.mask[at..at + mask.len()].copy_from_slice(mask);
    }

    /// A type 0 header.
    fn header(&mut self) {
        self.put(0x00, &pci::VENDOR.to_le_bytes());
        self.put(0x02, &pci::DEVICE.to_le_bytes());
        // Memory, bus master, parity and system errors, no INTx.
        self.writable(COMMAND, &0x0546u16.to_le_bytes());
        // Status: there are capabilities.
        self.put(0x06, &[1 << 4]);
        self.put(
            0x08,
            &((pci::CLASS << 8) | (ABI_VERSION & 0xff)).to_le_bytes(),
        );
        self.writable(0x0c, &[0xff]);
        // 32-bit memory BARs, not prefetchable: registers have effects when they are read.
        for (bar, bytes) in [
            (pci::BAR_REGISTERS, pci::BAR_REGISTERS_BYTES),
            (pci::BAR_MSIX, pci::BAR_MSIX_BYTES),
        ] {
            let mask = !(bytes as u32 - 1);
            self.writable(0x10 + 4 * usize::from(bar), &mask.to_le_bytes());
        }
        self.put(0x2c, &pci::SUBSYSTEM_VENDOR.to_le_bytes());
        self.put(0x2e, &pci::SUBSYSTEM.to_le_bytes());
        self.put(0x34, &[EXPRESS as u8]);
        self.writable(0x3c, &[0xff]);
    }

    /// PCI Express, version 2, an endpoint with function level reset on a x1 link of 2.5 GT/s.
    fn express(&mut self) {
        self.put(EXPRESS, &[ID_EXPRESS, MSIX as u8, 0x02, 0x00]);
        let role_based_errors = 1 << 15;
        let resets = 1u32 << 28;
        self.put(EXPRESS + 4, &(resets | role_based_errors).to_le_bytes());
        self.writable(EXPRESS + 8, &0x7fffu16.to_le_bytes());
        let link = 0x11u32;
        self.put(EXPRESS + 12, &link.to_le_bytes());
        self.writable(EXPRESS + 16, &[0xc3, 0x00]);
        self.put(EXPRESS + 18, &[link as u8, 0]);
        self.writable(EXPRESS + 40, &[0xff, 0x07]);
    }

    /// MSI-X with its table in a BAR of its own.
    fn msix(&mut self) {
        self.put(MSIX, &[ID_MSIX, 0]);
        self.put(MSIX + 2, &(pci::MSIX_VECTORS - 1).to_le_bytes());
        // Enable, and mask of all vectors.
        self.writable(MSIX + 3, &[0xc0]);
        let bar = u32::from(pci::BAR_MSIX);
        self.put(MSIX + 4, &bar.to_le_bytes());
        self.put(MSIX + 8, &(pci::MSIX_PENDING | bar).to_le_bytes());
    }

    /// Bytes from `offset` on; none beyond the end.
    pub(super) fn read(&self, offset: u64, count: u32) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.bytes.get(start..start.checked_add(count as usize)?)
    }

    /// Writes what can be written. Returns whether a function level reset was asked for; none beyond the
    /// end.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> Option<bool> {
        self.read(offset, u32::try_from(bytes.len()).ok()?)?;
        let mut reset = false;
        for (at, byte) in (offset as usize..).zip(bytes) {
            let mask = self.mask[at];
            self.bytes[at] = self.bytes[at] & !mask | byte & mask;
            reset |= at == DEVICE_CONTROL_HIGH && byte & START_RESET != 0;
        }
        Some(reset)
    }

    /// Whether BARs answer.
    pub(super) const fn has_memory(&self) -> bool {
        self.bytes[COMMAND] & COMMAND_MEMORY != 0
    }

    /// Whether the function may access memory.
    pub(super) const fn is_master(&self) -> bool {
        self.bytes[COMMAND] & COMMAND_MASTER != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_written_changes() {
        let mut config = Config::new();
        let before = config.clone();
        assert_eq!(config.write(0, &[0xff; BYTES]), Some(true));
        for at in 0..BYTES {
            let (was, is, mask) = (before.bytes[at], config.bytes[at], before.mask[at]);
            assert_eq!(is, was & !mask | mask, "{at:#x}");
        }
        assert_eq!(
            config.read(0x10, 4),
            Some(&0xffff_f000u32.to_le_bytes()[..])
        );
        assert_eq!(config.read(0x14, 4), Some(&[0; 4][..]), "no BAR 1");
        assert!(config.has_memory() && config.is_master());
        assert_eq!(config.write(EXPRESS as u64 + 8, &[0, 0x7f]), Some(false));
    }

    #[test]
    fn there_is_nothing_beyond_the_end() {
        let mut config = Config::new();
        assert_eq!(config.read(252, 5), None);
        assert_eq!(config.read(u64::MAX, 1), None);
        assert_eq!(config.write(255, &[1, 2]), None);
        assert_eq!(config.read(256, 0), Some(&[][..]));
    }
}
