//! The seam between the driver and whatever carries its reads and writes to a card.
//!
//! A transport offers what a PCIe function offers: 32-bit registers, memory that the card can reach,
//! an interrupt, a reset. In a simulation the same calls clock the model; no other part of the driver
//! can tell.

mod address;
mod bar;
mod events;
mod lock;
mod loopback;
mod sysfs;
mod uart;
mod vfio;
mod vfio_user;
mod xdma;

use std::time::Duration;

pub use address::{Address, AddressError, PciAddress};
pub use events::Vector;
pub use loopback::Loopback;
pub use sysfs::SysfsBar;
pub use uart::Uart;
pub use vfio::Vfio;
pub use vfio_user::VfioUser;
pub use xdma::Xdma;

use crate::dma::DmaBuffer;
use crate::profile::Profile;

/// How long [`Transport::wait`] may take: whichever ends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// At most this many cycles of the card's clock, where the transport drives that clock.
    pub cycles: u64,
    /// At most this much wall time, where the card runs by itself.
    pub time: Duration,
}

impl Default for Wait {
    /// 2,000 cycles or a millisecond.
    fn default() -> Self {
        Self {
            cycles: 2_000,
            time: Duration::from_millis(1),
        }
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The card has raised its interrupt since the last wait (perhaps for nothing: look).
    Interrupt,
    /// The budget is used up. There may be completions all the same: interrupts get lost.
    Elapsed,
}

/// Why a transport failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// It cannot be opened.
    #[error("cannot open {name}: {reason}")]
    Unavailable {
        /// The transport.
        name: String,
        /// What is in the way, and how to clear it.
        reason: String,
    },
    /// The BAR with the registers is not that of a card.
    #[error(
        "{name} is no gatewei card: its BAR {bar} has {found} bytes, {needed} are needed; check the address and \
         that the bitstream is loaded"
    )]
    Bar {
        /// The transport.
        name: String,
        /// Number of the BAR.
        bar: u8,
        /// Bytes that it has; 0 where there is none.
        found: u64,
        /// Bytes that the registers take.
        needed: u64,
    },
    /// The device has left, or its connection has ended.
    #[error("the card is gone ({0}); check its link or power, then open it again")]
    Gone(String),
    /// No memory that the card can reach.
    #[error("cannot make {bytes} bytes visible to the card: {reason}")]
    NoMemory {
        /// Bytes asked for.
        bytes: usize,
        /// What the system said, with the remedy where there is one.
        reason: String,
    },
    /// A register offset that is unaligned or beyond the register space.
    #[error("register offset {0:#x} is unaligned or out of range; report this")]
    Offset(u32),
    /// This transport has no such thing.
    #[error("{0}")]
    Unsupported(String),
    /// Another owner of a shared card has reset it.
    #[error("another queue pair has reset the card")]
    Reset,
    /// An access failed although the card seems to be there.
    #[error("access to the card failed: {0}")]
    Failed(String),
}

/// Refuses a BAR that is too small for the registers.
fn check_bar(name: &str, found: u64) -> Result<(), TransportError> {
    let needed = gatewei_abi::pci::BAR_REGISTERS_BYTES;
    if found >= needed {
        return Ok(());
    }
    Err(TransportError::Bar {
        name: name.into(),
        bar: gatewei_abi::pci::BAR_REGISTERS,
        found,
        needed,
    })
}

/// Refuses a register offset that is no register's. For transports.
///
/// # Errors
/// [`TransportError::Offset`].
pub const fn check_offset(offset: u32) -> Result<(), TransportError> {
    if offset.is_multiple_of(4) && offset < gatewei_abi::regs::SPACE {
        Ok(())
    } else {
        Err(TransportError::Offset(offset))
    }
}

/// A way to a card. One owner, one thread at a time.
pub trait Transport: Send {
    /// What it is and where, for messages: `"sim"`, `"vfio 0000:01:00.0"`.
    fn name(&self) -> String;

    /// Reads the register at byte `offset` ([`gatewei_abi::regs`]).
    ///
    /// A card that has vanished reads all ones, as PCIe does; that is no error here.
    fn read32(&mut self, offset: u32) -> Result<u32, TransportError>;

    /// Writes the register at byte `offset`. It may be posted: the next read is behind it.
    ///
    /// Writes to DMA memory made before it (and fenced) are visible to the card when it arrives.
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError>;

    /// Zeroed memory that the card can read and write, at a bus address that is a multiple of
    /// `align` (a power of two, at least 8) and never zero.
    ///
    /// The transport keeps its own hold on the memory: dropping the buffer does not unmap it.
    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError>;

    /// Unmaps a buffer that the card will not touch again. The caller vouches for that: no command
    /// points to it, or the card is in reset with no DMA outstanding.
    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError>;

    /// Lets the card make progress: sleeps for its interrupt, or clocks the model.
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError>;

    /// Resets the whole function (FLR), for a card that the register's reset did not bring back.
    /// Afterwards no DMA is outstanding, all registers have their reset values, and DMA memory stays
    /// mapped.
    fn reset(&mut self) -> Result<(), TransportError>;

    /// An event for each of the first `count` interrupt vectors, so that a thread for each queue pair can sleep for its
    /// own; [`Transport::wait`] then looks at the connection and the function alone. None where the card's interrupts
    /// are no events, as in a simulation: then all wait in turn.
    fn vectors(&mut self, count: u16) -> Result<Option<Vec<Vector>>, TransportError> {
        let _ = count;
        Ok(None)
    }

    /// The caller is about to reset the card; nobody else reaches it until [`Transport::end_reset`]. False where
    /// another owner of a shared card has reset it since the caller last did or took part: then it is not reset, and
    /// only the caller's own queue pair is to be programmed anew.
    fn begin_reset(&mut self) -> bool {
        true
    }

    /// The reset has ended, well or not.
    fn end_reset(&mut self) {}

    /// Whether others use the card besides.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether the card gets on only inside these calls, as a simulation in this process does: then looking
    /// for its completions without [`Transport::wait`] is in vain.
    fn is_clocked(&self) -> bool {
        false
    }

    /// What the lanes spent their cycles on since the last call; none where that cannot be seen, as on
    /// hardware.
    fn take_profile(&mut self) -> Option<Profile> {
        None
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn name(&self) -> String {
        (**self).name()
    }
    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        (**self).read32(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        (**self).write32(offset, value)
    }
    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        (**self).dma(bytes, align)
    }
    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        (**self).release(buffer)
    }
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        (**self).wait(budget)
    }
    fn reset(&mut self) -> Result<(), TransportError> {
        (**self).reset()
    }
    fn vectors(&mut self, count: u16) -> Result<Option<Vec<Vector>>, TransportError> {
        (**self).vectors(count)
    }
    fn begin_reset(&mut self) -> bool {
        (**self).begin_reset()
    }
    fn end_reset(&mut self) {
        (**self).end_reset();
    }
    fn is_shared(&self) -> bool {
        (**self).is_shared()
    }
    fn is_clocked(&self) -> bool {
        (**self).is_clocked()
    }
    fn take_profile(&mut self) -> Option<Profile> {
        (**self).take_profile()
    }
}
