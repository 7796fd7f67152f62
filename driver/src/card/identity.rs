//! What a card says of itself.

use gatewei_abi::{layout, regs};

use crate::fault::OpenError;
use crate::transport::{Transport, TransportError};

/// What a card is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// EVM lanes; of a card that is shared, those of this owner.
    pub lanes: u16,
    /// Queue pairs.
    pub pairs: u16,
    /// Keccak engines.
    pub keccak_engines: u8,
    /// Messages in flight per lane: the one that runs, and those that wait in front of it.
    pub credits: u16,
    /// Clock of the lanes, kHz.
    pub clock_khz: u32,
    /// Entries of a lane's slot table, at most [`layout::SLOTS`]: a message that comes to know of more is
    /// [`gatewei_abi::status::Trap::Slots`].
    pub slots: u16,
}

/// Reads what a card is. Nothing is written, so that it may be asked of anything.
///
/// # Errors
/// [`OpenError`]: something else answers, or a card of another release.
pub fn identify(transport: &mut impl Transport) -> Result<Caps, OpenError> {
    let name = transport.name();
    let found = transport.read32(regs::CARD + regs::card::MAGIC)?;
    if found != gatewei_abi::MAGIC {
        return Err(OpenError::Magic {
            name,
            found,
            expected: gatewei_abi::MAGIC,
        });
    }
    let found = transport.read32(regs::CARD + regs::card::VERSION)?;
    if found != gatewei_abi::ABI_VERSION {
        return Err(OpenError::Version {
            name,
            found,
            expected: gatewei_abi::ABI_VERSION,
        });
    }
    let caps = transport.read32(regs::CARD + regs::card::CAPS)?;
    let [lanes, keccak_engines, queue, queues] = caps.to_le_bytes();
    let room = (regs::SPACE - regs::LANES) / regs::LANE_STRIDE;
    let pairs = (regs::LANES - regs::QUEUES) / regs::QUEUE_STRIDE;
    let slots = transport.read32(regs::CARD + regs::card::SLOTS)?;
    let most = layout::SLOTS as u32;
    let claims = u32::from(lanes) > room || u32::from(queues) > pairs || slots > most;
    if claims || lanes == 0 || queues == 0 || slots == 0 {
        let (lanes, queues) = (lanes.into(), queues.into());
        return Err(OpenError::Caps {
            name,
            lanes,
            slots,
            queues,
        });
    }
    Ok(Caps {
        lanes: lanes.into(),
        pairs: queues.into(),
        keccak_engines,
        credits: u16::from(queue).min(layout::LANE_QUEUE as u16) + 1,
        clock_khz: transport.read32(regs::CARD + regs::card::CLOCK_KHZ)?,
        slots: slots as u16,
    })
}

/// What a card's bitstream was built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Number of the board: [`gatewei_abi::board`].
    pub board: u16,
    /// The checkout had changes that the commit has not.
    pub changed: bool,
    /// First 32 bits of the git commit; 0 where nobody has said.
    pub commit: u32,
    /// When the commit was made, seconds since 1970; 0 where nobody has said.
    pub built: u32,
}

/// Reads what a card's bitstream was built from; [`identify`] says whether it is a card at all.
///
/// # Errors
/// [`TransportError`].
pub fn origin(transport: &mut impl Transport) -> Result<Origin, TransportError> {
    let board = transport.read32(regs::CARD + regs::card::BOARD)?;
    Ok(Origin {
        board: board as u16,
        changed: board & regs::BOARD_CHANGED != 0,
        commit: transport.read32(regs::CARD + regs::card::COMMIT)?,
        built: transport.read32(regs::CARD + regs::card::BUILT)?,
    })
}
