//! Generated blocks are deterministic, true and as contended as asked.

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    path::PathBuf,
};

use alloy_consensus::{Transaction as _, proofs, transaction::SignerRecoverable as _};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::{Block, Transaction};
use gatewei_workloads::{GeneratedBlock, KINDS, Params, WorkloadError, generate, write};
use revm::{
    Context, ExecuteCommitEvm as _, MainBuilder as _, MainContext as _, bytecode::Bytecode,
    context::TxEnv, database::InMemoryDB, primitives::hardfork::SpecId, state::AccountInfo,
};
use serde::Deserialize;

const TXS: usize = 48;

fn block(kind: &str, seed: u64, contention: Option<f64>) -> GeneratedBlock {
    generate(
        kind,
        &Params {
            txs: TXS,
            seed,
            contention,
        },
    )
    .expect("every kind generates")
}

fn folder(name: &str) -> PathBuf {
    env::temp_dir().join(format!("gatewei-workloads-{}-{name}", std::process::id()))
}

/// All bytes of the block's directory.
fn bytes(block: &GeneratedBlock, name: &str) -> BTreeMap<String, Vec<u8>> {
    let dir = folder(name);
    write(block, &dir).expect("the directory can be written");
    let files = [
        "block.json",
        "prestate.json",
        "block_hashes.json",
        "witness.json",
    ];
    let read = files.map(|file| {
        (
            file.to_owned(),
            fs::read(dir.join(file)).expect("file was written"),
        )
    });
    fs::remove_dir_all(&dir).expect("the directory can be removed");
    read.into()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for kind in KINDS {
        let first = bytes(&block(kind.name, 7, None), kind.name);
        assert_eq!(
            first,
            bytes(&block(kind.name, 7, None), kind.name),
            "{}",
            kind.name
        );
        assert_ne!(
            first,
            bytes(&block(kind.name, 8, None), kind.name),
            "{}",
            kind.name
        );
    }
}

#[test]
fn every_transaction_succeeds() {
    for kind in KINDS {
        let block = block(kind.name, 3, None);
        assert_eq!(block.receipts.len(), TXS);
        for (index, receipt) in block.receipts.iter().enumerate() {
            assert!(receipt.is_success(), "{} transaction {index}", kind.name);
        }
    }
}

/// `witness.json` as its readers see it.
#[derive(Deserialize)]
struct Witness {
    headers: Vec<Bytes>,
}

/// An account as a reader of `prestate.json` sees it.
#[derive(Deserialize)]
struct Account {
    balance: U256,
    nonce: U256,
    #[serde(default)]
    code: Bytes,
    #[serde(default)]
    storage: BTreeMap<B256, B256>,
}

/// Runs the files through plain revm, without this crate's types and without alloy-evm: gas, logs
/// and receipts root must be those of the header.
#[test]
fn plain_revm_agrees_with_the_header() {
    for kind in KINDS {
        let files = bytes(&block(kind.name, 5, None), &format!("{}-plain", kind.name));
        let block: Block =
            serde_json::from_slice(&files["block.json"]).expect("block.json is a block");
        let accounts: BTreeMap<Address, Account> =
            serde_json::from_slice(&files["prestate.json"]).expect("prestate.json is a state");
        let hashes: BTreeMap<u64, B256> = serde_json::from_slice(&files["block_hashes.json"])
            .expect("block_hashes.json has hashes");

        let header = &block.header;
        assert_eq!(header.inner.hash_slow(), header.hash, "{}", kind.name);
        assert_eq!(hashes[&(header.number - 1)], header.parent_hash);
        let witness: Witness =
            serde_json::from_slice(&files["witness.json"]).expect("witness.json has headers");
        assert_eq!(keccak256(&witness.headers[0]), header.parent_hash);
        let transactions = block
            .transactions
            .as_transactions()
            .expect("full transactions");
        let envelopes: Vec<_> = transactions.iter().map(|tx| tx.inner.inner()).collect();
        assert_eq!(
            proofs::calculate_transaction_root(&envelopes),
            header.transactions_root
        );

        let mut database = InMemoryDB::default();
        for (address, account) in accounts {
            let code = Bytecode::new_raw(account.code);
            let info =
                AccountInfo::new(account.balance, account.nonce.to(), code.hash_slow(), code);
            database.insert_account_info(address, info);
            for (slot, value) in account.storage {
                assert!(!value.is_zero(), "slots of zero are not in a pre-state");
                database
                    .insert_account_storage(address, slot.into(), value.into())
                    .expect("in memory");
            }
        }
        let mut evm = Context::mainnet()
            .with_db(database)
            .modify_cfg_chained(|cfg| {
                cfg.spec = SpecId::OSAKA;
                cfg.set_spec_and_mainnet_gas_params(SpecId::OSAKA);
            })
            .modify_block_chained(|env| {
                env.number = U256::from(header.number);
                env.timestamp = U256::from(header.timestamp);
                env.beneficiary = header.beneficiary;
                env.gas_limit = header.gas_limit;
                env.basefee = header.base_fee_per_gas.expect("post-London");
                env.prevrandao = Some(header.mix_hash);
            })
            .build_mainnet();

        let (mut gas_used, mut logs) = (0, 0);
        for (index, tx) in transactions.iter().enumerate() {
            let result = evm
                .transact_commit(environment(tx))
                .expect("valid transaction");
            assert!(
                result.is_success(),
                "{} transaction {index}: {result:?}",
                kind.name
            );
            gas_used += result.tx_gas_used();
            logs += result.logs().len();
        }
        assert_eq!(gas_used, header.gas_used, "{}", kind.name);
        assert_eq!(
            logs > 0,
            kind.name != "transfers",
            "only transfers have no events"
        );
        assert_eq!(header.logs_bloom.is_zero(), logs == 0);
    }
}

fn environment(tx: &Transaction) -> TxEnv {
    let inner = &tx.inner;
    let signer = inner.inner().recover_signer().expect("signature recovers");
    assert_eq!(signer, inner.signer());
    TxEnv {
        tx_type: inner.inner().tx_type() as u8,
        caller: signer,
        gas_limit: inner.gas_limit(),
        gas_price: inner.max_fee_per_gas(),
        gas_priority_fee: inner.max_priority_fee_per_gas(),
        kind: inner.kind(),
        value: inner.value(),
        data: inner.input().clone(),
        nonce: inner.nonce(),
        chain_id: inner.chain_id(),
        access_list: inner.access_list().cloned().unwrap_or_default(),
        ..TxEnv::default()
    }
}

/// What hot transactions of a kind have in common.
fn spot(kind: &str, tx: &Transaction) -> Vec<u8> {
    let input = tx.input();
    match kind {
        "transfers" => tx.to().expect("no creation").to_vec(),
        "erc20-independent" | "erc20-hot" => match input[..4] {
            // transfer(to, value)
            [0xa9, 0x05, 0x9c, 0xbb] => input[4..36].to_vec(),
            _ => tx.inner.signer().to_vec(),
        },
        // The item, the proposal, the creature.
        "provenance" | "voting" | "game" => input[4..36].to_vec(),
        "erc20-airdrop" => tx.inner.signer().to_vec(),
        // The only element of `address[] pools`; longer paths are never hot.
        "amm-pools" | "amm-hot" if input[196..228].ends_with(&[1]) => input[228..260].to_vec(),
        _ => tx.inner.signer().to_vec(),
    }
}

#[test]
fn contention_is_the_share_of_hot_transactions() {
    for kind in KINDS.iter().filter(|kind| kind.name != "mixed") {
        for (contention, hot) in [
            (Some(1.0), 48),
            (Some(0.5), 24),
            (Some(0.25), 12),
            (None, (48.0 * kind.contention) as _),
        ] {
            let block = block(kind.name, 11, contention).block;
            let mut counts = HashMap::new();
            for tx in block
                .transactions
                .as_transactions()
                .expect("full transactions")
            {
                *counts.entry(spot(kind.name, tx)).or_insert(0) += 1;
            }
            let most = counts.values().copied().max().unwrap_or(0);
            assert_eq!(
                most,
                std::cmp::max(hot, 1),
                "{} at {contention:?}",
                kind.name
            );
        }
    }
}

#[test]
fn the_mixed_block_has_every_part() {
    let block = generate("mixed", &Params::default())
        .expect("mixed generates")
        .block;
    let transactions = block
        .transactions
        .as_transactions()
        .expect("full transactions");
    let count = |part: fn(&Transaction) -> bool| transactions.iter().filter(|tx| part(tx)).count();
    assert!(count(|tx| tx.input().is_empty()) > 80, "transfers");
    assert!(
        count(|tx| tx.input().starts_with(&[0xa9, 0x05, 0x9c, 0xbb])) > 80,
        "tokens"
    );
    assert!(count(|tx| tx.input().len() >= 260) > 60, "swaps");
}

#[test]
fn parameters_out_of_range_are_errors() {
    let params = Params::default();
    assert!(matches!(
        generate("nothing", &params),
        Err(WorkloadError::UnknownKind { .. })
    ));
    for contention in [-0.1, 1.1, f64::NAN] {
        let params = Params {
            contention: Some(contention),
            ..params
        };
        assert!(matches!(
            generate("mixed", &params),
            Err(WorkloadError::Contention { .. })
        ));
    }
    let many = Params {
        txs: usize::MAX,
        ..params
    };
    assert!(matches!(
        generate("mixed", &many),
        Err(WorkloadError::TooManyTransactions { .. })
    ));
    let none = generate("mixed", &Params { txs: 0, ..params }).expect("an empty block is a block");
    assert_eq!(none.block.header.gas_used, 0);
}
