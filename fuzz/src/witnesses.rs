//! Execution witnesses.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, keccak256};
use gatewei::{Block, Checks, Executor as _, Outcome, PreState, Sequential, block::state_root};
use serde_json::Value;

use crate::{
    directory::Directory,
    speculation::{assert_same, execute},
};

/// Any witness of a block. It has the same result, or error, by speculation as in order; and one of the state that
/// `prestate.json` has lacks something, or gives the result of that state and the state root after it.
///
/// Trie nodes are named by their hashes, so that hardly any change of one would be found again. So an input may have
/// places, 30 zero bytes and a number, where a hash of a node or header must be.
pub fn witnesses(data: &[u8]) {
    let linked = link(data);
    let data = linked.as_deref().unwrap_or(data);
    let Some((directory, block)) = Directory::loaded(data, Block::load_stateless) else {
        return;
    };
    let expected = Sequential.execute(&block);
    assert_same(&expected, &execute(&block));
    if let (Ok(outcome), Some(whole)) = (expected, directory.block(Block::load)) {
        compare(&block, &outcome, whole);
    }
}

/// Compares what a witness gives with what the whole state gives, if it is the same one.
fn compare(block: &Block, outcome: &Outcome, mut whole: Block) {
    let (checks, _) = Checks::new(block, outcome);
    let Some(witness) = &block.witness else {
        return;
    };
    if state_root(&whole.pre_state, None) != witness.root() {
        return;
    }
    let mut state = PreState::clone(&whole.pre_state);
    for (number, hash) in witness.ancestors() {
        state.insert_block_hash(number, hash);
    }
    whole.pre_state = Arc::new(state);
    let truth = Sequential.execute(&whole);
    assert_same(&truth, &Ok(outcome.clone()));
    let Ok(truth) = truth else { return };
    let root = state_root(&whole.pre_state, Some(&truth.state));
    if let Some(Ok(own)) = block.state_root_after(&outcome.state) {
        assert_eq!(own, root);
    }
    if checks.state_root == Some(true) {
        assert_eq!(block.header.state_root, root);
    }
}

/// Puts hashes in where an input has places instead: 30 zero bytes and a number. In a trie node or a header it is that of a
/// node that comes later in the list, in the block that of a header. `None` where there is nothing to be put in.
fn link(data: &[u8]) -> Option<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = data.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let mut block: Value = serde_json::from_slice(files.first()?).ok()?;
    let mut witness: Value = serde_json::from_slice(files.get(4)?).ok()?;
    let parent = place(block["parentHash"].as_str()?.parse().ok()?)?;
    let mut nodes: Vec<Bytes> = serde_json::from_value(witness["state"].take()).ok()?;
    let mut headers: Vec<Bytes> = serde_json::from_value(witness["headers"].take()).ok()?;
    for at in (0..nodes.len()).rev() {
        nodes[at] = fill(&nodes[at], &nodes[at + 1..], at + 1);
    }
    for header in &mut headers {
        *header = fill(header, &nodes, 0);
    }
    block["parentHash"] = keccak256(headers.get(parent)?).to_string().into();
    witness["state"] = serde_json::to_value(nodes).ok()?;
    witness["headers"] = serde_json::to_value(headers).ok()?;
    files[0] = block.to_string().into_bytes();
    files[4] = witness.to_string().into_bytes();
    Some(files.join(&0))
}

/// The number of a place.
fn place(hash: B256) -> Option<usize> {
    let (zeros, number) = hash.split_last_chunk()?;
    let is_place = zeros.iter().all(|byte| *byte == 0);
    is_place.then_some(usize::from(u16::from_be_bytes(*number)))
}

/// Fills the places in RLP that are for one of the `nodes`, which are numbered from `first` on.
fn fill(rlp: &Bytes, nodes: &[Bytes], first: usize) -> Bytes {
    let mut filled = rlp.to_vec();
    for at in 1..rlp.len().saturating_sub(31) {
        // A string of 32 bytes.
        if rlp[at - 1] == 0xa0
            && let Some(number) = place(B256::from_slice(&rlp[at..at + 32]))
            && let Some(node) = number.checked_sub(first).and_then(|it| nodes.get(it))
        {
            filled[at..at + 32].copy_from_slice(keccak256(node).as_slice());
        }
    }
    filled.into()
}
