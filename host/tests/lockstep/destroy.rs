//! Programs that destroy contracts: in every fork, in favour of everybody, with all that happens afterwards.

use gatewei::card::lockstep::{CONTRACT, Program};
use gatewei_abi::opcode::Fork;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, U256};

use super::calls::{
    A, ABSENT, B, COINBASE, Call, KINDS, RICH, SHA256, USED, join, look, osaka, push_address, world,
};
use super::contracts::{CREATES, address_of, counter, create, deploys, inspect};
use super::directed::{FORKS, Named};
use gatewei::card::lockstep::asm::Asm;

/// In whose favour.
const HEIRS: [Address; 8] = [A, B, RICH, USED, ABSENT, CONTRACT, COINBASE, SHA256];

/// Destroys the executing contract.
fn destroy(heir: Address) -> Asm {
    push_address(Asm::new(), heir).ops("SELFDESTRUCT")
}

/// Destroys the executing contract where it is called without data; else counts.
fn mortal(heir: Address) -> Asm {
    let count = Asm::new().push(1).ops("SLOAD").push(1).ops("ADD");
    let count = count.push(1).ops("SSTORE SELFBALANCE STOP");
    let target = 5 + count.here();
    let guard = Asm::new().ops("CALLDATASIZE ISZERO").push(target as u64);
    let code = join([guard.ops("JUMPI"), count]).ops("JUMPDEST");
    assert_eq!(code.here(), target + 1);
    join([code, destroy(heir)])
}

/// Balances of some accounts, and what asking costs.
fn balances(of: &[Address]) -> Asm {
    let ask = |address: &Address| push_address(Asm::new(), *address).ops("BALANCE GAS");
    join(of.iter().map(ask))
}

/// One that was there before: destroyed, called again, paid again, destroyed again.
fn contracts() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for heir in HEIRS {
            for (balance, value) in [(1_000, 3), (0, 3), (1_000, 0), (0, 0)] {
                for warm in [false, true] {
                    let call = |input| {
                        let call = Call::new("CALL", A).value(value);
                        join([call.ranges((0, input), (0, 0)).code(), look()])
                    };
                    let of = [A, heir, CONTRACT];
                    let before = if warm { balances(&of) } else { Asm::new() };
                    let code = join([
                        before,
                        call(0),
                        balances(&of),
                        call(4),
                        call(0),
                        balances(&of),
                        inspect(A),
                    ]);
                    let mut program = world(spec, code.ops("STOP"), mortal(heir), []);
                    program.others[0].balance = U256::from(balance);
                    let state = if warm { "warm" } else { "cold" };
                    let name = format!("{balance} + {value} wei to {state} {heir}, {fork:?}");
                    out.push((name, program));
                }
            }
        }
    }
    out
}

/// By every kind of call, in frames that revert, and in a first frame.
fn frames() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for heir in [A, B, ABSENT, CONTRACT] {
            for kind in KINDS {
                let call = |kind, to| join([Call::new(kind, to).gas(200_000).code(), look()]);
                for (end_name, end) in [
                    ("stops", Asm::new().ops("STOP")),
                    ("reverts", Asm::new().pushes(&[0, 0]).ops("REVERT")),
                    ("halts", Asm::new().ops("INVALID")),
                ] {
                    let b = join([call(kind, A), balances(&[A, heir]), end]);
                    let outer = Call::new(kind, B).gas(300_000).code();
                    let of = [A, B, heir, CONTRACT];
                    let code = join([outer, look(), balances(&of), call("CALL", A)]);
                    let code = join([code, balances(&of)]).ops("STOP");
                    let name = format!("{kind} that {end_name}, to {heir} in {fork:?}");
                    out.push((name, world(spec, code, destroy(heir), b)));
                }
            }
            let name = format!("a first frame, to {heir} in {fork:?}");
            out.push((name.clone(), world(spec, destroy(heir), [], [])));
            let mut program = world(spec, destroy(heir), [], []);
            program.create = true;
            program.value = U256::from(5);
            out.push((format!("{name}, init code"), program.clone()));
            program.value = U256::ZERO;
            out.push((format!("{name}, init code, no value"), program));
        }
    }
    let (name, mut program) = osaka("a static first frame", destroy(RICH), [], []);
    program.is_static = true;
    out.push((name, program));
    out
}

/// Contracts that the transaction itself has created: they go in every fork (EIP-6780).
fn creations() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for kind in CREATES {
            let init = |heir| deploys(Asm::new(), &mortal(heir));
            let own = address_of(kind, CONTRACT, 1, &init(CONTRACT));
            for heir in [CONTRACT, RICH, ABSENT, A] {
                for by in KINDS {
                    let init = init(heir);
                    let address = address_of(kind, CONTRACT, 1, &init);
                    let call = |by: &'static str, input| {
                        let value = if by == "CALL" { 3 } else { 0 };
                        let call = Call::new(by, address).value(value).gas(90_000);
                        join([call.ranges((0, input), (0, 0)).code(), look()])
                    };
                    let of = [address, heir, own, CONTRACT];
                    let code = join([
                        create(kind, &init, 50),
                        call("CALL", 4),
                        call(by, 0),
                        balances(&of),
                        call("CALL", 4),
                        inspect(address),
                        balances(&of),
                        create(kind, &init, 1),
                        look(),
                    ]);
                    let mut program = world(spec, code.ops("STOP"), [], []);
                    program.gas = Some(2_000_000);
                    out.push((format!("{kind}, {by}, to {heir} in {fork:?}"), program));
                }
            }
            out.extend(unborn(fork, spec, kind));
        }
    }
    out
}

/// Contracts that are destroyed before they have code, and get some all the same.
fn unborn(fork: Fork, spec: SpecId, kind: &'static str) -> Vec<Named> {
    let mut out = Vec::new();
    for by in ["DELEGATECALL", "CALLCODE"] {
        for heir in [CONTRACT, RICH, B] {
            let call = join([Call::new(by, A).code(), look()]);
            for (what, runtime) in [("code", counter()), ("no code", Asm::new())] {
                let init = deploys(call.clone(), &runtime);
                let address = address_of(kind, CONTRACT, 1, &init);
                let code = join([
                    create(kind, &init, 50),
                    look(),
                    balances(&[address, heir, CONTRACT]),
                    inspect(address),
                    create(kind, &init, 0),
                    look(),
                ]);
                let mut program = world(spec, code.ops("STOP"), destroy(heir), []);
                program.gas = Some(2_000_000);
                let name = format!("{kind} of {what}, destroyed by {by}, {heir} in {fork:?}");
                out.push((name.clone(), program));
                // The same as the transaction's own contract.
                let mut program = world(spec, init, destroy(heir), []);
                (program.create, program.value) = (true, U256::from(9));
                out.push((format!("{name}, alone"), program));
            }
        }
    }
    // Made, destroyed and taken back; then made again.
    for heir in [CONTRACT, RICH, B] {
        let init = deploys(Asm::new(), &mortal(heir));
        let address = address_of(kind, A, 1, &init);
        let call = |input| {
            let call = Call::new("CALL", address).value(1).gas(60_000);
            join([call.ranges((0, input), (0, 0)).code(), look()])
        };
        let a = join([create(kind, &init, 50), look(), call(4), call(0)]);
        let a = a.pushes(&[3, 0]).ops("REVERT");
        let outer = join([Call::new("CALL", A).gas(400_000).code(), look()]);
        let code = join([outer.clone(), inspect(address), outer, call(0)]);
        let mut program = world(spec, code.ops("STOP"), a, []);
        program.gas = Some(2_000_000);
        out.push((format!("{kind} taken back, {heir} in {fork:?}"), program));
    }
    out
}

/// Everything above.
pub fn all() -> Vec<Named> {
    [contracts(), frames(), creations()].concat()
}

/// Programs to run with all sorts of gas.
pub fn gas_probes() -> Vec<Named> {
    let mut out = Vec::new();
    for heir in [RICH, ABSENT, CONTRACT] {
        let code = Call::new("CALL", A).value(1).code().ops("GAS STOP");
        out.push(osaka(
            format!("destroyed for {heir}"),
            code,
            destroy(heir),
            [],
        ));
        out.push(osaka(
            format!("itself destroyed for {heir}"),
            destroy(heir),
            [],
            [],
        ));
        let init = destroy(heir);
        let mut program = Program::new(SpecId::OSAKA, init);
        (program.create, program.value) = (true, U256::from(9));
        out.push((format!("destroyed unborn for {heir}"), program));
    }
    out
}
