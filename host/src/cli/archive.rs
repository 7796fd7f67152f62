//! Archives in place of folders: `.tar`, `.tar.gz`, `.tar.xz` and `.tar.zst` are unpacked where they do no harm.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU64, Ordering},
};

use super::Failure;

const ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst"];

/// A path to read from: the one that was given, or the folder its archive was unpacked to, which goes away with this.
#[derive(Debug)]
pub(super) struct Input {
    path: PathBuf,
    temporary: bool,
}

impl Input {
    /// Unpacks the path if it is an archive.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.to_string_lossy();
        let is_archive = ENDINGS.iter().any(|ending| name.ends_with(ending));
        if !is_archive || path.is_dir() {
            return Ok(Self {
                path: path.to_owned(),
                temporary: false,
            });
        }
        let input = Self {
            path: scratch(),
            temporary: true,
        };
        let failed = |what: &str| Failure::new(format!("{name}: cannot be unpacked: {what}"));
        fs::create_dir_all(&input.path).map_err(|error| failed(&error.to_string()))?;
        let tar = Command::new("tar")
            .arg("xf")
            .arg(path)
            .arg("-C")
            .arg(&input.path)
            .output();
        let output = tar.map_err(|error| failed(&format!("tar does not start: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().next().unwrap_or("tar failed").to_owned();
            return Err(failed(&format!("{first} (is it whole?)")));
        }
        Ok(input)
    }

    /// Where to read.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path, or the one folder in the archive: archives mostly hold one folder that has everything.
    pub(super) fn folder(&self) -> PathBuf {
        if !self.temporary {
            return self.path.clone();
        }
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut folders = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir());
        match (folders.next(), folders.next()) {
            (Some(only), None) => only,
            _ => self.path.clone(),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed is left in the folder for temporary files: no reason to fail.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn scratch() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("gatewei-{}-{number}", process::id()))
}
