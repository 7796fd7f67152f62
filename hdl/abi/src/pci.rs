//! What the card is as a PCI function: identity, base address registers, interrupts.
//!
//! A board's PCIe block is configured with these, the simulated card shows them, the driver looks for them.

/// Vendor id. No vendor has it from the PCI-SIG; it is the one that emulators use. A board that is sold
/// gets its maker's here.
pub const VENDOR: u16 = 0x1234;
/// Device id: `"gw"`.
pub const DEVICE: u16 = 0x6777;
/// Subsystem vendor id.
pub const SUBSYSTEM_VENDOR: u16 = VENDOR;
/// Subsystem id: `"ei"`.
pub const SUBSYSTEM: u16 = 0x6569;
/// Class code: base class 0x12, a processing accelerator; subclass and interface 0.
pub const CLASS: u32 = 0x12_0000;

/// Number of the BAR with the registers ([`crate::regs`]).
pub const BAR_REGISTERS: u8 = 0;
/// Bytes of that BAR, at least.
pub const BAR_REGISTERS_BYTES: u64 = crate::regs::SPACE as u64;
/// Number of the BAR with the MSI-X table and its pending bits.
pub const BAR_MSIX: u8 = 2;
/// Bytes of that BAR.
pub const BAR_MSIX_BYTES: u64 = 0x1000;
/// Where the pending bits lie in that BAR.
pub const MSIX_PENDING: u32 = 0x800;
/// MSI-X vectors: room for one for each queue pair.
pub const MSIX_VECTORS: u16 = 16;
