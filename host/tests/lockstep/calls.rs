//! Programs of several contracts: every kind of call, with the values, ranges, ends and gas at which things
//! go wrong.

use gatewei::card::lockstep::{CONTRACT, Other, Program, SENDER};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, U256, address};

use super::directed::{FORKS, Named};
use super::{accounts, data};
use gatewei::card::lockstep::asm::Asm;

/// Contracts that a program may call; the last accounts have no code.
pub const A: Address = address!("0xa000000000000000000000000000000000000a00");
pub const B: Address = address!("0xb000000000000000000000000000000000000b00");
/// Has nothing but money.
pub const RICH: Address = address!("0x41c4000000000000000000000000000000000001");
/// Has a nonce and nothing else.
pub const USED: Address = address!("0x05ed000000000000000000000000000000000001");
/// Does not exist.
pub const ABSENT: Address = address!("0xab5e000000000000000000000000000000000001");
/// The block's fee recipient.
pub const COINBASE: Address = address!("0xc01bba5e0000000000000000000000000000ba5e");
/// SHA-256.
pub const SHA256: Address = address!("0x0000000000000000000000000000000000000002");

pub const KINDS: [&str; 4] = ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"];

/// A call: kind, callee, value, gas, ranges of input and output.
#[derive(Clone, Copy)]
pub struct Call {
    pub kind: &'static str,
    pub to: Address,
    pub value: U256,
    pub gas: Option<U256>,
    pub input: (u64, u64),
    pub output: (u64, u64),
}

impl Call {
    pub fn new(kind: &'static str, to: Address) -> Self {
        Self {
            kind,
            to,
            value: U256::ZERO,
            gas: None,
            input: (0, 0),
            output: (0, 0),
        }
    }

    pub fn value(self, value: u64) -> Self {
        let value = U256::from(value);
        Self { value, ..self }
    }

    pub fn gas(self, gas: u64) -> Self {
        let gas = Some(U256::from(gas));
        Self { gas, ..self }
    }

    pub fn ranges(self, input: (u64, u64), output: (u64, u64)) -> Self {
        Self {
            input,
            output,
            ..self
        }
    }

    /// As code: the result is left on the stack.
    pub fn code(&self) -> Asm {
        let (input, output) = (self.input, self.output);
        let mut asm = Asm::new().pushes(&[output.1, output.0, input.1, input.0]);
        if matches!(self.kind, "CALL" | "CALLCODE") {
            asm = asm.push(self.value);
        }
        asm = push_address(asm, self.to);
        asm = match self.gas {
            Some(gas) => asm.push(gas),
            None => asm.ops("GAS"),
        };
        asm.ops(self.kind)
    }
}

/// The address of a precompiled contract.
pub fn precompile(number: u64) -> Address {
    Address::from_word(U256::from(number).into())
}

pub fn push_address(asm: Asm, address: Address) -> Asm {
    asm.raw(&[0x73]).raw(address.as_slice())
}

/// What is left of a call in the caller: result, return data, memory, gas and its own balance.
pub fn look() -> Asm {
    Asm::new()
        .ops("RETURNDATASIZE MSIZE")
        .push(0)
        .ops("MLOAD")
        .push(32)
        .ops("MLOAD")
        .push(96)
        .push(0)
        .ops("KECCAK256 SELFBALANCE GAS")
}

pub fn join(parts: impl IntoIterator<Item = Asm>) -> Asm {
    parts
        .into_iter()
        .fold(Asm::new(), |asm, part| asm.raw(&part.0))
}

/// Bytes in memory, by words.
pub fn fill(words: u64) -> Asm {
    let word = |n: u64| {
        let value = U256::from_be_bytes([n as u8 + 1; 32]) ^ U256::from(n * 7 + 3);
        Asm::new().push(value).push(32 * n).ops("MSTORE")
    };
    join((0..words).map(word))
}

fn contract(address: Address, code: impl Into<Bytes>) -> Other {
    Other {
        address,
        code: code.into(),
        balance: U256::from(1_000),
        nonce: 1,
        storage: (1..4)
            .map(|n| (U256::from(n), U256::from(n * 11)))
            .collect(),
    }
}

/// The accounts without code.
pub fn plain() -> [Other; 2] {
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
    [rich, used]
}

/// A program and the contracts A and B.
pub fn world(spec: SpecId, code: Asm, a: impl Into<Bytes>, b: impl Into<Bytes>) -> Program {
    let mut program = Program::new(spec, code);
    program.storage = (1..4).map(|n| (U256::from(n), U256::from(n * 5))).collect();
    program.others = vec![contract(A, a), contract(B, b)];
    program.others.extend(plain());
    program.gas = Some(1_000_000);
    program
}

pub fn osaka(
    name: impl Into<String>,
    code: Asm,
    a: impl Into<Bytes>,
    b: impl Into<Bytes>,
) -> Named {
    (name.into(), world(SpecId::OSAKA, code, a, b))
}

/// Returns its calldata.
pub fn echo() -> Asm {
    let copy = Asm::new().ops("CALLDATASIZE").push(0).push(0);
    let back = copy.ops("CALLDATACOPY CALLDATASIZE").push(0);
    back.ops("RETURN")
}

/// Changes everything that a frame can change.
pub fn change_all() -> Asm {
    let a = Asm::new();
    a.push(9)
        .push(1)
        .ops("SSTORE")
        .push(0)
        .push(2)
        .ops("SSTORE")
        .push(8)
        .push(7)
        .ops("SSTORE")
        .push(3)
        .ops("SLOAD POP")
        .push(6)
        .push(5)
        .ops("TSTORE")
        .pushes(&[4, 40, 3])
        .ops("LOG1")
}

/// Looks at everything that [`change_all`] changes.
pub fn see_all() -> Asm {
    let a = [1, 2, 7, 3].iter();
    let slots = a.fold(Asm::new(), |asm, slot| asm.push(*slot).ops("SLOAD GAS"));
    slots.push(5).ops("TLOAD SELFBALANCE GAS")
}

/// Every way in which a frame can end, by code that ends so whatever gas it has.
pub fn endings() -> Vec<(&'static str, Asm)> {
    let a = Asm::new;
    vec![
        ("STOP", a().ops("STOP")),
        ("end of code", a()),
        (
            "RETURN",
            a().push(U256::MAX)
                .push(3)
                .ops("MSTORE")
                .pushes(&[40, 2])
                .ops("RETURN"),
        ),
        ("empty RETURN", a().pushes(&[0, 99]).ops("RETURN")),
        (
            "REVERT",
            a().push(U256::MAX)
                .push(3)
                .ops("MSTORE")
                .pushes(&[70, 2])
                .ops("REVERT"),
        ),
        ("empty REVERT", a().pushes(&[0, 0]).ops("REVERT")),
        ("INVALID", a().ops("INVALID")),
        ("undefined", a().raw(&[0x0c])),
        ("not activated", a().raw(&[0xe6])),
        ("underflow", a().ops("POP POP POP")),
        ("overflow", a().ops("JUMPDEST PC PC").push(0).ops("JUMP")),
        ("bad jump", a().push(0xffff).ops("JUMP")),
        (
            "memory",
            a().push(1).push(U256::from(1u64 << 40)).ops("MSTORE"),
        ),
        ("operand", a().push(1).push(U256::MAX).ops("MSTORE")),
        ("return data", a().pushes(&[1, 0, 0]).ops("RETURNDATACOPY")),
        (
            "keccak",
            a().push(U256::from(1u64 << 36)).push(0).ops("KECCAK256"),
        ),
    ]
}

/// Ends at once where there is calldata: for a contract that may be called again.
pub fn guard() -> Asm {
    let guard = Asm::new().ops("CALLDATASIZE ISZERO").push(10).ops("JUMPI");
    let guard = guard.ops("ADDRESS CALLER CALLVALUE GAS STOP JUMPDEST");
    assert_eq!(guard.here(), 11);
    guard
}

/// Every kind of call, to everything that can be called, with every value.
fn kinds() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for kind in KINDS {
            for to in [A, RICH, USED, ABSENT, CONTRACT, SENDER, COINBASE] {
                for value in [0, 1, 1_000_000, 1_000_001] {
                    let takes_value = matches!(kind, "CALL" | "CALLCODE");
                    if value > 0 && !takes_value {
                        continue;
                    }
                    let call = Call::new(kind, to).value(value).ranges((1, 40), (3, 30));
                    let body = [fill(2), call.code(), look(), call.gas(9_999).code(), look()];
                    let code = join([guard(), join(body)]).ops("STOP");
                    let names = "ADDRESS CALLER ORIGIN CALLVALUE CALLDATASIZE CODESIZE RETURNDATASIZE \
                                 SELFBALANCE GAS";
                    let callee = Asm::new().ops(names).raw(&echo().0);
                    let name = format!("{kind} of {to} with {value} in {fork:?}");
                    out.push((name, world(spec, code, callee, [])));
                }
            }
        }
    }
    out
}

/// Every end of a frame that has changed everything, under every kind of call, and one frame deeper.
fn rollback() -> Vec<Named> {
    let mut out = Vec::new();
    for (end_name, end) in endings() {
        for kind in KINDS {
            let value = if kind == "CALL" { 3 } else { 0 };
            let call = |to| {
                Call::new(kind, to)
                    .value(value)
                    .gas(200_000)
                    .ranges((0, 0), (1, 50))
            };
            let twice = |to| {
                join([
                    call(to).code(),
                    look(),
                    see_all(),
                    call(to).code(),
                    see_all(),
                ])
            };
            let code = join([see_all(), twice(A)]).ops("STOP");
            let callee = join([change_all(), end.clone()]);
            out.push(osaka(
                format!("{kind}, changes, {end_name}"),
                code.clone(),
                callee.clone(),
                [],
            ));
            // A calls B, which ends in order; then A ends.
            let middle = join([change_all(), call(B).code(), see_all(), end.clone()]);
            let inner = join([change_all(), Asm::new().ops("STOP")]);
            out.push(osaka(
                format!("{kind}, below {end_name}"),
                code.clone(),
                middle,
                inner,
            ));
            // B ends so; A in order.
            let middle = join([change_all(), call(B).code(), see_all()]).ops("STOP");
            out.push(osaka(
                format!("{kind}, {end_name} inside"),
                code,
                middle,
                callee,
            ));
        }
        // The first frame itself.
        let code = join([
            change_all(),
            Call::new("CALL", A).value(5).gas(200_000).code(),
            see_all(),
            end,
        ]);
        let callee = join([change_all(), Asm::new().ops("STOP")]);
        out.push(osaka(format!("first frame, {end_name}"), code, callee, []));
    }
    out
}

/// What a static frame may not do, at first and second hand.
fn static_frames() -> Vec<Named> {
    let forbidden = [
        ("SSTORE", Asm::new().pushes(&[1, 2]).ops("SSTORE STOP")),
        ("TSTORE", Asm::new().pushes(&[1, 2]).ops("TSTORE STOP")),
        ("LOG1", Asm::new().pushes(&[1, 2, 3]).ops("LOG1 STOP")),
        (
            "CALL with value",
            Call::new("CALL", RICH).value(1).code().ops("STOP"),
        ),
        (
            "CALL without value",
            Call::new("CALL", RICH).code().ops("STOP"),
        ),
        (
            "CALLCODE with value",
            Call::new("CALLCODE", USED).value(1).code().ops("STOP"),
        ),
        ("SLOAD", Asm::new().push(2).ops("SLOAD TLOAD STOP")),
    ];
    let mut out = Vec::new();
    for (name, inner) in forbidden {
        for kind in KINDS {
            let code = join([
                Call::new("STATICCALL", A).gas(300_000).code(),
                look(),
                see_all(),
            ]);
            let a = join([Call::new(kind, B).gas(90_000).code(), look()]).ops("STOP");
            out.push(osaka(
                format!("static {name} by {kind}"),
                code.clone(),
                a,
                inner.clone(),
            ));
            // And a frame that is not static any more when the static one has ended.
            let after = join([code, change_all(), Call::new(kind, B).gas(90_000).code()]);
            out.push(osaka(
                format!("static {name}, then {kind}"),
                after,
                inner.clone(),
                inner.clone(),
            ));
        }
        let (name, mut program) = osaka(format!("first frame static {name}"), inner, [], []);
        program.is_static = true;
        out.push((name, program));
    }
    out
}

/// Gas that a callee is given: asked for, 63/64, stipend, a new account, the sentry of SSTORE.
fn gas() -> Vec<Named> {
    let mut out = Vec::new();
    let all = [
        U256::ZERO,
        U256::from(1),
        U256::from(2_299),
        U256::from(2_300),
        U256::from(2_301),
        U256::from(5_000),
        U256::from(22_102),
        U256::from(984_000),
        U256::from(u64::MAX),
        U256::from(1) << 64,
        U256::MAX,
    ];
    for kind in KINDS {
        for value in [0, 7] {
            if value > 0 && !matches!(kind, "CALL" | "CALLCODE") {
                continue;
            }
            for to in [A, RICH, ABSENT] {
                for gas in all {
                    let mut call = Call::new(kind, to).value(value);
                    call.gas = Some(gas);
                    let a = Asm::new().ops("GAS").push(1).push(8).ops("SSTORE GAS STOP");
                    let code = join([call.code(), look(), call.code(), look()]).ops("STOP");
                    let name = format!("{kind} of {to} with {value}, gas {gas}");
                    out.push(osaka(name, code, a, []));
                }
            }
        }
    }
    out
}

/// Frames in frames in frames.
fn depth() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in KINDS {
        // Calls itself with all gas until that ends; each level writes, then looks at what is left.
        let again = Call::new(kind, CONTRACT).ranges((0, 3), (0, 5));
        let write = Asm::new().ops("GAS").push(9).ops("SSTORE");
        for (name, before) in [
            ("reads", Asm::new().push(9).ops("SLOAD")),
            ("writes", write),
        ] {
            let code = join([before, again.code(), look()]).ops("STOP");
            for gas in [60_000, 1_000_000, 15_000_000] {
                let (name, mut program) = osaka(
                    format!("{kind} of itself, {name}, {gas}"),
                    code.clone(),
                    [],
                    [],
                );
                program.gas = Some(gas);
                out.push((name, program));
            }
        }
        // Two contracts call each other: the code changes at each call and each return. Behind the calls
        // stand jumps whose targets are none in the other code.
        let bounce = |to, pad: usize| {
            let call = Call::new(kind, to).ranges((0, 1), (2, 3)).code();
            let mut code = join([Asm::new().ops("PC POP"), call, Asm::new().ops("GAS")]);
            let target = code.here() + 4 + pad;
            code = code
                .raw(&[0x61, (target >> 8) as u8, target as u8])
                .ops("JUMP");
            code.raw(&vec![0xfe; pad]).ops("JUMPDEST CODESIZE")
        };
        let first = Call::new("CALL", A).code().ops("CODESIZE STOP");
        let (name, mut program) = osaka(
            format!("{kind} to and fro"),
            first,
            bounce(B, 3),
            bounce(A, 40),
        );
        program.gas = Some(2_000_000);
        out.push((name, program));
    }
    // As deep as the EVM lets it: the last call fails for the depth alone (Yellow Paper 9.1).
    for kind in KINDS {
        let again = Call::new(kind, CONTRACT).code();
        let code = join([again, Asm::new().ops("GAS CALLER")]).ops("STOP");
        let (name, mut program) = osaka(format!("{kind} of itself, 1,024 deep"), code, [], []);
        program.gas = Some(1_000_000_000_000);
        let steps = program.on_revm().expect("it runs").0.steps;
        assert_eq!(steps.iter().map(|step| step.frame).max(), Some(1_024));
        out.push((name, program));
    }
    // B enters the contract again, which then stores to the slot that it has read before.
    let enter = Asm::new().ops("CALLDATASIZE ISZERO").push(12).ops("JUMPI");
    let store = enter.push(1).push(1).ops("SSTORE STOP STOP JUMPDEST");
    assert_eq!(store.0[12], 0x5b);
    let outer = join([
        store,
        see_all(),
        Call::new("CALL", A).value(2).gas(400_000).code(),
        see_all(),
        Call::new("DELEGATECALL", B).gas(100_000).code(),
        see_all(),
    ]);
    let a = join([
        change_all(),
        Call::new("CALL", CONTRACT)
            .value(1)
            .ranges((0, 1), (0, 0))
            .gas(100_000)
            .code(),
        see_all(),
    ]);
    out.push(osaka("re-entered", outer.ops("STOP"), a, change_all()));
    out
}

/// Accounts and slots that the access list warms.
fn warmth() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        let fork_has = fork >= gatewei_abi::opcode::Fork::Cancun;
        let body = if fork_has {
            join([see_all(), change_all(), see_all()])
        } else {
            let slots = [1, 2, 7, 1, 9].iter();
            slots.fold(Asm::new(), |asm, slot| asm.push(*slot).ops("SLOAD GAS"))
        };
        let call = Call::new("CALL", A).gas(300_000).code();
        let code = join([
            body.clone(),
            call,
            body.clone(),
            Call::new("CALL", B).code(),
        ]);
        let mut program = world(spec, code.ops("STOP"), body.clone(), body);
        let keys = |keys: &[u64]| keys.iter().copied().map(U256::from).collect();
        out.push((format!("nothing warm in {fork:?}"), program.clone()));
        program.warm = keys(&[1, 7]);
        program.warm_others = vec![
            (A, keys(&[2, 7])),
            (B, vec![]),
            (SHA256, keys(&[1])),
            (RICH, keys(&[5])),
        ];
        out.push((format!("an access list in {fork:?}"), program));
    }
    out
}

/// Everything above but for the traps.
pub fn all() -> Vec<Named> {
    [
        kinds(),
        rollback(),
        data::return_data(),
        data::calldata(),
        data::memory(),
        accounts::accounts(),
        static_frames(),
        gas(),
        depth(),
        warmth(),
    ]
    .concat()
}

/// Programs to run with all sorts of gas.
pub fn gas_probes() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in KINDS {
        let value = if kind.starts_with("CALL") { 1 } else { 0 };
        let call = |to| Call::new(kind, to).value(value).ranges((0, 33), (60, 40));
        let a = join([call(B).code(), change_all()])
            .pushes(&[33, 0])
            .ops("RETURN");
        let b = join([change_all(), Asm::new().pushes(&[70, 0]).ops("REVERT")]);
        let code = join([call(A).code(), look(), call(ABSENT).code(), see_all()]).ops("STOP");
        out.push(osaka(format!("frames by {kind}"), code, a, b));
    }
    let ask = |name| push_address(Asm::new(), A).ops(name);
    let copy = push_address(Asm::new().pushes(&[70, 1, 33]), B).ops("EXTCODECOPY");
    let code = join([ask("BALANCE"), copy, ask("EXTCODEHASH"), ask("EXTCODESIZE")]);
    let hash = push_address(code, RICH).ops("EXTCODEHASH STOP");
    out.push(osaka("accounts", hash, echo(), echo()));
    out
}

/// A probe with gas from nothing to more than it needs, in uneven steps.
pub fn with_all_sorts_of_gas((name, program): &Named) -> Vec<Named> {
    let amount = |n: u64| n * 523 + n % 7;
    let most = 140_000 / 523;
    let probe = |gas: u64| {
        let mut program = program.clone();
        program.gas = Some(gas);
        (format!("{name} with gas {gas}"), program)
    };
    (0..most).map(amount).map(probe).collect()
}
