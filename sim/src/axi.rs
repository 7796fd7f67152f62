//! The card's AXI4 master port, one clock cycle at a time: 256-bit data, 64-bit addresses, 4-bit ids.

/// Bytes of a beat: the width of the data bus.
pub const BEAT: usize = gatewei_abi::BEAT;
/// Number of AXI ids.
pub const IDS: usize = 16;
/// `xSIZE` of a full beat: log2 of its bytes.
pub const SIZE_FULL: u8 = 5;
/// `xBURST` of an incrementing burst.
pub const BURST_INCR: u8 = 1;
/// Boundary in bytes that no burst may cross (AXI4, A3.4.1).
pub const BOUNDARY: u64 = 4096;

/// `xRESP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Response {
    /// Success.
    #[default]
    Okay = 0,
    /// The memory refuses: nothing is mapped there.
    SlaveError = 2,
}

/// An address channel's payload (AR or AW).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    /// `xID`.
    pub id: u8,
    /// `xADDR`: bus address of the first beat, bytes.
    pub address: u64,
    /// `xLEN`: beats less one.
    pub len: u8,
    /// `xSIZE`.
    pub size: u8,
    /// `xBURST`.
    pub kind: u8,
}

/// What the card drives in a cycle. Payloads mean something only with their valid.
#[derive(Clone, Copy, Debug, Default)]
pub struct Master {
    /// `ARVALID`.
    pub ar_valid: bool,
    /// AR payload.
    pub ar: Burst,
    /// `RREADY`.
    pub r_ready: bool,
    /// `AWVALID`.
    pub aw_valid: bool,
    /// AW payload.
    pub aw: Burst,
    /// `WVALID`.
    pub w_valid: bool,
    /// W payload.
    pub w: WriteBeat,
    /// `BREADY`.
    pub b_ready: bool,
}

/// The W channel's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteBeat {
    /// `WDATA`, in memory order.
    pub data: [u8; BEAT],
    /// `WSTRB`: bit `i` is byte `i`.
    pub strobe: u32,
    /// `WLAST`.
    pub last: bool,
}

/// What the host drives in a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slave {
    /// `ARREADY`.
    pub ar_ready: bool,
    /// `RVALID`.
    pub r_valid: bool,
    /// `RID`.
    pub r_id: u8,
    /// `RDATA`, in memory order.
    pub r_data: [u8; BEAT],
    /// `RRESP`.
    pub r_response: Response,
    /// `RLAST`.
    pub r_last: bool,
    /// `AWREADY`.
    pub aw_ready: bool,
    /// `WREADY`.
    pub w_ready: bool,
    /// `BVALID`.
    pub b_valid: bool,
    /// `BID`.
    pub b_id: u8,
    /// `BRESP`.
    pub b_response: Response,
}

/// A rule of AXI4 that the card broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A burst of another shape than this bus has.
    #[error(
        "{channel}: burst {burst:?} is not incrementing in full beats, or crosses a 4 KiB boundary"
    )]
    Shape {
        /// `"AR"` or `"AW"`.
        channel: &'static str,
        /// The burst.
        burst: Burst,
    },
    /// A valid was withdrawn, or its payload changed, before the ready.
    #[error("{channel}: the valid was withdrawn or its payload changed before the ready")]
    Unstable {
        /// `"AR"`, `"AW"` or `"W"`.
        channel: &'static str,
    },
    /// `WLAST` is not where the burst ends.
    #[error("W: WLAST is {found} at beat {beat} of burst {burst:?}")]
    Last {
        /// The burst.
        burst: Burst,
        /// Beat, from 0.
        beat: usize,
        /// `WLAST`.
        found: bool,
    },
}

impl Burst {
    /// Beats.
    pub const fn beats(&self) -> usize {
        self.len as usize + 1
    }

    /// Address of beat `i`, aligned to the bus.
    pub const fn beat_address(&self, i: usize) -> u64 {
        (self.address & !(BEAT as u64 - 1)).wrapping_add((i * BEAT) as u64)
    }

    /// Whether the burst is one that this bus carries.
    pub const fn is_regular(&self) -> bool {
        let first = self.beat_address(0);
        let last = self.beat_address(self.beats() - 1);
        self.size == SIZE_FULL && self.kind == BURST_INCR && first / BOUNDARY == last / BOUNDARY
    }
}
