//! Fixture files as they are written, and the state, environment and header that they describe.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_eips::{eip7825::MAX_TX_GAS_LIMIT_OSAKA, eip7840::BlobParams};
use alloy_evm::EvmEnv;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256, map::HashMap};
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
    primitives::hardfork::SpecId,
};
use serde::Deserialize;

use super::case::Indexes;
use crate::{PreState, block::MAINNET};

/// One test of a file: a transaction, in variants, on a small state.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonTest {
    pub(super) env: JsonEnvironment,
    pub(super) pre: HashMap<Address, JsonAccount>,
    pub(super) post: BTreeMap<String, Vec<JsonPost>>,
    pub(super) transaction: JsonTransaction,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonEnvironment {
    pub(super) current_coinbase: Address,
    pub(super) current_gas_limit: U256,
    pub(super) current_number: U64,
    pub(super) current_timestamp: U64,
    #[serde(default)]
    pub(super) current_difficulty: U256,
    pub(super) current_base_fee: Option<U64>,
    pub(super) current_random: Option<B256>,
    pub(super) current_excess_blob_gas: Option<U64>,
}

#[derive(Deserialize)]
pub(super) struct JsonAccount {
    pub(super) balance: U256,
    pub(super) nonce: U64,
    pub(super) code: Bytes,
    pub(super) storage: HashMap<U256, U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonPost {
    pub(super) hash: B256,
    pub(super) logs: B256,
    pub(super) txbytes: Bytes,
    pub(super) indexes: Indexes,
    pub(super) expect_exception: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct JsonTransaction {
    pub(super) sender: Option<Address>,
}

/// The state before.
pub(super) fn pre_state(test: &JsonTest) -> PreState {
    let mut state = PreState::new();
    for (address, account) in &test.pre {
        let slots = account.storage.iter().map(|(slot, value)| (*slot, *value));
        let code = account.code.clone();
        state.insert(*address, account.balance, account.nonce.to(), code, slots);
    }
    // Ancestors of a test's block have the hashes of their decimal numbers.
    let number: u64 = test.env.current_number.to();
    for ancestor in number.saturating_sub(256)..number {
        state.insert_block_hash(ancestor, keccak256(ancestor.to_string()));
    }
    state
}

/// Configuration and block environment under these rules.
pub(super) fn environment(env: &JsonEnvironment, spec: SpecId) -> EvmEnv<SpecId> {
    let blobs = match spec {
        SpecId::CANCUN => Some(BlobParams::cancun()),
        SpecId::PRAGUE => Some(BlobParams::prague()),
        SpecId::OSAKA => Some(BlobParams::osaka()),
        _ => None,
    };
    let mut cfg = CfgEnv::new_with_spec(spec).with_chain_id(MAINNET);
    if let Some(blobs) = &blobs {
        cfg.set_max_blobs_per_tx(blobs.max_blobs_per_tx);
    }
    if spec.is_enabled_in(SpecId::OSAKA) {
        cfg.tx_gas_limit_cap = Some(MAX_TX_GAS_LIMIT_OSAKA);
    }
    let merged = spec.is_enabled_in(SpecId::MERGE);
    let excess = env.current_excess_blob_gas.unwrap_or_default().to();
    let block = BlockEnv {
        number: env.current_number.to(),
        beneficiary: env.current_coinbase,
        timestamp: env.current_timestamp.to(),
        gas_limit: env.current_gas_limit.saturating_to(),
        basefee: env.current_base_fee.unwrap_or_default().to(),
        difficulty: if merged {
            U256::ZERO
        } else {
            env.current_difficulty
        },
        prevrandao: merged.then(|| env.current_random.unwrap_or_default()),
        blob_excess_gas_and_price: blobs.map(|blobs| BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: blobs.calc_blob_fee(excess),
        }),
        ..BlockEnv::default()
    };
    EvmEnv::new(cfg, block)
}

/// The part of a header that messages and executors may want.
pub(super) fn header(env: &JsonEnvironment, environment: &EvmEnv<SpecId>) -> Header {
    Header {
        number: env.current_number.to(),
        timestamp: env.current_timestamp.to(),
        beneficiary: env.current_coinbase,
        gas_limit: environment.block_env.gas_limit,
        base_fee_per_gas: env.current_base_fee.map(|fee| fee.to()),
        ..Header::default()
    }
}
