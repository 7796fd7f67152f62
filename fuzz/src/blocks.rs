//! Blocks and the states before them.

use gatewei::{Block, Checks, Executor as _, Sequential};

use crate::{
    directory::Directory,
    speculation::{assert_same, execute},
};

/// Any block directory. What can be loaded is executed: by speculation it has the same result, or the same error, as in
/// order.
pub fn blocks(data: &[u8]) {
    let Some((_directory, mut block)) = Directory::loaded(data, Block::load) else {
        return;
    };
    block.list_accesses = true;
    let expected = Sequential.execute(&block);
    let got = execute(&block);
    assert_same(&expected, &got);
    if let Ok(outcome) = got {
        let (checks, mismatches) = Checks::new(&block, &outcome);
        assert_eq!(checks.hold(), mismatches.is_empty());
    }
}
