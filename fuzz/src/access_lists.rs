//! Block access lists.

use std::{num::NonZeroUsize, sync::LazyLock};

use gatewei::{Block, ByList, Checks, Engine, Executor as _, Sequential, access_list_difference};

use crate::{
    directory::Directory,
    speculation::{assert_same, execute},
};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let two = NonZeroUsize::new(2).expect("not zero");
    Engine::builder().threads(two).build()
});

/// Any access list of a block. Whatever it claims, the result is that of the block without a list; and it is called right only
/// if it is the one of what was done.
pub fn access_lists(data: &[u8]) {
    let Some((_directory, mut block)) = Directory::loaded(data, Block::load) else {
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
    // A block that is said to be full is worth threads: it runs by its list alone.
    block.header.gas_used = u64::MAX;
    let got = ENGINE.execute(&block);
    assert_same(&expected, &got);
    assert!(right || got.is_ok_and(|outcome| outcome.statistics.by_list != ByList::Yes));
}
