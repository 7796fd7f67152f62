//! The decoder: one ROM word per opcode byte, made from the opcode table and the microcode's labels.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use gatewei_abi::message::header;
use gatewei_abi::opcode::{Class, TABLE, byte};
use rust_hdl_core::prelude::*;

use super::microcode::{Program, routine_of};

/// What the word read ahead from the stack is for.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Ahead {
    /// The third operand.
    Third,
    /// DUPn's word.
    Dup,
    /// SWAPn's word.
    Swap,
}

/// A decoded opcode.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Decoded {
    /// The byte is an opcode.
    pub defined: Bit,
    /// Left to the CPU.
    pub trap: Bit,
    /// Changes state: forbidden in a static frame.
    pub writes: Bit,
    /// Words that it needs.
    pub pops: Bits<5>,
    /// It leaves one word more than it finds.
    pub grows: Bit,
    /// Static gas.
    pub gas: Bits<16>,
    /// Address of its routine.
    pub entry: Bits<10>,
    /// Bytes of its operand (PUSHn).
    pub operand: Bits<6>,
    /// n of DUPn, SWAPn, LOGn, or of the SWAPs in a routine.
    pub n: Bits<5>,
    /// Purpose of the word read ahead.
    pub ahead: Ahead,
    /// Index into the environment memory.
    pub env: Bits<6>,
    /// The top is an offset into the calldata.
    pub calldata: Bit,
    /// Its first word uses the third word of the stack, or one read ahead.
    pub deep: Bit,
}

/// Contents of the decode ROM.
pub fn table(program: &Program) -> Vec<Decoded> {
    // An undefined byte goes where every opcode is checked; the check halts the frame.
    let undefined = Decoded {
        entry: (program.address(routine_of(Class::Stop)) as u64).into(),
        ..Decoded::default()
    };
    let mut out = vec![undefined; 256];
    for op in TABLE {
        let n = match op.class {
            Class::Push => op.byte - byte("PUSH0"),
            Class::Dup => op.byte - byte("DUP1") + 1,
            Class::Swap => op.byte - byte("SWAP1") + 1,
            Class::Log => op.byte - byte("LOG0"),
            // Its routine exchanges the operands.
            Class::Signed => 1,
            _ => 0,
        };
        let writes = matches!(
            op.class,
            Class::Sstore | Class::Tstore | Class::Log | Class::Create | Class::SelfDestruct
        );
        out[op.byte as usize] = Decoded {
            defined: true,
            trap: op.class == Class::Trap,
            writes,
            pops: u64::from(op.pops).into(),
            grows: op.growth == 1,
            gas: u64::from(op.gas).into(),
            entry: (program.address(routine_of(op.class)) as u64).into(),
            operand: if op.class == Class::Push {
                u64::from(n).into()
            } else {
                0u64.into()
            },
            n: if op.class == Class::Push {
                0u64.into()
            } else {
                u64::from(n).into()
            },
            ahead: match op.class {
                Class::Dup => Ahead::Dup,
                Class::Swap => Ahead::Swap,
                _ => Ahead::Third,
            },
            env: (env_index(op.name) as u64).into(),
            calldata: op.class == Class::CalldataLoad,
            // Two words that leave at once are followed by the third; DUP1, DUP2 and SWAP1 have theirs in registers.
            deep: match op.class {
                Class::Dup => n > 2,
                Class::Swap => n > 1,
                _ => op.pops > 2,
            },
        };
    }
    out
}

/// The environment word that an opcode reads.
fn env_index(name: &str) -> usize {
    match name {
        "ADDRESS" => header::ADDRESS,
        "ORIGIN" => header::ORIGIN,
        "CALLER" => header::CALLER,
        "CALLVALUE" => header::CALLVALUE,
        "GASPRICE" => header::GASPRICE,
        "BLOCKHASH" | "NUMBER" => header::NUMBER,
        "COINBASE" => header::COINBASE,
        "TIMESTAMP" => header::TIMESTAMP,
        "PREVRANDAO" => header::PREVRANDAO,
        "GASLIMIT" => header::GASLIMIT,
        "CHAINID" => header::CHAINID,
        "BASEFEE" => header::BASEFEE,
        "BLOBBASEFEE" => header::BLOBBASEFEE,
        _ => 0,
    }
}
