//! Peak memory of an executor: of a process that does nothing else.

use std::{env, fs, path::Path, process::Command};

use super::super::Failure;

/// The most memory that this process has had at once, in bytes; 0 where the system does not tell.
pub(in super::super) fn own() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// The same of a process that runs a block directory, in bytes.
pub(super) fn of(directory: &Path, executor: &str, threads: usize) -> Result<f64, Failure> {
    let threads = threads.to_string();
    let output = Command::new(env::current_exe()?)
        .arg("run")
        .arg(directory)
        .args([
            "--executor",
            executor,
            "--threads",
            &threads,
            "--repeat",
            "5",
            "--json",
        ])
        .output()?;
    let row: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let peak = row["peak_bytes"].as_u64().filter(|peak| *peak > 0);
    let peak =
        peak.ok_or_else(|| Failure::new("the system does not tell a process's peak memory"))?;
    Ok(peak as f64)
}
