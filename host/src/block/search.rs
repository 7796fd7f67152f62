//! Finding block directories below a path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::LoadError;

/// Block directories at a path: the path itself when it has a `block.json` or `prestate.json`, else its sub-folders
/// that have one, sorted by number and name.
///
/// # Errors
/// A path that is not there, cannot be read, or holds no block.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if is_block(path) {
        return Ok(vec![path.to_owned()]);
    }
    let read = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let mut found = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(read)? {
            let entry = entry.map_err(read)?.path();
            if is_block(&entry) {
                found.push(entry);
            }
        }
    }
    if found.is_empty() {
        return Err(LoadError::NoBlock {
            path: path.to_owned(),
        });
    }
    found.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.parse::<u64>().unwrap_or(u64::MAX), name.into_owned())
    });
    Ok(found)
}

/// A folder with one of the two files counts: that the other is missing is for the loader to say.
fn is_block(path: &Path) -> bool {
    path.join("block.json").is_file() || path.join("prestate.json").is_file()
}
