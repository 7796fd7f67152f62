//! The command line tool as a process, and folders to run it in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What a run of the tool left.
pub struct Ran {
    /// Its exit status.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// The JSON objects on standard output, one a line.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("every line is JSON"))
            .collect()
    }
}

/// Runs the tool.
pub fn gatewei<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_gatewei"))
        .args(arguments)
        .output()
        .expect("the tool starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the tool writes UTF-8");
    Ran {
        status: output.status.code().expect("the tool was not killed"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// An empty folder for a test.
pub fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the folder can be made");
    path
}

/// Writes a generated block.
pub fn workload(kind: &str, txs: usize, seed: u64, out: &Path) {
    let (txs, seed) = (txs.to_string(), seed.to_string());
    let out = out.to_str().expect("the path is UTF-8");
    let ran = gatewei([
        "workload", kind, "--txs", &txs, "--seed", &seed, "--out", out,
    ]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
}
