//! Fuzz targets for everything that comes from outside: what a card writes, and what a peer sends.
//!
//! A target takes any bytes. It fails by a panic, by an access out of bounds, or by not coming to an end.
//! `fuzz_targets/` gives them to libFuzzer, `tests/corpora.rs` to a mutator of our own, on the committed
//! corpora of `corpus/`.

mod completions;
mod config_space;
mod input;
mod results;
mod vfio_user;

pub use completions::completions;
pub use config_space::config_space;
pub use results::results;
pub use vfio_user::vfio_user;

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their folders in `corpus/`.
pub const TARGETS: &[Target] = &[
    ("results", results),
    ("completions", completions),
    ("config_space", config_space),
    ("vfio_user", vfio_user),
];
