//! Sizes of the card's on-chip memories and of its buffers in host memory.

/// Longest code (deployed or init code) the lane holds, in bytes (EIP-3860: 49,152). Two rows of
/// zeros stand behind it, so that a PUSH at the end reads zeros.
pub const CODE_BYTES: usize = (1 << CODE_BITS) - 64;
/// Address bits of the code memory.
pub const CODE_BITS: usize = 16;
/// Longest calldata the lane holds, in bytes. A row of zeros stands behind it.
pub const CALLDATA_BYTES: usize = (1 << CALLDATA_BITS) - 32;
/// Address bits of the calldata memory.
pub const CALLDATA_BITS: usize = 16;
/// EVM memory on the chip, in bytes.
pub const MEMORY_BYTES: usize = 1 << MEMORY_BITS;
/// Address bits of the EVM memory.
pub const MEMORY_BITS: usize = 16;
/// Words of the EVM stack (Yellow Paper 9.1).
pub const STACK_WORDS: usize = 1024;
/// Entries of the lane's slot table: storage and transient slots that a message knows.
pub const SLOTS: usize = 1 << SLOT_BITS;
/// Address bits of the slot table.
pub const SLOT_BITS: usize = 10;
/// Words of the environment memory: header, then blob hashes.
pub const ENV_WORDS: usize = 64;
/// Longest burst that the card reads, in beats.
pub const BURST_BEATS: usize = 16;
/// Messages that wait in front of a lane beside the one that runs.
pub const LANE_QUEUE: usize = 4;
/// Bytes of a result buffer when the host does not choose.
pub const RESULT_BYTES: usize = 1024 * 1024;
/// Alignment of every buffer the card is pointed to, in bytes.
pub const ALIGN: usize = 64;
