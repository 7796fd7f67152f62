//! Outside programs: finding and running them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ToolError, checkout};

/// Lines of what a program has said that stand in an error.
const LAST: usize = 20;

/// A program of the WebAssembly builds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// What messages call it.
    pub(crate) name: &'static str,
    /// The program, without `yowasp-`.
    pub(crate) file: &'static str,
    /// The folder of `.tools` that it is fetched into.
    pub(crate) home: &'static str,
    /// The verb of the Makefile that fetches it.
    pub(crate) verb: &'static str,
}

impl Program {
    /// The one of `.tools`, else `yowasp-<file>` or `<file>` from the path.
    fn find(&self) -> Result<PathBuf, ToolError> {
        let fetched = format!("yowasp-{}", self.file);
        let home = checkout().join(".tools").join(self.home);
        let own = home.join("bin").join(&fetched);
        if own.is_file() {
            return Ok(own);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        [fetched.as_str(), self.file]
            .iter()
            .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
            .find(|file| file.is_file())
            .ok_or_else(|| ToolError::Missing {
                tool: self.name,
                verb: self.verb,
                looked: format!("{} and {fetched} or {} in PATH", own.display(), self.file),
            })
    }

    /// It with these arguments, in `folder`, the only one that it sees.
    fn command(&self, folder: &Path, arguments: &[&str]) -> Result<Command, ToolError> {
        let mut command = Command::new(self.find()?);
        // Otherwise the root's folders are mounted too, and hide those of the same name in `folder`: WebAssembly's libc
        // takes `check/boxes.v` for `/check/boxes.v` where there is a `/check`.
        command.env("YOWASP_MOUNT", "/=.");
        command.args(arguments).current_dir(folder);
        Ok(command)
    }

    /// Runs it in `folder`; what it says goes to `<name>.log` there as it says it, and the end of it into the error where
    /// it fails.
    pub(crate) fn run(
        &self,
        folder: &Path,
        block: &str,
        arguments: &[&str],
    ) -> Result<(), ToolError> {
        let mut command = self.command(folder, arguments)?;
        let path = folder.join(format!("{}.log", self.name));
        let log = File::create(&path).map_err(|error| self.io(error))?;
        let errors = log.try_clone().map_err(|error| self.io(error))?;
        let status = command.stdout(log).stderr(errors).status();
        let status = status.map_err(|error| self.io(error))?;
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read(&path).map_err(|error| self.io(error))?;
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.trim().lines().collect();
        Err(ToolError::Refused {
            block: block.into(),
            tool: self.name,
            output: format!(
                "{status}\n{}",
                lines[lines.len().saturating_sub(LAST)..].join("\n")
            ),
        })
    }

    /// Its version, as it tells it.
    pub(crate) fn version(&self) -> Result<String, ToolError> {
        let output = self.command(Path::new("."), &["--version"])?.output();
        let output = output.map_err(|error| self.io(error))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        // nextpnr: "nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-0.11…)
        let mut lines = said.lines().filter(|line| !line.starts_with("Preparing"));
        let line = lines.next_back().unwrap_or_default();
        let line = line
            .rsplit_once("(Version ")
            .map_or(line, |(_, version)| version);
        Ok(line.trim_end_matches(')').trim().to_string())
    }

    /// An error of the system's on its behalf.
    pub(crate) fn io(&self, error: std::io::Error) -> ToolError {
        ToolError::Io {
            tool: self.name,
            error,
        }
    }
}
