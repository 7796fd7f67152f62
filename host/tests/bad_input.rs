//! Inputs that are missing, broken or false: every message names the place, and other inputs still run.

#[path = "common/command.rs"]
mod command;

use std::{
    fs,
    path::{Path, PathBuf},
};

use command::{Ran, folder, gatewei, workload};
use serde_json::{Value, json};

/// Three blocks `1`, `2` and `3`, of which the second is made bad.
struct Blocks {
    folder: PathBuf,
}

impl Blocks {
    fn new(test: &str, kind: &str) -> Self {
        let folder = folder(test);
        for name in ["1", "2", "3"] {
            let seed = name.parse().expect("it is a number");
            workload(kind, 4, seed, &folder.join(name));
        }
        Self { folder }
    }

    fn bad(&self, file: &str) -> PathBuf {
        self.folder.join("2").join(file)
    }

    fn run(&self) -> Ran {
        run(&self.folder)
    }

    /// Asserts that only the second block fails to run, with exit status 1 and a message that has all the words.
    fn fails_with(&self, words: &[&str]) {
        let ran = self.run();
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert_eq!(ran.json().len(), 2, "{}", ran.stdout);
        says(&ran, words);
    }
}

fn run(path: &Path) -> Ran {
    let path = path.to_str().expect("the path is UTF-8");
    gatewei(["run", path, "--executor", "sequential", "--json"])
}

fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "no `{word}` in: {}", ran.stderr);
    }
}

/// Number of every generated block.
fn number(blocks: &Blocks) -> String {
    let text = fs::read(blocks.folder.join("1/block.json")).expect("it is there");
    let block: Value = serde_json::from_slice(&text).expect("it is JSON");
    let number = block["number"].as_str().expect("it is a string");
    let number = u64::from_str_radix(&number[2..], 16).expect("it is a number");
    format!("block {number}")
}

#[test]
fn files_that_are_missing() {
    for file in ["block.json", "prestate.json", "block_hashes.json"] {
        let blocks = Blocks::new("bad-missing", "transfers");
        fs::remove_file(blocks.bad(file)).expect("it is there");
        blocks.fails_with(&[&format!("2/{file}"), "cannot be read"]);
    }
}

#[test]
fn folders_that_are_no_blocks() {
    let folder = folder("bad-folder");
    for path in [folder.clone(), folder.join("nowhere")] {
        let ran = run(&path);
        assert_eq!(ran.status, 1);
        says(&ran, &["bad-folder", "block.json"]);
    }
}

#[test]
fn files_that_end_early() {
    let blocks = Blocks::new("bad-truncated", "transfers");
    let text = fs::read(blocks.bad("block.json")).expect("it is there");
    fs::write(blocks.bad("block.json"), &text[..text.len() / 2]).expect("it can be written");
    blocks.fails_with(&["2/block.json", "EOF"]);
}

/// A change of a block, and words that the message must have.
type Change = (fn(&mut Value), &'static [&'static str]);

#[test]
fn fields_that_are_malformed_or_missing() {
    let blocks = Blocks::new("bad-field", "transfers");
    let good = fs::read(blocks.bad("block.json")).expect("it is there");
    let changes: [Change; 6] = [
        (
            |block| block["transactions"][3]["gas"] = json!("0xzz"),
            &["transaction 3", "`gas`"],
        ),
        (
            |block| block["transactions"][1]["maxFeePerGas"] = Value::Null,
            &["transaction 1", "`maxFeePerGas`", "missing"],
        ),
        (
            |block| block["transactions"][2]["type"] = json!("0x7"),
            &["transaction 2", "`type`", "0x7"],
        ),
        (|block| block["timestamp"] = json!(true), &["`timestamp`"]),
        (
            |block| {
                block
                    .as_object_mut()
                    .map(|block| block.remove("withdrawals"));
            },
            &["`withdrawals`", "Osaka"],
        ),
        (
            |block| {
                block.as_object_mut().map(|block| block.remove("stateRoot"));
            },
            &["`stateRoot`"],
        ),
    ];
    for (change, words) in changes {
        fs::write(blocks.bad("block.json"), &good).expect("it can be written");
        edit(&blocks.bad("block.json"), change);
        blocks.fails_with(&[&["2/block.json"], words].concat());
    }
}

#[test]
fn prestates_that_are_malformed() {
    let blocks = Blocks::new("bad-prestate", "transfers");
    edit(&blocks.bad("prestate.json"), |state| {
        let account = state
            .as_object_mut()
            .and_then(|all| all.values_mut().next());
        if let Some(account) = account {
            account["balance"] = json!("lots");
        }
    });
    blocks.fails_with(&["2/prestate.json", "balance`"]);
}

#[test]
fn transactions_that_somebody_else_signed() {
    let blocks = Blocks::new("bad-signature", "transfers");
    edit(&blocks.bad("block.json"), |block| {
        block["transactions"][2]["value"] = json!("0x1234567");
    });
    let number = number(&blocks);
    blocks.fails_with(&["2/block.json", &number, "transaction 2", "`from`", "signed"]);
}

#[test]
fn transactions_that_cannot_be_valid() {
    let blocks = Blocks::new("bad-nonce", "transfers");
    let sender = sender(&blocks, 3);
    edit(&blocks.bad("prestate.json"), |state| {
        state[&sender]["nonce"] = json!("0x77")
    });
    let number = number(&blocks);
    blocks.fails_with(&["2/block.json", &number, "transaction 3", "`nonce`"]);
}

#[test]
fn prestates_that_lack_an_account() {
    let blocks = Blocks::new("bad-account", "transfers");
    let sender = sender(&blocks, 1);
    edit(&blocks.bad("prestate.json"), |state| {
        state.as_object_mut().map(|state| state.remove(&sender));
    });
    let number = number(&blocks);
    blocks.fails_with(&[
        "2/block.json",
        &number,
        "transaction 1",
        "`prestate.json` has no account",
        "the sender",
    ]);
}

/// An absent account does not exist, and that is no error in itself. When it was a contract, the result is not the
/// header's; the message tells which call found nothing.
#[test]
fn prestates_that_lack_a_contract() {
    let blocks = Blocks::new("bad-contract", "erc20-hot");
    let token = field(&blocks, 0, "to");
    edit(&blocks.bad("prestate.json"), |state| {
        state.as_object_mut().map(|state| state.remove(&token));
    });
    let ran = blocks.run();
    assert_eq!(ran.status, 1);
    let rows = ran.json();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["checks"]["gas_used"], false);
    says(
        &ran,
        &["`gasUsed`", "2/prestate.json", "transaction 0", "`to`"],
    );
}

#[test]
fn block_hashes_that_are_missing() {
    let blocks = Blocks::new("bad-hash", "erc20-hot");
    let token = field(&blocks, 0, "to");
    edit(&blocks.bad("prestate.json"), |state| {
        // PUSH1 2, NUMBER, SUB, BLOCKHASH: the block before the parent.
        state[&token]["code"] = json!("0x6002430340");
    });
    let number = number(&blocks);
    blocks.fails_with(&[&number, "transaction 0", "block_hashes.json"]);
}

#[test]
fn codes_that_are_not_what_their_hashes_say() {
    let blocks = Blocks::new("bad-code", "erc20-hot");
    let token = field(&blocks, 0, "to");
    let hash = format!("0x{}", "12".repeat(32));
    edit(&blocks.bad("prestate.json"), |state| {
        state[&token]["codeHash"] = json!(hash);
    });
    blocks.fails_with(&["2/prestate.json", "`code`", &hash]);
    edit(&blocks.bad("prestate.json"), |state| {
        state[&token]
            .as_object_mut()
            .map(|token| token.remove("code"));
    });
    blocks.fails_with(&["2/prestate.json", "`code` is missing", &hash]);
}

/// A false check is a result: the row is printed.
#[test]
fn headers_that_are_not_the_executions() {
    let blocks = Blocks::new("bad-header", "erc20-hot");
    edit(&blocks.bad("block.json"), |block| {
        block["gasUsed"] = json!("0x5208");
        block["receiptsRoot"] = json!(format!("0x{}", "00".repeat(32)));
        block["logsBloom"] = json!(format!("0x{}", "00".repeat(256)));
        block["requestsHash"] = json!(format!("0x{}", "00".repeat(32)));
    });
    let ran = blocks.run();
    assert_eq!(ran.status, 1);
    let rows = ran.json();
    assert_eq!(rows.len(), 3);
    for check in ["gas_used", "receipts_root", "logs_bloom", "requests_hash"] {
        assert_eq!(rows[0]["checks"][check], true);
        assert_eq!(rows[1]["checks"][check], false);
    }
    says(
        &ran,
        &[
            "2/block.json",
            "`gasUsed`: the header has 21000",
            "`receiptsRoot`",
            "`logsBloom`",
            "`requestsHash`",
        ],
    );
}

#[test]
fn archives_that_end_early() {
    let blocks = Blocks::new("bad-archive", "transfers");
    let whole = blocks.folder.join("whole.tar.gz");
    let tar = std::process::Command::new("tar")
        .arg("czf")
        .arg(&whole)
        .args(["-C", blocks.folder.to_str().expect("it is UTF-8"), "1", "3"])
        .status();
    assert!(tar.is_ok_and(|status| status.success()));
    let ran = run(&whole);
    assert_eq!((ran.status, ran.json().len()), (0, 2), "{}", ran.stderr);
    let text = fs::read(&whole).expect("it is there");
    let half = blocks.folder.join("half.tar.gz");
    fs::write(&half, &text[..text.len() / 2]).expect("it can be written");
    let ran = run(&half);
    assert_eq!(ran.status, 1);
    says(&ran, &["half.tar.gz", "cannot be unpacked"]);
}

#[test]
fn state_tests_that_are_bad() {
    let folder = folder("bad-statetest");
    let text = folder.to_str().expect("the path is UTF-8");
    let statetest =
        |more: &[&str]| gatewei([&["statetest", text, "--executor", "sequential"], more].concat());
    let ran = statetest(&[]);
    assert_eq!(ran.status, 1);
    says(&ran, &["bad-statetest", ".json"]);
    let ran = statetest(&["--fork", "Cancan"]);
    assert_eq!(ran.status, 1);
    says(&ran, &["Cancan", "Osaka"]);
    fs::write(folder.join("fixture.json"), r#"{"a": {"env": {}}}"#).expect("it can be written");
    let ran = statetest(&["--json"]);
    assert_eq!(ran.status, 1);
    says(&ran, &["fixture.json", "`a.env`", "currentCoinbase"]);
    let last = ran.json().pop().expect("there is a summary");
    assert_eq!(last["summary"]["failed"], 1);
}

fn sender(blocks: &Blocks, transaction: usize) -> String {
    field(blocks, transaction, "from")
}

/// A field of a transaction of the second block, as `prestate.json` writes addresses.
fn field(blocks: &Blocks, transaction: usize, field: &str) -> String {
    let text = fs::read(blocks.bad("block.json")).expect("it is there");
    let block: Value = serde_json::from_slice(&text).expect("it is JSON");
    let value = block["transactions"][transaction][field].as_str();
    value.expect("it is a string").to_lowercase()
}

/// Changes a JSON file.
fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read(path).expect("the file is there");
    let mut value = serde_json::from_slice(&text).expect("the file is JSON");
    change(&mut value);
    fs::write(path, value.to_string()).expect("the file can be written");
}
