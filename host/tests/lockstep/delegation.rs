//! Programs that call accounts whose code is another's (EIP-7702).

use gatewei::card::lockstep::{CONTRACT, SENDER};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, U256};

use super::calls::{
    A, ABSENT, B, COINBASE, Call, KINDS, RICH, SHA256, USED, change_all, echo, fill, guard, join,
    look, osaka, push_address, see_all, world,
};
use super::contracts::{address_of, counter, create, deploys};
use super::directed::Named;
use gatewei::card::lockstep::asm::Asm;

/// The forks that have it.
const FORKS: [SpecId; 2] = [SpecId::PRAGUE, SpecId::OSAKA];

/// The code of an account that delegates.
pub fn to(delegate: Address) -> Vec<u8> {
    [&[0xef, 1, 0][..], delegate.as_slice()].concat()
}

/// What is to be known of an account without its code.
fn ask(of: Address) -> Asm {
    let one = |name: &&str| push_address(Asm::new(), of).ops(name).ops("GAS");
    join(["BALANCE", "EXTCODESIZE", "EXTCODEHASH"].iter().map(one))
}

/// Every kind of call of A, which delegates to everybody.
fn kinds() -> Vec<Named> {
    let mut out = Vec::new();
    for spec in FORKS {
        for kind in KINDS {
            for delegate in [B, RICH, USED, ABSENT, CONTRACT, SENDER, COINBASE, SHA256] {
                for (value, warm) in [(0, false), (0, true), (5, false), (2_000_000, true)] {
                    if value > 0 && !matches!(kind, "CALL" | "CALLCODE") {
                        continue;
                    }
                    let call = Call::new(kind, A).value(value).ranges((1, 40), (3, 30));
                    let before = if warm { ask(delegate) } else { Asm::new() };
                    let code = join([
                        guard(),
                        fill(2),
                        before,
                        call.code(),
                        look(),
                        ask(delegate),
                        call.gas(30_000).code(),
                        look(),
                        ask(A),
                        see_all(),
                    ]);
                    let b = join([
                        Asm::new().ops("ADDRESS CALLER CALLVALUE CODESIZE SELFBALANCE"),
                        ask(A),
                        change_all(),
                        echo(),
                    ]);
                    let state = if warm { "warm" } else { "cold" };
                    let name = format!("{kind} with {value}, {state} {delegate}, {spec:?}");
                    out.push((name, world(spec, code.ops("STOP"), to(delegate), b)));
                }
            }
        }
    }
    out
}

/// Delegating accounts that call each other, create, are destroyed, run the first frame.
fn frames() -> Vec<Named> {
    let mut out = Vec::new();
    for spec in FORKS {
        let program = |name: String, code: Asm, b: Asm| (name, world(spec, code, to(B), b));
        for kind in KINDS {
            // The delegate calls the account that delegates to it, until the gas is gone.
            let again = join([change_all(), Call::new(kind, A).code(), look()]).ops("STOP");
            let code = join([Call::new("CALL", A).code(), look()]).ops("STOP");
            out.push(program(format!("{kind} of itself, {spec:?}"), code, again));
            for (end_name, end) in [
                ("reverts", Asm::new().pushes(&[9, 0]).ops("REVERT")),
                ("halts", Asm::new().ops("INVALID")),
                ("destroys", Asm::new().ops("CALLER SELFDESTRUCT")),
            ] {
                let b = join([change_all(), end]);
                let call = join([Call::new(kind, A).gas(99_000).code(), look(), see_all()]);
                let code = join([call.clone(), ask(A), call]).ops("STOP");
                out.push(program(format!("{kind}, {end_name}, {spec:?}"), code, b));
            }
        }
        let init = deploys(Asm::new(), &counter());
        let b = join([create("CREATE", &init, 1), look()]).ops("STOP");
        let made = address_of("CREATE", A, 1, &init);
        let call = join([Call::new("CALL", A).code(), look()]);
        let code = join([call, Call::new("CALL", made).code(), look()]).ops("STOP");
        out.push(program(format!("it creates, {spec:?}"), code, b));
        // The first frame's own account delegates, and is called again.
        for kind in KINDS {
            let call = join([Call::new(kind, CONTRACT).gas(50_000).code(), look()]);
            let b = join([guard(), change_all(), ask(CONTRACT), call, see_all()]);
            let code = Asm::new().raw(&to(B));
            let name = format!("a first frame, {kind}, {spec:?}");
            out.push((name, world(spec, code, [], b.ops("STOP"))));
        }
        for warm in [vec![(A, vec![])], vec![(B, vec![U256::from(1)])]] {
            let code = join([Call::new("CALL", A).value(1).code(), look(), ask(B)]);
            let name = format!("{} in the access list, {spec:?}", warm[0].0);
            let (name, mut program) = program(name, code.ops("STOP"), see_all());
            program.warm_others = warm;
            out.push((name, program));
        }
    }
    out
}

/// Everything above.
pub fn all() -> Vec<Named> {
    [kinds(), frames()].concat()
}

/// Programs to run with all sorts of gas.
pub fn gas_probes() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in KINDS {
        let value = if kind.starts_with("CALL") { 1 } else { 0 };
        let call = Call::new(kind, A).value(value).ranges((0, 33), (60, 40));
        let code = join([call.code(), look(), call.gas(500).code(), look()]).ops("STOP");
        out.push(osaka(
            format!("{kind} by delegation"),
            code,
            to(B),
            change_all(),
        ));
    }
    out
}

/// What is left to the CPU, and as what.
pub fn traps() -> Vec<(Named, &'static str)> {
    let mut out = Vec::new();
    for spec in FORKS {
        for kind in KINDS {
            for (name, delegate) in [("itself", A), ("one that delegates", B)] {
                let call = Call::new(kind, A).code().ops("STOP");
                let program = world(spec, call, to(delegate), to(RICH));
                let named = (format!("{kind}: delegates to {name}, {spec:?}"), program);
                out.push((named, "delegation"));
            }
        }
        let copy = push_address(Asm::new().pushes(&[23, 0, 0]), A).ops("EXTCODECOPY STOP");
        let named = (
            format!("EXTCODECOPY, {spec:?}"),
            world(spec, copy, to(B), []),
        );
        out.push((named, "delegation"));
    }
    out
}
