//! A soft lane: the frames of a message on revm's interpreter.

use std::ops::ControlFlow;

use gatewei_abi::opcode::{Class, opcode};
use gatewei_abi::result::{field, kind, slot};
use gatewei_abi::status::Trap;
use gatewei_abi::{Word, word_of_address};
use revm::bytecode::opcode::*;
use revm::context::{ContextError, ContextTr};
use revm::handler::{EvmTr, FrameResult, ItemOrResult};
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::interpreter_types::{InputsTr, Jumps, LoopControl, MemoryTr};
use revm::interpreter::{InstructionResult, InterpreterAction};
use revm::primitives::{Address, U256};

use super::Evm;
use super::table::{Miss, Table};
use gatewei::card::message::{from_word, to_word};
use gatewei::card::trace::Step;

/// Why a lane does not go on.
pub enum Stop {
    /// It must ask first.
    Ask(Miss),
    /// It gives the message back: why, opcode and program counter.
    Trap(Trap, u32),
}

impl From<Miss> for Stop {
    fn from(miss: Miss) -> Self {
        Self::Ask(miss)
    }
}

/// Steps that are kept: loops that fill a block's gas have hundreds of millions.
const KEPT: usize = 1 << 20;

/// What was retired.
#[derive(Default)]
pub struct Steps {
    /// The first steps.
    pub kept: Vec<Step>,
    /// How many there were.
    pub count: u32,
}

impl Steps {
    fn push(&mut self, step: impl FnOnce() -> Step) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(step());
        }
    }
}

/// How the first frame ended.
pub struct End {
    pub result: FrameResult,
    pub memory_words: u32,
}

/// What the lane knows beside its state.
pub struct Rules {
    /// Active opcodes.
    pub opcodes: Word,
    /// Highest address of a precompiled contract.
    pub precompiles: u32,
    /// And the one of EIP-7951.
    pub p256: bool,
}

impl Rules {
    pub fn is_precompile(&self, address: Address) -> bool {
        let number = from_word(&word_of_address(&address.into_array()));
        let low = !number.is_zero() && number <= U256::from(self.precompiles);
        low || self.p256 && number == U256::from(0x100)
    }
}

/// Runs all frames from the first one.
pub fn run(
    evm: &mut Evm<Table<'_>>,
    first: FrameInit,
    rules: &Rules,
    steps: &mut Steps,
) -> Result<End, Stop> {
    let mut memory_words = 0;
    let mut init = Some(first);
    loop {
        let result = match init.take() {
            Some(init) => match start(evm, init)? {
                ControlFlow::Continue(()) => continue,
                ControlFlow::Break(result) => result,
            },
            None => match run_frame(evm, rules, steps, &mut memory_words)? {
                ItemOrResult::Item(inner) => {
                    init = Some(inner);
                    continue;
                }
                ItemOrResult::Result(result) => result,
            },
        };
        let open = evm.frame_stack.index().is_some();
        let last = match open {
            true => evm.frame_return_result(result).expect("no error"),
            false => Some(result),
        };
        if let Some(result) = last {
            return Ok(End {
                result,
                memory_words,
            });
        }
    }
}

/// Opens a frame, unless it ends at once.
fn start(evm: &mut Evm<Table<'_>>, init: FrameInit) -> Result<ControlFlow<FrameResult>, Stop> {
    match evm.frame_init(init) {
        Ok(ItemOrResult::Item(_)) => Ok(ControlFlow::Continue(())),
        Ok(ItemOrResult::Result(result)) => Ok(ControlFlow::Break(result)),
        Err(ContextError::Db(miss)) => Err(Stop::Ask(miss)),
        Err(ContextError::Custom(why)) => panic!("{why}"),
    }
}

/// Runs the innermost frame until it calls or ends.
fn run_frame(
    evm: &mut Evm<Table<'_>>,
    rules: &Rules,
    steps: &mut Steps,
    memory_words: &mut u32,
) -> Result<ItemOrResult<FrameInit, FrameResult>, Stop> {
    let frame = evm.frame_stack.get();
    let (table, gas_table) = (
        evm.instruction.instruction_table(),
        evm.instruction.gas_table(),
    );
    let (depth, interpreter) = (frame.depth, &mut frame.interpreter);
    let end = loop {
        let byte = interpreter.bytecode.opcode();
        steps.push(|| Step::of(depth, interpreter));
        let active = rules.opcodes[byte as usize / 8] >> (byte % 8) & 1 == 1;
        let class = opcode(byte).filter(|_| active).map(|op| op.class);
        let tag = (interpreter.bytecode.pc() as u32) << 8 | u32::from(byte);
        let word = |n| interpreter.stack.peek(n).unwrap_or_default();
        let operands = [word(0), word(1), word(2)];
        let address = |word: U256| Address::from_word(word.into());
        // What a card of Verilog does itself, this one leaves to the CPU.
        if let Some(Class::Trap | Class::Create | Class::SelfDestruct) = class {
            return Err(Stop::Trap(Trap::Opcode, tag));
        }
        let own = interpreter.input.target_address();
        let done = interpreter.step(table, gas_table, &mut evm.ctx);
        if class == Some(Class::Call) && evm.ctx.db().is_delegated(address(operands[1])) {
            return Err(Stop::Trap(Trap::Delegation, tag));
        }
        let top = interpreter.stack.peek(0).unwrap_or_default();
        use_fields(&mut evm.ctx, byte, done, own, operands, top)?;
        if let Err(end) = done {
            break end;
        }
    };
    if interpreter.bytecode.action().is_none() {
        interpreter.halt(end);
    }
    if depth == 0 {
        *memory_words = (interpreter.memory.size() / 32) as u32;
    }
    let action = interpreter.take_next_action();
    if let InterpreterAction::Return(out) = &action
        && out.result == InstructionResult::FatalExternalError
    {
        let error = std::mem::replace(&mut evm.ctx.error, Ok(()));
        let Err(ContextError::Db(miss)) = error else {
            panic!("{error:?}")
        };
        return Err(Stop::Ask(miss));
    }
    let next = frame.process_next_action::<_, ContextError<Miss>>(&mut evm.ctx, action);
    let next = next.unwrap_or_else(|_| panic!("a frame ends without the database"));
    if next.is_result() {
        frame.set_finished(true);
    }
    Ok(next)
}

/// The fields and transient slots that an opcode has used: revm's journal has them without a question.
fn use_fields(
    context: &mut revm::handler::MainnetContext<Table<'_>>,
    byte: u8,
    done: Result<(), InstructionResult>,
    own: Address,
    operands: [U256; 3],
    top: U256,
) -> Result<(), Stop> {
    let [first, second, value] = operands;
    let address = |word: U256| Address::from_word(word.into());
    let loaded = |context: &revm::handler::MainnetContext<Table<'_>>, address: &Address| {
        context.journaled_state.state.contains_key(address)
    };
    let ok = done.is_ok();
    match byte {
        BALANCE if ok => {
            context
                .db_mut()
                .field(address(first), field::BALANCE, true)?;
        }
        SELFBALANCE if ok => {
            context.db_mut().field(own, field::BALANCE, true)?;
        }
        EXTCODEHASH if ok => {
            let address = address(first);
            if !context.db_mut().is_alive(address)? {
                context.db_mut().field(address, field::BALANCE, true)?;
            }
            if !top.is_zero() {
                let hash = context.db_mut().field(address, field::CODE_HASH, true)?;
                assert_eq!(hash, top, "the hash that the host tells");
            }
        }
        CALL | CALLCODE if !value.is_zero() && loaded(context, &address(second)) => {
            let to = address(second);
            if byte == CALL && !context.db_mut().is_alive(to)? {
                context.db_mut().field(to, field::BALANCE, true)?;
            }
            if done == Err(InstructionResult::Suspend) {
                context.db_mut().field(own, field::BALANCE, true)?;
                // What is only added to is no dependency.
                context.db_mut().field(to, field::BALANCE, false)?;
            }
        }
        TLOAD | TSTORE if ok => context.db_mut().transient(own, first)?,
        _ => {}
    }
    Ok(())
}

/// The records of all entries at the end: flags, account, key, value.
pub fn records(evm: &Evm<Table<'_>>) -> Vec<(u32, u32, U256, Word)> {
    let journal = &evm.ctx.journaled_state;
    let entries = &journal.database.entries;
    let written = |is: bool| if is { slot::WRITTEN } else { 0 };
    let record = |entry: &super::table::Entry| {
        let start = entry.value.unwrap_or_default();
        let known = if entry.value.is_some() {
            slot::KNOWN
        } else {
            0
        };
        let owner = entries[entry.account].key;
        let account = journal.state.get(&Address::from_word(owner.into()));
        let (flags, value) = match (entry.kind, account) {
            (kind::ACCOUNT, Some(account)) => (slot::USED | written(account.is_touched()), start),
            (kind::FIELD, Some(account)) if entry.key == U256::from(field::BALANCE) => {
                let end = to_word(account.info.balance);
                let used = if entry.used { slot::USED } else { 0 };
                (used | written(known != 0 && end != start), end)
            }
            (kind::FIELD, Some(_)) => (slot::USED, start),
            (kind::STORAGE, Some(account)) => match account.storage.get(&entry.key) {
                Some(value) => {
                    let end = to_word(value.present_value);
                    // Also the value that it had may have been written.
                    (slot::USED | written(end != start || entry.key.bit(0)), end)
                }
                None => (0, start),
            },
            (kind::TRANSIENT, _) => (slot::USED | slot::WRITTEN, start),
            _ => (0, start),
        };
        let flags = flags | known | entry.kind << slot::KIND;
        (flags, entry.account as u32, entry.key, value)
    };
    entries.iter().map(record).collect()
}
