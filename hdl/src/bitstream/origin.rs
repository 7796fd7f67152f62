//! What a bitstream is built from.

use std::process::Command;

use super::Board;
use crate::card::{Make, Origin};
use crate::tools::checkout;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(checkout())
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

/// What the card of a board is made with, from this checkout.
pub fn make(board: &Board) -> Make {
    Make {
        clock_khz: board.clock.card_khz,
        stores: board.stores,
        origin: origin(board.number),
    }
}

/// The checkout's commit, for a board of this number; zeros and `changed` where it is none of git's.
///
/// The time is the commit's, not the clock's: the same commit gives the same bits.
fn origin(board: u16) -> Origin {
    let commit = git(&["rev-parse", "HEAD"]);
    let commit = commit.and_then(|commit| u32::from_str_radix(commit.get(..8)?, 16).ok());
    let built = git(&["show", "-s", "--format=%ct", "HEAD"]);
    Origin {
        board,
        changed: git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty()),
        commit: commit.unwrap_or(0),
        built: built.and_then(|time| time.parse().ok()).unwrap_or(0),
    }
}
