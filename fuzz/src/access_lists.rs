//! Block access lists.

use gatewei::{Block, Checks, Executor as _, Sequential, access_list_difference};

use crate::{
    directory::Directory,
    speculation::{assert_same, execute},
};

/// Any access list of a block. Whatever it claims, the result is that of the block without a list; and it is called right only
/// if it is the one of what was done.
pub fn access_lists(data: &[u8]) {
    let Ok(directory) = Directory::new(data) else {
        return;
    };
    let Some(mut block) = directory.block(Block::load) else {
        return;
    };
    block.list_accesses = true;
    let expected = Sequential.execute(&block);
    if block.load_access_list().is_err() {
        return;
    }
    let got = execute(&block);
    assert_same(&expected, &got);
    let (Ok(outcome), Some(list)) = (&got, &block.access_list) else {
        return;
    };
    let done = outcome.access_list.as_deref().unwrap_or_default();
    let right = access_list_difference(list.accounts(), done).is_none();
    assert_eq!(right, list.accounts() == done);
    let (checks, _) = Checks::new(&block, outcome);
    assert_eq!(checks.access_list, Some(right));
}
