//! Random programs that keep track of their stack, so that they get far, call each other, create, and are
//! destroyed.

use gatewei::card::lockstep::{CONTRACT, Other, Program, SENDER};
use gatewei_abi::opcode::{Class, Fork, Opcode, TABLE};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, U256, address};

use super::asm::{Asm, edges};
use super::calls::{A, ABSENT, B, KINDS, RICH, USED, plain};
use super::contracts::{CREATES, deploys, put};
use super::delegation;
use super::programs::Rng;

/// A third contract.
const C: Address = address!("0xc000000000000000000000000000000000000c00");

/// An account that delegates (EIP-7702), where the fork has that.
const D: Address = address!("0xd000000000000000000000000000000000000d00");

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
        // Length, offset, destination: often no return data is there.
        ReturnDataCopy if r.chance(50) => out = vec![U256::ZERO, U256::ZERO, small(r)],
        ReturnDataCopy => out = vec![U256::from(r.below(40)), U256::from(r.below(3)), small(r)],
        Balance | ExtCodeSize | ExtCodeHash => out[last] = anyone(r),
        ExtCodeCopy => {
            out.fill_with(|| small(r));
            out[last] = anyone(r);
        }
        Sload | Sstore | Tload | Tstore => out[last] = U256::from(r.below(6)),
        BlockHash => out[last] = U256::from(19_999_700 + r.below(400)),
        BlobHash => out[last] = U256::from(r.below(3)),
        Exp if r.chance(80) => out[0] = U256::from(r.below(70_000)),
        _ => {}
    }
    out
}

/// Whom a program may call or ask about; precompiles and what is no address rarely.
fn anyone(r: &mut Rng) -> U256 {
    let known = [CONTRACT, A, B, C, A, B, C, D, RICH, USED, ABSENT, SENDER];
    match r.below(60) {
        0 => U256::from(r.below(20)),
        1 => number(r),
        // The first contracts that they create.
        2..=4 => {
            let creator = r.pick(&[CONTRACT, A, B, C, SENDER.create(0)]);
            creator.create(1).into_word().into()
        }
        _ => r.pick(&known).into_word().into(),
    }
}

/// A call with sensible operands, its result dropped or kept.
fn call(r: &mut Rng) -> Asm {
    let kind = r.pick(&KINDS);
    let mut asm = Asm::new();
    for _ in 0..4 {
        // Output, then input: length, then offset.
        asm = asm.push(if r.chance(97) {
            U256::from(r.below(150))
        } else {
            small(r)
        });
    }
    if matches!(kind, "CALL" | "CALLCODE") {
        let value = [0, 0, 0, 1, 2, 500, 2_000_000];
        asm = asm.push(U256::from(r.pick(&value)));
    }
    asm = asm.push(anyone(r));
    asm = match r.below(6) {
        0 => asm.push(number(r)),
        1 => asm.push(U256::from(r.below(3_000))),
        2 => asm.push(U256::from(r.below(60_000))),
        _ => asm.ops("GAS"),
    };
    asm.ops(kind)
}

/// A creation, then perhaps a call of what it made. What is left: the contract, and the result of the call
/// where there was one.
fn create(r: &mut Rng, fork: Fork, nested: usize) -> (Asm, usize) {
    let kind = r.pick(&CREATES);
    let init = match r.below(10) {
        // Whatever is in memory.
        0 => Asm::new(),
        1..=3 => {
            let length = 1 + r.below(12);
            block(r, fork, length, nested + 1)
        }
        _ => {
            let (before, length) = (r.below(6), 1 + r.below(20));
            let before = statements(r, fork, before, nested + 1).0;
            deploys(before, &block(r, fork, length, nested + 1))
        }
    };
    let bytes = match r.below(20) {
        0 => small(r),
        _ => U256::from(init.here()),
    };
    let mut asm = put(&init.0);
    if kind == "CREATE2" {
        asm = asm.push(r.below(2));
    }
    let value = r.pick(&[0, 0, 0, 1, 2, 500, 2_000_000]);
    asm = asm.push(bytes).pushes(&[0, value]).ops(kind);
    if r.chance(40) {
        return (asm, 1);
    }
    let kind = r.pick(&KINDS);
    let ranges = [r.below(100), r.below(100), r.below(100), r.below(100)];
    asm = asm.pushes(&ranges);
    asm = if matches!(kind, "CALL" | "CALLCODE") {
        let value = r.pick(&[0, 0, 1, 400]);
        asm.push(value).ops("DUP6")
    } else {
        asm.ops("DUP5")
    };
    (asm.ops("GAS").ops(kind), 2)
}

/// A random program for a fork: a contract and three others that call each other.
pub fn program(r: &mut Rng, fork: Fork, spec: SpecId) -> Program {
    let mut program = Program::new(spec, code(r, fork));
    program.calldata = (0..r.below(200))
        .map(|n| (n * 7 + 1) as u8)
        .collect::<Vec<u8>>()
        .into();
    program.value = U256::from(r.below(3));
    program.storage = storage(r);
    for address in [A, B, C] {
        program.others.push(Other {
            address,
            code: code(r, fork).into(),
            balance: U256::from(r.below(3) * 700),
            nonce: 1,
            storage: storage(r),
        });
    }
    program.others.extend(plain());
    if fork >= Fork::Prague {
        let delegate = r.pick(&[A, B, C, CONTRACT, RICH, ABSENT, A, B, C, D]);
        program.others.push(Other {
            address: D,
            code: delegation::to(delegate).into(),
            balance: U256::from(300),
            nonce: r.below(2),
            storage: storage(r),
        });
    }
    if r.chance(40) {
        program.warm = (0..1 + r.below(4)).map(U256::from).collect();
    }
    if r.chance(30) {
        let keys = |r: &mut Rng| (0..r.below(3)).map(U256::from).collect();
        program.warm_others = vec![(A, keys(r)), (RICH, keys(r))];
    }
    program.gas = match r.below(5) {
        0 => Some(r.below(3_000)),
        1 => Some(r.below(100_000)),
        2 => Some(r.below(400_000)),
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

fn storage(r: &mut Rng) -> Vec<(U256, U256)> {
    let slots = 0..r.below(5);
    slots.map(|k| (U256::from(k), number(r))).collect()
}

/// Random code that keeps track of its stack.
fn code(r: &mut Rng, fork: Fork) -> Asm {
    let length = 10 + r.below(120);
    block(r, fork, length, 0)
}

/// So many statements, and an end.
fn block(r: &mut Rng, fork: Fork, length: u64, nested: usize) -> Asm {
    let (code, _) = statements(r, fork, length, nested);
    match r.below(11) {
        0..=2 => code.push(small(r)).push(small(r)).ops("RETURN"),
        3..=4 => code.push(small(r)).push(small(r)).ops("REVERT"),
        5 => code.ops("INVALID"),
        6 => code.push(number(r)).ops("JUMP"),
        7 => code.raw(&[r.below(256) as u8]),
        8 => code.push(anyone(r)).ops("SELFDESTRUCT"),
        _ => code.ops("STOP"),
    }
}

/// So many statements, and how many words they leave.
fn statements(r: &mut Rng, fork: Fork, length: u64, nested: usize) -> (Asm, usize) {
    let usable: Vec<&Opcode> = TABLE
        .iter()
        .filter(|op| op.since <= fork)
        .filter(|op| {
            use Class::*;
            !matches!(
                op.class,
                Trap | Push
                    | Jump
                    | Jumpi
                    | Stop
                    | Return
                    | Revert
                    | Invalid
                    | Call
                    | Create
                    | SelfDestruct
            )
        })
        .collect();
    let mut code = Asm::new();
    let mut depth = 0usize;
    for _ in 0..length {
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
            3 | 4 => {
                code = code.raw(&call(r).0);
                depth += 1;
            }
            6 if nested < 2 && r.chance(40) => {
                let (create, words) = create(r, fork, nested);
                code = code.raw(&create.0);
                depth += words;
            }
            // A loop over a call.
            5 if r.chance(20) => {
                code = code.push(1 + r.below(3));
                let start = code.here();
                code = code.ops("JUMPDEST").raw(&call(r).0).ops("POP");
                code = code.push(1).ops("SWAP1 SUB DUP1");
                code = code
                    .raw(&[0x61, (start >> 8) as u8, start as u8])
                    .ops("JUMPI POP");
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
    (code, depth)
}
