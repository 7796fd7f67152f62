//! JSON files with errors that name the place.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use super::LoadError;

/// Reads a whole file.
pub(super) fn text(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Reads a file as JSON.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, LoadError> {
    parse(path, &text(path)?)
}

/// Reads text as JSON; the path is for the error message.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, LoadError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        // Text that ends early or is no JSON has no field to blame.
        let place = if inner.is_data() {
            describe(&error.path().to_string())
        } else {
            String::new()
        };
        malformed(path, place, inner)
    })?;
    json.end()
        .map_err(|error| malformed(path, String::new(), &error))?;
    Ok(value)
}

fn malformed(path: &Path, place: String, error: &serde_json::Error) -> LoadError {
    LoadError::Malformed {
        path: path.to_owned(),
        place,
        reason: error.to_string(),
    }
}

/// Turns `transactions[4].gas` into words; other paths are quoted as they are.
fn describe(path: &str) -> String {
    if path == "." {
        return String::new();
    }
    let transaction = path.strip_prefix("transactions[").and_then(|rest| {
        let (index, field) = rest.split_once(']')?;
        let field = field.trim_start_matches('.');
        Some(if field.is_empty() {
            format!("transaction {index}: ")
        } else {
            format!("transaction {index}: field `{field}`: ")
        })
    });
    transaction.unwrap_or_else(|| format!("field `{path}`: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_in_words() {
        assert_eq!(
            describe("transactions[4].gas"),
            "transaction 4: field `gas`: "
        );
        assert_eq!(describe("transactions[4]"), "transaction 4: ");
        assert_eq!(describe("0x12.balance"), "field `0x12.balance`: ");
        assert_eq!(describe("."), "");
    }
}
