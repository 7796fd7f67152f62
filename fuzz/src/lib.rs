//! Fuzz targets for everything that comes from outside: what a card writes, what a peer sends, and the files of a block.
//!
//! A target takes any bytes. It fails by a panic, by an access out of bounds, or by not coming to an end.
//! `fuzz_targets/` gives them to libFuzzer, `tests/corpora.rs` to a mutator of our own, on the committed
//! corpora of `corpus/`.

mod access_lists;
mod blocks;
mod completions;
mod config_space;
mod directory;
mod input;
mod results;
mod speculation;
mod vfio_user;
mod witnesses;

pub use access_lists::access_lists;
pub use blocks::blocks;
pub use completions::completions;
pub use config_space::config_space;
pub use directory::FILES;
pub use results::results;
pub use vfio_user::vfio_user;
pub use witnesses::witnesses;

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their folders in `corpus/`.
pub const TARGETS: &[Target] = &[
    ("results", results),
    ("completions", completions),
    ("config_space", config_space),
    ("vfio_user", vfio_user),
    ("blocks", blocks),
    ("access_lists", access_lists),
    ("witnesses", witnesses),
];
