//! Progress bars on stderr, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a number of things; invisible when stderr is no terminal.
pub(super) fn bar(things: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(things as u64).with_message(what);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {prefix} {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
