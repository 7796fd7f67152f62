//! Random programs that keep track of their stack, so that they get far.

use gatewei::card::lockstep::Program;
use gatewei_abi::opcode::{Class, Fork, Opcode, TABLE};
use revm::primitives::U256;
use revm::primitives::hardfork::SpecId;

use super::asm::{Asm, edges};
use super::programs::Rng;

/// A number as programs have them: mostly small, sometimes an edge, sometimes anything.
fn number(r: &mut Rng) -> U256 {
    match r.below(10) {
        0..=4 => U256::from(r.below(300)),
        5 => U256::from(r.next()),
        6..=7 => r.pick(&edges()),
        _ => U256::from_limbs([r.next(), r.next(), r.next(), r.next()]) << r.below(64),
    }
}

/// Small enough for an offset or a length.
fn small(r: &mut Rng) -> U256 {
    match r.below(40) {
        0 => number(r),
        1 => U256::from(r.below(70_000)),
        _ => U256::from(r.below(400)),
    }
}

/// What an opcode needs on the stack to do something sensible, its topmost operand last.
fn operands(op: &Opcode, r: &mut Rng) -> Vec<U256> {
    use Class::*;
    let count = match op.class {
        Dup | Swap => 0,
        Log => 2 + (op.byte - 0xa0) as usize,
        _ => op.pops as usize,
    };
    let mut out: Vec<U256> = (0..count).map(|_| number(r)).collect();
    let last = count.saturating_sub(1);
    match op.class {
        // Offset on top, then length or value.
        Mload | CalldataLoad | Mstore | Mstore8 => out[last] = small(r),
        Keccak | Return | Revert | Log => (out[last], out[last - 1]) = (small(r), small(r)),
        CalldataCopy | CodeCopy | Mcopy => out.fill_with(|| small(r)),
        ReturnDataCopy => out = vec![U256::ZERO, U256::ZERO, small(r)],
        Sload | Sstore | Tload | Tstore => out[last] = U256::from(r.below(6)),
        BlockHash => out[last] = U256::from(19_999_700 + r.below(400)),
        BlobHash => out[last] = U256::from(r.below(3)),
        Exp if r.chance(80) => out[0] = U256::from(r.below(70_000)),
        _ => {}
    }
    out
}

/// A random program for a fork.
pub fn program(r: &mut Rng, fork: Fork, spec: SpecId) -> Program {
    let usable: Vec<&Opcode> = TABLE
        .iter()
        .filter(|op| op.since <= fork)
        .filter(|op| {
            use Class::*;
            !matches!(
                op.class,
                Trap | Push | Jump | Jumpi | Stop | Return | Revert | Invalid
            )
        })
        .collect();
    let mut code = Asm::new();
    let mut depth = 0usize;
    for _ in 0..10 + r.below(120) {
        match r.below(20) {
            // A forward jump over something, taken or not.
            0 => {
                let conditional = r.chance(50);
                if conditional {
                    let condition = r.below(2);
                    code = code.push(condition);
                }
                let skipped = r.below(5) as usize;
                let target = code.here() + 3 + 1 + skipped;
                code = code.raw(&[0x61, (target >> 8) as u8, target as u8]);
                code = code.ops(if conditional { "JUMPI" } else { "JUMP" });
                code = code.raw(&vec![0x5b; skipped]).ops("JUMPDEST");
            }
            // A short loop.
            1 => {
                let rounds = 1 + r.below(6);
                code = code.push(rounds);
                let start = code.here();
                code = code
                    .ops("JUMPDEST")
                    .push(number(r))
                    .push(small(r))
                    .ops("ADD POP");
                code = code.push(1).ops("SWAP1 SUB DUP1");
                code = code
                    .raw(&[0x61, (start >> 8) as u8, start as u8])
                    .ops("JUMPI POP");
            }
            2 => {
                code = code.push(number(r));
                depth += 1;
            }
            _ => {
                let op = r.pick(&usable);
                if depth + operands(op, r).len() > 1_000 {
                    code = code.ops("POP");
                    depth -= 1;
                    continue;
                }
                let own = operands(op, r);
                depth += own.len();
                code = code.pushes(&own);
                // Now and then it underflows: that is how some programs end.
                while depth < op.pops as usize && r.chance(98) {
                    code = code.push(number(r));
                    depth += 1;
                }
                code = code.raw(&[op.byte]);
                depth = (depth as i64 + i64::from(op.growth)).max(0) as usize;
            }
        }
    }
    code = match r.below(10) {
        0..=2 => code.push(small(r)).push(small(r)).ops("RETURN"),
        3..=4 => code.push(small(r)).push(small(r)).ops("REVERT"),
        5 => code.ops("INVALID"),
        6 => code.push(number(r)).ops("JUMP"),
        7 => code.raw(&[r.below(256) as u8]),
        _ => code.ops("STOP"),
    };
    let mut program = Program::new(spec, code);
    program.calldata = (0..r.below(200))
        .map(|n| (n * 7 + 1) as u8)
        .collect::<Vec<u8>>()
        .into();
    program.value = U256::from(r.below(3));
    program.storage = (0..r.below(5))
        .map(|k| (U256::from(k), number(r)))
        .collect();
    if r.chance(40) {
        program.warm = (0..1 + r.below(4)).map(U256::from).collect();
    }
    program.gas = match r.below(4) {
        0 => Some(r.below(3_000)),
        1 => Some(r.below(100_000)),
        _ => Some(2_000_000),
    };
    program.is_static = r.chance(3);
    program.create = r.chance(5);
    if program.create {
        program.calldata = Default::default();
        program.warm.clear();
    }
    program
}
