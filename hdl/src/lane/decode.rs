//! The decoder: one ROM word per opcode byte, made from the opcode table and the microcode's labels.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use gatewei_abi::message::header;
use gatewei_abi::opcode::{Class, TABLE};
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
    pub entry: Bits<9>,
    /// Bytes of its operand (PUSHn).
    pub operand: Bits<6>,
    /// n of DUPn, SWAPn, LOGn.
    pub n: Bits<5>,
    /// Purpose of the word read ahead.
    pub ahead: Ahead,
    /// Index into the environment memory.
    pub env: Bits<6>,
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
            Class::Push => op.byte - 0x5f,
            Class::Dup => op.byte - 0x7f,
            Class::Swap => op.byte - 0x8f,
            Class::Log => op.byte - 0xa0,
            _ => 0,
        };
        let writes = matches!(op.class, Class::Sstore | Class::Tstore | Class::Log);
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
            env: (env_index(op.byte) as u64).into(),
        };
    }
    out
}

/// The environment word that an opcode reads.
fn env_index(byte: u8) -> usize {
    match byte {
        0x30 => header::ADDRESS,
        0x32 => header::ORIGIN,
        0x33 => header::CALLER,
        0x34 => header::CALLVALUE,
        0x3a => header::GASPRICE,
        0x40 | 0x43 => header::NUMBER,
        0x41 => header::COINBASE,
        0x42 => header::TIMESTAMP,
        0x44 => header::PREVRANDAO,
        0x45 => header::GASLIMIT,
        0x46 => header::CHAINID,
        0x47 => header::BALANCE,
        0x48 => header::BASEFEE,
        0x4a => header::BLOBBASEFEE,
        _ => 0,
    }
}
