//! A card in software: the driver's fake card, whose lanes run messages with revm's interpreter.
//!
//! It knows what a lane knows, the message, its code and the answers to its requests, and nothing
//! else, so that what passes here is a test of the split handler, of the messages and of the driver.
//! Where a value is missing it asks, and starts over with the answer.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../../../driver/tests/fake/mod.rs"]
pub mod fake;

mod lane;
mod table;

use std::mem::offset_of;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fake::{Exec, Fake, Step as Action};
use gatewei::card::message::{from_word, instruction_result, to_address, to_word};
use gatewei::card::trace::Step;
use gatewei_abi::message::{control, flags, gas, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::result::{HEADER_BYTES, Header, LogHead, SlotHead, kind, slot};
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{BEAT, Word, layout, word, word_of_address};
use lane::{Rules, Steps, Stop};
use revm::context::{BlockEnv, CfgEnv, JournalTr, LocalContextTr, TxEnv};
use revm::context_interface::ContextTr;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::handler::MainnetContext;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::{CallInput, CallInputs, CallScheme, CallValue, FrameInput, SharedMemory};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, U256};
use revm::{MainBuilder, MainnetEvm};
use table::{Miss, Table};
use zerocopy::{FromBytes, IntoBytes};

/// What the lanes retired, the message that ended last.
pub type Trace = Arc<Mutex<Vec<Step>>>;

/// A soft card of `lanes` lanes.
pub fn card(lanes: u8) -> (Fake, Trace) {
    let trace = Trace::default();
    let sink = trace.clone();
    (Fake::with(lanes, move |exec| run(exec, &sink)), trace)
}

/// What a wrong card changes in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// One bit of the gas that is left.
    Gas,
    /// One bit of the first slot that was stored to.
    Slot,
}

/// A soft card of one lane with one wrong bit in every result from the `from`th on where there is such a thing.
pub fn wrong_card(wrong: Wrong, from: usize) -> Fake {
    let (trace, results) = (Trace::default(), AtomicUsize::new(0));
    Fake::with(1, move |exec| {
        let mut steps = run(exec, &trace);
        if let [Action::Done(_, bytes)] = &mut steps[..]
            && results.fetch_add(1, Ordering::Relaxed) >= from
        {
            spoil(bytes, wrong);
        }
        steps
    })
}

fn spoil(bytes: &mut [u8], wrong: Wrong) {
    let header = Header::read_from_bytes(&bytes[..HEADER_BYTES]).expect("a header");
    match wrong {
        Wrong::Gas => bytes[offset_of!(Header, gas_left)] ^= 1,
        Wrong::Slot => {
            let records = bytes[header.slots_offset as usize..].chunks_exact_mut(3 * BEAT);
            let stored = records.take(header.slots as usize).find(|record| {
                let flags = u32::from_le_bytes(record[..4].try_into().unwrap());
                flags & slot::WRITTEN != 0 && flags >> slot::KIND == kind::STORAGE
            });
            if let Some(record) = stored {
                record[2 * BEAT] ^= 1;
            }
        }
    }
}

/// Reads a message part by part.
pub struct Reader<'a> {
    read: &'a dyn Fn(u64, usize) -> Vec<u8>,
    at: u64,
}

impl Reader<'_> {
    fn bytes(&mut self, bytes: usize) -> Vec<u8> {
        let out = (self.read)(self.at, bytes);
        self.at += bytes.next_multiple_of(BEAT) as u64;
        out
    }

    fn beats(&mut self, count: usize) -> Vec<Word> {
        self.bytes(count * BEAT).as_chunks::<BEAT>().0.to_vec()
    }
}

fn u32_at(word: &Word, at: usize) -> u32 {
    u32::from_le_bytes(word[at..at + 4].try_into().unwrap())
}

fn u64_at(word: &Word, at: usize) -> u64 {
    u64::from_le_bytes(word[at..at + 8].try_into().unwrap())
}

fn spec(opcodes: &Word, precompiles: u32) -> SpecId {
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
        // So have Cancun and Prague; Prague has more precompiled contracts.
        Fork::Prague if precompiles == 10 => SpecId::CANCUN,
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
    let env: Vec<Word> = reader.beats(header::WORDS);
    let sizes = &env[header::CONTROL];
    let blobs = reader.beats(u32_at(sizes, control::BLOBS) as usize);
    let mut table = Table::new(exec.answers, exec.read);
    let start = reader.at;
    let accounts = 0..u32_at(sizes, control::ACCOUNTS);
    let warm = accounts.filter_map(|_| table.account_of_message(&mut reader));
    let warm: Vec<_> = warm.collect();
    let beats = (reader.at - start) / BEAT as u64;
    assert_eq!(beats, u64::from(u32_at(sizes, control::STATE_BEATS)));
    let calldata = reader.bytes(u32_at(sizes, control::CALLDATA_BYTES) as usize);
    let code_bytes = u32_at(sizes, control::CODE_BYTES) as usize;
    let code = table.image(u64_at(&env[header::GAS], gas::CODE), code_bytes);
    let message_flags = u32_at(sizes, control::FLAGS);

    let number = |index: usize| from_word(&env[index]);
    let small = |index: usize| u64_at(&env[index], 0);
    let address = |index: usize| to_address(&env[index]);

    let spec = spec(&env[header::OPCODES], u32_at(sizes, control::PRECOMPILES));
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
        blob_hashes: blobs.iter().map(|hash| from_word(hash).into()).collect(),
        ..TxEnv::default()
    };
    let mut cfg = CfgEnv::new_with_spec(spec);
    cfg.chain_id = small(header::CHAINID);

    let target = address(header::ADDRESS);
    assert_eq!(table.entries[0].key, number(header::ADDRESS));
    let rules = Rules {
        opcodes: env[header::OPCODES],
        precompiles: u32_at(sizes, control::PRECOMPILES),
        p256: message_flags & flags::P256 != 0,
    };
    let mut context = MainnetContext::new(table, spec)
        .with_block(block)
        .with_tx(tx)
        .with_cfg(cfg);
    let precompiles = (1..=0x100u64).map(|n| Address::from_word(U256::from(n).into()));
    let precompiles = precompiles.filter(|address| rules.is_precompile(*address));
    let journal = context.journal_mut();
    journal.warm_precompiles(&precompiles.collect());
    let warm = warm.into_iter();
    journal.warm_access_list(
        warm.map(|(at, keys)| (at, keys.into_iter().collect()))
            .collect(),
    );
    if let Err(Miss((kind, account, key))) = journal.load_account(target) {
        return vec![Action::AskOf(kind, account, key)];
    }
    let mut evm = context.build_mainnet();
    let first = FrameInit {
        depth: 0,
        memory: SharedMemory::new_with_buffer(evm.ctx.local().shared_memory_buffer().clone()),
        frame_input: FrameInput::Call(Box::new(CallInputs {
            input: CallInput::Bytes(calldata.into()),
            gas_limit: small(header::GAS),
            target_address: target,
            caller: address(header::CALLER),
            bytecode_address: target,
            known_bytecode: (B256::ZERO, code),
            // The host has moved it.
            value: CallValue::Apparent(number(header::CALLVALUE)),
            scheme: CallScheme::Call,
            is_static: message_flags & flags::STATIC != 0,
            return_memory_offset: 0..0,
            reservoir: 0,
            charged_new_account_state_gas: false,
        })),
    };
    let mut steps = Steps::default();
    let end = lane::run(&mut evm, first, &rules, &mut steps);
    let end = match end {
        Ok(end) => end,
        Err(Stop::Ask(Miss((kind, account, key)))) => {
            return vec![Action::AskOf(kind, account, key)];
        }
        Err(Stop::Trap(trap, tag)) => {
            *trace.lock().unwrap() = steps.kept;
            return vec![Action::Trap(trap as u8, tag)];
        }
    };
    let out = end.result.interpreter_result();
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
        cycles: 10 * u64::from(steps.count),
        retired: steps.count,
        memory_words: end.memory_words,
        requests: exec.answers.len() as u32,
        ..Header::default()
    };
    *trace.lock().unwrap() = steps.kept;
    let slots = lane::records(&evm);
    if slots.len() > layout::SLOTS {
        return vec![Action::Trap(Trap::Slots as u8, 0)];
    }
    let bytes = result(header, &evm.ctx.journaled_state.logs, &out.output, &slots);
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
    slots: &[(u32, u32, U256, Word)],
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
        bytes.extend_from_slice(&word_of_address(&log.address.into_array()));
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
    for (flags, account, key, value) in slots {
        let head = SlotHead {
            flags: *flags,
            account: *account,
            ..SlotHead::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&to_word(*key));
        bytes.extend_from_slice(value);
    }
    bytes[..HEADER_BYTES].copy_from_slice(header.as_bytes());
    assert_eq!(word(0), Word::default());
    bytes
}

/// Revm's mainnet EVM over a database.
pub type Evm<DB> = MainnetEvm<MainnetContext<DB>>;
