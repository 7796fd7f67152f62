//! revm's mainnet handler, cut in two at the first frame.
//!
//! revm's `Handler::run_without_catch_error` validates a transaction, charges it, sets up the first
//! message frame, *blocks* until that frame is done, then settles gas, refunds and fees. Here
//! [`begin`] goes as far as the frame, [`InFlight`] is what is then left open (plain owned data: a
//! thread may hold many), and [`InFlight::finish`] or [`InFlight::fallback`] goes on from there, with
//! a result from elsewhere or with revm's own interpreter.
//!
//! Every step is a public method of revm 43.0.3; `open` and `settle` mirror its
//! private flow (`handler.rs`: `run_without_catch_error`, `execution`) and are to be compared with it at each upgrade.

use revm::bytecode::Bytecode;
use revm::context::result::{EVMError, ExecutionResult};
use revm::context::{ContextSetters, ContextTr, JournalTr, LocalContextTr, TxEnv};
use revm::context_interface::cfg::gas::{GasTracker, InitialAndFloorGas};
use revm::database::{CacheDB, State};
use revm::handler::execution::runtime_oog_unwind;
use revm::handler::{
    EthFrame, EvmTr, FrameResult, Handler, ItemOrResult, MainnetContext, MainnetHandler,
};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{
    Gas, InstructionResult, Interpreter, InterpreterAction, InterpreterResult,
};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, HashMap, Log, U256};
use revm::{Database, DatabaseRef, MainnetEvm};

use super::interpret::{own_gas, run};

/// The EVM that transactions are split on: revm's mainnet EVM without an inspector.
pub type CardEvm<DB> = MainnetEvm<MainnetContext<DB>>;
/// Why a transaction has no result.
pub type EvmError<DB> = EVMError<<DB as Database>::Error>;
/// What revm's `transact_one` would have returned.
pub type Outcome<DB> = Result<ExecutionResult, EvmError<DB>>;

type MainHandler<DB> = MainnetHandler<CardEvm<DB>, EvmError<DB>, EthFrame>;

/// A database under a split transaction.
///
/// Answers to the card are real reads, made through [`Database`]. The two methods here are for what
/// is not one: guesses, and dependencies that a database which records reads cannot see.
pub trait CardDatabase: Database {
    /// A slot's value without recording that it was read, for a prediction; none where that would be
    /// dear, or is not possible. A wrong value costs a re-execution, not correctness.
    fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256> {
        let _ = (address, key);
        None
    }

    /// The outcome depends on the balance of `address`, which has been loaded.
    fn balance_used(&mut self, address: Address) {
        let _ = address;
    }
}

impl<DB: DatabaseRef> CardDatabase for CacheDB<DB> {
    fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256> {
        self.storage_ref(address, key).ok()
    }
}

impl<DB: Database> CardDatabase for State<DB> {}

/// What a frame did, in the terms of `evm_gas` and `offloaded_ops`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Gas consumed by the first frame before refunds; the gas of precompiles and of frames that
    /// ended in an exceptional halt is not in it.
    pub gas: u64,
    /// Opcodes, of all frames.
    pub ops: u64,
}

/// A transaction that has ended. The EVM can take the next one.
pub struct Ended<DB: Database> {
    /// The EVM; its journal holds the transaction's changes until `finalize`.
    pub evm: CardEvm<DB>,
    /// The result.
    pub outcome: Outcome<DB>,
    /// What its frames did; nothing where it had none.
    pub work: Work,
}

/// What [`begin`] leads to.
pub enum Begun<DB: Database> {
    /// It was invalid, or had no frame to run: a plain transfer, a precompile, a collision.
    Ended(Ended<DB>),
    /// Its first frame is ready to run.
    Frame(InFlight<DB>),
}

/// A storage slot of the executing account that the frame used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotEffect {
    /// Key.
    pub key: U256,
    /// The value at the frame's start with which it was executed.
    pub start: U256,
    /// The final value, where it was stored to.
    pub stored: Option<U256>,
}

/// A frame's end and effects, from whoever executed it.
///
/// It must list every slot that was *used*, also where the frame reverts or halts: the loaded slots
/// stay in the transaction's state, and the reads of one that reverts are dependencies like any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// How it ended.
    pub result: InstructionResult,
    /// Return data, or the code that a creation deploys.
    pub output: Bytes,
    /// Gas left, raw at the frame's end; ignored after an exceptional halt.
    pub gas_left: u64,
    /// Refund counter of the frame alone, raw at its end.
    pub refund: i64,
    /// Logs.
    pub logs: Vec<Log>,
    /// Slots of the executing account.
    pub slots: Vec<SlotEffect>,
    /// The executing account's balance was used.
    pub balance_used: bool,
    /// Opcodes executed.
    pub ops: u64,
}

/// A value that the execution rests on has changed meanwhile: run the transaction again.
pub struct Stale<DB: Database> {
    /// The EVM, with nothing of the transaction left in its journal.
    pub evm: CardEvm<DB>,
}

/// A transaction between its halves.
pub struct InFlight<DB: Database> {
    evm: CardEvm<DB>,
    init: InitialAndFloorGas,
    /// Transaction-level gas: the parent of the first frame's.
    gas: GasTracker,
    auth_refund: i64,
}

/// First half: validation, fees, authorisations, value transfer, up to the first frame.
///
/// The EVM's journal must hold no open transaction.
pub fn begin<DB: Database>(mut evm: CardEvm<DB>, tx: TxEnv) -> Begun<DB> {
    let mut handler = MainHandler::<DB>::default();
    evm.ctx.set_tx(tx);
    match open(&mut handler, &mut evm) {
        Ok(Opened::Frame(init, gas, auth_refund)) => Begun::Frame(InFlight {
            evm,
            init,
            gas,
            auth_refund,
        }),
        Ok(Opened::Ended(result)) => Begun::Ended(Ended {
            evm,
            outcome: Ok(result),
            work: Work::default(),
        }),
        Err(error) => {
            let outcome = handler.catch_error(&mut evm, error);
            Begun::Ended(Ended {
                evm,
                outcome,
                work: Work::default(),
            })
        }
    }
}

enum Opened {
    Frame(InitialAndFloorGas, GasTracker, i64),
    Ended(ExecutionResult),
}

/// `run_without_catch_error` and `execution`, up to and with the first `frame_init`.
fn open<DB: Database>(
    handler: &mut MainHandler<DB>,
    evm: &mut CardEvm<DB>,
) -> Result<Opened, EvmError<DB>> {
    let init = handler.validate(evm)?;
    let mut gas = handler.tx_gas(evm, &init);
    let prepared = handler.pre_execution(evm, &mut gas)?;
    let auth_refund = prepared.map_or(0, |p| p.eip7702_refund) as i64;
    let first = match prepared {
        // EIP-2780: the authorisations ran out of gas and are reverted already.
        None => None,
        Some(prepared) => match handler.first_frame_input(evm, &mut gas)? {
            None => {
                runtime_oog_unwind(&mut evm.ctx, prepared.checkpoint)?;
                None
            }
            input => {
                evm.ctx.journal_mut().checkpoint_commit();
                input
            }
        },
    };
    let result = match first.map(|input| evm.frame_init(input)).transpose()? {
        Some(ItemOrResult::Item(_)) => return Ok(Opened::Frame(init, gas, auth_refund)),
        Some(ItemOrResult::Result(mut result)) => {
            handler.last_frame_result(evm, &mut result, &mut gas)?;
            result
        }
        // Settles the gas by itself.
        None => handler.runtime_oog_result(evm, &init, &mut gas)?,
    };
    settle(handler, evm, result, init, auth_refund).map(Opened::Ended)
}

/// The end of `run_without_catch_error`: refunds, fees, the result.
fn settle<DB: Database>(
    handler: &mut MainHandler<DB>,
    evm: &mut CardEvm<DB>,
    mut result: FrameResult,
    init: InitialAndFloorGas,
    auth_refund: i64,
) -> Outcome<DB> {
    let gas = handler.post_execution(evm, &mut result, init, auth_refund)?;
    handler.execution_result(evm, result, gas)
}

/// Why a result could not be applied.
enum Refused<E> {
    Error(E),
    Stale,
}

impl<DB: Database> InFlight<DB> {
    /// Block, transaction and configuration.
    pub const fn context(&self) -> &MainnetContext<DB> {
        &self.evm.ctx
    }

    fn interpreter(&mut self) -> &mut Interpreter<EthInterpreter> {
        &mut self.evm.frame_stack.get().interpreter
    }

    /// The frame's rules.
    pub fn spec(&self) -> SpecId {
        self.evm.ctx.cfg.spec
    }

    /// The code that the frame runs: the callee's, its delegate's (EIP-7702), or init code.
    pub fn code(&mut self) -> Bytecode {
        (*self.interpreter().bytecode).clone()
    }

    /// Hash of [`InFlight::code`].
    pub fn code_hash(&mut self) -> B256 {
        self.interpreter().bytecode.get_or_calculate_hash()
    }

    /// Calldata of the frame; a creation has none.
    pub fn calldata(&self) -> Bytes {
        let tx = &self.evm.ctx.tx;
        if tx.kind.is_create() {
            Bytes::new()
        } else {
            tx.data.clone()
        }
    }

    /// The executing account.
    pub fn target(&mut self) -> Address {
        self.interpreter().input.target_address
    }

    /// The frame's caller.
    pub fn caller(&mut self) -> Address {
        self.interpreter().input.caller_address
    }

    /// Value of the call, wei.
    pub fn value(&mut self) -> U256 {
        self.interpreter().input.call_value
    }

    /// True where state changes are forbidden. Never, for the first frame of a transaction.
    pub fn is_static(&mut self) -> bool {
        self.interpreter().runtime_flag.is_static
    }

    /// The frame's gas at its start.
    pub fn frame_gas(&mut self) -> Gas {
        self.interpreter().gas
    }

    /// Gives the frame other gas, for a test of an executor: no more than it has. Before it runs.
    pub fn set_frame_gas(&mut self, gas: u64) {
        let interpreter = self.interpreter();
        interpreter.gas = Gas::new(gas.min(interpreter.gas.limit()));
    }

    /// Forbids state changes, for a test of an executor: no transaction starts so. Before it runs.
    pub fn set_static(&mut self) {
        self.interpreter().runtime_flag.is_static = true;
    }

    /// The executing account's slots that are warm at the frame's start: those of the access list
    /// (EIP-2930), in no particular order. Nothing else has touched storage before a first frame.
    pub fn warm_slots(&mut self) -> Vec<U256> {
        let target = self.target();
        let warm = &self.evm.ctx.journaled_state.warm_addresses;
        warm.access_list()
            .get(&target)
            .map_or_else(Vec::new, |keys| {
                // The set has no order of its own; the same message for the same transaction.
                let mut keys: Vec<U256> = keys.iter().copied().collect();
                keys.sort_unstable();
                keys
            })
    }

    /// True where the account was destroyed by an earlier transaction of the same journal: it is wiped
    /// by its next load, so that a reader that does not load has to see through it.
    fn destroyed(&self, address: &Address) -> bool {
        let journal = &self.evm.ctx.journaled_state;
        journal.state.get(address).is_some_and(|account| {
            account.is_selfdestructed_locally()
                && account.is_cold_transaction_id(journal.transaction_id)
        })
    }

    /// A slot as far as the journal knows it. A created account has an empty storage, whatever the
    /// database holds below its address (EIP-7610).
    fn journal_storage(&self, address: &Address, key: &U256) -> Option<U256> {
        if self.destroyed(address) {
            return Some(U256::ZERO);
        }
        let account = self.evm.ctx.journaled_state.state.get(address)?;
        match account.storage.get(key) {
            Some(slot) => Some(slot.present_value),
            None => account.is_created().then_some(U256::ZERO),
        }
    }

    /// Answers a question for a slot of the executing account: from the journal, then the database.
    /// Nothing enters the journal, so that a guess leaves no trace in warmth.
    pub fn storage(&mut self, key: U256) -> Result<U256, DB::Error> {
        let target = self.target();
        match self.journal_storage(&target, &key) {
            Some(value) => Ok(value),
            None => self.evm.ctx.journaled_state.database.storage(target, key),
        }
    }

    /// A guess of the same.
    pub fn peek_storage(&mut self, key: U256) -> Option<U256>
    where
        DB: CardDatabase,
    {
        let target = self.target();
        match self.journal_storage(&target, &key) {
            Some(value) => Some(value),
            None => self
                .evm
                .ctx
                .journaled_state
                .database
                .peek_storage(target, key),
        }
    }

    /// The executing account's balance during the frame. `frame_init` has loaded the account.
    pub fn balance(&mut self) -> U256 {
        let target = self.target();
        let account = self.evm.ctx.journaled_state.state.get(&target);
        account.map_or(U256::ZERO, |account| account.info.balance)
    }

    /// A block hash.
    pub fn block_hash(&mut self, number: u64) -> Result<B256, DB::Error> {
        self.evm.ctx.journaled_state.database.block_hash(number)
    }

    /// Second half, with effects from elsewhere.
    pub fn finish(self, effects: Effects) -> Result<Ended<DB>, Box<Stale<DB>>>
    where
        DB: CardDatabase,
    {
        let mut work = Work {
            gas: 0,
            ops: effects.ops,
        };
        self.close(work, |evm| {
            let result = apply(evm, effects)?;
            work.gas = own_gas(&result, 0);
            Ok((result, work))
        })
    }

    /// Second half, with revm's interpreter, as if nothing had happened: nothing had been applied.
    pub fn fallback(self) -> Ended<DB> {
        self.fallback_watched(|_, _| {})
    }

    /// [`InFlight::fallback`], showing every opcode before it runs, with the depth of its frame.
    pub fn fallback_watched(
        self,
        mut watch: impl FnMut(usize, &Interpreter<EthInterpreter>),
    ) -> Ended<DB> {
        let ended = self.close(Work::default(), |evm| {
            run(evm, &mut watch).map_err(Refused::Error)
        });
        // The interpreter loads what it uses: nothing of it can be stale.
        ended.unwrap_or_else(|stale| Ended {
            evm: stale.evm,
            outcome: Err(EVMError::Custom(
                "the interpreter refused a result of its own".into(),
            )),
            work: Work::default(),
        })
    }

    /// Leaves the transaction undone.
    pub fn discard(mut self) -> CardEvm<DB> {
        clear(&mut self.evm);
        self.evm
    }

    /// Leaves the transaction undone because of an error, as revm does.
    pub fn fail(mut self, error: EvmError<DB>) -> Ended<DB> {
        let outcome = MainHandler::<DB>::default().catch_error(&mut self.evm, error);
        Ended {
            evm: self.evm,
            outcome,
            work: Work::default(),
        }
    }

    fn close(
        mut self,
        mut work: Work,
        frame: impl FnOnce(&mut CardEvm<DB>) -> Result<(FrameResult, Work), Refused<EvmError<DB>>>,
    ) -> Result<Ended<DB>, Box<Stale<DB>>> {
        let (mut handler, evm) = (MainHandler::<DB>::default(), &mut self.evm);
        let outcome = match frame(evm) {
            Err(Refused::Stale) => {
                clear(evm);
                return Err(Box::new(Stale { evm: self.evm }));
            }
            Err(Refused::Error(error)) => Err(error),
            Ok((mut result, done)) => {
                work = done;
                handler
                    .last_frame_result(evm, &mut result, &mut self.gas)
                    .and_then(|()| settle(&mut handler, evm, result, self.init, self.auth_refund))
            }
        };
        let outcome = outcome.or_else(|error| handler.catch_error(evm, error));
        Ok(Ended {
            evm: self.evm,
            outcome,
            work,
        })
    }
}

/// What revm's `catch_error` does, without an error.
fn clear<DB: Database>(evm: &mut CardEvm<DB>) {
    evm.ctx.local.clear();
    evm.ctx.journal_mut().discard_tx();
    evm.frame_stack.clear();
}

/// Replays the effects through the journal's own entry points and lets revm close the frame.
fn apply<DB: CardDatabase>(
    evm: &mut CardEvm<DB>,
    effects: Effects,
) -> Result<FrameResult, Refused<EvmError<DB>>> {
    let target = evm.frame_stack.get().interpreter.input.target_address;
    let journal = &mut evm.ctx.journaled_state;
    if effects.balance_used {
        journal.database.balance_used(target);
    }
    for slot in effects.slots {
        // The load sets the original value and warmth as a real run does; then it is the read that
        // gets recorded, so it must be the one that was used.
        let loaded = journal.sload(target, slot.key).map_err(database)?;
        if loaded.data != slot.start {
            return Err(Refused::Stale);
        }
        if let Some(value) = slot.stored {
            journal.sstore(target, slot.key, value).map_err(database)?;
        }
    }
    for log in effects.logs {
        journal.log(log);
    }
    let frame = evm.frame_stack.get();
    let mut gas = frame.interpreter.gas;
    gas.set_remaining(effects.gas_left);
    gas.set_refund(effects.refund);
    let action =
        InterpreterAction::Return(InterpreterResult::new(effects.result, effects.output, gas));
    // Commits or reverts the checkpoint; for a creation, the rules of the deployed code.
    let next = frame.process_next_action::<_, EvmError<DB>>(&mut evm.ctx, action);
    frame.set_finished(true);
    let ItemOrResult::Result(result) = next.map_err(Refused::Error)? else {
        return Err(Refused::Error(EVMError::Custom(
            "a returning frame opened another".into(),
        )));
    };
    let last = evm
        .frame_return_result(result)
        .map_err(|e| Refused::Error(e.into()))?;
    last.ok_or_else(|| Refused::Error(EVMError::Custom("the first frame has a parent".into())))
}

fn database<E>(error: E) -> Refused<EVMError<E>> {
    Refused::Error(EVMError::Database(error))
}

/// Values that the executor of a frame was given, by key: predictions and answers.
pub type Known = HashMap<U256, U256>;
