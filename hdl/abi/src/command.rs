//! What crosses the rings: 64-byte submissions and completions (two beats each).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Word;

/// Lowest bit of a command id's queue pair: 4 bits, above the slot's.
pub const PAIR_SHIFT: u32 = 12;

/// A submission: host to card.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Submission {
    /// What to do: [`op`].
    pub op: u8,
    /// `REPLY`: 0 answered, 1 the host cannot answer (the message traps).
    pub failed: u8,
    /// Which lane.
    pub lane: u16,
    /// Command id: slot in bits 11:0, queue pair in bits 15:12 ([`PAIR_SHIFT`]), generation in bits 31:16.
    /// Comes back in every completion, on the ring of that pair (of the first, where there is none of that number).
    pub command: u32,
    /// `EXEC`: bus address of the message.
    pub address: u64,
    /// `EXEC`: bus address of the result buffer.
    pub result: u64,
    /// `EXEC`: bytes of the result buffer.
    pub capacity: u32,
    /// `REPLY`: the request's tag.
    pub tag: u32,
    /// `REPLY`: the answer (see [`request`]).
    pub value: Word,
}

/// Submission opcodes.
pub mod op {
    /// Run a message on a lane.
    pub const EXEC: u8 = 1;
    /// Answer a lane's request.
    pub const REPLY: u8 = 2;
    /// Abandon a message, queued or running; it completes as `CANCELLED`.
    pub const CANCEL: u8 = 3;
}

/// A completion: card to host. The phase stands in the last dword, which the card writes last.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Completion {
    /// `REQUEST`: the key asked for (see [`request`]). Else zero.
    pub key: Word,
    /// Command id of the message.
    pub command: u32,
    /// What it tells: [`kind`].
    pub kind: u8,
    /// `DONE`: [`crate::status::Status`]; `TRAP`: [`crate::status::Trap`]; `REQUEST`: [`request`].
    pub code: u8,
    /// Lane.
    pub lane: u16,
    /// `REQUEST`: tag that the reply must carry: context in bits 31:24, sequence below.
    /// `TRAP`: opcode in bits 7:0, program counter above.
    pub tag: u32,
    /// Submissions fetched so far, modulo 2^16.
    pub sq_head: u32,
    /// `REQUEST`: the account that it is about, as the index of its entry in the slot table.
    pub account: u32,
    /// Reserved, zero.
    pub reserved: [u32; 2],
    /// Bit 0: phase. 1 on the ring's first round, then alternating.
    pub phase: u32,
}

/// Completion kinds.
pub mod kind {
    /// The message ended; the result buffer is complete.
    pub const DONE: u8 = 1;
    /// The lane asks the host something and goes on when answered.
    pub const REQUEST: u8 = 2;
    /// The lane cannot run this message; nothing of it counts.
    pub const TRAP: u8 = 3;
}

/// Request kinds.
pub mod request {
    /// A storage slot of an account. Key: slot. Answer: value.
    pub const STORAGE: u8 = 1;
    /// A field of an account. Key: [`crate::result::field`]. Answer: its value.
    pub const FIELD: u8 = 2;
    /// A block hash. Key: block number. Answer: hash.
    pub const BLOCK_HASH: u8 = 3;
    /// The message's code, where it came without and the lane lacks it. Key: code tag. Answer: bus
    /// address of the code image in bits 63:0.
    pub const CODE: u8 = 4;
    /// An account that the lane does not know; `account` is the index that it will have. Key: address.
    /// Answer: [`crate::message::code`].
    pub const ACCOUNT: u8 = 5;
    /// A call of a precompiled contract. Key: [`super::precompile::call`]. Answer:
    /// [`super::precompile::answer`].
    pub const PRECOMPILE: u8 = 6;
    /// A contract is created by `account`. Key: [`super::create::call`]. Answer: [`super::create::answer`].
    pub const CREATE: u8 = 7;
    /// Code is deployed as that of `account`. Key: [`super::create::call`], of which `BYTES` and `OFFSET` count.
    /// Answer: [`crate::message::code`], with `ALIVE`, `CREATED`, and the code's image.
    pub const DEPLOY: u8 = 8;
    /// The hash of the code of a contract that the message created. Key: its [`crate::message::code`]. Answer: the hash. It is
    /// asked for every time: where frames revert, an address may get another code.
    pub const CODE_HASH: u8 = 9;
}

/// Calls of precompiled contracts. Input and output pass through the message's result buffer.
pub mod precompile {
    /// Byte offsets of the fields of the request's key.
    pub mod call {
        /// Gas that it is given, 64 bits.
        pub const GAS: usize = 0;
        /// Bytes of input, 32 bits.
        pub const BYTES: usize = 8;
        /// Where the input is in the result buffer, in bytes, 32 bits. Behind it the buffer is free.
        pub const OFFSET: usize = 12;
        /// Address, 32 bits.
        pub const ADDRESS: usize = 16;
    }

    /// Byte offsets of the fields of the answer.
    pub mod answer {
        /// Gas that it leaves, 64 bits.
        pub const GAS: usize = 0;
        /// Bytes of output, 32 bits.
        pub const BYTES: usize = 8;
        /// Where the output is in the result buffer, in bytes, 32 bits: a multiple of 32.
        pub const OFFSET: usize = 12;
        /// 1: it succeeded; 0: it failed and leaves neither gas nor output. 32 bits.
        pub const OK: usize = 16;
    }
}

/// Creations. Init code and deployed code pass through the message's result buffer.
pub mod create {
    /// Byte offsets of the fields of the request's key.
    pub mod call {
        /// Nonce of the creator before the creation, 64 bits.
        pub const NONCE: usize = 0;
        /// Bytes of code, 32 bits.
        pub const BYTES: usize = 8;
        /// Where it is in the result buffer, in bytes, 32 bits: the salt of a CREATE2 (else anything) in a
        /// beat, then the init code; or the code that is deployed.
        pub const OFFSET: usize = 12;
        /// 1: CREATE2. 32 bits.
        pub const SALTED: usize = 16;
    }

    /// Byte offsets of the fields of the answer.
    pub mod answer {
        /// Address of the contract, 20 bytes.
        pub const ADDRESS: usize = 0;
        /// Bus address of the init code's image, 64 bits. It stays until the message has ended; also
        /// where the init code is empty.
        pub const IMAGE: usize = 24;
    }
}

const _: () = assert!(size_of::<Submission>() == 64 && size_of::<Completion>() == 64);
