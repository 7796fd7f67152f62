//! Programs that create contracts: every kind of creation, with the init code, endowments, sizes and gas at
//! which things go wrong.

use gatewei::card::lockstep::{CONTRACT, Other, Program, SENDER};
use gatewei_abi::opcode::Fork;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, U256, keccak256};

use super::calls::{
    A, ABSENT, B, Call, KINDS, RICH, change_all, echo, endings, fill, guard, join, look, osaka,
    push_address, see_all, world,
};
use super::contracts::{
    CREATES, SALT, address_of, counter, create, create_from_memory, deploys, inspect, put,
};
use super::directed::{FORKS, Named};
use gatewei::card::lockstep::asm::{Asm, byte};

/// Longest code that is deployed (EIP-170), and longest init code (EIP-3860).
const MOST: [u64; 2] = [24_576, 49_152];

/// Whether a fork has transient storage, without which [`change_all`] halts.
fn transient(fork: Fork) -> bool {
    fork >= Fork::Cancun
}

/// Changes what a frame can change in every fork.
fn change(fork: Fork) -> Asm {
    if transient(fork) {
        return change_all();
    }
    let store = Asm::new().pushes(&[9, 1]).ops("SSTORE");
    store
        .pushes(&[8, 7])
        .ops("SSTORE")
        .pushes(&[4, 40, 3])
        .ops("LOG1")
}

/// Init code by what it does. `creator` is who runs it in the end.
fn inits(fork: Fork, creator: Address) -> Vec<(String, Asm)> {
    let none = Asm::new;
    let mut out: Vec<(String, Asm)> = vec![
        ("nothing".into(), none()),
        ("a counter".into(), deploys(none(), &counter())),
        ("changes".into(), deploys(change(fork), &counter())),
        ("0xef".into(), deploys(none(), &none().raw(&[0xef]))),
        (
            "0xef and more".into(),
            deploys(none(), &none().raw(&[0xef, 0, 1, 2])),
        ),
        (
            "nearly 0xef".into(),
            deploys(none(), &none().raw(&[0xee, 0xef])),
        ),
        (
            "an endless loop".into(),
            none().ops("JUMPDEST").push(0).ops("JUMP"),
        ),
        (
            "a revert with data".into(),
            join([change(fork), fill(3)]).pushes(&[70, 2]).ops("REVERT"),
        ),
        (
            "its environment".into(),
            deploys(
                none().ops(
                    "ADDRESS CALLER ORIGIN CALLVALUE CALLDATASIZE CODESIZE RETURNDATASIZE \
                     SELFBALANCE GAS MSIZE PC",
                ),
                &echo(),
            ),
        ),
    ];
    for (name, end) in endings() {
        // STOP and the like leave a contract without code.
        out.push((format!("changes, then {name}"), join([change(fork), end])));
    }
    // Its creator, itself, another contract.
    for kind in KINDS {
        for (whom, to) in [("its creator", creator), ("a contract", A)] {
            let call = Call::new(kind, to).ranges((0, 4), (0, 40)).gas(90_000);
            let before = join([call.code(), look()]);
            out.push((format!("{kind} of {whom}"), deploys(before, &counter())));
        }
    }
    for kind in CREATES {
        let twice = join([
            create(kind, &deploys(Asm::new(), &counter()), 0),
            look(),
            create(kind, &deploys(change(fork), &echo()), 1),
            look(),
            create(kind, &none().pushes(&[0, 0]).ops("REVERT"), 0),
            create(kind, &none(), 0),
            look(),
        ]);
        out.push((format!("{kind} inside"), deploys(twice, &counter())));
    }
    for (whom, to) in [
        ("its creator", creator),
        ("nobody", ABSENT),
        ("somebody", RICH),
    ] {
        let destroy = push_address(change(fork), to).ops("SELFDESTRUCT");
        out.push((format!("SELFDESTRUCT to {whom}"), destroy));
    }
    let own = change(fork).ops("ADDRESS SELFDESTRUCT");
    out.push(("SELFDESTRUCT to itself".into(), own));
    out
}

/// A transaction that runs `code` in its first frame: as a contract's, or as init code.
fn first(spec: SpecId, code: &Asm, creation: bool) -> Program {
    let a = join([change_all(), echo()]);
    let mut program = world(spec, code.clone(), a, counter());
    program.create = creation;
    if creation {
        program.value = U256::from(1_000_000);
    }
    program
}

/// Who runs the first frame.
fn creator(creation: bool) -> Address {
    if creation { SENDER.create(0) } else { CONTRACT }
}

/// Every kind of init code, twice, and what has become of the contract.
fn kinds() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for creation in [false, true] {
            let creator = creator(creation);
            for (name, init) in inits(fork, creator) {
                for kind in CREATES {
                    let address = address_of(kind, creator, 1, &init);
                    let code = join([
                        guard(),
                        create(kind, &init, 7),
                        look(),
                        inspect(address),
                        create(kind, &init, 0),
                        look(),
                        inspect(address_of(kind, creator, 2, &init)),
                    ]);
                    let program = first(spec, &code.ops("STOP"), creation);
                    let first = if creation { " in init code" } else { "" };
                    out.push((format!("{kind} of {name}{first} in {fork:?}"), program));
                }
            }
        }
    }
    out
}

/// Endowments that there are and that there are not; the nonce after failures.
fn endowments() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        for value in [0, 1, 999_999, 1_000_000, 1_000_001, u64::MAX] {
            for creation in [false, true] {
                let init = deploys(Asm::new(), &counter());
                let creator = creator(creation);
                let mut code = guard();
                for nonce in 1..4 {
                    let make = create(kind, &init, value);
                    let address = address_of(kind, creator, nonce, &init);
                    let ask = push_address(Asm::new(), address).ops("BALANCE GAS");
                    code = join([code, make, look(), ask]);
                }
                let name = format!("{kind} with {value}, {creation}");
                out.push((name, first(SpecId::OSAKA, &code.ops("STOP"), creation)));
            }
        }
        // A creation that fails leaves the nonce where the next one finds it, unless it never began.
        for (name, bad, value) in [
            ("a halt", Asm::new().ops("INVALID"), 0),
            ("a revert", Asm::new().pushes(&[0, 0]).ops("REVERT"), 0),
            ("no money", Asm::new(), 1_000_001),
        ] {
            let good = deploys(Asm::new(), &counter());
            let code = join([
                create(kind, &bad, value),
                look(),
                create("CREATE", &good, 1),
                look(),
            ]);
            out.push(osaka(format!("{kind}, {name}, CREATE"), code, [], []));
        }
    }
    out
}

/// Something is there already.
fn collisions() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for kind in CREATES {
            let init = deploys(Asm::new(), &counter());
            let address = address_of(kind, CONTRACT, 1, &init);
            let there = Other {
                address,
                ..Other::default()
            };
            let code = Asm::new().pushes(&[3, 4]).ops("SSTORE STOP").into();
            let storage = vec![(U256::from(1), U256::from(77))];
            let balance = U256::from(88);
            for (name, there) in [
                (
                    "money",
                    Other {
                        balance,
                        ..there.clone()
                    },
                ),
                (
                    "a nonce",
                    Other {
                        nonce: 1,
                        ..there.clone()
                    },
                ),
                (
                    "code",
                    Other {
                        code,
                        nonce: 1,
                        storage,
                        ..there.clone()
                    },
                ),
            ] {
                for before in [
                    Asm::new(),
                    push_address(Asm::new(), address).ops("BALANCE POP"),
                ] {
                    let code = join([
                        before,
                        create(kind, &init, 5),
                        look(),
                        inspect(address),
                        create(kind, &init, 0),
                        look(),
                    ]);
                    let mut program = first(spec, &code.ops("STOP"), false);
                    program.others.push(there.clone());
                    out.push((format!("{kind} where {name} is, in {fork:?}"), program));
                }
            }
        }
    }
    out
}

/// Storage below an address at which nothing else is (EIP-7610): a new contract's is empty.
fn forgotten_storage() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        let init = deploys(Asm::new(), &counter());
        let address = address_of(kind, CONTRACT, 1, &init);
        let code = join([create(kind, &init, 5), look(), inspect(address)]).ops("STOP");
        let (name, mut program) = osaka(format!("{kind} above storage"), code, [], []);
        program.others.push(Other {
            address,
            storage: vec![(U256::from(1), U256::from(77))],
            ..Other::default()
        });
        out.push((name.clone(), program.clone()));
        program.warm_others = vec![(address, vec![U256::from(1), U256::from(2)])];
        out.push((format!("{name}, warm"), program));
    }
    out
}

/// Sizes around their limits, of code and of init code; operands that expand memory, or cannot.
fn sizes() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for kind in CREATES {
            for bytes in [1, MOST[0] - 1, MOST[0], MOST[0] + 1] {
                let init = Asm::new().pushes(&[bytes, 0]).ops("RETURN");
                let address = address_of(kind, CONTRACT, 1, &init);
                let code = join([create(kind, &init, 0), look(), inspect(address)]);
                let mut program = first(spec, &code.ops("STOP"), false);
                program.gas = Some(8_000_000);
                out.push((format!("{kind} of {bytes} bytes in {fork:?}"), program));
            }
            for bytes in [0, MOST[1] - 1, MOST[1], MOST[1] + 1, 60_000] {
                let code = join([create_from_memory(kind, bytes, 0), look()]).ops("STOP");
                let mut program = first(spec, &code, false);
                program.gas = Some(8_000_000);
                out.push((format!("{kind} by {bytes} bytes in {fork:?}"), program));
            }
            let huge = [
                U256::from(1) << 32,
                U256::from(u64::MAX),
                U256::from(1) << 64,
            ];
            let all = [U256::ZERO, U256::from(33), U256::from(65_000)];
            let all = all.into_iter().chain(huge);
            for offset in all.clone() {
                for bytes in all.clone() {
                    let operands = Asm::new().push(SALT).push(bytes).push(offset);
                    let code = join([operands.push(0).ops(kind), look()]).ops("STOP");
                    let name = format!("{kind} of {bytes} from {offset} in {fork:?}");
                    out.push((name, first(spec, &code, false)));
                }
            }
        }
    }
    out
}

/// Static frames, at first and at second hand.
fn static_frames() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        let make = create(kind, &deploys(Asm::new(), &counter()), 0);
        for by in KINDS {
            let call = Call::new("STATICCALL", A).gas(300_000).code();
            let code = join([call, look(), see_all()]).ops("STOP");
            let a = join([Call::new(by, B).gas(90_000).code(), look()]).ops("STOP");
            let b = join([make.clone(), look()]).ops("STOP");
            out.push(osaka(format!("static {kind} by {by}"), code, a, b));
        }
        let (name, mut program) = osaka(format!("first frame static {kind}"), make, [], []);
        program.is_static = true;
        out.push((name, program));
    }
    out
}

/// Whole creations undone by who is around them, and made again.
fn undone() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for kind in CREATES {
            for by in KINDS {
                for (end_name, end) in [
                    ("stops", Asm::new().ops("STOP")),
                    ("reverts", Asm::new().pushes(&[3, 0]).ops("REVERT")),
                    ("halts", Asm::new().ops("INVALID")),
                ] {
                    let init = deploys(change(fork), &counter());
                    let who = if matches!(by, "CALL" | "STATICCALL") {
                        A
                    } else {
                        CONTRACT
                    };
                    let address = address_of(kind, who, 1, &init);
                    let a = join([
                        create(kind, &init, 3),
                        look(),
                        inspect(address),
                        change(fork),
                        end,
                    ]);
                    let call = join([Call::new(by, A).gas(400_000).code(), look()]);
                    let code = join([
                        call.clone(),
                        inspect(address),
                        call,
                        inspect(address),
                        create(kind, &init, 0),
                        look(),
                    ]);
                    let mut program = world(spec, code.ops("STOP"), a, []);
                    program.gas = Some(2_000_000);
                    out.push((format!("{kind} in {by} that {end_name}, {fork:?}"), program));
                }
            }
        }
    }
    out
}

/// A jump over some code.
fn jump(name: &str, before: Asm, over: &Asm) -> Asm {
    let target = before.here() + 4 + over.here();
    let jump = before.raw(&[0x61, (target >> 8) as u8, target as u8]);
    join([jump.ops(name), over.clone()]).ops("JUMPDEST")
}

/// As deep as the EVM lets it: nothing is created there, but by the frame that called the deepest one.
fn depth() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        let make = join([create(kind, &Asm::new(), 0), look()]);
        // The deepest frame's call fails without data; the deepest frame itself reverts with some.
        let deepest = make.clone().pushes(&[1, 0]).ops("REVERT");
        let again = Call::new("CALL", CONTRACT).code();
        let failed = jump("JUMPI", Asm::new().ops("RETURNDATASIZE"), &deepest);
        let failed = join([failed, make]).ops("STOP");
        let shift = again.here() + 4;
        // Its jump is relative to where it stands.
        let target = shift + 1 + 4 + deepest.here();
        let mut failed = failed.0;
        failed[2..4].copy_from_slice(&(target as u16).to_be_bytes());
        let code = jump("JUMPI", again, &Asm::new().raw(&failed)).ops("STOP");
        let (name, mut program) = osaka(format!("{kind} 1,024 deep"), code, [], []);
        program.gas = Some(1_000_000_000_000);
        let steps = program.on_revm().expect("it runs").0.steps;
        assert_eq!(steps.iter().map(|step| step.frame).max(), Some(1_024));
        // What lies on top where a frame goes on behind its creation.
        let makes = (0..steps.len()).filter(|n| steps[*n].opcode == byte(kind));
        let after = |n: usize| {
            let mut rest = steps[n + 1..].iter();
            let next = rest.find(|step| step.frame == steps[n].frame);
            next.is_some_and(|step| !step.top.is_zero())
        };
        let made: Vec<bool> = makes.map(after).collect();
        assert_eq!(made, [false, true]);
        out.push((name, program));
    }
    out
}

/// Init code that creates itself, as often as gas lets it.
fn itself(kind: &str) -> Program {
    let copy = Asm::new().ops("CODESIZE").pushes(&[0, 0]).ops("CODECOPY");
    let make = copy.push(SALT).ops("CODESIZE").pushes(&[0, 0]).ops(kind);
    let code = make.ops("RETURNDATASIZE GAS STOP");
    let mut program = Program::new(SpecId::OSAKA, code);
    program.create = true;
    program
}

/// The hashes of codes that the transaction itself deploys: while init code runs, after it, and of another code at the
/// same address.
fn hashes() -> Vec<Named> {
    let own = || Asm::new().ops("ADDRESS EXTCODEHASH POP");
    let mut out = Vec::new();
    for kind in CREATES {
        let init = deploys(own(), &join([own(), counter()]));
        let address = address_of(kind, CONTRACT, 1, &init);
        let call = Call::new("CALL", address).gas(100_000);
        let code = join([create(kind, &init, 1), call.code(), inspect(address)]);
        out.push(osaka(
            format!("hashes in what {kind} made"),
            code.ops("STOP"),
            [],
            [],
        ));
    }
    let mut program = Program::new(SpecId::OSAKA, deploys(own(), &counter()));
    program.create = true;
    out.push(("hash of the transaction's own contract".into(), program));
    // A creates with its value, which becomes the code, and reverts where that is odd.
    let init = Asm::new().ops("SELFBALANCE").push(0).ops("MSTORE8");
    let init = init.pushes(&[1, 0]).ops("RETURN");
    let address = A.create2(U256::from(SALT).to_be_bytes::<32>(), keccak256(&init.0));
    let make = join([
        put(&init.0),
        Asm::new()
            .push(SALT)
            .push(init.here() as u64)
            .push(0)
            .ops("CALLVALUE CREATE2 EXTCODEHASH"),
    ]);
    let odd = make.push(1).ops("CALLVALUE AND");
    let end = odd.here() as u64 + 4;
    let a = odd
        .push(end)
        .ops("JUMPI STOP JUMPDEST")
        .pushes(&[0, 0])
        .ops("REVERT");
    let calls = [1, 2].map(|value| {
        let call = Call::new("CALL", A).value(value).gas(200_000);
        let ask = |name: &str| push_address(Asm::new(), address).ops(name);
        join([
            ask("EXTCODEHASH"),
            call.code(),
            ask("EXTCODEHASH"),
            ask("EXTCODESIZE"),
        ])
    });
    let code = join(calls).ops("STOP");
    out.push(osaka("another code at the same address", code, a, []));
    out
}

/// Everything above.
pub fn all() -> Vec<Named> {
    let mut out = [
        kinds(),
        endowments(),
        collisions(),
        forgotten_storage(),
        sizes(),
        static_frames(),
        undone(),
        depth(),
        hashes(),
    ]
    .concat();
    for kind in CREATES {
        for gas in [100_000, 1_000_000, 5_000_000] {
            let mut program = itself(kind);
            program.gas = Some(gas);
            out.push((format!("{kind} of itself with {gas}"), program));
        }
    }
    out
}

/// Programs to run with all sorts of gas.
pub fn gas_probes() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        let init = deploys(change_all(), &counter());
        let address = address_of(kind, CONTRACT, 1, &init);
        let call = Call::new("CALL", address).value(1).ranges((0, 3), (0, 64));
        let code = join([
            create(kind, &init, 1),
            look(),
            call.code(),
            create(kind, &init, 0),
            look(),
        ]);
        out.push(osaka(format!("frames by {kind}"), code.ops("STOP"), [], []));
    }
    out
}

/// Code deposits (EIP-170: 200 gas a byte) with every gas around what they need.
pub fn deposits() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in CREATES {
        for bytes in [1u64, 33, 200] {
            let init = Asm::new().pushes(&[bytes, 0]).ops("RETURN");
            let code = create(kind, &init, 0).ops("STOP");
            let (name, mut program) = osaka(format!("{kind} of {bytes} bytes"), code, [], []);
            let succeeds = |program: &Program| {
                let steps = program.on_revm().expect("it runs").0.steps;
                let last = steps.last().expect("a step");
                last.frame == 0 && last.opcode == 0 && !last.top.is_zero()
            };
            let (mut low, mut high) = (0u64, 1_000_000);
            while high - low > 1 {
                let middle = low.midpoint(high);
                program.gas = Some(middle);
                if succeeds(&program) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            for gas in high - 25..high + 25 {
                program.gas = Some(gas);
                out.push((format!("{name} with {gas} gas"), program.clone()));
            }
        }
    }
    out
}

/// What is left to the CPU, and as what.
pub fn traps() -> Vec<(Named, &'static str)> {
    let mut out = Vec::new();
    for kind in CREATES {
        let mut program = itself(kind);
        program.gas = Some(1_000_000_000_000);
        let deep = (format!("{kind} of itself, 1,024 deep"), program);
        out.push((deep, "slot_table_full"));
    }
    // No fork but the first two lets init code be longer than the lane's code memory.
    let code = create_from_memory("CREATE", 66_000, 0).ops("STOP");
    let long = (
        "init code of 66,000 bytes".into(),
        first(SpecId::LONDON, &code, false),
    );
    out.push((long, "code_too_long"));
    out
}
