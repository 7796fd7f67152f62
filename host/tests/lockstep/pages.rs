//! Programs that use more memory and calldata than the lane's chip holds at a time, and many pages of code.

use gatewei::card::lockstep::Program;
use gatewei_abi::layout::{CALLDATA_AHEAD, CODE_PAGE_BYTES, PAGE_BYTES, PAGES, RESULT_BYTES};
use revm::primitives::U256;
use revm::primitives::hardfork::SpecId;

use super::directed::Named;
use gatewei::card::lockstep::asm::Asm;
use gatewei::card::lockstep::random::Rng;

/// Bytes of calldata of which no page looks like another.
fn calldata(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 7 + i / 251 + 1) as u8).collect()
}

fn program(name: impl Into<String>, code: Asm, bytes: usize) -> Named {
    let mut program = Program::new(SpecId::OSAKA, code);
    // Intrinsic gas of such calldata would exceed a transaction's cap: the frame's gas is given.
    program.gas = Some(16_000_000);
    program.calldata = calldata(bytes).into();
    (name.into(), program)
}

/// Offsets around the ends of pages, in an order in which each is far from the one before.
fn offsets(pages: u64) -> Vec<u64> {
    let page = PAGE_BYTES as u64;
    let mut out: Vec<_> = (0..pages)
        .map(|n| n * page + [0, page - 32, page - 31, page - 1, 1_000][n as usize % 5])
        .collect();
    let count = out.len();
    (0..count).for_each(|i| out.swap(i, i * 7 % count));
    out
}

fn strides() -> Named {
    let offsets = offsets(3 * PAGES as u64);
    let mut code = Asm::new();
    for (i, at) in offsets.iter().enumerate() {
        let value = U256::from(i + 1) * (U256::MAX / U256::from(1_000));
        code = match i % 3 {
            0 => code.push(value).push(*at).ops("MSTORE8"),
            _ => code.push(value).push(*at).ops("MSTORE"),
        };
    }
    for at in offsets.iter().rev().chain(&offsets) {
        code = code.push(*at).ops("MLOAD POP");
    }
    program("words in many pages", code.ops("MSIZE STOP"), 0)
}

fn whole() -> Vec<Named> {
    let long = (2 * PAGES * PAGE_BYTES + 77) as u64;
    let copy = |to: u64, from: u64, bytes: u64| {
        Asm::new()
            .push(bytes)
            .push(from)
            .push(to)
            .ops("CALLDATACOPY")
    };
    let end = |code: Asm, op: &str| code.push(long - 5).push(3).ops(op).ops("MSIZE STOP");
    let mut out: Vec<_> = ["KECCAK256", "RETURN", "REVERT", "LOG0"]
        .map(|op| {
            let code = end(copy(1, 0, long), op);
            program(format!("{op} of {long} bytes"), code, long as usize)
        })
        .into();
    // Longer than the buffer that a result has at first.
    let most = 2 * RESULT_BYTES as u64;
    for op in ["RETURN", "REVERT"] {
        let code = copy(5, 0, long).push(most).push(0).ops(op);
        out.push(program(
            format!("{op} of {most} bytes"),
            code,
            long as usize,
        ));
    }
    let code = copy(5, 0, long)
        .push(RESULT_BYTES as u64)
        .push(0)
        .ops("LOG0");
    let code = code.push(77).push(3).ops("LOG0 STOP");
    out.push(program("a log of 1 MiB", code, long as usize));
    // Copies between pages that would share a frame if frames were chosen by address.
    let chip = (PAGES * PAGE_BYTES) as u64;
    for (to, from, bytes) in [
        (chip, 0, 20_000),
        (0, chip, 20_000),
        (chip + 3, 5, 70_000),
        (4_095, 4_064, 70_000),
        (4_064, 4_097, 70_000),
        (2 * chip - 1, 1, 4_097),
    ] {
        let code = copy(0, 0, long).push(bytes).push(from).push(to);
        let code = code.ops("MCOPY").push(2 * chip).push(0).ops("KECCAK256");
        let code = code.push(to).ops("MLOAD").push(from).ops("MLOAD STOP");
        let name = format!("MCOPY of {bytes} from {from} to {to}");
        out.push(program(name, code, long as usize));
    }
    out
}

fn calldata_edges() -> Vec<Named> {
    let ahead = CALLDATA_AHEAD;
    let sizes = [
        ahead - 32,
        ahead - 1,
        ahead,
        ahead + 1,
        ahead + PAGE_BYTES,
        ahead + PAGE_BYTES + 1,
        3 * ahead + 33,
    ];
    let size_at = |size: usize| {
        let mut code = Asm::new();
        for at in offsets(size.div_ceil(PAGE_BYTES) as u64 + 1) {
            code = code.push(at).ops("CALLDATALOAD POP");
        }
        for back in [65, 33, 32, 31, 1, 0] {
            code = code.push(size - back).ops("CALLDATALOAD");
        }
        for back in [100, 33, 1, 0] {
            // Beyond the end there are zeros.
            let copied = code.push(90).push(size - back).push(13).ops("CALLDATACOPY");
            code = copied.push(13).ops("MLOAD").push(90).ops("MLOAD");
        }
        program(format!("{size} bytes of calldata"), code.ops("STOP"), size)
    };
    sizes.map(size_at).into()
}

/// Memory grows far at once, and again; what is new is zero whatever its frame held before.
fn growth() -> Vec<Named> {
    let fill = |bytes: u64| Asm::new().push(bytes).push(0).push(0).ops("CALLDATACOPY");
    let far = [100_000u64, 1 << 20, 2_000_003];
    far.map(|at| {
        let code = fill(60_000).push(at).ops("MLOAD").push(at / 2).ops("MLOAD");
        let code = code
            .push(60_000 - 16)
            .ops("MLOAD")
            .push(1)
            .push(at + 40_000);
        let code = code.ops("MSTORE MSIZE").push(at + 35_000).ops("MLOAD STOP");
        program(format!("growth to {at}"), code, 60_000)
    })
    .into()
}

/// Random accesses of every kind to half a megabyte and 200 kB of calldata.
fn random(seed: u64) -> Named {
    let mut r = Rng::new(seed);
    let mut code = Asm::new();
    for _ in 0..120 {
        let mut pick = |end: u64| r.bits() % end;
        let (a, b, n) = (pick(1 << 19), pick(1 << 19), pick(9_000));
        let value = U256::from(a) << (b % 200);
        code = match pick(12) {
            0..3 => code.push(value).push(a).ops("MSTORE"),
            3..5 => code.push(a).ops("MLOAD POP"),
            5 => code.push(value).push(a).ops("MSTORE8"),
            6..8 => code.push(b % 210_000).ops("CALLDATALOAD POP"),
            8..10 => code.push(n).push(b).push(a).ops("MCOPY"),
            10 => code.push(n).push(b % 210_000).push(a).ops("CALLDATACOPY"),
            _ => code.push(n).push(a).ops("KECCAK256 POP"),
        };
    }
    let code = code.push(1 << 19).push(0).ops("KECCAK256 STOP");
    program(format!("random pages {seed}"), code, 200_000)
}

/// Jumps through `between` pages of code, all of which are on the chip, and back to the end of one of them, where a
/// read goes on into a page that was not used lately. What is at hand of the first page must stay there.
fn code_pages(between: u16) -> Named {
    const PAGE: u16 = CODE_PAGE_BYTES as u16;
    const JUMPDEST: u8 = 0x5b;
    let jump = |to: u16| [vec![0x61], to.to_be_bytes().into(), vec![0x56]].concat();
    let (first, behind) = (2 * PAGE, 3 * PAGE);
    let mut path: Vec<u16> = (1..16).map(|page| page * PAGE + 100).collect();
    path.push(first + 200);
    path.extend((0..between).map(|n| behind + (1 + n) * PAGE + 300));
    path.push(behind - 12);
    let mut code = vec![0; 16 * usize::from(PAGE)];
    let mut put = |at: u16, bytes: &[u8]| {
        code[usize::from(at)..][..bytes.len()].copy_from_slice(bytes);
    };
    put(0, &jump(path[0]));
    for step in path.windows(2) {
        put(step[0], &[&[JUMPDEST], &jump(step[1])[..]].concat());
    }
    // PUSH1 1, POP, STOP.
    put(behind - 12, &[JUMPDEST, 0x60, 1, 0x50, 0]);
    let program = Program::new(SpecId::LONDON, code);
    (format!("{between} pages of code between"), program)
}

/// All of them.
pub fn all() -> Vec<Named> {
    let mut out = vec![strides()];
    out.extend(whole());
    out.extend(calldata_edges());
    out.extend(growth());
    out.extend((1..=8).map(random));
    out.extend((0..12).map(code_pages));
    out
}
