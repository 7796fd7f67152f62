//! Random programs that go somewhere: contracts that keep track of their stacks, call and create each other, and end
//! in every way there is; with gas that runs out at a chosen opcode.

mod code;
mod rng;

use gatewei_abi::opcode::Fork;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, U256, address};

use super::program::{CONTRACT, Other, Program};
use code::Coder;
pub use rng::Rng;

/// Contracts that a program may call.
pub const CONTRACTS: [Address; 3] = [
    address!("0xa000000000000000000000000000000000000a00"),
    address!("0xb000000000000000000000000000000000000b00"),
    address!("0xc000000000000000000000000000000000000c00"),
];
/// An account that delegates (EIP-7702), where the fork has that.
pub const DELEGATOR: Address = address!("0xd000000000000000000000000000000000000d00");
/// Has nothing but money.
pub const RICH: Address = address!("0x41c4000000000000000000000000000000000001");
/// Has a nonce and nothing else.
pub const USED: Address = address!("0x05ed000000000000000000000000000000000001");
/// Does not exist.
pub const ABSENT: Address = address!("0xab5e000000000000000000000000000000000001");

/// The forks that the lane covers, with revm's names.
pub const FORKS: [(Fork, SpecId); 6] = [
    (Fork::London, SpecId::LONDON),
    (Fork::Paris, SpecId::MERGE),
    (Fork::Shanghai, SpecId::SHANGHAI),
    (Fork::Cancun, SpecId::CANCUN),
    (Fork::Prague, SpecId::PRAGUE),
    (Fork::Osaka, SpecId::OSAKA),
];

/// How often a fork's turn is: the later ones have more to show.
const TURNS: [usize; 10] = [0, 1, 2, 3, 3, 4, 4, 5, 5, 5];

/// Most gas of a first frame.
const GAS: u64 = 1_500_000;
/// Enough for 1,024 nested calls under EIP-150.
const DEEP_GAS: u64 = 1 << 40;

/// Random program number `n`. The forks take turns.
pub fn program(n: u64) -> Program {
    let mut r = Rng::new(n);
    let r = &mut r;
    let (fork, spec) = FORKS[TURNS[(n % TURNS.len() as u64) as usize]];
    if r.below(400) == 0 {
        return deep(r, fork, spec);
    }
    let mut program = Program::new(spec, first(r, fork));
    program.calldata = bytes(r, 200);
    program.value = U256::from(r.below(3));
    program.storage = storage(r);
    for address in CONTRACTS {
        program.others.push(Other {
            address,
            code: contract(r, fork),
            balance: U256::from(r.below(3) * 700),
            nonce: 1,
            storage: storage(r),
        });
    }
    program.others.extend(plain(r, fork));
    if r.chance(40) {
        program.warm = (0..1 + r.below(4)).map(|_| slot(r)).collect();
    }
    if r.chance(30) {
        let keys = |r: &mut Rng| (0..r.below(3)).map(U256::from).collect();
        program.warm_others = vec![(CONTRACTS[0], keys(r)), (RICH, keys(r))];
    }
    program.is_static = r.chance(6);
    program.create = r.chance(6);
    if program.create {
        program.calldata = Bytes::new();
        program.warm.clear();
    } else if fork >= Fork::Cancun && r.chance(20) {
        program.blobs = (0..1 + r.below(4)).map(|_| blob(r)).collect();
    }
    // Enough for what is dear; more of it is only more of the same.
    program.gas = Some(GAS >> r.below(4));
    // Init code may be none, and no transaction.
    program.create &= program.on_revm().is_ok();
    let gas = gas(r, &program);
    program.gas = gas;
    program
}

/// Gas of the first frame: plenty, any amount, or as much as runs out at an opcode that was chosen.
fn gas(r: &mut Rng, program: &Program) -> Option<u64> {
    match r.below(20) {
        0 => Some(r.below(3_000)),
        1..=2 => {
            let shift = r.below(6);
            Some(r.below(GAS >> shift))
        }
        3..=9 => exhausted(r, program),
        _ => program.gas,
    }
}

/// Gas that runs out in one of the first frame's opcodes. Rare ones are as probable as common ones.
fn exhausted(r: &mut Rng, program: &Program) -> Option<u64> {
    let (record, _) = program.on_revm().ok()?;
    let own: Vec<_> = record.steps.iter().filter(|step| step.frame == 0).collect();
    let first = own.first()?.gas;
    let mut opcodes: Vec<u8> = own.iter().map(|step| step.opcode).collect();
    opcodes.sort_unstable();
    opcodes.dedup();
    let wanted = r.pick(&opcodes);
    let places: Vec<usize> = (0..own.len())
        .filter(|i| own[*i].opcode == wanted)
        .collect();
    let at = r.pick(&places);
    let next = own.get(at + 1).map_or(own[at].gas, |step| step.gas);
    // Inside of its cost, and where it just suffices.
    let cost = own[at].gas.saturating_sub(next).min(60_000);
    let more = if r.chance(20) {
        cost
    } else {
        r.below(cost.max(1))
    };
    Some(first - own[at].gas + more)
}

/// A contract that calls itself until nothing is left of the depth of 1,024, and does something with the rest.
fn deep(r: &mut Rng, fork: Fork, spec: SpecId) -> Program {
    let mut coder = Coder::new(r, fork);
    let code = coder.recursion();
    let mut program = Program::new(spec, code);
    program.gas = Some(DEEP_GAS);
    program.others.extend(plain(r, fork));
    program
}

/// A contract's code: mostly a good one, now and then a short one that ends in a chosen way, or garbage.
fn contract(r: &mut Rng, fork: Fork) -> Bytes {
    let mut code = match r.below(100) {
        0..=3 => return bytes(r, 100),
        4..=28 => Coder::new(r, fork).bad_end(),
        _ => {
            let length = 6 + r.below(50);
            Coder::new(r, fork).block(length)
        }
    };
    // A few bits fall over.
    if r.chance(6) {
        for _ in 0..1 + r.below(4) {
            let at = r.below(code.len() as u64) as usize;
            code[at] ^= 1 << r.below(8);
        }
    }
    code.into()
}

/// The code of the first frame; without code there is none.
fn first(r: &mut Rng, fork: Fork) -> Bytes {
    let code = contract(r, fork);
    if code.is_empty() {
        vec![0].into()
    } else {
        code
    }
}

/// The accounts beside the contracts.
fn plain(r: &mut Rng, fork: Fork) -> Vec<Other> {
    let rich = Other {
        address: RICH,
        balance: U256::from(77),
        ..Other::default()
    };
    let used = Other {
        address: USED,
        nonce: 3,
        ..Other::default()
    };
    let mut out = vec![rich, used];
    if fork >= Fork::Prague {
        let [a, b, c] = CONTRACTS;
        let delegate = r.pick(&[a, b, c, CONTRACT, RICH, ABSENT, a, b, c, DELEGATOR]);
        let precompile = Address::with_last_byte(r.below(20) as u8);
        let delegate = if r.chance(8) { precompile } else { delegate };
        out.push(Other {
            address: DELEGATOR,
            code: [&[0xef, 1, 0][..], delegate.as_slice()].concat().into(),
            balance: U256::from(300),
            nonce: r.below(2),
            storage: storage(r),
        });
    }
    out
}

/// Any bytes, fewer than that.
fn bytes(r: &mut Rng, below: u64) -> Bytes {
    let length = r.below(below);
    (0..length).map(|_| r.bits() as u8).collect()
}

fn blob(r: &mut Rng) -> B256 {
    let mut hash = B256::repeat_byte(r.bits() as u8);
    hash[0] = 1;
    hash
}

fn storage(r: &mut Rng) -> Vec<(U256, U256)> {
    let count = r.below(5);
    let mut slots: Vec<_> = (0..count).map(|_| (slot(r), number(r))).collect();
    slots.sort_unstable();
    slots.dedup_by_key(|(key, _)| *key);
    slots
}

/// A key of few, so that contracts meet; some differ only in their upper words.
fn slot(r: &mut Rng) -> U256 {
    let low = U256::from(r.below(6));
    match r.below(12) {
        0 => low | U256::from(1) << 255,
        1 => low | U256::from(1) << 64,
        2 => U256::MAX - low,
        _ => low,
    }
}

/// A number as programs have them: mostly small, sometimes an edge, sometimes anything.
fn number(r: &mut Rng) -> U256 {
    match r.below(10) {
        0..=4 => U256::from(r.below(300)),
        5 => U256::from(r.bits()),
        6 => any(r),
        _ => edge(r),
    }
}

fn any(r: &mut Rng) -> U256 {
    U256::from_limbs([r.bits(), r.bits(), r.bits(), r.bits()]) >> (r.below(256) as usize)
}

/// Around a power of two, from either side; or the same at the top.
fn edge(r: &mut Rng) -> U256 {
    let power = match r.below(3) {
        0 => U256::from(1) << r.pick(&[31usize, 32, 63, 64, 127, 128, 192, 255]),
        1 => U256::from(1) << (r.below(256) as usize),
        _ => U256::ZERO,
    };
    let near = U256::from(r.below(3));
    if r.chance(50) {
        power.wrapping_add(near)
    } else {
        power.wrapping_sub(near)
    }
}

#[cfg(test)]
mod tests {
    use gatewei_abi::opcode::TABLE;

    use super::*;
    use crate::card::lockstep::ends;
    use std::collections::{BTreeMap, BTreeSet};

    /// What the programs reach on revm: every opcode often, and most of the ways in which one can end badly.
    #[test]
    fn programs_go_everywhere() {
        let mut opcodes = BTreeMap::<u8, u64>::new();
        let mut seen = BTreeSet::new();
        let mut steps = 0;
        for n in 0..2_000 {
            let (record, _) = program(n).on_revm().expect("there is a first frame");
            steps += record.steps.len() as u64;
            for step in &record.steps {
                *opcodes.entry(step.opcode).or_default() += 1;
            }
            for (index, result) in record.ends {
                let byte = record.steps[index].opcode;
                if ends::counted(result) {
                    let known = ends::exists(byte, result);
                    assert!(known, "{byte:#04x} {result:?}, program {n}");
                    seen.insert((byte, result as u8));
                }
            }
        }
        let often = |byte: &u8| opcodes.get(byte).is_some_and(|n| *n > steps / 20_000);
        let covered = TABLE.iter().filter(|op| op.since <= Fork::Osaka);
        let rare: Vec<_> = covered.filter(|op| !often(&op.byte)).collect();
        assert!(rare.is_empty(), "of {steps} opcodes: {rare:?}");
        let cells = ends::all().count();
        let hit = ends::all().filter(|(byte, result)| seen.contains(&(*byte, *result as u8)));
        let hit = hit.count();
        assert!(hit * 100 > cells * 70, "{hit} of {cells} cells");
    }
}
