//! The header: the block is executed sequentially by revm and alloy-evm, and what comes out is
//! written into it.

use std::{borrow::Cow, collections::BTreeMap};

use alloy_consensus::{
    BlockBody, EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header, Transaction as _, TxEnvelope,
    proofs, transaction::Recovered,
};
use alloy_eips::{
    eip4895::{Withdrawal, Withdrawals},
    eip7685::EMPTY_REQUESTS_HASH,
    eip7840::BlobParams,
};
use alloy_evm::{
    EvmEnv, EvmFactory as _,
    block::{BlockExecutor as _, BlockExecutorFactory as _},
    eth::{
        EthBlockExecutionCtx, EthBlockExecutorFactory, EthEvmFactory,
        receipt_builder::AlloyReceiptBuilder, spec::EthSpec,
    },
};
use alloy_primitives::{B64, B256, Bloom, Bytes, U256, keccak256};
use alloy_rpc_types_eth::{Block, Transaction};
use revm::{
    bytecode::Bytecode,
    database::{InMemoryDB, State, states::bundle_state::BundleRetention},
    state::AccountInfo,
};

use crate::{GeneratedBlock, PreState, WorkloadError, random::Random, state_root};

/// Number of every generated block: on mainnet, under Osaka rules with the second increase of
/// blobs.
pub(crate) const BLOCK_NUMBER: u64 = 24_700_000;
/// Its timestamp in seconds.
pub(crate) const TIMESTAMP: u64 = 1_774_021_019;
/// Its base fee in wei.
pub(crate) const BASE_FEE: u64 = 500_000_000;
/// Its gas limit, unless the transactions need more.
const GAS_LIMIT: u64 = 60_000_000;
/// Withdrawals of a block (EIP-4895, `MAX_WITHDRAWALS_PER_PAYLOAD`).
const WITHDRAWALS: u64 = 16;

/// Executes the transactions on the pre-state and makes the block of them.
pub(crate) fn seal(
    pre_state: PreState,
    transactions: Vec<Recovered<TxEnvelope>>,
    seed: u64,
) -> Result<GeneratedBlock, WorkloadError> {
    let mut random = Random::new(seed ^ u64::from_be_bytes(*b"gatewei."));
    let gas_limit = transactions
        .iter()
        .map(|tx| tx.gas_limit())
        .sum::<u64>()
        .max(GAS_LIMIT);
    let parent = parent(&pre_state, gas_limit, &mut random);
    let parent_hash = parent.hash_slow();
    let withdrawals = withdrawals(&mut random);
    let mut header = Header {
        parent_hash,
        number: BLOCK_NUMBER,
        timestamp: TIMESTAMP,
        transactions_root: proofs::calculate_transaction_root(&transactions),
        withdrawals_root: Some(proofs::calculate_withdrawals_root(&withdrawals)),
        mix_hash: random.word(),
        parent_beacon_block_root: Some(random.word()),
        ..parent.clone()
    };

    let factory = EthBlockExecutorFactory::new(
        AlloyReceiptBuilder::default(),
        EthSpec::mainnet(),
        EthEvmFactory::default(),
    );
    let env = EvmEnv::for_eth_block(&header, factory.spec(), 1, Some(BlobParams::bpo2()));
    let mut state = State::builder()
        .with_database(database(&pre_state, parent_hash))
        .with_bundle_update()
        .build();
    let context = EthBlockExecutionCtx {
        parent_hash,
        parent_beacon_block_root: header.parent_beacon_block_root,
        ommers: &[],
        withdrawals: Some(Cow::Borrowed(&withdrawals)),
        extra_data: header.extra_data.clone(),
        tx_count_hint: Some(transactions.len()),
        slot_number: None,
    };
    let mut executor =
        factory.create_executor(factory.evm_factory().create_evm(&mut state, env), context);
    executor
        .apply_pre_execution_changes()
        .map_err(|error| invalid("the start", error))?;
    for (index, tx) in transactions.iter().enumerate() {
        executor
            .execute_transaction(tx)
            .map_err(|error| invalid(&format!("transaction {index}"), error))?;
    }
    let (evm, result) = executor
        .finish()
        .map_err(|error| invalid("the end", error))?;
    drop(evm);
    state.merge_transitions(BundleRetention::PlainState);

    header.gas_used = result.gas_used;
    header.blob_gas_used = Some(result.blob_gas_used);
    header.receipts_root = proofs::calculate_receipt_root(&result.receipts);
    header.logs_bloom = result
        .receipts
        .iter()
        .fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
    header.requests_hash = Some(result.requests.requests_hash());
    header.state_root = state_root::state_root(&state_root::apply(&pre_state, &state.bundle_state));
    Ok(GeneratedBlock {
        block: rpc_block(header, transactions, withdrawals),
        pre_state,
        block_hashes: BTreeMap::from([(BLOCK_NUMBER - 1, parent_hash)]),
        parent,
        receipts: result.receipts,
    })
}

/// The block before: its state root is that of the pre-state, and it used half of its gas, so that
/// the base fee stays.
fn parent(pre_state: &PreState, gas_limit: u64, random: &mut Random) -> Header {
    Header {
        parent_hash: random.word(),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: random.address(),
        state_root: state_root::state_root(pre_state),
        transactions_root: random.word(),
        receipts_root: random.word(),
        logs_bloom: Bloom::ZERO,
        difficulty: U256::ZERO,
        number: BLOCK_NUMBER - 1,
        gas_limit,
        gas_used: gas_limit / 2,
        timestamp: TIMESTAMP - 12,
        extra_data: Bytes::from_static(b"gatewei workload"),
        mix_hash: random.word(),
        nonce: B64::ZERO,
        base_fee_per_gas: Some(BASE_FEE),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(random.word()),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        block_access_list_hash: None,
        slot_number: None,
    }
}

fn withdrawals(random: &mut Random) -> Withdrawals {
    let first = random.between(100_000_000, 200_000_000);
    let withdrawal = |index| Withdrawal {
        index,
        validator_index: random.between(0, 1_000_000),
        address: random.address(),
        amount: random.between(10_000_000, 20_000_000),
    };
    Withdrawals::new((first..first + WITHDRAWALS).map(withdrawal).collect())
}

fn database(pre_state: &PreState, parent_hash: B256) -> InMemoryDB {
    let mut database = InMemoryDB::default();
    for (address, account) in pre_state {
        let code = Bytecode::new_raw(account.code.clone());
        let code_hash = keccak256(&account.code);
        let info = AccountInfo::new(account.balance, account.nonce, code_hash, code);
        database.insert_account_info(*address, info);
        for (slot, value) in &account.storage {
            // The account was inserted above, and nothing is behind this database that could fail.
            let _ = database.insert_account_storage(*address, (*slot).into(), (*value).into());
        }
    }
    database
        .cache
        .block_hashes
        .insert(U256::from(BLOCK_NUMBER - 1), parent_hash);
    database
}

fn rpc_block(
    header: Header,
    transactions: Vec<Recovered<TxEnvelope>>,
    withdrawals: Withdrawals,
) -> Block {
    let hash = header.hash_slow();
    let base_fee = header.base_fee_per_gas;
    let body = BlockBody {
        transactions,
        ommers: Vec::new(),
        withdrawals: Some(withdrawals),
    };
    let block = Block::from_consensus(alloy_consensus::Block { header, body }, None);
    let mut index = 0;
    block.map_transactions(|inner| {
        let effective_gas_price = Some(inner.effective_gas_price(base_fee));
        index += 1;
        Transaction {
            inner,
            block_hash: Some(hash),
            block_number: Some(BLOCK_NUMBER),
            transaction_index: Some(index - 1),
            effective_gas_price,
            block_timestamp: None,
        }
    })
}

fn invalid(place: &str, error: impl std::fmt::Display) -> WorkloadError {
    WorkloadError::Invalid {
        place: place.to_owned(),
        reason: error.to_string(),
    }
}
