//! Generated blocks, as the targets for their files take them.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable as _;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};
use gatewei::{Block, Checks, Executor as _, PreState, Sequential, block::state_root};
use gatewei_fuzz::FILES;
use gatewei_workloads::{Params, generate, write};
use serde_json::{Value, json};

/// Something that is done with a block directory.
type Step = fn(&Path) -> Result<(), Box<dyn Error>>;

/// The files of a block, with its access list and a witness of the whole state.
pub struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Files {
    pub fn generate(kind: &str, txs: usize) -> Result<Self, Box<dyn Error>> {
        Self::changed(kind, txs, verify, |_| Ok(()))
    }

    /// The same with slots that the block deletes.
    pub fn drained(kind: &str, txs: usize) -> Result<Self, Box<dyn Error>> {
        Self::changed(kind, txs, deletes, drain)
    }

    /// A generated block as `change` leaves its files; it must pass the `check`.
    fn changed(kind: &str, txs: usize, check: Step, change: Step) -> Result<Self, Box<dyn Error>> {
        let params = Params {
            txs,
            ..Params::default()
        };
        let directory = std::env::temp_dir().join(format!("gatewei-seeds-{}", std::process::id()));
        write(&generate(kind, &params)?, &directory)?;
        change(&directory)?;
        let mut block = Block::load(&directory)?;
        block.list_accesses = true;
        let list = Sequential.execute(&block)?.access_list;
        let witness = directory.join("witness.json");
        let old = read(&witness)?;
        fs::write(&witness, complete(&block, &old["headers"]).to_string())?;
        check(&directory)?;
        fs::write(directory.join("bal.json"), serde_json::to_vec(&list)?)?;
        let mut files = BTreeMap::new();
        for name in FILES {
            files.insert(name, fs::read(directory.join(name))?);
        }
        fs::remove_dir_all(directory)?;
        Ok(Self(files))
    }

    /// An input with some of the files.
    pub fn input(&self, names: &[&str]) -> Vec<u8> {
        let text = |name: &&str| match self.0.get(name) {
            Some(text) if names.contains(name) => text.trim_ascii().to_vec(),
            _ => Vec::new(),
        };
        FILES.iter().map(text).collect::<Vec<_>>().join(&0)
    }

    /// The same with transactions that do not say who sent them: a change of one leaves a block of somebody else's.
    pub fn unsigned(mut self) -> Result<Self, Box<dyn Error>> {
        let mut block: Value = serde_json::from_slice(&self.0["block.json"])?;
        let transactions = block["transactions"].as_array_mut();
        for fields in transactions
            .into_iter()
            .flatten()
            .flat_map(Value::as_object_mut)
        {
            fields.retain(|name, _| name != "from" && name != "hash");
        }
        self.0.insert("block.json", serde_json::to_vec(&block)?);
        Ok(self)
    }

    /// The same with places in place of the hashes of the witness, for the target to put them in.
    pub fn with_places(mut self) -> Result<Self, Box<dyn Error>> {
        let mut witness: Value = serde_json::from_slice(&self.0["witness.json"])?;
        let nodes: Vec<Bytes> = serde_json::from_value(witness["state"].take())?;
        let headers: Vec<Bytes> = serde_json::from_value(witness["headers"].take())?;
        let places: B256Map<usize> = nodes.iter().map(keccak256).zip(0..).collect();
        let open = |rlp: &Bytes| {
            let mut open = rlp.to_vec();
            for at in 1..rlp.len().saturating_sub(31) {
                if let Some(place) = places.get(&rlp[at..at + 32]) {
                    open[at..at + 32].copy_from_slice(B256::from(U256::from(*place)).as_slice());
                }
            }
            Bytes::from(open)
        };
        witness["state"] = json!(nodes.iter().map(open).collect::<Vec<_>>());
        witness["headers"] = json!(headers.iter().map(open).collect::<Vec<_>>());
        let mut block: Value = serde_json::from_slice(&self.0["block.json"])?;
        block["parentHash"] = json!(B256::ZERO);
        block.as_object_mut().map(|block| block.remove("hash"));
        self.0.insert("witness.json", serde_json::to_vec(&witness)?);
        self.0.insert("block.json", serde_json::to_vec(&block)?);
        Ok(self)
    }
}

/// Asserts that the block verifies from its witness.
fn verify(directory: &Path) -> Result<(), Box<dyn Error>> {
    let block = Block::load_stateless(directory)?;
    let (checks, mismatches) = Checks::new(&block, &Sequential.execute(&block)?);
    assert_eq!(checks.state_root, Some(true));
    assert!(mismatches.is_empty(), "{mismatches:?}");
    Ok(())
}

/// Leaves no more in slots that fall than the block takes from them. Its own header is not true any more.
fn drain(directory: &Path) -> Result<(), Box<dyn Error>> {
    let [block, prestate, witness] =
        ["block.json", "prestate.json", "witness.json"].map(|name| directory.join(name));
    let outcome = Sequential.execute(&Block::load(directory)?)?;
    let mut state = read(&prestate)?;
    for (address, account) in &outcome.state.state {
        for (key, slot) in &account.storage {
            let (before, after) = (slot.previous_or_original_value, slot.present_value);
            if after < before {
                let address = address.to_string().to_lowercase();
                let key = B256::from(*key).to_string();
                state[address]["storage"][key] = json!(before - after);
            }
        }
    }
    fs::write(&prestate, state.to_string())?;
    let headers: Vec<Bytes> = serde_json::from_value(read(&witness)?["headers"].take())?;
    let mut parent = Header::decode(&mut &headers[0][..])?;
    parent.state_root = state_root(&PreState::load(directory)?, None);
    let headers = [Bytes::from(alloy_rlp::encode(&parent))];
    fs::write(&witness, json!({ "headers": headers }).to_string())?;
    let mut changed = read(&block)?;
    changed["parentHash"] = json!(parent.hash_slow());
    changed.as_object_mut().map(|block| block.remove("hash"));
    fs::write(&block, changed.to_string())?;
    Ok(())
}

/// Asserts that the block deletes slots, and that its witness tells the state root after that.
fn deletes(directory: &Path) -> Result<(), Box<dyn Error>> {
    let (block, whole) = (Block::load_stateless(directory)?, Block::load(directory)?);
    let changes = Sequential.execute(&block)?.state;
    let mut slots = changes
        .state
        .values()
        .flat_map(|account| account.storage.values());
    assert!(slots.any(|slot| slot.is_changed() && slot.present_value.is_zero()));
    let root = state_root(&whole.pre_state, Some(&changes));
    assert_eq!(block.state_root_after(&changes), Some(Ok(root)));
    Ok(())
}

fn read(path: &Path) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// A witness of the whole state before a block, every node before those below it.
fn complete(block: &Block, headers: &Value) -> Value {
    let (mut leaves, mut below, mut codes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (address, account) in block.pre_state.accounts() {
        let slots = account.storage.iter().filter(|(_, value)| !value.is_zero());
        let slots =
            slots.map(|(key, value)| (keccak256(B256::from(*key)), alloy_rlp::encode(value)));
        let (storage_root, nodes) = trie(slots.collect());
        below.insert(keccak256(address), nodes);
        let info = &account.info;
        let leaf = TrieAccount {
            nonce: info.nonce,
            balance: info.balance,
            storage_root,
            code_hash: info.code_hash,
        };
        leaves.insert(keccak256(address), alloy_rlp::encode(leaf));
        if let Some(code) = info.code.as_ref().filter(|code| !code.is_empty()) {
            codes.insert(info.code_hash, code.original_bytes());
        }
    }
    let (_, mut state) = trie(leaves);
    state.extend(below.into_values().flatten());
    json!({ "state": state, "codes": codes.values().collect::<Vec<_>>(), "headers": headers })
}

/// Root and nodes of a trie.
fn trie(leaves: BTreeMap<B256, Vec<u8>>) -> (B256, Vec<Bytes>) {
    if leaves.is_empty() {
        return (EMPTY_ROOT_HASH, Vec::new());
    }
    let keys = leaves.keys().map(|key| Nibbles::unpack(key)).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
    for (key, value) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}
