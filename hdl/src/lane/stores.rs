//! How much a lane keeps on the chip.

use gatewei_abi::layout::{CODE_PAGES, PAGES, SLOT_BITS};

/// Sizes of a lane's memories, each a power of two of which this is the exponent.
///
/// Smaller ones are block RAM saved, on a chip that has little. A result is the same: a page that has no frame is
/// fetched again, and a message that needs more slots ends with [`gatewei_abi::status::Trap::Slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stores {
    /// log2 of the entries of the slot table.
    pub slot_bits: usize,
    /// log2 of the pages of 1 KiB of the code store.
    pub code_bits: usize,
    /// log2 of the pages of 4 KiB of the data store.
    pub data_bits: usize,
}

impl Stores {
    /// As large as a lane's can be.
    pub const MOST: Self = Self {
        slot_bits: SLOT_BITS,
        code_bits: CODE_PAGES.ilog2() as usize,
        data_bits: PAGES.ilog2() as usize,
    };

    /// As small as they can be: a transaction between two contracts, with what it reads of them, has some dozens of
    /// slots; a read and a write use four pages of data between them, and one more has to come. Less code would save
    /// nothing: a block RAM that is as wide as it gets has 512 rows.
    pub const LEAST: Self = Self {
        slot_bits: 6,
        code_bits: 5,
        data_bits: 3,
    };
}

impl Default for Stores {
    fn default() -> Self {
        Self::MOST
    }
}
