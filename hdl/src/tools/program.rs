//! Outside programs: finding and running them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

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

    /// How it ended with these arguments, in `folder`, and what it said.
    fn output(&self, folder: &Path, arguments: &[&str]) -> Result<(ExitStatus, String), ToolError> {
        let mut command = Command::new(self.find()?);
        let command = command.args(arguments).current_dir(folder);
        let output = command.output().map_err(|error| self.io(error))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok((output.status, said))
    }

    /// Runs it in `folder`, the only one that it sees; what it says goes to `<name>.log` there, and the end of it into
    /// the error where it fails.
    pub(crate) fn run(
        &self,
        folder: &Path,
        block: &str,
        arguments: &[&str],
    ) -> Result<(), ToolError> {
        let (status, said) = self.output(folder, arguments)?;
        let log = folder.join(format!("{}.log", self.name));
        std::fs::write(log, &said).map_err(|error| self.io(error))?;
        if status.success() {
            return Ok(());
        }
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
        let (_, said) = self.output(Path::new("."), &["--version"])?;
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
