//! The committed artifacts belong to the sources beside them.

use std::{fs, path::Path};

use alloy_primitives::keccak256;

#[test]
fn artifacts_were_compiled_from_the_sources_here() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    let artifacts = gatewei_workloads::artifacts().expect("artifacts parse");
    for artifact in &artifacts {
        let source = fs::read(dir.join(&artifact.source.file))
            .expect("the source of each artifact is there");
        assert_eq!(
            keccak256(source),
            artifact.source.keccak256,
            "{} changed: run `make contracts`",
            artifact.source.file
        );
        assert!(
            artifact.compiler.version.starts_with("0.8."),
            "{}",
            artifact.compiler.version
        );
        assert!(!artifact.bytecode.is_empty() && !artifact.deployed_bytecode.is_empty());
    }
    let sources = fs::read_dir(&dir).expect("contracts").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "sol")
        })
    });
    assert_eq!(
        sources.count(),
        artifacts.len(),
        "a source without an artifact: run `make contracts`"
    );
}

/// The token must run where there are no call opcodes.
#[test]
fn the_token_calls_nobody() {
    const PUSH1: u8 = 0x60;
    const PUSH32: u8 = 0x7f;
    let artifacts = gatewei_workloads::artifacts().expect("artifacts parse");
    let token = artifacts
        .iter()
        .find(|artifact| artifact.contract == "Token")
        .expect("there is a token");
    let mut code = token.deployed_bytecode.iter().copied();
    while let Some(opcode) = code.next() {
        assert!(
            !matches!(opcode, 0xf0 | 0xf1 | 0xf2 | 0xf4 | 0xf5 | 0xfa | 0xff),
            "opcode {opcode:#04x} leaves the frame"
        );
        assert!(
            !matches!(opcode, 0x31 | 0x3b | 0x3c | 0x3f),
            "opcode {opcode:#04x} reads another account"
        );
        if (PUSH1..=PUSH32).contains(&opcode) {
            code.by_ref()
                .take(usize::from(opcode - PUSH1) + 1)
                .for_each(drop);
        }
    }
}
