//! The engine where node software expects a block executor: alloy-evm's [`BlockExecutorFactory`].
//!
//! A node makes an executor for a block, then asks it for one transaction after the other. So the engine starts when the
//! executor is made, runs ahead on its own threads, and the executor hands out its results in order, which the node commits
//! to its own state as ever. For that, the context must tell what the block's transactions are and where threads can read the
//! state ([`Parallel`]). Where it does not, and wherever the node does something else than it announced, the executor is
//! alloy-evm's own from there on, and [`GateweiExecutorFactory::counts`] has the reason.

use std::{
    any::type_name,
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
};

use alloy_consensus::{
    Header, Transaction, TransactionEnvelope, TxEnvelope, TxReceipt, transaction::Recovered,
};
use alloy_eips::Encodable2718;
use alloy_evm::{
    Evm, EvmEnv, EvmFactory, FromRecoveredTx, FromTxWithEncoded, RecoveredTx as _, ToTxEnv as _,
    block::{
        BlockExecutionError, BlockExecutionResult, BlockExecutor, BlockExecutorFactory,
        ExecutableTx, GasOutput, StateDB,
    },
    eth::{
        EthBlockExecutionCtx, EthBlockExecutor, EthEvm, EthEvmContext, EthEvmFactory, EthTxResult,
        receipt_builder::ReceiptBuilder, spec::EthSpec,
    },
    precompiles::PrecompilesMap,
};
use alloy_primitives::{B256, Log};
use parking_lot::Mutex;
use revm::{
    Database as _, Inspector,
    context::{
        Block as _, BlockEnv, TxEnv,
        result::{HaltReason, ResultAndState},
    },
    inspector::NoOpInspector,
    primitives::hardfork::SpecId,
};

use crate::{Block, Chain, Engine, Fork, PreState, Receipts, Scope, Source, engine::Cancel};

/// Results that the engine may be ahead of the node.
const AHEAD: usize = 64;

/// What the engine needs to run ahead of a node.
#[derive(Clone, Debug)]
pub struct Parallel {
    /// The block's transactions with their senders, in order.
    pub transactions: Arc<Vec<Recovered<TxEnvelope>>>,
    /// The state before the block. It must be the one that the executor's own database shows.
    pub state: Arc<dyn Source>,
}

/// What an executor is told of its block.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// What alloy-evm's own executor is told.
    pub block: EthBlockExecutionCtx<'a>,
    /// Without this, the block is executed in order.
    pub parallel: Option<Parallel>,
}

impl<'a> From<EthBlockExecutionCtx<'a>> for Context<'a> {
    fn from(block: EthBlockExecutionCtx<'a>) -> Self {
        Self {
            block,
            parallel: None,
        }
    }
}

/// Why transactions were executed in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InOrder {
    /// The context has neither transactions nor a state that threads can read.
    NoContext,
    /// An inspector wants to see every step.
    Inspector,
    /// The engine does not know these rules.
    Fork,
    /// The node did not begin with the block's system calls.
    NoSystemCalls,
    /// The node executed another transaction than the next one of the context.
    OtherTransaction,
    /// The node did not commit a result.
    NotCommitted,
    /// The engine ended before: the transaction is invalid, or its state cannot be read. alloy-evm's executor tells which.
    Failed,
    /// The system gave no thread.
    NoThread,
}

/// How transactions were executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Results that came from the engine.
    pub ahead: u64,
    /// Blocks that were executed in order from some transaction on, by reason.
    pub in_order: BTreeMap<InOrder, u64>,
}

/// Makes block executors that an [`Engine`] runs ahead of.
#[derive(Clone, Debug)]
pub struct GateweiExecutorFactory<R = Receipts> {
    engine: Engine,
    spec: EthSpec,
    receipts: R,
    evm_factory: EthEvmFactory,
    counts: Arc<Mutex<Counts>>,
}

impl<R> GateweiExecutorFactory<R> {
    /// A factory for a chain with this schedule.
    pub fn new(engine: Engine, spec: EthSpec, receipts: R) -> Self {
        Self {
            engine,
            spec,
            receipts,
            evm_factory: EthEvmFactory::default(),
            counts: Arc::default(),
        }
    }

    /// How transactions were executed so far, by all executors of this factory and its clones.
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    /// Starts the engine on the block; else says why not.
    fn start<E, I>(&self, evm: &E, context: &Context<'_>) -> Result<Running, InOrder>
    where
        E: Evm<Spec = SpecId, BlockEnv = BlockEnv>,
    {
        let parallel = context.parallel.as_ref().ok_or(InOrder::NoContext)?;
        // An inspector may borrow, so that it has no type that could be asked for.
        if type_name::<I>() != type_name::<NoOpInspector>() {
            return Err(InOrder::Inspector);
        }
        let environment = EvmEnv::new(evm.cfg_env().clone(), evm.block().clone());
        let fork = Fork::new(environment.cfg_env.spec).ok_or(InOrder::Fork)?;
        let block = &environment.block_env;
        let header = Header {
            parent_hash: context.block.parent_hash,
            parent_beacon_block_root: context.block.parent_beacon_block_root,
            extra_data: context.block.extra_data.clone(),
            number: block.number().saturating_to(),
            timestamp: block.timestamp().saturating_to(),
            beneficiary: block.beneficiary(),
            gas_limit: block.gas_limit(),
            ..Header::default()
        };
        let transactions = parallel.transactions.to_vec();
        let hashes = transactions.iter().map(|tx| *tx.tx_hash()).collect();
        let block = Block {
            source: Default::default(),
            tx_envs: transactions.iter().map(|tx| tx.to_tx_env()).collect(),
            transactions,
            withdrawals: context.block.withdrawals.as_deref().map(<[_]>::to_vec),
            fork,
            chain: Arc::new(Chain::new(self.spec.clone())),
            environment,
            pre_state: Arc::new(PreState::of_source(parallel.state.clone())),
            access_list: None,
            list_accesses: false,
            witness: None,
            scope: Scope::Whole,
            header,
        };
        let (feed, results) = mpsc::sync_channel(AHEAD);
        let (engine, cancel) = (self.engine.clone(), Cancel::new());
        let cancelled = cancel.clone();
        let work = move || {
            // Whatever ends it, the executor sees that no more results come, and executes itself.
            if let Err(error) = engine.feed(&block, &cancelled, feed) {
                tracing::debug!(block = block.number(), %error, "the engine ended early");
            }
        };
        let thread = thread::Builder::new().name("gatewei-block".to_owned());
        thread.spawn(work).map_err(|_| InOrder::NoThread)?;
        Ok(Running {
            hashes,
            next: 0,
            results,
            cancel,
        })
    }
}

impl<R> BlockExecutorFactory for GateweiExecutorFactory<R>
where
    R: ReceiptBuilder<Transaction: Transaction + Encodable2718, Receipt: TxReceipt<Log = Log>>
        + 'static,
    TxEnv: FromRecoveredTx<R::Transaction> + FromTxWithEncoded<R::Transaction>,
    <R::Transaction as TransactionEnvelope>::TxType: Send + 'static,
{
    type EvmFactory = EthEvmFactory;
    type ExecutionCtx<'a> = Context<'a>;
    type Transaction = R::Transaction;
    type Receipt = R::Receipt;
    type TxExecutionResult =
        EthTxResult<HaltReason, <R::Transaction as TransactionEnvelope>::TxType>;
    type Executor<'a, DB: StateDB, I: Inspector<EthEvmContext<DB>>> =
        GateweiExecutor<'a, EthEvm<DB, I, PrecompilesMap>, R>;

    fn evm_factory(&self) -> &EthEvmFactory {
        &self.evm_factory
    }

    fn create_executor<'a, DB, I>(
        &'a self,
        evm: <EthEvmFactory as EvmFactory>::Evm<DB, I>,
        ctx: Context<'a>,
    ) -> Self::Executor<'a, DB, I>
    where
        DB: StateDB,
        I: Inspector<EthEvmContext<DB>>,
    {
        let ahead = match self.start::<_, I>(&evm, &ctx) {
            Ok(running) => Ahead::Running(running),
            Err(reason) => {
                note(&self.counts, reason);
                Ahead::No
            }
        };
        GateweiExecutor {
            inner: EthBlockExecutor::new(evm, ctx.block, &self.spec, &self.receipts),
            ahead,
            opened: false,
            pending: false,
            counts: &self.counts,
        }
    }
}

fn note(counts: &Mutex<Counts>, reason: InOrder) {
    *counts.lock().in_order.entry(reason).or_default() += 1;
}

/// The engine at work on the block.
#[derive(Debug)]
struct Running {
    hashes: Vec<B256>,
    /// Index of the transaction whose result comes next.
    next: usize,
    results: Receiver<ResultAndState>,
    cancel: Cancel,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[derive(Debug)]
enum Ahead {
    Running(Running),
    No,
}

/// A block's executor, which hands out what the engine has done, or does it itself.
#[expect(missing_debug_implementations, reason = "alloy-evm's EVM has none")]
pub struct GateweiExecutor<'a, E, R: ReceiptBuilder> {
    inner: EthBlockExecutor<'a, E, &'a EthSpec, &'a R>,
    ahead: Ahead,
    /// The system calls before the transactions were made.
    opened: bool,
    /// A result was handed out and not committed yet.
    pending: bool,
    counts: &'a Mutex<Counts>,
}

impl<E, R: ReceiptBuilder> GateweiExecutor<'_, E, R> {
    /// Goes on in order.
    fn part(&mut self, reason: InOrder) {
        if matches!(mem::replace(&mut self.ahead, Ahead::No), Ahead::Running(_)) {
            note(self.counts, reason);
        }
    }

    /// The engine's result of the transaction with this hash, if there is one.
    fn take(&mut self, hash: B256) -> Option<ResultAndState> {
        let Ahead::Running(running) = &mut self.ahead else {
            return None;
        };
        let reason = if !self.opened {
            InOrder::NoSystemCalls
        } else if self.pending {
            InOrder::NotCommitted
        } else if running.hashes.get(running.next) != Some(&hash) {
            InOrder::OtherTransaction
        } else {
            match running.results.recv() {
                Ok(result) => {
                    running.next += 1;
                    return Some(result);
                }
                Err(_) => InOrder::Failed,
            }
        };
        self.part(reason);
        None
    }
}

impl<E, R> BlockExecutor for GateweiExecutor<'_, E, R>
where
    E: Evm<
            DB: StateDB,
            HaltReason = HaltReason,
            Spec: Into<SpecId> + Clone,
            Tx: FromRecoveredTx<R::Transaction> + FromTxWithEncoded<R::Transaction>,
        >,
    R: ReceiptBuilder<Transaction: Transaction + Encodable2718, Receipt: TxReceipt<Log = Log>>,
    <R::Transaction as TransactionEnvelope>::TxType: Send + 'static,
{
    type Transaction = R::Transaction;
    type Receipt = R::Receipt;
    type Evm = E;
    type Result = EthTxResult<HaltReason, <R::Transaction as TransactionEnvelope>::TxType>;

    fn apply_pre_execution_changes(&mut self) -> Result<(), BlockExecutionError> {
        self.opened = true;
        self.inner.apply_pre_execution_changes()
    }

    fn execute_transaction_without_commit(
        &mut self,
        tx: impl ExecutableTx<Self>,
    ) -> Result<Self::Result, BlockExecutionError> {
        let (env, tx) = tx.into_parts();
        let Some(result) = self.take(tx.tx().trie_hash()) else {
            return self.inner.execute_transaction_without_commit((env, tx));
        };
        // revm's state commits only what it has loaded.
        for address in result.state.keys() {
            let loaded = self.inner.evm.db_mut().basic(*address);
            loaded.map_err(BlockExecutionError::other)?;
        }
        self.pending = true;
        self.counts.lock().ahead += 1;
        Ok(EthTxResult {
            result,
            blob_gas_used: tx.tx().blob_gas_used().unwrap_or_default(),
            tx_type: tx.tx().tx_type(),
        })
    }

    fn commit_transaction(&mut self, output: Self::Result) -> GasOutput {
        self.pending = false;
        self.inner.commit_transaction(output)
    }

    fn finish(self) -> Result<(E, BlockExecutionResult<R::Receipt>), BlockExecutionError> {
        self.inner.finish()
    }

    fn evm_mut(&mut self) -> &mut E {
        &mut self.inner.evm
    }

    fn evm(&self) -> &E {
        &self.inner.evm
    }

    fn receipts(&self) -> &[R::Receipt] {
        &self.inner.receipts
    }
}
