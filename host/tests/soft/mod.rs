//! A card in software: the driver's fake card, whose lanes run messages with revm's interpreter.
//!
//! It knows what a lane knows, the message, its code and the answers to its requests, and nothing
//! else, so that what passes here is a test of the split handler, of the messages and of the driver.
//! Where a value is missing it asks, and starts over with the answer.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../../../driver/tests/fake/mod.rs"]
pub mod fake;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use fake::{Exec, Fake, Step as Action};
use gatewei::card::message::{from_word, instruction_result, to_word};
use gatewei::card::trace::Step;
use gatewei_abi::command::request;
use gatewei_abi::message::{code_image_bytes, code_of_image, control, flags, gas, header};
use gatewei_abi::opcode::{Class, Fork, opcode};
use gatewei_abi::result::{HEADER_BYTES, Header, LogHead, SlotHead, account, slot};
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{BEAT, Word, word};
use revm::bytecode::Bytecode;
use revm::bytecode::opcode::SELFBALANCE;
use revm::context::{BlockEnv, CfgEnv, ContextError, JournalTr, TxEnv};
use revm::context_interface::ContextTr;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database_interface::DBErrorMarker;
use revm::handler::MainnetContext;
use revm::handler::instructions::EthInstructions;
use revm::interpreter::interpreter::{EthInterpreter, ExtBytecode};
use revm::interpreter::interpreter_types::{Jumps, LoopControl, MemoryTr};
use revm::interpreter::{
    CallInput, InputsImpl, InstructionResult, Interpreter, InterpreterAction, SharedMemory,
};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, U256};
use revm::state::AccountInfo;
use revm::{Database, MainnetEvm};
use zerocopy::IntoBytes;

/// What the lanes retired, the message that ended last.
pub type Trace = Arc<Mutex<Vec<Step>>>;

/// A soft card of `lanes` lanes.
pub fn card(lanes: u8) -> (Fake, Trace) {
    let trace = Trace::default();
    let sink = trace.clone();
    (Fake::with(lanes, move |exec| run(exec, &sink)), trace)
}

/// A missing value: the request for it.
#[derive(Debug)]
pub struct Miss(u8, U256);

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "request {} for {}", self.0, self.1)
    }
}
impl std::error::Error for Miss {}
impl DBErrorMarker for Miss {}

/// What the lane was told.
#[derive(Debug, Default)]
struct Told {
    target: Address,
    balance: U256,
    slots: HashMap<U256, U256>,
    hashes: HashMap<U256, B256>,
}

impl Database for Told {
    type Error = Miss;
    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Miss> {
        assert_eq!(address, self.target, "a lane knows no other account");
        Ok(Some(AccountInfo {
            balance: self.balance,
            nonce: 1,
            ..AccountInfo::default()
        }))
    }
    fn code_by_hash(&mut self, _: B256) -> Result<Bytecode, Miss> {
        unreachable!("a lane knows its own code alone")
    }
    fn storage(&mut self, _: Address, key: U256) -> Result<U256, Miss> {
        self.slots
            .get(&key)
            .copied()
            .ok_or(Miss(request::STORAGE, key))
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, Miss> {
        let key = U256::from(number);
        self.hashes
            .get(&key)
            .copied()
            .ok_or(Miss(request::BLOCK_HASH, key))
    }
}

/// Reads a message part by part.
struct Reader<'a> {
    read: &'a dyn Fn(u64, usize) -> Vec<u8>,
    at: u64,
}

impl Reader<'_> {
    fn bytes(&mut self, bytes: usize) -> Vec<u8> {
        let out = (self.read)(self.at, bytes);
        self.at += bytes.next_multiple_of(BEAT) as u64;
        out
    }

    fn words(&mut self, count: u32) -> Vec<U256> {
        let bytes = self.bytes(count as usize * BEAT);
        bytes.as_chunks::<BEAT>().0.iter().map(from_word).collect()
    }
}

fn u32_at(word: &Word, at: usize) -> u32 {
    u32::from_le_bytes(word[at..at + 4].try_into().unwrap())
}

fn u64_at(word: &Word, at: usize) -> u64 {
    u64::from_le_bytes(word[at..at + 8].try_into().unwrap())
}

fn spec(opcodes: &Word) -> SpecId {
    let fork = Fork::COVERED
        .into_iter()
        .rev()
        .find(|fork| fork.opcodes() == *opcodes);
    match fork.expect("a fork's opcodes") {
        Fork::London => SpecId::LONDON,
        // London and Paris have the same opcodes; 0x44 differs in what the message says.
        Fork::Paris => SpecId::MERGE,
        Fork::Shanghai => SpecId::SHANGHAI,
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka => SpecId::OSAKA,
        Fork::Amsterdam => unreachable!("not covered"),
    }
}

/// Runs a message from its start, with the answers that there are.
fn run(exec: &Exec<'_>, trace: &Trace) -> Vec<Action> {
    let mut reader = Reader {
        read: exec.read,
        at: exec.submission.address,
    };
    let env: Vec<Word> = reader.bytes(header::WORDS * BEAT).as_chunks().0.to_vec();
    let sizes = &env[header::CONTROL];
    let blobs = reader.words(u32_at(sizes, control::BLOBS));
    let warm = reader.words(2 * u32_at(sizes, control::SLOTS_WARM));
    let cold = reader.words(2 * u32_at(sizes, control::SLOTS_COLD));
    let named = reader.words(u32_at(sizes, control::SLOTS_NAMED));
    let calldata = reader.bytes(u32_at(sizes, control::CALLDATA_BYTES) as usize);
    let code_bytes = u32_at(sizes, control::CODE_BYTES) as usize;
    let image = u64_at(&env[header::GAS], gas::CODE);
    let image = (exec.read)(image, code_image_bytes(code_bytes));
    let (code, jumpdests) = code_of_image(&image, code_bytes);
    let message_flags = u32_at(sizes, control::FLAGS);
    assert_ne!(message_flags & flags::BALANCE, 0);

    let number = |index: usize| from_word(&env[index]);
    let small = |index: usize| u64_at(&env[index], 0);
    let address = |index: usize| Address::from_word(number(index).into());
    let mut told = Told {
        target: address(header::ADDRESS),
        ..Told::default()
    };
    told.balance = number(header::BALANCE);
    let predicted: Vec<U256> = warm.iter().chain(&cold).step_by(2).copied().collect();
    for pair in warm.chunks(2).chain(cold.chunks(2)) {
        assert!(
            told.slots.insert(pair[0], pair[1]).is_none(),
            "a slot predicted twice"
        );
    }
    for (kind, key, value) in exec.answers {
        let (key, value) = (from_word(key), from_word(value));
        match *kind {
            request::STORAGE => assert!(told.slots.insert(key, value).is_none(), "asked twice"),
            _ => assert!(
                told.hashes.insert(key, value.into()).is_none(),
                "asked twice"
            ),
        }
    }

    let spec = spec(&env[header::OPCODES]);
    let block = BlockEnv {
        number: number(header::NUMBER),
        beneficiary: address(header::COINBASE),
        timestamp: number(header::TIMESTAMP),
        gas_limit: small(header::GASLIMIT),
        basefee: small(header::BASEFEE),
        difficulty: number(header::PREVRANDAO),
        prevrandao: Some(number(header::PREVRANDAO).into()),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: small(header::BLOBBASEFEE).into(),
        }),
        ..BlockEnv::default()
    };
    let tx = TxEnv {
        caller: address(header::ORIGIN),
        gas_price: number(header::GASPRICE).to(),
        gas_priority_fee: (!blobs.is_empty()).then_some(u128::MAX >> 1),
        tx_type: if blobs.is_empty() { 0 } else { 3 },
        blob_hashes: blobs.into_iter().map(Into::into).collect(),
        ..TxEnv::default()
    };
    let mut cfg = CfgEnv::new_with_spec(spec);
    cfg.chain_id = small(header::CHAINID);

    let target = told.target;
    let mut context = MainnetContext::new(told, spec)
        .with_block(block)
        .with_tx(tx)
        .with_cfg(cfg);
    let keys = warm.iter().step_by(2).chain(&named).copied().collect();
    context
        .journal_mut()
        .warm_access_list([(target, keys)].into_iter().collect());
    context
        .journal_mut()
        .load_account(target)
        .expect("the executing account is known");
    let bytecode = Bytecode::new_legacy(code.clone().into());
    let jumps = bytecode.legacy_jump_table().expect("legacy code");
    for (at, marked) in jumpdests.into_iter().enumerate() {
        assert_eq!(marked, jumps.is_valid(at), "the image's jump destinations");
    }
    let inputs = InputsImpl {
        target_address: target,
        bytecode_address: None,
        caller_address: address(header::CALLER),
        input: CallInput::Bytes(calldata.into()),
        call_value: number(header::CALLVALUE),
        depth: 0,
    };
    let gas_limit = small(header::GAS);
    let is_static = message_flags & flags::STATIC != 0;
    let mut frame = Interpreter::<EthInterpreter>::new(
        SharedMemory::new(),
        ExtBytecode::new(bytecode),
        inputs,
        is_static,
        spec,
        gas_limit,
    );
    let table = EthInstructions::new_mainnet_with_spec(spec);
    let mut steps = Vec::new();
    let mut balance_used = false;
    let end = loop {
        let byte = frame.bytecode.opcode();
        steps.push(Step::of(&frame));
        let op = opcode(byte).filter(|op| {
            env[header::OPCODES][byte as usize / 8] >> (byte % 8) & 1 == 1
                && op.class == Class::Trap
        });
        if op.is_some() {
            let tag = (frame.bytecode.pc() as u32) << 8 | u32::from(byte);
            *trace.lock().unwrap() = steps;
            return vec![Action::Trap(Trap::Opcode as u8, tag)];
        }
        balance_used |= byte == SELFBALANCE;
        let (instructions, costs) = (table.instruction_table(), table.gas_table());
        if let Err(end) = frame.step(instructions, costs, &mut context) {
            break end;
        }
    };
    if frame.bytecode.action().is_none() {
        frame.halt(end);
    }
    let InterpreterAction::Return(out) = frame.take_next_action() else {
        unreachable!("calls and creations trap")
    };
    if out.result == InstructionResult::FatalExternalError {
        let error = std::mem::replace(&mut context.error, Ok(()));
        let Err(ContextError::Db(Miss(kind, key))) = error else {
            panic!("{error:?}")
        };
        return vec![Action::Ask(kind, to_word(key))];
    }
    let status = Status::ALL
        .iter()
        .find(|status| instruction_result(**status) == out.result);
    let status = *status.unwrap_or_else(|| panic!("no status for {:?}", out.result));
    let header = Header {
        gas_left: if status.is_halt() {
            0
        } else {
            out.gas.remaining()
        },
        refund: out.gas.refunded(),
        cycles: 10 * steps.len() as u64,
        retired: steps.len() as u32,
        memory_words: (frame.memory.size() / 32) as u32,
        requests: exec.answers.len() as u32,
        account_used: if balance_used { account::BALANCE } else { 0 },
        ..Header::default()
    };
    *trace.lock().unwrap() = steps;
    let storage = &context.journaled_state.state[&target].storage;
    let first = predicted
        .iter()
        .copied()
        .filter(|key| !storage.contains_key(key));
    let mut slots: Vec<(u32, U256, U256)> = first
        .map(|key| {
            (
                slot::KNOWN,
                key,
                context.journaled_state.database.slots[&key],
            )
        })
        .collect();
    slots.extend(storage.iter().map(|(key, value)| {
        let written = if value.is_changed() { slot::WRITTEN } else { 0 };
        (
            slot::USED | slot::KNOWN | slot::WARM | written,
            *key,
            value.present_value,
        )
    }));
    let bytes = result(header, &context.journaled_state.logs, &out.output, &slots);
    if bytes.len() > exec.submission.capacity as usize {
        return vec![Action::Trap(Trap::Result as u8, 0)];
    }
    vec![Action::Done(status as u8, bytes)]
}

/// A result buffer's contents.
fn result(
    mut header: Header,
    logs: &[revm::primitives::Log],
    output: &[u8],
    slots: &[(u32, U256, U256)],
) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    for log in logs {
        let (topics, data) = (log.data.topics(), &log.data.data);
        let head = LogHead {
            data_bytes: data.len() as u32,
            topics: topics.len() as u32,
            ..LogHead::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        topics
            .iter()
            .for_each(|topic| bytes.extend_from_slice(&to_word((*topic).into())));
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(BEAT), 0);
    }
    (header.logs, header.logs_end) = (logs.len() as u32, bytes.len() as u32);
    (header.output_bytes, header.output_offset) = (output.len() as u32, bytes.len() as u32);
    bytes.extend_from_slice(output);
    bytes.resize(bytes.len().next_multiple_of(BEAT), 0);
    (header.slots, header.slots_offset) = (slots.len() as u32, bytes.len() as u32);
    for (flags, key, value) in slots {
        let head = SlotHead {
            flags: *flags,
            ..SlotHead::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&to_word(*key));
        bytes.extend_from_slice(&to_word(*value));
    }
    bytes[..HEADER_BYTES].copy_from_slice(header.as_bytes());
    assert_eq!(word(0), Word::default());
    bytes
}

/// Revm's mainnet EVM over a database.
pub type Evm<DB> = MainnetEvm<MainnetContext<DB>>;
