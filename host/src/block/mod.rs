//! Blocks and the directories they come from: header, transactions with their senders, and the state before.
//!
//! A block directory has `block.json` (as `eth_getBlockByNumber(n, true)` gives it), `prestate.json` (all state that the
//! block reads), `block_hashes.json` (ancestors for BLOCKHASH) and perhaps `bal.json` (an EIP-7928 block access list) and
//! `witness.json` (an execution witness).

mod error;
mod fork;
mod json;
mod prestate;
mod search;
mod source;
mod state_root;
mod transaction;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::{Header, TxEnvelope, proofs, transaction::Recovered};
use alloy_eips::eip4895::Withdrawal;
use alloy_evm::{EvmEnv, ToTxEnv as _, eth::EthBlockExecutionCtx};
use alloy_primitives::B256;
use rayon::prelude::*;
use revm::{context::TxEnv, primitives::hardfork::SpecId};
use serde::Deserialize;

pub use error::LoadError;
pub use fork::{Chain, Fork, MAINNET, UnknownFork};
pub(crate) use prestate::analysed;
pub use prestate::{PreAccount, PreState, PreStateError};
pub use search::find;
pub use source::{Provider, Source};
pub use state_root::state_root;

use crate::{AccessList, Witness, witness::Threads};
use transaction::JsonTransaction;

/// A block, ready to run: nothing is left to be parsed, recovered or looked up in files.
#[derive(Clone, Debug)]
pub struct Block {
    /// The directory it came from; empty for a block made in memory.
    pub source: PathBuf,
    /// Its header.
    pub header: Header,
    /// Its transactions with their senders.
    pub transactions: Vec<Recovered<TxEnvelope>>,
    /// The same transactions as revm takes them, authorities (EIP-7702) recovered.
    pub tx_envs: Vec<TxEnv>,
    /// Withdrawals (EIP-4895); `None` before Shanghai.
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// Its fork.
    pub fork: Fork,
    /// The schedule of its chain.
    pub chain: Arc<Chain>,
    /// Configuration and block environment for revm.
    pub environment: EvmEnv<SpecId>,
    /// The state before it.
    pub pre_state: Arc<PreState>,
    /// Its block access list (EIP-7928), for the executors to use and to compare with what is done.
    pub access_list: Option<Arc<AccessList>>,
    /// The access list of what is done is wanted in the [`Outcome`](crate::Outcome), also where none is given.
    pub list_accesses: bool,
    /// Its execution witness, from which the state root after it is computed.
    pub witness: Option<Arc<Witness>>,
    /// How much of block processing is wanted.
    pub scope: Scope,
}

/// `block.json`, read.
struct File {
    path: PathBuf,
    header: Header,
    body: JsonBody,
    chain: Chain,
    environment: EvmEnv<SpecId>,
    fork: Fork,
}

impl File {
    fn read(directory: &Path) -> Result<Self, LoadError> {
        let path = directory.join("block.json");
        let text = json::text(&path)?;
        let header: Header = json::parse(&path, &text)?;
        let chain = Chain::mainnet();
        let environment = chain.environment(&header);
        let spec = environment.cfg_env.spec;
        let Some(fork) = Fork::new(spec) else {
            return Err(LoadError::UnknownFork {
                path,
                block: header.number,
                timestamp: header.timestamp,
                spec: spec.into(),
            });
        };
        let body: JsonBody = json::parse(&path, &text)?;
        if let Some(field) = missing_field(&header, &body, spec) {
            return Err(LoadError::MissingField {
                path,
                block: header.number,
                fork: fork.name(),
                field,
            });
        }
        Ok(Self {
            path,
            header,
            body,
            chain,
            environment,
            fork,
        })
    }

    fn block(
        self,
        directory: &Path,
        pre_state: PreState,
        witness: Option<Arc<Witness>>,
    ) -> Result<Block, LoadError> {
        let (number, spec) = (self.header.number, self.fork.spec());
        let transactions = recover(&self.path, number, spec, self.body.transactions)?;
        Ok(Block {
            source: directory.to_owned(),
            tx_envs: transactions.par_iter().map(|tx| tx.to_tx_env()).collect(),
            transactions,
            withdrawals: self.body.withdrawals,
            fork: self.fork,
            chain: Arc::new(self.chain),
            environment: self.environment,
            pre_state: Arc::new(pre_state),
            access_list: None,
            list_accesses: false,
            scope: Scope::Whole,
            witness,
            header: self.header,
        })
    }
}

/// How much of block processing an executor does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it, as a node does: system calls, transactions, requests, withdrawals, rewards.
    #[default]
    Whole,
    /// The transactions alone, as the public state tests want it. Fees are paid as ever.
    Transactions,
}

/// The parts of `block.json` that are not in the header.
#[derive(Deserialize)]
struct JsonBody {
    transactions: Vec<JsonTransaction>,
    withdrawals: Option<Vec<Withdrawal>>,
    hash: Option<B256>,
}

impl Block {
    /// Reads a block directory and recovers the senders, on all threads of rayon's pool.
    ///
    /// # Errors
    /// A file that is missing, truncated or malformed; a field that the block's fork needs and that is missing; a
    /// transaction whose signature, sender or hash do not fit; a fork after Osaka.
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        let file = File::read(directory)?;
        let witness = state_root::witness(directory, file.header.parent_hash)?;
        let pre_state = PreState::load(directory)?;
        file.block(directory, pre_state, witness.map(Arc::new))
    }

    /// Reads `block.json` and `witness.json` of a block directory, and nothing else: the witness is the pre-state. What
    /// the header says of the block's parts (transactions, withdrawals, its own hash) is checked too, so that a block whose
    /// execution fits its header is the valid one with that hash, if its parent is.
    ///
    /// # Errors
    /// As [`Block::load`]; a witness without the parent's header; a part that is not the header's.
    pub fn load_stateless(directory: &Path) -> Result<Self, LoadError> {
        let file = File::read(directory)?;
        let hash = file.body.hash;
        let path = directory.join("witness.json");
        let witness = Witness::new(json::read(&path)?, file.header.parent_hash, &Threads);
        let witness = Arc::new(witness.map_err(|source| LoadError::Witness { path, source })?);
        let pre_state = PreState::of_witness(witness.clone());
        let block = file.block(directory, pre_state, Some(witness))?;
        block.check_body(hash)?;
        Ok(block)
    }

    /// Compares what the header says of the block's parts with them.
    fn check_body(&self, hash: Option<B256>) -> Result<(), LoadError> {
        let transactions: Vec<_> = self.transactions.iter().map(|tx| tx.inner()).collect();
        let transactions = proofs::calculate_transaction_root(&transactions);
        let withdrawals = self
            .withdrawals
            .as_deref()
            .map(proofs::calculate_withdrawals_root);
        let own = hash.is_some().then(|| self.header.hash_slow());
        let parts = [
            (
                "transactionsRoot",
                Some(self.header.transactions_root),
                Some(transactions),
            ),
            ("withdrawalsRoot", self.header.withdrawals_root, withdrawals),
            ("hash", hash, own),
        ];
        match parts.into_iter().find(|(_, given, own)| given != own) {
            None => Ok(()),
            Some((field, given, own)) => {
                let text =
                    |hash: Option<B256>| hash.map_or("none".to_owned(), |hash| hash.to_string());
                Err(LoadError::Body {
                    path: self.path(),
                    field,
                    given: text(given),
                    own: text(own),
                })
            }
        }
    }

    /// Reads the block's access list, `bal.json` of its directory, for the executors to use.
    ///
    /// # Errors
    /// A file that is missing or malformed, a list that EIP-7928 does not allow.
    pub fn load_access_list(&mut self) -> Result<(), LoadError> {
        let path = self.source.join("bal.json");
        let list = json::read(&path)?;
        let list = AccessList::new(list, self.transactions.len())
            .map_err(|source| LoadError::AccessList { path, source })?;
        self.access_list = Some(Arc::new(list));
        Ok(())
    }

    /// Whether executors tell what they accessed ([`Outcome::access_list`](crate::Outcome::access_list)).
    pub fn wants_access_list(&self) -> bool {
        self.list_accesses || self.access_list.is_some()
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.header.number
    }

    /// The rules it runs under.
    pub fn spec(&self) -> SpecId {
        self.fork.spec()
    }

    /// Whether its header has the results of its execution, so that they can be compared. One that is being built, or
    /// simulated, has used no gas yet.
    pub fn is_sealed(&self) -> bool {
        self.scope == Scope::Whole && self.header.gas_used > 0
    }

    /// Where messages say it is: its `block.json`.
    pub fn path(&self) -> PathBuf {
        self.source.join("block.json")
    }

    /// What alloy-evm's block executor wants to know besides the environment.
    ///
    /// A block directory has the hashes of a block's uncles but not their headers, so that their rewards, and the
    /// miner's for including them, are left out; no header field that is checked depends on them.
    pub fn context(&self) -> EthBlockExecutionCtx<'_> {
        EthBlockExecutionCtx {
            parent_hash: self.header.parent_hash,
            parent_beacon_block_root: self.header.parent_beacon_block_root,
            ommers: &[],
            withdrawals: self.withdrawals.as_deref().map(Cow::Borrowed),
            extra_data: self.header.extra_data.clone(),
            tx_count_hint: Some(self.transactions.len()),
            slot_number: None,
        }
    }

    /// Hash of a transaction; zero when there is none with this index.
    pub fn tx_hash(&self, index: usize) -> B256 {
        self.transactions
            .get(index)
            .map_or(B256::ZERO, |tx| *tx.tx_hash())
    }
}

fn recover(
    path: &Path,
    block: u64,
    spec: SpecId,
    transactions: Vec<JsonTransaction>,
) -> Result<Vec<Recovered<TxEnvelope>>, LoadError> {
    let recovered: Vec<_> = transactions
        .into_par_iter()
        .map(|tx| tx.recover(spec))
        .collect();
    // Not collected into a result above: of several faults, the first one is reported.
    let named = recovered.into_iter().enumerate().map(|(index, tx)| {
        tx.map_err(|fault| LoadError::Transaction {
            path: path.to_owned(),
            block,
            index,
            field: fault.field,
            reason: fault.reason,
        })
    });
    named.collect()
}

/// Name of a field that the fork's blocks have and this one lacks.
fn missing_field(header: &Header, body: &JsonBody, spec: SpecId) -> Option<&'static str> {
    let fields = [
        (
            SpecId::LONDON,
            "baseFeePerGas",
            header.base_fee_per_gas.is_some(),
        ),
        (SpecId::SHANGHAI, "withdrawals", body.withdrawals.is_some()),
        (
            SpecId::CANCUN,
            "excessBlobGas",
            header.excess_blob_gas.is_some(),
        ),
        (
            SpecId::CANCUN,
            "parentBeaconBlockRoot",
            header.parent_beacon_block_root.is_some(),
        ),
        (
            SpecId::PRAGUE,
            "requestsHash",
            header.requests_hash.is_some(),
        ),
    ];
    fields
        .into_iter()
        .find(|(since, _, present)| spec.is_enabled_in(*since) && !present)
        .map(|(_, field, _)| field)
}
