//! The lane's microcode: everything that takes more than wires.
//!
//! `word` is the vocabulary (with `cond`, `act` and `source`), `asm` the assembler, the rest are the routines: `frame` (taking a message,
//! ending it), `simple` (opcodes of a few cycles), `memory` (copies, hashes, logs, output), `storage` (slots,
//! and what the host is asked for), `account` (of others), `call` (inner frames) and
//! `create` (contracts that come and go). A routine's order of checks
//! is revm's, so that a frame halts for the same reason.

mod account;
mod act;
pub mod asm;
mod call;
mod cond;
mod create;
mod frame;
mod memory;
mod simple;
mod source;
mod storage;
pub mod word;

use gatewei_abi::opcode::Class;

pub use asm::Program;

/// Assembles the microcode.
pub fn program() -> Program {
    let mut a = asm::Assembler::default();
    frame::routines(&mut a);
    simple::routines(&mut a);
    memory::routines(&mut a);
    storage::routines(&mut a);
    account::routines(&mut a);
    call::routines(&mut a);
    create::routines(&mut a);
    a.finish()
}

/// Label of the routine that executes a class of opcodes.
pub const fn routine_of(class: Class) -> &'static str {
    match class {
        Class::Stop => "stop",
        Class::Binary => "binary",
        Class::Unary => "unary",
        Class::Shift => "shift",
        Class::Clz => "clz",
        Class::Arith => "arith",
        Class::Signed => "signed",
        Class::AddMod => "addmod",
        Class::MulMod => "mulmod",
        Class::Exp => "exp",
        Class::Keccak => "keccak",
        Class::Env => "env",
        Class::SelfBalance => "selfbalance",
        Class::Balance => "balance",
        Class::ExtCodeSize => "extcodesize",
        Class::ExtCodeCopy => "extcodecopy",
        Class::ExtCodeHash => "extcodehash",
        Class::Call => "call",
        Class::Create => "create",
        Class::SelfDestruct => "selfdestruct",
        Class::BlockHash => "blockhash",
        Class::BlobHash => "blobhash",
        Class::CalldataLoad => "calldataload",
        Class::CalldataSize => "calldatasize",
        Class::CalldataCopy => "calldatacopy",
        Class::CodeSize => "codesize",
        Class::CodeCopy => "codecopy",
        Class::ReturnDataSize => "returndatasize",
        Class::ReturnDataCopy => "returndatacopy",
        Class::Pop => "pop",
        Class::Mload => "mload",
        Class::Mstore => "mstore",
        Class::Mstore8 => "mstore8",
        Class::Mcopy => "mcopy",
        Class::Sload => "sload",
        Class::Sstore => "sstore",
        Class::Tload => "tload",
        Class::Tstore => "tstore",
        Class::Jump => "jump",
        Class::Jumpi => "jumpi",
        Class::Jumpdest => "jumpdest",
        Class::Pc => "pc",
        Class::Msize => "msize",
        Class::Gas => "gas",
        Class::Push => "push",
        Class::Dup => "dup",
        Class::Swap => "swap",
        Class::Log => "log",
        Class::Return => "return",
        Class::Revert => "revert",
        Class::Invalid => "invalid",
        // The check of the first word traps; the routine is never reached.
        Class::Trap => "stop",
    }
}
