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

use std::collections::{BTreeMap, BTreeSet};

use revm::bytecode::Bytecode;
use revm::context::result::{EVMError, ExecutionResult};
use revm::context::{ContextSetters, ContextTr, JournalTr, LocalContextTr, TxEnv};
use revm::context_interface::cfg::gas::{GasTracker, InitialAndFloorGas};
use revm::database::{CacheDB, State};
use revm::handler::execution::runtime_oog_unwind;
use revm::handler::{
    EthFrame, EvmTr, FrameResult, Handler, ItemOrResult, MainnetContext, MainnetHandler,
    precompile_output_to_interpreter_result,
};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{Gas, InstructionResult, Interpreter};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, HashMap, Log, U256};
use revm::state::AccountInfo;
use revm::{Database, DatabaseRef, MainnetEvm};

use super::apply::{Refused, apply};
pub use super::interpret::Watch;
use super::interpret::{gas_of, run};

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

    /// An account without recording that it was read, for a prediction, as [`CardDatabase::peek_storage`];
    /// one that does not exist is an empty one. It may come without its code.
    fn peek_account(&mut self, address: Address) -> Option<AccountInfo> {
        let _ = address;
        None
    }

    /// The outcome depends on the nonces of accounts.
    fn nonces_used(&mut self) {}

    /// The outcome depends on the balance of `address`, which has been loaded.
    fn balance_used(&mut self, address: Address) {
        let _ = address;
    }
}

impl<DB: DatabaseRef> CardDatabase for CacheDB<DB> {
    fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256> {
        self.storage_ref(address, key).ok()
    }

    fn peek_account(&mut self, address: Address) -> Option<AccountInfo> {
        self.basic_ref(address).ok().map(Option::unwrap_or_default)
    }
}

impl<DB: Database> CardDatabase for State<DB> {}

/// What a frame did, in the terms of `evm_gas` and `offloaded_ops`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Gas consumed by the first frame and all that it calls, before refunds; none where it ended in an
    /// exceptional halt.
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

/// A storage slot that the frames used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotEffect {
    /// Key.
    pub key: U256,
    /// The value at the first frame's start with which it was executed.
    pub start: U256,
    /// The final value, where it was stored to.
    pub stored: Option<U256>,
}

/// An account that the frames loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountEffect {
    /// Address.
    pub address: Address,
    /// The code with which it was executed, where that was told.
    pub code: Option<CodeId>,
    /// The balance at the first frame's start, where the execution depends on it.
    pub balance_used: Option<U256>,
    /// The balance at the first frame's start and the final one, where it moved.
    pub balance: Option<(U256, U256)>,
    /// The nonce at the first frame's start and the final one, where it was used.
    pub nonce: Option<(u64, u64)>,
    /// It was created, and is there at the end; with the code that was deployed, if any.
    pub created: Option<Option<(Bytecode, B256)>>,
    /// It was destroyed.
    pub destroyed: bool,
    /// It was touched (EIP-161).
    pub touched: bool,
    /// Its slots.
    pub slots: Vec<SlotEffect>,
}

/// What a lane is told of an account beside its balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeId {
    /// Hash of the code.
    pub hash: B256,
    /// It has a nonce or code.
    pub alive: bool,
}

impl CodeId {
    /// That of an account.
    pub fn of(info: &AccountInfo) -> Self {
        let alive = info.nonce != 0 || !info.is_code_hash_empty_or_zero();
        let hash = info.code_hash;
        Self { hash, alive }
    }
}

/// The end of a first frame and the effects of all frames, from whoever executed them.
///
/// It must list every account and slot that was *used*, also where a frame reverts or halts: what was loaded
/// stays in the transaction's state, and the reads of a frame that reverts are dependencies like any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// How it ended.
    pub result: InstructionResult,
    /// Return data, or the code that a creation deploys.
    pub output: Bytes,
    /// Gas left, raw at the frame's end; ignored after an exceptional halt.
    pub gas_left: u64,
    /// Refund counter of the frames, raw at the end.
    pub refund: i64,
    /// Logs.
    pub logs: Vec<Log>,
    /// Accounts that were used.
    pub accounts: Vec<AccountEffect>,
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

    /// The accounts that are warm at the first frame's start, but for precompiled contracts, by address,
    /// with their warm slots: those of the access list (EIP-2930). Nothing else has touched storage
    /// before a first frame.
    pub fn warm(&self) -> BTreeMap<Address, BTreeSet<U256>> {
        let journal = &self.evm.ctx.journaled_state;
        let warm = &journal.warm_addresses;
        let loaded = journal.state.iter().filter(|(_, account)| {
            // What an earlier transaction of the same journal left is cold again.
            !account.is_cold_transaction_id(journal.transaction_id)
        });
        let listed = warm.access_list().iter();
        let mut out: BTreeMap<Address, BTreeSet<U256>> = listed
            .map(|(address, keys)| (*address, keys.iter().copied().collect()))
            .collect();
        for address in loaded.map(|(address, _)| *address).chain(warm.coinbase()) {
            out.entry(address).or_default();
        }
        out.retain(|address, _| !self.is_precompile(address));
        out
    }

    /// True for the contract that the transaction creates.
    pub fn creates(&self, address: Address) -> bool {
        let account = self.evm.ctx.journaled_state.state.get(&address);
        account.is_some_and(|account| account.is_created_locally())
    }

    /// True for the addresses of precompiled contracts.
    pub fn is_precompile(&self, address: &Address) -> bool {
        let warm = &self.evm.ctx.journaled_state.warm_addresses;
        warm.precompiles().contains(address)
    }

    /// How a call of a precompiled contract ends: with gas left and output, or with neither. The outer
    /// none: it cannot be run.
    pub fn precompile(&self, address: u32, input: &[u8], gas: u64) -> Option<Option<(u64, Bytes)>> {
        let mut bytes = [0; 20];
        bytes[16..].copy_from_slice(&address.to_be_bytes());
        let contract = self.evm.precompiles.precompiles.get(&bytes.into())?;
        let output = contract.execute(input, gas, 0).ok()?;
        let result = precompile_output_to_interpreter_result(output, gas);
        let success = result.result.is_ok();
        Some(success.then(|| (result.gas.remaining(), result.output)))
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

    /// An account as far as the journal knows it.
    fn journal_account(&self, address: &Address) -> Option<AccountInfo> {
        if self.destroyed(address) {
            return Some(AccountInfo::default());
        }
        let account = self.evm.ctx.journaled_state.state.get(address)?;
        Some(account.info.clone())
    }

    fn database(&mut self) -> &mut DB {
        &mut self.evm.ctx.journaled_state.database
    }

    /// Answers a question for a slot: from the journal, then the database.
    /// Nothing enters the journal, so that a guess leaves no trace in warmth.
    pub fn storage(&mut self, address: Address, key: U256) -> Result<U256, DB::Error> {
        match self.journal_storage(&address, &key) {
            Some(value) => Ok(value),
            None => self.database().storage(address, key),
        }
    }

    /// A guess of the same.
    pub fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256>
    where
        DB: CardDatabase,
    {
        match self.journal_storage(&address, &key) {
            Some(value) => Some(value),
            None => self.database().peek_storage(address, key),
        }
    }

    /// Answers a question for an account, as [`InFlight::storage`]. One that does not exist is empty. It may
    /// come without its code.
    pub fn account(&mut self, address: Address) -> Result<AccountInfo, DB::Error> {
        match self.journal_account(&address) {
            Some(info) => Ok(info),
            None => Ok(self.database().basic(address)?.unwrap_or_default()),
        }
    }

    /// A guess of the same.
    pub fn peek_account(&mut self, address: Address) -> Option<AccountInfo>
    where
        DB: CardDatabase,
    {
        match self.journal_account(&address) {
            Some(info) => Some(info),
            None => self.database().peek_account(address),
        }
    }

    /// The code of an account.
    pub fn code_of(&mut self, info: &AccountInfo) -> Result<Bytecode, DB::Error> {
        match &info.code {
            Some(code) => Ok(code.clone()),
            None if info.is_code_hash_empty_or_zero() => Ok(Bytecode::default()),
            None => self.database().code_by_hash(info.code_hash),
        }
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
            work.gas = gas_of(&result);
            Ok((result, work))
        })
    }

    /// Second half, with revm's interpreter, as if nothing had happened: nothing had been applied.
    pub fn fallback(self) -> Ended<DB> {
        self.fallback_watched(&mut ())
    }

    /// [`InFlight::fallback`], watched.
    pub fn fallback_watched(self, watch: &mut impl Watch) -> Ended<DB> {
        let ended = self.close(Work::default(), |evm| {
            run(evm, watch).map_err(Refused::Error)
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

/// What the executor of a frame was told: predictions and answers.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Slots.
    pub slots: HashMap<(Address, U256), U256>,
    /// Balances.
    pub balances: HashMap<Address, U256>,
    /// Nonces.
    pub nonces: HashMap<Address, u64>,
    /// Codes.
    pub codes: HashMap<Address, CodeId>,
}

impl Known {
    /// True where an account has, as far as was told, neither code nor nonce.
    pub fn is_empty(&self, address: &Address) -> bool {
        self.codes.get(address).is_some_and(|code| !code.alive)
    }
}
