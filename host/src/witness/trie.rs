//! A Merkle Patricia trie of which only a part is there: enough to read, change and hash what a block touches.
//!
//! Keys are hashes, so all have the same length and no branch has a value (yellow paper, appendix D).

use std::mem;

use alloy_primitives::{B256, Bytes, map::B256Map};
use alloy_rlp::{Decodable as _, Encodable as _};
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode, TrieNode},
};

use super::{Hasher, WitnessError};

/// Nodes by their hashes.
pub(super) type Nodes = B256Map<Bytes>;

/// A node, opened as far as it was walked through.
#[derive(Debug, Default)]
enum Node {
    #[default]
    Empty,
    /// Not opened: the hash of a node, or a short node itself.
    Closed(RlpNode),
    Leaf(Vec<u8>, Vec<u8>),
    Extension(Vec<u8>, Box<Node>),
    Branch(Box<[Node; 16]>),
}

/// A trie over a set of nodes.
#[derive(Debug)]
pub(super) struct Trie<'n> {
    nodes: &'n Nodes,
    root: Node,
}

impl<'n> Trie<'n> {
    pub(super) fn new(nodes: &'n Nodes, root: B256) -> Self {
        let root = match root {
            EMPTY_ROOT_HASH => Node::Empty,
            root => Node::Closed(RlpNode::word_rlp(&root)),
        };
        Self { nodes, root }
    }

    /// The value at a key; `None` where the trie has none.
    pub(super) fn get(&mut self, key: B256) -> Result<Option<&[u8]>, WitnessError> {
        let key = nibbles(key);
        let (mut rest, mut node) = (&key[..], &mut self.root);
        loop {
            open(node, self.nodes, rest.len())?;
            node = match node {
                Node::Leaf(path, value) => return Ok((rest == path).then_some(value)),
                Node::Extension(path, child) => match rest.strip_prefix(&path[..]) {
                    None => return Ok(None),
                    Some(after) => {
                        rest = after;
                        child
                    }
                },
                Node::Branch(children) => match rest.split_first() {
                    None => return Ok(None),
                    Some((first, after)) => {
                        rest = after;
                        &mut children[usize::from(*first)]
                    }
                },
                Node::Empty | Node::Closed(_) => return Ok(None),
            }
        }
    }

    /// Puts a value in; an empty one takes the key out.
    pub(super) fn set(&mut self, key: B256, value: Vec<u8>) -> Result<(), WitnessError> {
        let key = nibbles(key);
        let root = mem::take(&mut self.root);
        self.root = if value.is_empty() {
            remove(root, &key, self.nodes)?
        } else {
            insert(root, &key, value, self.nodes)?
        };
        Ok(())
    }
}

/// The roots of tries, hashing all nodes that were opened, deepest first, in one batch a level.
pub(super) fn roots<'t, 'n: 't>(
    tries: impl IntoIterator<Item = &'t Trie<'n>>,
    hasher: &dyn Hasher,
) -> Vec<B256> {
    let mut levels: Vec<Vec<(usize, &Node)>> = Vec::new();
    let mut done: Vec<RlpNode> = Vec::new();
    // Where each opened node's reference to its children begins in `done`: one for every child.
    let mut children: Vec<Vec<usize>> = Vec::new();
    let tops: Vec<usize> = tries
        .into_iter()
        .map(|trie| sort(&trie.root, &mut levels, &mut done, &mut children).0)
        .collect();
    let mut is_top = vec![false; done.len()];
    tops.iter().for_each(|top| is_top[*top] = true);
    for level in &levels {
        let encoded: Vec<Vec<u8>> = level
            .iter()
            .map(|(at, node)| encode(node, children[*at].iter().map(|child| &done[*child])))
            .collect();
        // A root is hashed however short it is.
        let is_hashed = |at: usize, rlp: &[u8]| rlp.len() >= 32 || is_top[at];
        let long: Vec<&[u8]> = level
            .iter()
            .zip(&encoded)
            .filter(|((at, _), rlp)| is_hashed(*at, rlp))
            .map(|(_, rlp)| &rlp[..])
            .collect();
        let mut hashes = hasher.hash(&long).into_iter();
        for ((at, _), rlp) in level.iter().zip(&encoded) {
            let short = if is_hashed(*at, rlp) {
                None
            } else {
                RlpNode::from_raw(rlp)
            };
            done[*at] = match short {
                Some(short) => short,
                None => RlpNode::word_rlp(&hashes.next().unwrap_or_default()),
            };
        }
    }
    let root = |at: usize| done[at].as_hash().unwrap_or(EMPTY_ROOT_HASH);
    tops.into_iter().map(root).collect()
}

/// Sorts a node and all below it into levels. Gives its place and height.
fn sort<'t>(
    node: &'t Node,
    levels: &mut Vec<Vec<(usize, &'t Node)>>,
    done: &mut Vec<RlpNode>,
    children: &mut Vec<Vec<usize>>,
) -> (usize, usize) {
    let at = done.len();
    done.push(RlpNode::default());
    children.push(Vec::new());
    let below: &[Node] = match node {
        Node::Closed(rlp) => {
            done[at] = rlp.clone();
            return (at, 0);
        }
        Node::Empty => return (at, 0),
        Node::Leaf(..) => &[],
        Node::Extension(_, child) => std::slice::from_ref(&**child),
        Node::Branch(all) => &all[..],
    };
    let mut height = 0;
    let mut own = Vec::with_capacity(below.len());
    for child in below {
        let (place, high) = sort(child, levels, done, children);
        own.push(place);
        if !matches!(child, Node::Empty | Node::Closed(_)) {
            height = height.max(high + 1);
        }
    }
    children[at] = own;
    if levels.len() <= height {
        levels.resize_with(height + 1, Vec::new);
    }
    levels[height].push((at, node));
    (at, height)
}

fn encode<'r>(node: &Node, mut children: impl Iterator<Item = &'r RlpNode>) -> Vec<u8> {
    let mut out = Vec::new();
    match node {
        Node::Empty | Node::Closed(_) => {}
        Node::Leaf(path, value) => {
            let path = Nibbles::from_nibbles(path);
            LeafNodeRef::new(&path, value).encode(&mut out);
        }
        Node::Extension(path, _) => {
            let path = Nibbles::from_nibbles(path);
            if let Some(child) = children.next() {
                ExtensionNodeRef::new(&path, child).encode(&mut out);
            }
        }
        Node::Branch(_) => {
            let mut mask = 0u16;
            let mut stack = Vec::with_capacity(16);
            for (at, child) in children.enumerate().filter(|(_, child)| !child.is_empty()) {
                mask |= 1 << at;
                stack.push(child.clone());
            }
            BranchNodeRef::new(&stack, mask.into()).encode(&mut out);
        }
    }
    out
}

fn nibbles(key: B256) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// Replaces a closed node by what it is. Its path must fit the `left` nibbles of keys, so that no walk is longer than a key.
fn open(node: &mut Node, nodes: &Nodes, left: usize) -> Result<(), WitnessError> {
    let Node::Closed(rlp) = node else {
        return Ok(());
    };
    let hash = rlp.as_hash();
    let bytes = match hash {
        None => rlp.as_slice(),
        Some(hash) => nodes.get(&hash).ok_or(WitnessError::Node { hash })?,
    };
    let decoded = TrieNode::decode(&mut &bytes[..]);
    let decoded = decoded.map_err(|error| WitnessError::Malformed {
        hash: hash.unwrap_or_default(),
        reason: error.to_string(),
    })?;
    *node = match decoded {
        TrieNode::EmptyRoot => Node::Empty,
        TrieNode::Leaf(leaf) if leaf.key.len() == left => Node::Leaf(leaf.key.to_vec(), leaf.value),
        TrieNode::Extension(it) if (1..left).contains(&it.key.len()) => {
            Node::Extension(it.key.to_vec(), Box::new(Node::Closed(it.child)))
        }
        TrieNode::Branch(branch) if left > 0 => {
            let mut children: Box<[Node; 16]> = Box::default();
            for (at, child) in branch.as_ref().children() {
                if let Some(child) = child {
                    children[usize::from(at)] = Node::Closed(child.clone());
                }
            }
            Node::Branch(children)
        }
        _ => return Err(WitnessError::Depth),
    };
    Ok(())
}

fn common(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}

/// An extension, or the node itself where there is nothing to pass.
fn extend(path: &[u8], node: Node) -> Node {
    match path {
        [] => node,
        path => Node::Extension(path.to_vec(), Box::new(node)),
    }
}

fn insert(mut node: Node, key: &[u8], value: Vec<u8>, nodes: &Nodes) -> Result<Node, WitnessError> {
    open(&mut node, nodes, key.len())?;
    // Where a path ends in the middle, a branch takes both ways.
    let (path, shared) = match &node {
        Node::Empty | Node::Closed(_) => return Ok(Node::Leaf(key.to_vec(), value)),
        Node::Leaf(path, _) | Node::Extension(path, _) => (path.clone(), common(path, key)),
        Node::Branch(_) => (Vec::new(), 0),
    };
    Ok(match node {
        Node::Leaf(path, _) if shared == path.len() => Node::Leaf(path, value),
        Node::Extension(path, child) if shared == path.len() => {
            let child = insert(*child, &key[shared..], value, nodes)?;
            Node::Extension(path, Box::new(child))
        }
        Node::Branch(mut children) => {
            let (first, rest) = key.split_first().ok_or(WitnessError::Depth)?;
            let child = &mut children[usize::from(*first)];
            *child = insert(mem::take(child), rest, value, nodes)?;
            Node::Branch(children)
        }
        old => {
            let mut children: Box<[Node; 16]> = Box::default();
            let (&[own, ref below @ ..], &[new, ref rest @ ..]) = (&path[shared..], &key[shared..])
            else {
                return Err(WitnessError::Depth);
            };
            children[usize::from(own)] = match old {
                Node::Leaf(_, value) => Node::Leaf(below.to_vec(), value),
                Node::Extension(_, child) => extend(below, *child),
                other => other,
            };
            children[usize::from(new)] = Node::Leaf(rest.to_vec(), value);
            extend(&path[..shared], Node::Branch(children))
        }
    })
}

fn remove(mut node: Node, key: &[u8], nodes: &Nodes) -> Result<Node, WitnessError> {
    open(&mut node, nodes, key.len())?;
    Ok(match node {
        Node::Leaf(path, _) if path == key => Node::Empty,
        Node::Extension(path, child) if key.starts_with(&path) => {
            let child = remove(*child, &key[path.len()..], nodes)?;
            join(path, child)
        }
        Node::Branch(mut children) => {
            let (first, rest) = key.split_first().ok_or(WitnessError::Depth)?;
            let child = &mut children[usize::from(*first)];
            *child = remove(mem::take(child), rest, nodes)?;
            let mut left = children
                .iter()
                .enumerate()
                .filter(|(_, it)| !matches!(it, Node::Empty));
            let only = match (left.next(), left.next()) {
                (Some((at, _)), None) => Some(at),
                (None, _) => return Ok(Node::Empty),
                _ => None,
            };
            match only {
                None => Node::Branch(children),
                Some(at) => {
                    // The branch goes; what is left is joined with its way to it.
                    let mut child = mem::take(&mut children[at]);
                    open(&mut child, nodes, rest.len())?;
                    join(vec![at as u8], child)
                }
            }
        }
        other => other,
    })
}

/// A node behind a path. It is open.
fn join(mut path: Vec<u8>, node: Node) -> Node {
    match node {
        Node::Empty => Node::Empty,
        Node::Leaf(rest, value) => {
            path.extend(rest);
            Node::Leaf(path, value)
        }
        Node::Extension(rest, child) => {
            path.extend(rest);
            Node::Extension(path, child)
        }
        other => Node::Extension(path, Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_primitives::{U256, keccak256};
    use alloy_trie::{
        TrieMask,
        nodes::{BranchNode, ExtensionNode, LeafNode},
        root::storage_root,
    };
    use proptest::prelude::*;

    use super::{super::Threads, *};

    fn value(number: u64) -> Vec<u8> {
        if number == 0 {
            Vec::new()
        } else {
            alloy_rlp::encode(U256::from(number))
        }
    }

    /// Keys with long common beginnings, so that extensions come and go.
    fn key(number: u16) -> B256 {
        let mut key = keccak256([(number % 5) as u8]);
        if !number.is_multiple_of(3) {
            key[30] = (number >> 8) as u8;
        }
        key[31] = number as u8;
        key
    }

    proptest! {
        #[test]
        fn any_changes_give_the_root_of_what_is_left(
            changes in prop::collection::vec((0u16..600, 0u64..4), 1..120),
        ) {
            let nodes = Nodes::default();
            let (mut trie, mut model) = (Trie::new(&nodes, EMPTY_ROOT_HASH), BTreeMap::new());
            for (number, amount) in changes {
                trie.set(key(number), value(amount)).expect("all is there");
                if amount == 0 {
                    model.remove(&key(number));
                } else {
                    model.insert(key(number), U256::from(amount));
                }
            }
            for (key, amount) in &model {
                let got = trie.get(*key).expect("all is there").map(<[u8]>::to_vec);
                prop_assert_eq!(got, Some(alloy_rlp::encode(amount)));
            }
            let want = storage_root(model);
            prop_assert_eq!(roots([&trie], &Threads), vec![want]);
        }
    }

    #[test]
    fn paths_that_keys_do_not_have_are_named() {
        let path = |nibbles: usize| Nibbles::from_nibbles(vec![1; nibbles]);
        let end = TrieNode::Leaf(LeafNode::new(path(64), value(1)));
        let mut nodes = Nodes::default();
        let mut put = |node: TrieNode| {
            let rlp = alloy_rlp::encode(node);
            let hash = keccak256(&rlp);
            nodes.insert(hash, rlp.into());
            hash
        };
        let end = RlpNode::word_rlp(&put(end));
        let key = B256::repeat_byte(0x11);
        // A value that is too deep, a way that is too long, a step that leads nowhere, a key that ends early.
        let deep = TrieNode::Branch(BranchNode::new(vec![end.clone(); 2], TrieMask::new(3)));
        let long = TrieNode::Extension(ExtensionNode::new(path(64), end.clone()));
        let none = TrieNode::Extension(ExtensionNode::new(path(0), end));
        let short = TrieNode::Leaf(LeafNode::new(path(63), value(1)));
        for root in [deep, long, none, short].map(&mut put) {
            let mut trie = Trie::new(&nodes, root);
            assert_eq!(trie.get(key), Err(WitnessError::Depth));
            for value in [value(0), value(2)] {
                let mut trie = Trie::new(&nodes, root);
                assert_eq!(trie.set(key, value), Err(WitnessError::Depth));
            }
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let (nodes, hash) = (Nodes::default(), keccak256("a node"));
        let mut trie = Trie::new(&nodes, hash);
        assert_eq!(trie.get(key(1)), Err(WitnessError::Node { hash }));
        assert_eq!(trie.set(key(1), value(1)), Err(WitnessError::Node { hash }));
        let mut nodes = Nodes::default();
        nodes.insert(hash, vec![0xc1, 0x80].into());
        let mut trie = Trie::new(&nodes, hash);
        assert!(matches!(
            trie.get(key(1)),
            Err(WitnessError::Malformed { .. })
        ));
    }
}
