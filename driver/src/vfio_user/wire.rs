//! Messages of the protocol, as they lie on the wire (little-endian).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Major version spoken.
pub const MAJOR: u16 = 0;
/// Highest minor version known.
pub const MINOR: u16 = 1;
/// Most bytes of a message, header included: no transfer is larger than 1 MiB.
pub const MESSAGE_BYTES: usize = (1 << 20) + 4096;
/// Most file descriptors with a message.
pub const MESSAGE_FILES: usize = 16;
/// What a side says of itself behind its version, as a string of JSON that ends with a zero. Peers keep to
/// the defaults of the protocol without reading each other's: no message of ours needs more.
pub const CAPABILITIES: &str =
    "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}\0";

/// What a message asks for.
pub mod command {
    /// First message of a connection: versions.
    pub const VERSION: u16 = 1;
    /// Memory that the device may reach.
    pub const DMA_MAP: u16 = 2;
    /// Memory that it may reach no more.
    pub const DMA_UNMAP: u16 = 3;
    /// Numbers of regions and interrupts.
    pub const DEVICE_INFO: u16 = 4;
    /// Size and flags of a region.
    pub const REGION_INFO: u16 = 5;
    /// Number and flags of an interrupt index.
    pub const IRQ_INFO: u16 = 7;
    /// Event files of interrupts.
    pub const SET_IRQS: u16 = 8;
    /// Bytes of a region.
    pub const REGION_READ: u16 = 9;
    /// Bytes for a region.
    pub const REGION_WRITE: u16 = 10;
    /// Function reset.
    pub const DEVICE_RESET: u16 = 13;
}

/// Bits of [`Header::flags`].
pub mod flag {
    /// Kind of message: 0 a command, 1 a reply.
    pub const KIND: u32 = 0xf;
    /// A reply.
    pub const REPLY: u32 = 1;
    /// A command that wants no reply.
    pub const NO_REPLY: u32 = 1 << 4;
    /// A reply that brings an error number alone.
    pub const ERROR: u32 = 1 << 5;
}

/// Regions of a PCI function, by VFIO's numbers: BARs 0 to 5, ROM, configuration space, VGA.
pub mod region {
    /// Configuration space.
    pub const CONFIG: u32 = 7;
    /// How many.
    pub const COUNT: u32 = 9;
    /// Flag: can be read.
    pub const READ: u32 = 1;
    /// Flag: can be written.
    pub const WRITE: u32 = 2;
}

/// Interrupt indexes of a PCI function, by VFIO's numbers.
pub mod irq {
    /// MSI-X.
    pub const MSIX: u32 = 2;
    /// The function reports an uncorrectable error.
    pub const ERROR: u32 = 3;
    /// The function is wanted back: its user should let go.
    pub const REQUEST: u32 = 4;
    /// How many.
    pub const COUNT: u32 = 5;
    /// Information flag: signalled by event files.
    pub const EVENTFD: u32 = 1;
    /// Set flag: no data; acts on all vectors named.
    pub const DATA_NONE: u32 = 1;
    /// Set flag: a byte for each vector.
    pub const DATA_BOOL: u32 = 2;
    /// Set flag: an event file for each vector; none takes them away.
    pub const DATA_EVENTFD: u32 = 4;
    /// Set flag: masks.
    pub const MASK: u32 = 8;
    /// Set flag: unmasks.
    pub const UNMASK: u32 = 16;
    /// Set flag: sets event files, or signals them.
    pub const TRIGGER: u32 = 32;
}

/// Flags of [`DmaMap`].
pub mod dma {
    /// The device may read.
    pub const READ: u32 = 1;
    /// The device may write.
    pub const WRITE: u32 = 2;
    /// Of [`super::DmaUnmap`]: everything.
    pub const UNMAP_ALL: u32 = 2;
}

/// Flags of [`DeviceInfo`].
pub mod device {
    /// It has a function reset.
    pub const RESET: u32 = 1;
    /// It is a PCI function.
    pub const PCI: u32 = 2;
}

macro_rules! message {
    ($(#[$m:meta])* $name:ident { $($(#[$f:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$m])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
        )]
        #[repr(C)]
        pub struct $name { $($(#[$f])* pub $field: $type,)* }
    };
}

message! {
    /// In front of every message.
    Header {
        /// Chosen by the sender of a command; its reply has the same.
        id: u16,
        /// [`command`].
        command: u16,
        /// Bytes of the message, this header included.
        size: u32,
        /// [`flag`].
        flags: u32,
        /// Error number of a reply with [`flag::ERROR`].
        error: u32,
    }
}
message! {
    /// [`command::VERSION`], both ways; [`CAPABILITIES`] follow.
    Version {
        /// [`MAJOR`].
        major: u16,
        /// At most [`MINOR`].
        minor: u16,
    }
}
message! {
    /// [`command::DMA_MAP`]; the memory's file comes with it.
    DmaMap {
        /// Bytes of this.
        argsz: u32,
        /// [`dma`].
        flags: u32,
        /// First byte in the file.
        offset: u64,
        /// First bus address.
        address: u64,
        /// Bytes.
        size: u64,
    }
}
message! {
    /// [`command::DMA_UNMAP`], and its reply.
    DmaUnmap {
        /// Bytes of this.
        argsz: u32,
        /// [`dma::UNMAP_ALL`].
        flags: u32,
        /// First bus address.
        address: u64,
        /// Bytes.
        size: u64,
    }
}
message! {
    /// [`command::DEVICE_INFO`], and its reply.
    DeviceInfo {
        /// Bytes of this.
        argsz: u32,
        /// [`device`].
        flags: u32,
        /// Regions.
        regions: u32,
        /// Interrupt indexes.
        irqs: u32,
    }
}
message! {
    /// [`command::REGION_INFO`], and its reply.
    RegionInfo {
        /// Bytes of this.
        argsz: u32,
        /// [`region`].
        flags: u32,
        /// Which.
        index: u32,
        /// Where capabilities lie behind this; 0: nowhere.
        capabilities: u32,
        /// Bytes of the region; 0: it does not exist.
        size: u64,
        /// Where a file that can be mapped has it.
        offset: u64,
    }
}
message! {
    /// [`command::IRQ_INFO`], and its reply.
    IrqInfo {
        /// Bytes of this.
        argsz: u32,
        /// [`irq::EVENTFD`].
        flags: u32,
        /// Which: [`irq`].
        index: u32,
        /// Vectors.
        count: u32,
    }
}
message! {
    /// [`command::SET_IRQS`]; event files come with it.
    SetIrqs {
        /// Bytes of this.
        argsz: u32,
        /// [`irq`].
        flags: u32,
        /// Which: [`irq`].
        index: u32,
        /// First vector.
        start: u32,
        /// Vectors.
        count: u32,
    }
}
message! {
    /// [`command::REGION_READ`] and [`command::REGION_WRITE`], and their replies; the bytes follow.
    Access {
        /// First byte in the region.
        offset: u64,
        /// Which region: [`region`].
        region: u32,
        /// Bytes.
        count: u32,
    }
}
