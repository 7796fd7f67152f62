//! The lane's 256-bit arithmetic. Results are those of the opcodes in the execution specifications: the Yellow
//! Paper, appendix H, with EIP-145 (shifts) and EIP-7939 (CLZ).
//!
//! Every unit takes the opcode byte itself and operands in stack order: `a` is the top of the stack, `b` the word
//! below it.
//!
//! | unit | opcodes | cycles from `start` to `done` |
//! |---|---|---|
//! | [`Alu`] | ADD SUB LT GT SLT SGT EQ ISZERO AND OR XOR NOT | combinational |
//! | [`Shift`] | BYTE SHL SHR SAR SIGNEXTEND CLZ | 1 |
//! | [`Arith`] | MUL DIV SDIV MOD SMOD ADDMOD MULMOD EXP | 2 to some thousand |
//! | [`Expand`] | memory expansion of all opcodes that touch memory | 1, or 3 when memory grows |

mod alu;
mod divide;
mod expand;
mod length;
mod multiply;
mod power;
mod shift;
mod unit;

pub use alu::Alu;
pub use divide::Divide;
pub use expand::Expand;
pub use length::ByteLength;
pub use multiply::Multiply;
pub use power::Power;
pub(crate) use shift::ByteLanes;
pub use shift::Shift;
pub use unit::Arith;

use gatewei_abi::opcode;
use rust_hdl_core::prelude::*;

/// The byte of an opcode, as a constant of a block.
fn code(byte: u8) -> Constant<Bits<8>> {
    Constant::new(u64::from(byte).into())
}

/// Opcode bytes by mnemonic, fixed when the crate is compiled.
macro_rules! opcodes {
    ($($name:ident)*) => { $( const $name: u8 = opcode::byte(stringify!($name)); )* };
}

opcodes! {
    ADD SUB LT GT SLT SGT EQ ISZERO AND OR XOR NOT
    BYTE SHL SHR SAR SIGNEXTEND CLZ
    MUL DIV SDIV MOD SMOD ADDMOD MULMOD EXP
}
