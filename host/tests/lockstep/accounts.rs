//! Programs that look at accounts, and what inner frames ask the host for.

use gatewei::card::lockstep::{CONTRACT, SENDER};
use revm::primitives::U256;

use super::calls::{
    A, ABSENT, B, COINBASE, Call, KINDS, RICH, SHA256, USED, change_all, echo, fill, join, look,
    osaka, push_address, see_all, world,
};
use super::delegation;
use super::directed::{FORKS, Named};
use gatewei::card::lockstep::asm::Asm;

/// EXTCODESIZE, EXTCODEHASH, EXTCODECOPY, BALANCE of everything, cold and warm, before and after transfers.
pub fn accounts() -> Vec<Named> {
    let all = [A, RICH, USED, ABSENT, CONTRACT, SENDER, COINBASE, SHA256];
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for (n, warm) in [vec![], vec![(A, vec![]), (ABSENT, vec![U256::ZERO])]]
            .into_iter()
            .enumerate()
        {
            for (m, names) in [
                ["BALANCE", "EXTCODESIZE", "EXTCODEHASH"],
                ["EXTCODEHASH", "BALANCE", "EXTCODESIZE"],
                ["EXTCODESIZE", "EXTCODEHASH", "BALANCE"],
            ]
            .into_iter()
            .enumerate()
            {
                let ask = |address| {
                    let one = |name: &&str| push_address(Asm::new(), address).ops(name).ops("GAS");
                    join(names.iter().map(one))
                };
                let ask_all = join(all.map(ask));
                let pay =
                    [A, RICH, ABSENT, COINBASE].map(|to| Call::new("CALL", to).value(9).code());
                let code = join([ask_all.clone(), join(pay), ask_all]).ops("SELFBALANCE STOP");
                let mut program = world(spec, code, echo(), []);
                program.warm_others = warm.clone();
                out.push((format!("accounts {n} {m} in {fork:?}"), program));
            }
        }
    }
    let long: Vec<u8> = (0..9_000u32).map(|n| (n * 7 + n / 256) as u8).collect();
    for address in [A, B, RICH, ABSENT, CONTRACT, SHA256] {
        for (to, from, count) in [
            (0, 0, 0),
            (0, 0, 40),
            (5, 3, 33),
            (31, 4_000, 300),
            (0, 8_990, 100),
            (7, 9_001, 50),
            (0, u64::MAX, 64),
            (1, 100, 9_000),
        ] {
            let copy =
                push_address(Asm::new().pushes(&[count, from, to]), address).ops("EXTCODECOPY");
            let code = join([fill(4), copy.clone(), look(), copy]).ops("MSIZE");
            let code = code.push(0).ops("KECCAK256 CODESIZE STOP");
            let name = format!("EXTCODECOPY {address} {to} {from} {count}");
            out.push(osaka(name, code, long.clone(), echo()));
        }
    }
    let dirty = U256::from_be_bytes([0xee; 32]);
    let code = Asm::new()
        .push(dirty)
        .ops("BALANCE")
        .push(dirty)
        .ops("EXTCODEHASH STOP");
    out.push(osaka("dirty upper bytes", code, [], []));
    out
}

/// What inner frames ask the host for: precompiled contracts, delegates, contracts to be.
pub fn requests() -> Vec<Named> {
    let mut out = Vec::new();
    for kind in KINDS {
        let code = join([
            change_all(),
            Call::new("CALL", A).value(1).code(),
            see_all(),
        ])
        .ops("STOP");
        let a = join([change_all(), Call::new(kind, B).gas(9_999).code()]).ops("STOP");
        out.push(osaka(
            format!("{kind} of a delegation"),
            code,
            a,
            delegation::to(A),
        ));
    }
    for name in ["CREATE", "CREATE2", "SELFDESTRUCT"] {
        let code = Call::new("CALL", A).code().ops("STOP");
        let a = join([change_all(), Asm::new().pushes(&[0, 0, 0, 0]).ops(name)]);
        out.push(osaka(format!("{name} inside"), code, a, []));
    }
    out
}
