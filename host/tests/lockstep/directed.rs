//! Programs for every opcode, with the operands and the gas at which things go wrong.

pub use gatewei::card::lockstep::random::FORKS;
use gatewei::card::lockstep::{NUMBER, Program};
use gatewei_abi::opcode::{Class, Fork, Opcode, TABLE};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{B256, U256};

use gatewei::card::lockstep::asm::{Asm, edges};

/// A named program.
pub type Named = (String, Program);

fn osaka(name: impl Into<String>, code: Asm) -> Named {
    (name.into(), Program::new(SpecId::OSAKA, code))
}

fn ops(of: impl Fn(&Opcode) -> bool) -> impl Iterator<Item = &'static Opcode> {
    TABLE
        .iter()
        .filter(move |op| op.since <= Fork::Osaka && of(op))
}

/// Every pair of edge operands, and for three operands a diagonal slice of the cube; one program an
/// opcode and first operand.
pub fn arithmetic() -> Vec<Named> {
    let is = |op: &Opcode| {
        use Class::*;
        matches!(
            op.class,
            Binary | Unary | Shift | Clz | Arith | Signed | AddMod | MulMod | Exp
        )
    };
    let edges = edges();
    let mut out = Vec::new();
    for op in ops(is) {
        let mut code = Asm::new();
        for (i, a) in edges.iter().enumerate() {
            let row: &[U256] = if op.pops == 1 { &edges[..1] } else { &edges };
            for (j, b) in row.iter().enumerate() {
                let c = edges[(7 * i + 3 * j) % edges.len()];
                let operands = [c, *b, *a];
                code = code
                    .pushes(&operands[3 - op.pops as usize..])
                    .raw(&[op.byte])
                    .ops("POP");
            }
            // Code ends at 48 KiB; and a short program is a short search when something differs.
            if code.here() > 12_000 {
                let part = std::mem::take(&mut code);
                out.push(osaka(format!("{} up to {i}", op.name), part.ops("STOP")));
            }
        }
        out.push(osaka(format!("{} edges", op.name), code.ops("STOP")));
    }
    out
}

/// Every byte in every fork, on a stack of small numbers: activation, static gas, growth.
pub fn every_byte() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        for byte in 0..=255u8 {
            let code = (0..18u64).fold(Asm::new(), |asm, n| asm.push(n % 5));
            let mut program = Program::new(spec, code.raw(&[byte]).ops("JUMPDEST STOP"));
            program.calldata = vec![0xab; 70].into();
            program.storage = (0..5).map(|k| (U256::from(k), U256::from(k / 2))).collect();
            out.push((format!("{fork:?} {byte:#04x}"), program));
        }
    }
    out
}

/// One word too few, for every opcode; one too many, for those that grow the stack.
pub fn stack_limits() -> Vec<Named> {
    let mut out = Vec::new();
    for op in ops(|op| op.pops > 0) {
        let code = (1..op.pops).fold(Asm::new(), |asm, n| asm.push(u64::from(n)));
        out.push(osaka(
            format!("{} underflow", op.name),
            code.raw(&[op.byte]).ops("STOP"),
        ));
    }
    for op in ops(|op| op.growth > 0) {
        for fill in [1023, 1024] {
            // A loop would be shorter, but then every opcode of it would be compared 1,024 times.
            let code = Asm::new()
                .raw(&vec![0x30; fill])
                .raw(&[op.byte])
                .ops("STOP");
            out.push(osaka(format!("{} on {fill} words", op.name), code));
        }
    }
    out
}

/// Short programs that are run with every amount of gas at which an opcode begins, one less and one
/// more.
pub fn gas_probes() -> Vec<Named> {
    let a = Asm::new;
    let probes = [
        (
            "arithmetic",
            a().push(3).push(5).ops("ADD").push(7).ops("MULMOD STOP"),
        ),
        ("addmod", a().push(9).push(5).push(3).ops("ADDMOD STOP")),
        (
            "exp",
            a().push(0x10000)
                .push(3)
                .ops("EXP")
                .push(0)
                .push(3)
                .ops("EXP STOP"),
        ),
        (
            "memory",
            a().push(1)
                .push(64)
                .ops("MSTORE")
                .push(200)
                .ops("MLOAD MSIZE STOP"),
        ),
        ("mstore8", a().push(1).push(1000).ops("MSTORE8 STOP")),
        (
            "keccak",
            a().push(100)
                .push(3)
                .ops("KECCAK256")
                .push(0)
                .push(9)
                .ops("KECCAK256 STOP"),
        ),
        (
            "copies",
            a().push(40)
                .push(1)
                .push(2)
                .ops("CALLDATACOPY")
                .push(33)
                .push(0)
                .push(70)
                .ops("CODECOPY STOP"),
        ),
        ("mcopy", a().push(64).push(0).push(32).ops("MCOPY STOP")),
        (
            "logs",
            a().push(1)
                .push(2)
                .push(3)
                .push(4)
                .push(33)
                .push(5)
                .ops("LOG4")
                .push(0)
                .push(0)
                .ops("LOG0 STOP"),
        ),
        (
            "sload",
            a().push(1)
                .ops("SLOAD")
                .push(1)
                .ops("SLOAD")
                .push(2)
                .ops("SLOAD STOP"),
        ),
        (
            "sstore set",
            a().push(7)
                .push(8)
                .ops("SSTORE")
                .push(0)
                .push(8)
                .ops("SSTORE STOP"),
        ),
        (
            "sstore reset",
            a().push(7)
                .push(1)
                .ops("SSTORE")
                .push(1)
                .push(1)
                .ops("SSTORE STOP"),
        ),
        (
            "sstore clear",
            a().push(0)
                .push(1)
                .ops("SSTORE")
                .push(5)
                .push(1)
                .ops("SSTORE STOP"),
        ),
        (
            "transient",
            a().push(7).push(8).ops("TSTORE").push(8).ops("TLOAD STOP"),
        ),
        (
            "jumps",
            a().push(4)
                .ops("JUMP INVALID JUMPDEST")
                .push(1)
                .push(11)
                .ops("JUMPI INVALID JUMPDEST STOP"),
        ),
        ("return", a().push(33).push(5).ops("RETURN")),
        ("revert", a().push(65).push(0).ops("REVERT")),
        (
            "environment",
            a().ops("ADDRESS CALLER GASPRICE BASEFEE SELFBALANCE BLOBBASEFEE")
                .push(19_999_999)
                .ops("BLOCKHASH")
                .push(0)
                .ops("BLOBHASH PUSH0 GAS PC STOP"),
        ),
    ];
    let storage = |program: &mut Program| program.storage = vec![(U256::from(1), U256::from(1))];
    probes
        .into_iter()
        .map(|(name, code)| {
            let (name, mut program) = osaka(name, code);
            storage(&mut program);
            program.calldata = vec![0x77; 50].into();
            (name, program)
        })
        .collect()
}

/// The probe with every amount of gas that matters.
pub fn with_each_gas(probe: &Named) -> Vec<Named> {
    let (name, program) = probe;
    let mut steps = program.on_revm().expect("the probe runs").0.steps;
    // Gas of an inner frame is not that of the first one.
    steps.retain(|step| step.frame == 0);
    let start = steps[0].gas;
    let mut amounts = std::collections::BTreeSet::new();
    for step in &steps {
        let used = start - step.gas;
        amounts.extend([used.saturating_sub(1), used, used + 1]);
    }
    // Around the end, and around SSTORE's stipend (EIP-2200) after each opcode.
    let end = start - steps.last().map_or(start, |step| step.gas);
    amounts.extend((0..40).map(|n| end + n));
    if program.code.contains(&0x55) {
        let used: Vec<u64> = steps.iter().map(|step| start - step.gas).collect();
        amounts.extend(
            used.iter()
                .flat_map(|used| [used + 2_299, used + 2_300, used + 2_301]),
        );
    }
    let with = |gas: u64| {
        (
            format!("{name} with {gas} gas"),
            Program {
                gas: Some(gas),
                ..program.clone()
            },
        )
    };
    amounts.into_iter().map(with).collect()
}

/// Jumps to where there is a JUMPDEST and to where there is none.
pub fn jumps() -> Vec<Named> {
    let mut out = Vec::new();
    let targets = [
        0u64,
        1,
        2,
        5,
        255,
        256,
        257,
        600,
        0xffff,
        1 << 16,
        1 << 32,
        u64::MAX,
    ];
    let wide = [
        U256::MAX,
        U256::from(1) << 64,
        (U256::from(1) << 64) | U256::from(5),
    ];
    for target in targets.map(U256::from).into_iter().chain(wide) {
        for (conditional, condition) in [(false, 0), (true, 0), (true, 1), (true, 2)] {
            let mut code = Asm::new();
            if conditional {
                code = code.push(condition);
            }
            code = code
                .push(target)
                .ops(if conditional { "JUMPI" } else { "JUMP" });
            // Behind PUSH2: a JUMPDEST in its data does not count, one behind it does.
            code = code.raw(&[0x61, 0x5b, 0x5b, 0x5b, 0x00]);
            let mut bytes = code.0;
            bytes.resize(255, 0x5b);
            bytes.extend([0x5b, 0x5b, 0x7f]);
            bytes.resize(258 + 32, 0x5b);
            bytes.resize(700, 0x5b);
            let name = format!("jump to {target:#x}, {conditional} {condition}");
            out.push(osaka(name, Asm(bytes)));
        }
    }
    // A loop over page boundaries of the code, and the code's end in the middle of a PUSH.
    out.push(osaka(
        "loop",
        Asm::new()
            .push(40)
            .ops("JUMPDEST")
            .push(1)
            .ops("SWAP1 SUB DUP1")
            .push(2)
            .ops("JUMPI STOP"),
    ));
    for short in 0..32u8 {
        let mut code = vec![0x7f];
        code.extend(vec![0xee; short.into()]);
        out.push(osaka(format!("PUSH32 with {short} bytes"), Asm(code)));
    }
    out.push(osaka("no code but a byte", Asm(vec![0x5b])));
    out.push(osaka(
        "code of 49,152 bytes",
        Asm(vec![0x5b; 3])
            .push(49_151)
            .ops("JUMP")
            .raw(&vec![0x5b; 49_152 - 7]),
    ));
    out
}

/// Offsets and lengths at the edges of words, of the lane's memory, and of 64 bits.
pub fn memory_edges() -> Vec<Named> {
    let mut out = Vec::new();
    let big = U256::from(1) << 64;
    let offsets: Vec<U256> = [
        0u64,
        1,
        31,
        32,
        33,
        63,
        95,
        2_047,
        65_504,
        65_505,
        65_536,
        1 << 20,
        1 << 32,
        u64::MAX - 31,
        u64::MAX,
    ]
    .map(U256::from)
    .into_iter()
    .chain([big, U256::MAX])
    .collect();
    let pattern = || {
        (0..4u64).fold(Asm::new(), |asm, n| {
            let word: [u8; 32] = std::array::from_fn(|i| (n as usize * 32 + i + 1) as u8);
            asm.push(U256::from_be_bytes(word))
                .push(n * 32)
                .ops("MSTORE")
        })
    };
    for at in &offsets {
        for op in ["MLOAD", "MSTORE", "MSTORE8"] {
            let mut code = pattern();
            if op != "MLOAD" {
                code = code.push(U256::from_be_bytes([0xc3; 32]));
            }
            code = code.push(*at).ops(op).ops("MSIZE");
            code = code.push(0).ops("MLOAD").push(17).ops("MLOAD STOP");
            out.push(osaka(format!("{op} at {at:#x}"), code));
        }
    }
    let lengths: Vec<U256> = [0u64, 1, 31, 32, 33, 100, 65_536, 1 << 33]
        .map(U256::from)
        .into_iter()
        .chain([big, U256::MAX])
        .collect();
    for at in [0u64, 1, 33, 90]
        .map(U256::from)
        .into_iter()
        .chain([U256::from(u64::MAX), big])
    {
        for length in &lengths {
            for op in ["KECCAK256", "RETURN", "REVERT", "LOG0"] {
                let code = pattern().push(*length).push(at).ops(op).ops("STOP");
                out.push(osaka(format!("{op} of {length:#x} at {at:#x}"), code));
            }
            for from in [
                U256::ZERO,
                U256::from(3),
                U256::from(69),
                U256::from(1 << 20),
                big,
                U256::MAX,
            ] {
                for op in ["CALLDATACOPY", "CODECOPY", "MCOPY", "RETURNDATACOPY"] {
                    let code = pattern().push(*length).push(from).push(at).ops(op);
                    let code = code.push(5).ops("MLOAD").push(64).ops("MLOAD MSIZE STOP");
                    let (name, mut program) = osaka(
                        format!("{op} of {length:#x} from {from:#x} to {at:#x}"),
                        code,
                    );
                    program.calldata = (0..70).collect::<Vec<u8>>().into();
                    out.push((name, program));
                }
            }
        }
    }
    for at in offsets {
        let code = Asm::new().push(at).ops("CALLDATALOAD CALLDATASIZE STOP");
        let (name, mut program) = osaka(format!("CALLDATALOAD at {at:#x}"), code);
        program.calldata = (1..=66).collect::<Vec<u8>>().into();
        out.push((name, program));
    }
    out
}

/// Keccak over every length around its block size.
pub fn keccak_lengths() -> Vec<Named> {
    let fill = (0..10u64).fold(Asm::new(), |asm, n| {
        let word: [u8; 32] = std::array::from_fn(|i| (n as usize * 7 + i * 3 + 1) as u8);
        asm.push(U256::from_be_bytes(word))
            .push(n * 32)
            .ops("MSTORE")
    });
    let lengths = (0..=300).step_by(23).chain(130..=140).chain(268..=274);
    let code = lengths.fold(fill, |asm, length| {
        asm.push(length).push(3).ops("KECCAK256 POP")
    });
    vec![osaka("keccak lengths", code.ops("STOP"))]
}

/// Storage: every transition of original, present and new value, warm and cold, and the refunds.
pub fn storage() -> Vec<Named> {
    let mut out = Vec::new();
    for original in 0..3u64 {
        for present in 0..3u64 {
            for new in 0..3u64 {
                for warm in [false, true] {
                    let code = Asm::new()
                        .pushes(&[present, 9])
                        .ops("SSTORE")
                        .pushes(&[new, 9]);
                    let code = code
                        .ops("SSTORE")
                        .push(9)
                        .ops("SLOAD")
                        .pushes(&[original, 9]);
                    let name = format!("{original} to {present} to {new}, warm {warm}");
                    let (name, mut program) = osaka(name, code.ops("SSTORE STOP"));
                    program.storage = vec![(U256::from(9), U256::from(original))];
                    if warm {
                        program.warm = vec![U256::from(9), U256::from(77)];
                    }
                    out.push((name, program));
                }
            }
        }
    }
    let many = (0..200u64).fold(Asm::new(), |asm, n| {
        asm.pushes(&[n + 1, n * 0x1_0001])
            .ops("SSTORE")
            .push(n / 2 * 0x1_0001)
            .ops("SLOAD POP")
    });
    out.push(osaka("200 slots", many.ops("STOP")));
    let end = |op: &str| {
        Asm::new()
            .pushes(&[3, 9])
            .ops("SSTORE")
            .pushes(&[0, 0])
            .ops(op)
    };
    out.push(osaka("stored and returned", end("RETURN")));
    out.push(osaka("stored and reverted", end("REVERT")));
    out.push(osaka("stored and halted", end("INVALID")));
    let transient = Asm::new()
        .pushes(&[3, 9])
        .ops("TSTORE")
        .push(9)
        .ops("TLOAD")
        .push(9);
    out.push(osaka(
        "transient is apart",
        transient.ops("SLOAD").push(8).ops("TLOAD STOP"),
    ));
    out
}

/// State changes in a static frame, and what a static frame may do.
pub fn static_frames() -> Vec<Named> {
    let codes = [
        ("SSTORE", Asm::new().pushes(&[1, 2]).ops("SSTORE STOP")),
        ("TSTORE", Asm::new().pushes(&[1, 2]).ops("TSTORE STOP")),
        ("LOG0", Asm::new().pushes(&[0, 0]).ops("LOG0 STOP")),
        ("LOG2", Asm::new().pushes(&[0, 0, 0, 0]).ops("LOG2 STOP")),
        ("SLOAD", Asm::new().push(2).ops("SLOAD TLOAD STOP")),
    ];
    codes
        .into_iter()
        .map(|(name, code)| {
            let (name, mut program) = osaka(format!("static {name}"), code);
            program.is_static = true;
            (name, program)
        })
        .collect()
}

/// What a frame sees of its environment, in every fork.
pub fn environment() -> Vec<Named> {
    let mut out = Vec::new();
    for (fork, spec) in FORKS {
        let names = "ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE RETURNDATASIZE \
                     COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE PC MSIZE GAS";
        let mut code = Asm::new().ops(names);
        for back in [0, 1, 2, 255, 256, 257, NUMBER] {
            code = code.push(NUMBER - back).ops("BLOCKHASH");
        }
        code = code
            .push(NUMBER + 1)
            .ops("BLOCKHASH")
            .push(U256::MAX)
            .ops("BLOCKHASH");
        if fork >= Fork::Cancun {
            code = code.ops("BLOBBASEFEE");
            for index in [
                U256::ZERO,
                U256::from(1),
                U256::from(2),
                U256::from(1) << 64,
                U256::MAX,
            ] {
                code = code.push(index).ops("BLOBHASH");
            }
        }
        // A program has 1,024 words of stack: all of it is still there to be looked at.
        let mut program = Program::new(spec, code.ops("STOP"));
        (program.value, program.calldata) = (U256::from(12_345), vec![9; 5].into());
        out.push((format!("environment in {fork:?}"), program.clone()));
        if fork >= Fork::Cancun {
            let hash = |byte: u8| {
                let mut hash = B256::repeat_byte(byte);
                hash.0[0] = 1;
                hash
            };
            program.blobs = vec![hash(0xaa), hash(0xbb)];
            out.push((format!("blobs in {fork:?}"), program.clone()));
        }
        program.create = true;
        program.calldata = Default::default();
        program.blobs.clear();
        out.push((format!("environment of a creation in {fork:?}"), program));
    }
    out
}

/// Numbers around those of the blocks before, in blocks that have fewer than 256 before them, and in the first that has not:
/// numbers whose difference from the block's is small only where their high bits are forgotten.
pub fn first_blocks() -> Vec<Named> {
    let mut out = Vec::new();
    for number in [0, 1, 2, 255, 256, 257, 1 << 40] {
        let near = [1, 2, 255, 256, 257]
            .map(|back: u64| U256::from(number).wrapping_sub(U256::from(back)));
        let ahead = [0, 1, 255, 256].map(|ahead: u64| U256::from(number + ahead));
        let far =
            [64, 128, 192, 255].map(|bit| U256::from(number.saturating_sub(1)) | U256::ONE << bit);
        let negative = [64, 128].map(|bit| (U256::ONE << bit) - U256::from(3));
        let code = [&near[..], &ahead, &far, &negative]
            .concat()
            .into_iter()
            .fold(Asm::new(), |code, of| code.push(of).ops("BLOCKHASH"));
        let (name, mut program) = osaka(format!("hashes in block {number}"), code.ops("STOP"));
        program.number = number;
        out.push((name, program));
    }
    out
}

/// Everything above, but for the gas probes.
pub fn all() -> Vec<Named> {
    [
        arithmetic(),
        every_byte(),
        stack_limits(),
        jumps(),
        memory_edges(),
        keccak_lengths(),
        storage(),
        static_frames(),
        environment(),
        first_blocks(),
    ]
    .concat()
}
