//! Calls of precompiled contracts: input and output go through the host, gas and value by the lane.

use gatewei::card::lockstep::Program;
use gatewei_abi::opcode::Fork;
use revm::precompile::{PrecompileOutput, PrecompileSpecId, Precompiles};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{U256, hex};

use super::calls::{
    A, B, Call, KINDS, change_all, endings, fill, join, look, osaka, precompile, push_address,
    see_all, world,
};
use super::directed::{FORKS, Named};
use gatewei::card::lockstep::asm::Asm;

/// Gas of a call that any input here can be paid with.
const PLENTY: u64 = 500_000;
/// Address of EIP-7951's contract.
const P256: u64 = 0x100;

/// The precompiled contracts of a fork.
fn numbers(fork: Fork) -> impl Iterator<Item = u64> {
    let (last, p256) = match fork {
        Fork::London | Fork::Paris | Fork::Shanghai => (9, None),
        Fork::Cancun => (10, None),
        Fork::Prague => (17, None),
        _ => (17, Some(P256)),
    };
    (1..=last).chain(p256)
}

/// 32-byte numbers, one after the other.
fn words(words: &[u64]) -> Vec<u8> {
    let word = |n: &u64| U256::from(*n).to_be_bytes::<32>();
    words.iter().flat_map(word).collect()
}

/// An input that a contract likes, with an output that is not empty, and one that it does not like: it fails, or
/// returns nothing, where it can.
fn inputs(number: u64) -> [Vec<u8>; 2] {
    let zeros = |bytes: usize| [vec![0; bytes], vec![0xff; bytes]];
    let text: Vec<u8> = (0..77u8).map(|n| n.wrapping_mul(29)).collect();
    match number {
        // Hash, v, r, s: some public key.
        1 => [words(&[7, 27, 1, 1]), words(&[7, 29, 1, 1])],
        2..=4 => [text, vec![]],
        // 3 ^ 65,537 mod 1,000,003; and a base longer than Osaka takes and others can pay for.
        5 => {
            let numbers = [&[3, 1, 0, 1, 0x0f, 0x42, 0x43][..]].concat();
            [
                [words(&[1, 3, 3]), numbers].concat(),
                words(&[1 << 40, 3, 3]),
            ]
        }
        6 => [words(&[1, 2, 1, 2]), words(&[1, 1, 1, 2])],
        7 => [words(&[1, 2, 5]), words(&[1, 1, 5])],
        8 => [vec![0; 192], vec![0; 191]],
        9 => {
            let mut good = vec![0; 213];
            (good[3], good[212]) = (12, 1);
            let mut bad = good.clone();
            bad[212] = 2;
            [good, bad]
        }
        // The commitment to nothing, opened at zero.
        10 => {
            let hash = hex!("010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014");
            let mut point = vec![0; 48];
            point[0] = 0xc0;
            let good = [&hash[..], &[0; 64], &point, &point].concat();
            let mut bad = good.clone();
            bad[63] = 1;
            [good, bad]
        }
        // Points at infinity.
        11 => zeros(256),
        12 => zeros(160),
        13 => zeros(512),
        14 => zeros(288),
        15 => zeros(384),
        16 => zeros(64),
        17 => zeros(128),
        P256 => {
            let good = hex!(
                "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
                "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
                "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
                "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
                "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
            );
            let mut bad = good;
            bad[40] ^= 1;
            [good.into(), bad.into()]
        }
        other => unreachable!("no precompiled contract {other}"),
    }
}

/// What revm's contract says.
fn direct(spec: SpecId, number: u64, input: &[u8], gas: u64) -> PrecompileOutput {
    let all = Precompiles::new(PrecompileSpecId::from_spec_id(spec));
    let contract = all.get(&precompile(number)).expect("the fork has it");
    contract.execute(input, gas, 0).expect("no fatal error")
}

/// Copies the calldata to memory.
fn load() -> Asm {
    let copy = Asm::new().ops("CALLDATASIZE").push(0).push(0);
    copy.ops("CALLDATACOPY")
}

/// A program whose calldata is the input.
fn with_input(spec: SpecId, input: &[u8], code: Asm, a: Asm) -> Program {
    let mut program = world(spec, code.ops("STOP"), a, []);
    program.calldata = input.to_vec().into();
    program
}

/// Each contract of each fork, with good and bad input, by each kind of call, with exactly its gas and less.
fn contracts() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for number in numbers(fork) {
            let [good, bad] = inputs(number);
            let price = direct(spec, number, &good, PLENTY);
            assert!(
                price.status.is_success() && !price.bytes.is_empty(),
                "{number:#x} in {fork:?}: {price:?}"
            );
            for (what, input) in [("good", &good), ("bad", &bad)] {
                let length = input.len() as u64;
                let call = |kind| {
                    Call::new(kind, precompile(number))
                        .gas(PLENTY)
                        .ranges((0, length), (3, 40))
                };
                for kind in KINDS {
                    let code = join([load(), call(kind).code(), look()]);
                    let name = format!("{kind} of {number:#x} in {fork:?}, {what}");
                    out.push((name, with_input(spec, input, code, Asm::new())));
                }
                let used = price.gas_used;
                for gas in [0, used - 1, used, used + 1] {
                    let code = join([load(), call("STATICCALL").gas(gas).code(), look()]);
                    let name = format!("{number:#x} in {fork:?}, {what}, {gas} gas");
                    out.push((name, with_input(spec, input, code, Asm::new())));
                }
            }
        }
    }
    out
}

/// Value that goes along, and comes back where the contract fails or the caller has too little.
fn values() -> Vec<Named> {
    let mut out = Vec::new();
    for number in numbers(Fork::Osaka) {
        let [good, bad] = inputs(number);
        for (what, input) in [("good", &good), ("bad", &bad)] {
            for kind in ["CALL", "CALLCODE"] {
                for value in [1, 1_000_000, 1_000_001] {
                    let to = precompile(number);
                    let call = Call::new(kind, to)
                        .value(value)
                        .gas(PLENTY)
                        .ranges((0, input.len() as u64), (0, 64));
                    let ask = push_address(Asm::new(), to).ops("BALANCE");
                    let code = join([load(), call.code(), look(), ask.clone(), call.code(), ask]);
                    let name = format!("{kind} of {number:#x} with {value}, {what}");
                    let program = with_input(SpecId::OSAKA, input, code, Asm::new());
                    out.push((name, program));
                }
            }
        }
        // The stipend alone pays for it, or does not.
        let call = Call::new("CALL", precompile(number)).value(1).gas(0);
        let call = call.ranges((0, good.len() as u64), (0, 64));
        let code = join([load(), call.code(), look()]);
        let name = format!("{number:#x} for the stipend");
        out.push((name, with_input(SpecId::OSAKA, &good, code, Asm::new())));
    }
    out
}

/// Ranges of input and output, empty ones far away among them.
fn ranges() -> Vec<Named> {
    let mut out = Vec::new();
    let inputs = [(0, 0), (u64::MAX, 0), (0, 1), (31, 33), (5, 4_096), (90, 9)];
    let outputs = [
        (0, 0),
        (u64::MAX, 0),
        (0, 1),
        (31, 33),
        (4, 20),
        (64, 5_000),
    ];
    for number in [2, 4] {
        for input in inputs {
            for output in outputs {
                let call = Call::new("STATICCALL", precompile(number)).ranges(input, output);
                let copy = Asm::new().ops("RETURNDATASIZE").pushes(&[0, 70]);
                let code = join([
                    fill(4),
                    call.code(),
                    look(),
                    copy.ops("RETURNDATACOPY"),
                    look(),
                ]);
                let name = format!("{number} from {input:?} to {output:?}");
                out.push(osaka(name, code.ops("STOP"), [], []));
            }
        }
    }
    // Beyond what the chip holds, and beyond a result buffer of the usual size.
    for length in [65_536, 70_001, 300_000, 600_000, 1_100_000] {
        for output in [(0, 0), (7, 100), (length + 9, length)] {
            let call = Call::new("CALL", precompile(4)).ranges((1, length), output);
            let hash = Asm::new().ops("MSIZE").push(0).ops("KECCAK256");
            let copy = Asm::new().ops("RETURNDATASIZE").pushes(&[0, 70]);
            let copy = copy.ops("RETURNDATACOPY");
            let code = join([fill(4), call.code(), hash.clone(), copy, hash]);
            let (name, mut program) = osaka(
                format!("identity of {length} to {output:?}"),
                code.ops("STOP"),
                [],
                [],
            );
            program.gas = Some(14_000_000);
            out.push((name, program));
        }
    }
    out
}

/// In an inner frame that then ends in every way, and behind logs, whose place the input comes next to.
fn inside() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in KINDS {
        let [good, bad] = inputs(6);
        for (what, input) in [("good", good), ("bad", bad)] {
            let call = Call::new(kind, precompile(6)).gas(PLENTY / 5);
            let value = u64::from(kind.starts_with("CALL"));
            let call = call.value(value).ranges((0, 128), (32, 64));
            for (end_name, end) in endings() {
                let a = join([load(), change_all(), call.code(), look(), change_all(), end]);
                let outer = Call::new("CALL", A).value(9).gas(400_000);
                let outer = outer.ranges((0, 128), (0, 50));
                let code = join([load(), change_all(), outer.code(), look(), see_all()]);
                let name = format!("{kind} inside, {what}, {end_name}");
                out.push((name, with_input(SpecId::OSAKA, &input, code, a)));
            }
        }
    }
    // The return data of a frame between two of a contract.
    let call = |to, output| Call::new("CALL", to).ranges((0, 40), output).code();
    let parts = [
        fill(3),
        call(precompile(2), (0, 32)),
        look(),
        call(B, (0, 9)),
        look(),
        call(precompile(3), (1, 32)),
        look(),
    ];
    let b = Asm::new().pushes(&[70, 0]).ops("REVERT");
    out.push(osaka("frames between", join(parts).ops("STOP"), [], b));
    out
}

/// The first address behind each fork's precompiles, and EIP-7951's before Osaka: accounts like any.
fn beyond_precompiles() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        let (next, p256) = match fork {
            Fork::London | Fork::Paris | Fork::Shanghai => (10, true),
            Fork::Cancun => (11, true),
            Fork::Prague => (18, true),
            _ => (18, false),
        };
        for number in [next].into_iter().chain(p256.then_some(0x100)) {
            let to = precompile(number);
            let ask = push_address(Asm::new(), to).ops("BALANCE");
            let call = Call::new("CALL", to).value(1).code();
            let code = join([ask.clone(), call, look(), ask]).ops("STOP");
            out.push((
                format!("call of {number:#x} in {fork:?}"),
                world(spec, code, [], []),
            ));
        }
    }
    out
}

/// Everything above.
pub fn all() -> Vec<Named> {
    [
        contracts(),
        values(),
        ranges(),
        inside(),
        beyond_precompiles(),
    ]
    .concat()
}
