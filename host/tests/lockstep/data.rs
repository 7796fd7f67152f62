//! Programs about the data that calls hand over: calldata, return data, memory.

use super::calls::{A, ABSENT, B, Call, RICH, fill, join, look, osaka};
use super::directed::Named;
use gatewei::card::lockstep::asm::Asm;
use revm::primitives::U256;

/// Return data and its copies, in and out of bounds.
pub fn return_data() -> Vec<Named> {
    let mut out = Vec::new();
    for end in ["RETURN", "REVERT"] {
        for length in [0u64, 1, 31, 32, 33, 64, 200, 5_000] {
            let callee = join([fill(3), Asm::new().push(length).push(5).ops(end)]);
            for range in [(0, 0), (0, 32), (7, 33), (40, 300)] {
                let call = Call::new("CALL", A).gas(100_000).ranges((0, 0), range);
                let mut parts = vec![fill(12), call.code(), look()];
                for (to, from, count) in
                    [(0, 0, length), (33, length / 2, length / 2), (1, length, 0)]
                {
                    let copy = Asm::new().pushes(&[count, from, to]).ops("RETURNDATACOPY");
                    parts.extend([copy, look()]);
                }
                let ok = join(parts.clone());
                let name = format!("{end} of {length} into {range:?}");
                out.push(osaka(
                    name.clone(),
                    ok.clone().ops("STOP"),
                    callee.clone(),
                    [],
                ));
                for (from, count) in [(length + 1, 0), (length, 1), (0, length + 1), (u64::MAX, 1)]
                {
                    let copy = Asm::new()
                        .pushes(&[count, from, 0])
                        .ops("RETURNDATACOPY STOP");
                    let code = join([ok.clone(), copy]);
                    out.push(osaka(
                        format!("{name}, from {from} {count}"),
                        code,
                        callee.clone(),
                        [],
                    ));
                }
                // It is gone after a call that returns nothing, and after one that does not start.
                for next in [
                    Call::new("CALL", RICH),
                    Call::new("STATICCALL", ABSENT),
                    Call::new("CALL", B).value(1 << 40),
                    Call::new("CALL", A).gas(3),
                ] {
                    let code = join([call.code(), look(), next.code(), look()]).ops("STOP");
                    let name = format!("{name}, then {} {}", next.kind, next.to);
                    out.push(osaka(name, code, callee.clone(), []));
                }
            }
        }
    }
    out
}

/// Calldata of inner frames: odd places and lengths, read within, across its end and beyond, two calls deep.
pub fn calldata() -> Vec<Named> {
    let mut out = Vec::new();
    for (offset, length) in [
        (0, 0),
        (0, 4),
        (1, 31),
        (3, 32),
        (31, 33),
        (5, 68),
        (64, 100),
        (250, 20),
    ] {
        let reads = [0, 1, 5, 31, 32, 33, 60, 67, 99, 100, 101, 5_000];
        let loads = reads
            .iter()
            .map(|at| Asm::new().push(*at).ops("CALLDATALOAD"));
        let huge = Asm::new().push(U256::MAX).ops("CALLDATALOAD CALLDATASIZE");
        let copies = [
            (0, 0, 10),
            (3, 2, 40),
            (50, 60, 70),
            (1, 5_000, 9),
            (130, 0, 101),
        ];
        let copies = copies.iter().map(|(to, from, count)| {
            Asm::new()
                .pushes(&[*count, *from, *to])
                .ops("CALLDATACOPY MSIZE")
        });
        let hash = Asm::new().ops("MSIZE").push(0).ops("KECCAK256");
        let body = join(loads.chain([huge]).chain(copies).chain([hash]));
        let deeper = Call::new("DELEGATECALL", B).ranges((3, length + 2), (7, 13));
        let a = join([body.clone(), deeper.code(), body.clone(), look()]).ops("STOP");
        let b = join([body, Asm::new().pushes(&[50, 1]).ops("RETURN")]);
        let call = Call::new("CALL", A).ranges((offset, length), (offset + 1, 40));
        let code = join([fill(9), call.code(), look(), call.code(), look()]).ops("STOP");
        out.push(osaka(
            format!("calldata at {offset}, {length} bytes"),
            code,
            a,
            b,
        ));
    }
    out
}

/// The caller's memory, whatever the callee's grows to; and memory of a callee that starts empty.
pub fn memory() -> Vec<Named> {
    let mut out = Vec::new();
    for own in [0u64, 1, 33, 129, 1_000] {
        for inner in [0u64, 1, 130, 5_000, 70_000] {
            let touch = |at: u64| Asm::new().push(0xabcd).push(at).ops("MSTORE MSIZE");
            let first = Asm::new().ops("MSIZE").push(64).ops("MLOAD");
            let a = join([first, touch(inner), fill(4)])
                .pushes(&[64, 0])
                .ops("RETURN");
            let call = Call::new("CALL", A)
                .gas(900_000)
                .ranges((10, 20), (own, 50));
            let grow = Asm::new().push(own + 200).ops("MLOAD MSIZE");
            let whole = Asm::new().ops("MSIZE").push(0).ops("KECCAK256");
            let parts = [
                fill(3),
                touch(own),
                call.code(),
                look(),
                whole.clone(),
                grow,
            ];
            let again = [call.code(), whole];
            let code = join(parts.into_iter().chain(again)).ops("STOP");
            let (name, mut program) = osaka(format!("memory {own} and {inner}"), code, a, []);
            program.gas = Some(3_000_000);
            out.push((name, program));
        }
    }
    out
}
