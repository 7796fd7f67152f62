//! Sizes of the card's on-chip memories and of its buffers in host memory.

/// Longest code (deployed or init code) the lane runs, in bytes (EIP-3860: 49,152).
pub const CODE_BYTES: usize = (1 << 16) - CODE_BEHIND;
/// Zeros that stand behind the code in its image, at least: the operand of a PUSH32 at the end.
pub const CODE_BEHIND: usize = 64;
/// Bytes of code that have their JUMPDEST bits in one beat.
pub const CODE_GROUP: usize = 8 * crate::BEAT;
/// Bytes of a page of code, in which code comes onto the chip.
pub const CODE_PAGE_BYTES: usize = 1024;
/// Pages of code that the chip holds at a time.
pub const CODE_PAGES: usize = 64;
/// Beats of a page of code in its image: the groups' bits and the code.
pub const CODE_PAGE_BEATS: usize = CODE_PAGE_BYTES / CODE_GROUP + CODE_PAGE_BYTES / crate::BEAT;
/// Address bits of a segment of the lane's data space.
pub const SEGMENT_BITS: usize = 23;
/// Segments of the lane's data space, by the address bits above [`SEGMENT_BITS`].
pub mod segment {
    /// EVM memory: that of a frame lies behind its caller's.
    pub const MEMORY: usize = 0;
    /// Calldata of the message. That of an inner frame is a range of its caller's memory.
    pub const CALLDATA: usize = 1;
    /// What the last inner frame returned.
    pub const RETURN_DATA: usize = 2;
    /// The frames that wait for an inner one, [`super::FRAME_BYTES`] each, and from [`super::JOURNAL`] on
    /// the journal.
    pub const FRAMES: usize = 3;
    /// How many.
    pub const COUNT: usize = 4;
}
/// Frames that may wait for an inner one (Yellow Paper 9.1).
pub const CALL_DEPTH: usize = 1024;
/// Bytes of a waiting frame's record.
pub const FRAME_BYTES: usize = 256;
/// Where the journal begins in its segment.
pub const JOURNAL: usize = CALL_DEPTH * FRAME_BYTES;
/// Bytes of a journal entry.
pub const JOURNAL_BYTES: usize = 64;
/// Bytes of a page, in which the data space comes onto the chip and leaves it.
pub const PAGE_BYTES: usize = 1 << PAGE_BITS;
/// Address bits of a page.
pub const PAGE_BITS: usize = 12;
/// Pages of the data space that the chip holds at a time.
pub const PAGES: usize = 16;
/// Most EVM memory of all open frames, in bytes: a segment, less the page that an access at its end may touch.
/// Memory of that size costs 134 Mgas.
pub const MEMORY_BYTES: usize = (1 << SEGMENT_BITS) - PAGE_BYTES;
/// Longest calldata, in bytes.
pub const CALLDATA_BYTES: usize = (1 << SEGMENT_BITS) - PAGE_BYTES;
/// Calldata that is loaded with the message, in bytes: what is beyond comes onto the chip when it is read.
pub const CALLDATA_AHEAD: usize = PAGES * PAGE_BYTES / 2;
/// Bytes of a lane's spill area in host memory: home of the pages of every segment but the calldata.
pub const SPILL_BYTES: usize = segment::COUNT << SEGMENT_BITS;
/// Longest init code, in bytes (EIP-3860).
pub const INIT_CODE_BYTES: usize = 49_152;
/// Longest code that is deployed, in bytes (EIP-170).
pub const DEPLOYED_BYTES: usize = 24_576;
/// Words of the EVM stack (Yellow Paper 9.1).
pub const STACK_WORDS: usize = 1024;
/// Entries of the lane's slot table: accounts, their fields, storage and transient slots that a message knows.
pub const SLOTS: usize = 1 << SLOT_BITS;
/// Address bits of the slot table.
pub const SLOT_BITS: usize = 11;
/// Words of the environment memory that a message fills: header, then blob hashes.
pub const ENV_WORDS: usize = 60;
/// Longest burst that the card reads, in beats: a page.
pub const BURST_BEATS: usize = PAGE_BYTES / crate::BEAT;
/// Messages that wait in front of a lane beside the one that runs.
pub const LANE_QUEUE: usize = 4;
/// Bytes of a result buffer when the host does not choose.
pub const RESULT_BYTES: usize = 1024 * 1024;
/// Bytes of the longest result: output of all memory, as much in logs, and every slot.
pub const RESULT_MOST: usize = 2 * (1 << SEGMENT_BITS) + SLOTS * 128;
/// Alignment of every buffer the card is pointed to, in bytes.
pub const ALIGN: usize = 64;
/// Alignment of a spill area, in bytes: a page is a burst, and a burst crosses no 4 KiB boundary.
pub const SPILL_ALIGN: usize = PAGE_BYTES;
