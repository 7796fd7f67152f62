//! Contracts that programs create: their init code, their addresses, and what is to be seen of them.

use revm::primitives::{Address, U256, keccak256};

use super::calls::{Call, KINDS, join, look, push_address};
use gatewei::card::lockstep::asm::Asm;

/// The kinds of creation.
pub const CREATES: [&str; 2] = ["CREATE", "CREATE2"];
/// The salt of every CREATE2.
pub const SALT: u64 = 0x5a17;
/// Writes bytes to memory, from 0 on.
pub fn put(bytes: &[u8]) -> Asm {
    let chunks = bytes.chunks(32).enumerate();
    let write = |(n, chunk): (usize, &[u8])| {
        let mut word = [0; 32];
        word[..chunk.len()].copy_from_slice(chunk);
        Asm::new()
            .raw(&[0x7f])
            .raw(&word)
            .push(32 * n as u64)
            .ops("MSTORE")
    };
    join(chunks.map(write))
}

/// Creates with the memory's first bytes as init code; the contract's address is left on the stack.
pub fn create_from_memory(kind: &str, bytes: u64, value: u64) -> Asm {
    let salt = if kind == "CREATE2" {
        Asm::new().push(SALT)
    } else {
        Asm::new()
    };
    join([salt, Asm::new().pushes(&[bytes, 0, value]).ops(kind)])
}

/// Creates with this init code.
pub fn create(kind: &str, init: &Asm, value: u64) -> Asm {
    let make = create_from_memory(kind, init.here() as u64, value);
    join([put(&init.0), make])
}

/// The address at which `creator` creates with this nonce, or the salt.
pub fn address_of(kind: &str, creator: Address, nonce: u64, init: &Asm) -> Address {
    match kind {
        "CREATE" => creator.create(nonce),
        _ => creator.create2(U256::from(SALT).to_be_bytes::<32>(), keccak256(&init.0)),
    }
}

/// Init code that runs `before`, which falls through, and deploys `runtime`.
pub fn deploys(before: Asm, runtime: &Asm) -> Asm {
    let word = |n: usize| [0x61, (n >> 8) as u8, n as u8];
    let start = before.here() + 15;
    let copy = before
        .raw(&word(runtime.here()))
        .raw(&word(start))
        .raw(&[0x60, 0]);
    let copy = copy.ops("CODECOPY").raw(&word(runtime.here()));
    let init = copy.raw(&[0x60, 0]).ops("RETURN").raw(&runtime.0);
    assert_eq!(init.here(), start + runtime.here());
    init
}

/// Counts in slot 1, keeps what it is given in slot 2, and answers with both.
pub fn counter() -> Asm {
    let count = Asm::new().push(1).ops("SLOAD").push(1).ops("ADD DUP1");
    let count = count.push(1).ops("SSTORE").push(0).ops("MSTORE");
    let keep = count.ops("CALLVALUE").push(2).ops("SLOAD ADD DUP1").push(2);
    let keep = keep
        .ops("SSTORE")
        .push(32)
        .ops("MSTORE CODESIZE CALLER ADDRESS");
    keep.pushes(&[64, 0]).ops("RETURN")
}

/// Looks at an account in every way but for its hash, and calls it in every way.
pub fn inspect(address: Address) -> Asm {
    let copy = push_address(Asm::new().pushes(&[40, 1, 3]), address).ops("EXTCODECOPY GAS");
    let ask = |name: &str| push_address(Asm::new(), address).ops(name).ops("GAS");
    let call = |kind| {
        let value = if kind == "CALL" { 2 } else { 0 };
        let call = Call::new(kind, address)
            .value(value)
            .ranges((1, 5), (0, 64));
        join([call.gas(60_000).code(), look()])
    };
    let calls = join(KINDS.map(call));
    join([
        ask("BALANCE"),
        ask("EXTCODESIZE"),
        ask("EXTCODEHASH"),
        copy,
        calls,
        ask("BALANCE"),
    ])
}
