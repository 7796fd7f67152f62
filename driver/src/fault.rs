//! Faults of a card, by name, and the errors of opening and using one.

use gatewei_abi::message::Unfit;

use crate::dma::OutOfBounds;
use crate::result::Malformed;
use crate::transport::TransportError;

/// Why a message was lost through no fault of its own. The host runs it elsewhere and counts the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The card has vanished: its registers read all ones and its identity is not there.
    Gone,
    /// The card's cycle counter stands still, or it does not come out of a reset.
    Hung,
    /// This message ran longer than its gas allows, or its lane made no progress.
    Deadline,
    /// Another message's fault made the driver, or another owner of a shared card, reset the card under this one.
    Reset,
    /// The card was reset, and not by the driver.
    Restarted,
    /// The completion contradicts its command or has an undefined code.
    BadCompletion,
    /// The result buffer's contents do not hold together.
    BadResult(Malformed),
    /// The card reports a failed access to its rings.
    Queue,
    /// The transport failed.
    Transport,
}

impl Fault {
    /// One of each kind.
    pub const ALL: [Self; 9] = [
        Self::Gone,
        Self::Hung,
        Self::Deadline,
        Self::Reset,
        Self::Restarted,
        Self::BadCompletion,
        Self::BadResult(Malformed::Gas),
        Self::Queue,
        Self::Transport,
    ];

    const fn index(self) -> usize {
        match self {
            Self::Gone => 0,
            Self::Hung => 1,
            Self::Deadline => 2,
            Self::Reset => 3,
            Self::Restarted => 4,
            Self::BadCompletion => 5,
            Self::BadResult(_) => 6,
            Self::Queue => 7,
            Self::Transport => 8,
        }
    }

    /// Name in statistics and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "card_gone",
            Self::Hung => "card_hung",
            Self::Deadline => "deadline",
            Self::Reset => "card_reset",
            Self::Restarted => "card_restarted",
            Self::BadCompletion => "bad_completion",
            Self::BadResult(_) => "malformed_result",
            Self::Queue => "queue_error",
            Self::Transport => "transport",
        }
    }
}

/// Messages lost, by the name of their fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost([u64; Fault::ALL.len()]);

impl Lost {
    pub(crate) const fn count(&mut self, fault: Fault) {
        self.0[fault.index()] += 1;
    }

    /// Messages lost to this fault; what is wrong with a result does not matter.
    pub const fn to(&self, fault: Fault) -> u64 {
        self.0[fault.index()]
    }

    /// Names with their counts, those without a message left out.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = Fault::ALL.iter().map(|fault| fault.name());
        names.zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadResult(why) => write!(f, "{} ({why})", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

/// Why a card cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something else answers.
    #[error(
        "{name} is no gatewei card: its identity register reads {found:#010x}, expected {expected:#010x}; \
         check the address and that the bitstream is loaded"
    )]
    Magic {
        /// The transport.
        name: String,
        /// What was read.
        found: u32,
        /// [`gatewei_abi::MAGIC`].
        expected: u32,
    },
    /// A card of another release.
    #[error(
        "{name} speaks ABI version {found}, this driver {expected}; load a bitstream of this release"
    )]
    Version {
        /// The transport.
        name: String,
        /// The card's.
        found: u32,
        /// [`gatewei_abi::ABI_VERSION`].
        expected: u32,
    },
    /// Capabilities that make no sense.
    #[error(
        "{name} claims {lanes} lanes of {slots} slots and {queues} queue pairs; reload its bitstream"
    )]
    Caps {
        /// The transport.
        name: String,
        /// Lanes.
        lanes: u32,
        /// Entries of a lane's slot table.
        slots: u32,
        /// Queue pairs.
        queues: u32,
    },
    /// A ring size beyond what the card can do.
    #[error("rings of 2^{0} entries are not possible; choose 1 to 12")]
    RingSize(u32),
    /// It answered, then failed.
    #[error("{name} does not start: {fault}")]
    Start {
        /// The transport.
        name: String,
        /// What happened.
        fault: Fault,
    },
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Why a message was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The lane has all the messages it may have; poll first.
    #[error("lane {0} has no credit left; poll for completions first")]
    NoCredit(u16),
    /// There is no such lane.
    #[error("the card has no lane {0}")]
    NoLane(u16),
    /// The message exceeds the card's memories: run it elsewhere.
    #[error("the message does not fit the card: {0:?}")]
    Unfit(Unfit),
    /// The card is out of use since this fault.
    #[error("the card is out of use: {0}; run the message elsewhere")]
    Dead(Fault),
    /// The card failed on the way; what was in flight is lost. See [`crate::Card::state`].
    #[error("the card failed: {0}; run the message elsewhere")]
    Failed(Fault),
    /// No memory for the code image.
    #[error(transparent)]
    Memory(#[from] TransportError),
    /// A mistake in the driver's own sizes.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
}

/// Why an operation inside the driver failed; callers see the [`Fault`] it leads to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Fault(Fault),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
}

impl Failure {
    /// The fault that this failure is to the messages in flight.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Fault(fault) => *fault,
            Self::Transport(TransportError::Gone(_)) => Fault::Gone,
            Self::Transport(TransportError::Reset) => Fault::Reset,
            Self::Transport(_) | Self::Bounds(_) => Fault::Transport,
        }
    }
}
