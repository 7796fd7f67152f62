//! Cases that are not run, each with its reason. A test runs them all the same and fails when one of them passes.

use super::Case;

/// A test that is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Its file, without folders.
    pub file: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Everything that is skipped besides forks that no executor covers.
pub const SKIPS: &[Skip] = &[
    collision("InitCollisionParis.json"),
    collision("RevertInCreateInInitCreate2Paris.json"),
    collision("RevertInCreateInInit_Paris.json"),
    collision("create2collisionStorageParis.json"),
    collision("dynamicAccountOverwriteEmpty_Paris.json"),
];

/// A contract is created where an account without code and nonce has storage. EIP-7610 lets that fail; revm's databases do
/// not tell whether an account has storage, so it succeeds. Mainnet has no such account that could be hit.
const fn collision(file: &'static str) -> Skip {
    Skip {
        file,
        reason: "creation on an account that has only storage (EIP-7610), which revm does not see",
    }
}

/// Why a case is skipped, if it is.
pub fn skip(case: &Case) -> Option<&'static Skip> {
    let name = case.file.file_name()?.to_str()?;
    SKIPS.iter().find(|skip| skip.file == name)
}
