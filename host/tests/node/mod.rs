//! A small node: imports blocks one transaction at a time, through alloy-evm's own executor and through the engine's.

use std::sync::Arc;

use alloy_evm::{
    EvmFactory as _,
    block::{BlockExecutionResult, BlockExecutor, BlockExecutorFactory},
    eth::{EthBlockExecutorFactory, EthEvmFactory},
};
use gatewei::{
    Block, Engine, Outcome, Provider, Receipt, Receipts, Statistics, block,
    node::{Context, Counts, GateweiExecutorFactory, InOrder, Parallel},
};
use revm::{
    database::{State, states::bundle_state::BundleRetention},
    database_interface::WrapDatabaseRef,
    inspector::{Inspector, NoOpInspector},
    interpreter::{Interpreter, InterpreterTypes},
};

use crate::{common, parallel::assert_same};

/// What the node does that it should not, at the second transaction.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Leaves the system calls out.
    NoSystemCalls,
    /// Executes it, throws that away, and executes it again.
    NotCommitted,
    /// Leaves the first transaction out.
    OtherTransaction,
}

type Imported = Result<Outcome, String>;

/// Imports a block: reth's loop.
fn import<E>(
    block: &Block,
    mut executor: E,
    fault: Fault,
) -> Result<(E::Evm, BlockExecutionResult<Receipt>), String>
where
    E: BlockExecutor<Transaction = alloy_consensus::TxEnvelope, Receipt = Receipt>,
    E::Evm: alloy_evm::Evm<Tx = revm::context::TxEnv>,
{
    if fault != Fault::NoSystemCalls {
        executor
            .apply_pre_execution_changes()
            .map_err(|error| error.to_string())?;
    }
    for (index, (tx, env)) in block.transactions.iter().zip(&block.tx_envs).enumerate() {
        if fault == Fault::OtherTransaction && index == 0 {
            continue;
        }
        if fault == Fault::NotCommitted && index == 1 {
            let _ = executor.execute_transaction_without_commit((env.clone(), tx));
        }
        let result = executor.execute_transaction_without_commit((env.clone(), tx));
        let result = result.map_err(|error| error.to_string())?;
        executor.commit_transaction(result);
    }
    executor.finish().map_err(|error| error.to_string())
}

fn outcome<DB: revm::Database>(
    result: BlockExecutionResult<Receipt>,
    mut state: State<DB>,
) -> Outcome {
    state.merge_transitions(BundleRetention::Reverts);
    Outcome {
        result,
        state: state.take_bundle(),
        access_list: None,
        statistics: Statistics::default(),
    }
}

/// By alloy-evm's own executor.
fn by_alloy(block: &Block, fault: Fault) -> Imported {
    let mut state = state(block);
    let factory = EthBlockExecutorFactory::new(
        Receipts,
        block.chain.spec().clone(),
        EthEvmFactory::default(),
    );
    let evm = factory
        .evm_factory()
        .create_evm(&mut state, block.environment.clone());
    let (_, result) = import(block, factory.create_executor(evm, block.context()), fault)?;
    Ok(outcome(result, state))
}

fn state(block: &Block) -> State<WrapDatabaseRef<Arc<gatewei::PreState>>> {
    State::builder()
        .with_database(WrapDatabaseRef(block.pre_state.clone()))
        .with_bundle_update()
        .build()
}

fn context(block: &Block) -> Context<'_> {
    Context {
        block: block.context(),
        parallel: Some(Parallel {
            transactions: Arc::new(block.transactions.clone()),
            state: Arc::new(Provider(block.pre_state.clone())),
        }),
    }
}

/// By the engine's.
fn by_engine(block: &Block, context: Context<'_>, fault: Fault) -> (Imported, Counts) {
    let mut state = state(block);
    let factory = GateweiExecutorFactory::new(
        Engine::builder().build(),
        block.chain.spec().clone(),
        Receipts,
    );
    let evm = factory
        .evm_factory()
        .create_evm(&mut state, block.environment.clone());
    let imported = import(block, factory.create_executor(evm, context), fault);
    let imported = imported.map(|(_, result)| result);
    (
        imported.map(|result| outcome(result, state)),
        factory.counts(),
    )
}

fn assert_equal(expected: &Imported, got: &Imported, what: &str) {
    match (expected, got) {
        (Ok(expected), Ok(got)) => assert_same(&Ok(expected.clone()), &Ok(got.clone()), what),
        (Err(expected), Err(got)) => assert_eq!(expected, got, "{what}"),
        (expected, got) => panic!("{what}: {} against {}", expected.is_ok(), got.is_ok()),
    }
}

#[test]
fn a_node_imports_all_real_blocks() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    for directory in block::find(&folder).expect("the folder has blocks") {
        let block = Block::load(&directory).expect("a real block loads");
        let what = format!("block {}", block.number());
        let expected = by_alloy(&block, Fault::None);
        assert!(expected.is_ok(), "{what}");
        let (imported, counts) = by_engine(&block, context(&block), Fault::None);
        assert_equal(&expected, &imported, &what);
        assert_eq!(counts.ahead, block.transactions.len() as u64, "{what}");
        assert!(counts.in_order.is_empty(), "{what}: {counts:?}");
    }
}

#[test]
fn what_a_node_does_otherwise_is_done_in_order_and_counted() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let block = Block::load(&folder.join("17034869")).expect("it loads");
    let check = |block: &Block, context: Context<'_>, fault: Fault, reason: InOrder, what: &str| {
        let (imported, counts) = by_engine(block, context, fault);
        assert_equal(&by_alloy(block, fault), &imported, what);
        assert_eq!(counts.in_order.get(&reason), Some(&1), "{what}: {counts:?}");
        assert_eq!(counts.in_order.len(), 1, "{what}: {counts:?}");
    };
    check(
        &block,
        block.context().into(),
        Fault::None,
        InOrder::NoContext,
        "no transactions",
    );
    check(
        &block,
        context(&block),
        Fault::NoSystemCalls,
        InOrder::NoSystemCalls,
        "no system calls",
    );
    check(
        &block,
        context(&block),
        Fault::NotCommitted,
        InOrder::NotCommitted,
        "a result thrown away",
    );
    check(
        &block,
        context(&block),
        Fault::OtherTransaction,
        InOrder::OtherTransaction,
        "another transaction",
    );
    // An invalid transaction is alloy-evm's executor's to refuse.
    let mut invalid = block.clone();
    let middle = invalid.tx_envs.len() / 2;
    let tx = invalid.transactions.remove(middle);
    let env = invalid.tx_envs.remove(middle);
    invalid.transactions.insert(0, tx.clone());
    invalid.tx_envs.insert(0, env.clone());
    invalid.transactions.insert(1, tx);
    invalid.tx_envs.insert(1, env);
    assert!(by_alloy(&invalid, Fault::None).is_err());
    check(
        &invalid,
        context(&invalid),
        Fault::None,
        InOrder::Failed,
        "the same transaction twice",
    );
}

/// Counts opcodes.
#[derive(Default)]
struct Steps(u64);

impl<CTX, INTR: InterpreterTypes> Inspector<CTX, INTR> for Steps {
    fn step(&mut self, _: &mut Interpreter<INTR>, _: &mut CTX) {
        self.0 += 1;
    }
}

#[test]
fn inspectors_see_every_step() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let block = Block::load(&folder.join("17034869")).expect("it loads");
    let factory = GateweiExecutorFactory::new(
        Engine::builder().build(),
        block.chain.spec().clone(),
        Receipts,
    );
    let mut state = state(&block);
    let mut steps = Steps::default();
    let evm = EthEvmFactory::default().create_evm_with_inspector(
        &mut state,
        block.environment.clone(),
        &mut steps,
    );
    let imported = import(
        &block,
        factory.create_executor(evm, context(&block)),
        Fault::None,
    );
    assert!(imported.is_ok());
    assert!(steps.0 > 10_000, "{} steps", steps.0);
    assert_eq!(factory.counts().in_order.get(&InOrder::Inspector), Some(&1));
    assert_eq!(factory.counts().ahead, 0);
    // The one that sees nothing is none.
    let mut state = self::state(&block);
    let evm = EthEvmFactory::default().create_evm_with_inspector(
        &mut state,
        block.environment.clone(),
        NoOpInspector {},
    );
    let executor = factory.create_executor(evm, context(&block));
    assert!(import(&block, executor, Fault::None).is_ok());
    assert_eq!(factory.counts().ahead, block.transactions.len() as u64);
}
