//! One owner for a card whose kernel interface allows several.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::TransportError;

/// Opens a device's file.
pub(super) fn open(name: &str, path: &Path) -> Result<File, TransportError> {
    let opened = File::options().read(true).write(true).open(path);
    opened.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; `gatewei card list` shows the cards that there are",
            io::ErrorKind::PermissionDenied => "; run as root, or change the owner of the file",
            _ => "",
        };
        TransportError::Unavailable {
            name: name.into(),
            reason: format!("{}: {error}{remedy}", path.display()),
        }
    })
}

/// Opens a device's file for this process alone, among all that ask this way. The lock ends with the file,
/// also where the process is killed.
pub(super) fn own(name: &str, path: &Path) -> Result<File, TransportError> {
    let unavailable = |reason: String| TransportError::Unavailable {
        name: name.into(),
        reason,
    };
    let file = open(name, path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN) => Err(unavailable(format!(
            "another process uses it: a card has one owner (`fuser {}` names it)",
            path.display()
        ))),
        Err(error) => Err(unavailable(format!("{}: {error}", path.display()))),
    }
}
