//! From a frame that is ready to run to the message that a lane runs, and from a lane's result back to
//! the frame's effects.

use gatewei_abi::message::{Message, Slot, Unfit as AbiUnfit, code_image, flags, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::result::{account, slot};
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{Word, word, word_of_address};
use gatewei_driver::result::FrameResult;
use revm::bytecode::Bytecode;
use revm::context_interface::transaction::TransactionType;
use revm::context_interface::{Block, Cfg, Transaction};
use revm::interpreter::InstructionResult;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, Log, LogData, U256};

use super::split::{CardDatabase, Effects, InFlight, Known, SlotEffect};

/// Slots that are predicted at most beside those of the access list. Each costs two beats of message,
/// and a place in the lane's slot table that the frame may need.
const PREDICTED: usize = 128;

/// Why a frame cannot be sent to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unfit {
    /// Rules older or newer than the lane's.
    Fork,
    /// EIP-8037 state gas, which the lane does not know.
    StateGas,
    /// The message would exceed one of the card's memories, as the lane would say it.
    Limit(Trap),
    /// More blob hashes than the environment memory holds.
    Blobs,
}

impl Unfit {
    /// Name in statistics and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::StateGas => "state_gas",
            Self::Limit(trap) => trap.name(),
            Self::Blobs => "blob_hashes",
        }
    }
}

impl From<AbiUnfit> for Unfit {
    fn from(unfit: AbiUnfit) -> Self {
        match unfit {
            AbiUnfit::Code(_) => Self::Limit(Trap::Code),
            AbiUnfit::Calldata(_) => Self::Limit(Trap::Calldata),
            AbiUnfit::Slots(_) => Self::Limit(Trap::Slots),
            AbiUnfit::Blobs(_) => Self::Blobs,
        }
    }
}

/// The lane's fork of a revm specification; none where the lane does not cover it.
pub const fn fork(spec: SpecId) -> Option<Fork> {
    match spec {
        SpecId::LONDON => Some(Fork::London),
        SpecId::MERGE => Some(Fork::Paris),
        SpecId::SHANGHAI => Some(Fork::Shanghai),
        SpecId::CANCUN => Some(Fork::Cancun),
        SpecId::PRAGUE => Some(Fork::Prague),
        SpecId::OSAKA => Some(Fork::Osaka),
        _ => None,
    }
}

/// A number as a card's word.
pub const fn to_word(value: U256) -> Word {
    value.to_le_bytes()
}

/// A card's word as a number.
pub const fn from_word(word: &Word) -> U256 {
    U256::from_le_bytes(*word)
}

/// A message, owning what it points to.
#[derive(Debug)]
pub struct Prepared {
    env: [Word; header::WORDS],
    fork: Fork,
    flags: u32,
    /// The frame's gas limit.
    pub gas: u64,
    /// The code that runs.
    pub code: Bytecode,
    /// Its hash, as the driver's key.
    pub code_key: Word,
    calldata: Bytes,
    blobs: Vec<Word>,
    warm: Vec<Slot>,
    cold: Vec<Slot>,
    named: Vec<Word>,
}

impl Prepared {
    /// The message, without the place of its code.
    pub fn message(&self) -> Message<'_> {
        Message {
            env: self.env,
            fork: self.fork,
            flags: self.flags,
            gas: self.gas,
            code: 0,
            code_tag: 0,
            spill: 0,
            code_bytes: self.code.len(),
            calldata: &self.calldata,
            blobs: &self.blobs,
            slots_warm: &self.warm,
            slots_cold: &self.cold,
            slots_named: &self.named,
        }
    }

    /// The code's image, with the jump destinations that revm's own analysis found.
    pub fn image(&self) -> Vec<u8> {
        let jumps = self.code.legacy_jump_table();
        let is_jumpdest = |at| jumps.is_some_and(|jumps| jumps.is_valid(at));
        code_image(self.code.original_byte_slice(), is_jumpdest)
    }
}

/// Makes the message of a frame. Values that it tells the lane are added to `known`; `predicted` are
/// slots that the frame will probably use, the most probable first.
pub fn prepare<DB: CardDatabase>(
    flight: &mut InFlight<DB>,
    predicted: &[U256],
    known: &mut Known,
) -> Result<Prepared, Unfit> {
    let fork = fork(flight.spec()).ok_or(Unfit::Fork)?;
    let gas = flight.frame_gas();
    if gas.reservoir() != 0 {
        return Err(Unfit::StateGas);
    }
    let code = flight.code();
    // Beyond this the lane would only say so.
    if code.len() > gatewei_abi::layout::CODE_BYTES {
        return Err(Unfit::Limit(Trap::Code));
    }
    let mut flags = flags::BALANCE;
    if flight.is_static() {
        flags |= gatewei_abi::message::flags::STATIC;
    }
    let (mut warm, mut named) = (Vec::new(), Vec::new());
    let access_list = flight.warm_slots();
    for &key in &access_list {
        match flight.peek_storage(key) {
            Some(value) => warm.push(predict(key, value, known)),
            None => named.push(to_word(key)),
        }
    }
    let mut cold = Vec::new();
    for &key in predicted
        .iter()
        .filter(|key| !access_list.contains(key))
        .take(PREDICTED)
    {
        if let Some(value) = flight.peek_storage(key) {
            cold.push(predict(key, value, known));
        }
    }
    Ok(Prepared {
        env: environment(flight),
        fork,
        flags,
        gas: gas.remaining(),
        code_key: flight.code_hash().0,
        code,
        calldata: flight.calldata(),
        blobs: blobs(flight),
        warm,
        cold,
        named,
    })
}

fn predict(key: U256, value: U256, known: &mut Known) -> Slot {
    known.insert(key, value);
    Slot {
        key: to_word(key),
        value: to_word(value),
    }
}

/// BLOBHASH sees the hashes of a blob transaction alone (EIP-4844).
fn blobs<DB: CardDatabase>(flight: &InFlight<DB>) -> Vec<Word> {
    let tx = &flight.context().tx;
    if tx.tx_type != TransactionType::Eip4844 as u8 {
        return Vec::new();
    }
    tx.blob_hashes
        .iter()
        .map(|hash| to_word((*hash).into()))
        .collect()
}

/// The environment words: what revm's `Host` gives to the opcodes that push them.
fn environment<DB: CardDatabase>(flight: &mut InFlight<DB>) -> [Word; header::WORDS] {
    let mut env = [Word::default(); header::WORDS];
    let address = |address: Address| word_of_address(&address.into_array());
    env[header::ADDRESS] = address(flight.target());
    env[header::CALLER] = address(flight.caller());
    env[header::CALLVALUE] = to_word(flight.value());
    env[header::BALANCE] = to_word(flight.balance());
    let (block, tx, cfg) = {
        let context = flight.context();
        (&context.block, &context.tx, &context.cfg)
    };
    let price = tx.effective_gas_price(block.basefee().into());
    let prevrandao = match block.prevrandao() {
        Some(random) if cfg.spec.is_enabled_in(SpecId::MERGE) => random.into(),
        _ => block.difficulty(),
    };
    env[header::ORIGIN] = address(tx.caller);
    env[header::GASPRICE] = to_word(U256::from(price));
    env[header::COINBASE] = address(block.beneficiary());
    env[header::TIMESTAMP] = to_word(block.timestamp());
    env[header::NUMBER] = to_word(block.number());
    env[header::PREVRANDAO] = to_word(prevrandao);
    env[header::GASLIMIT] = word(block.gas_limit());
    env[header::CHAINID] = word(cfg.chain_id());
    env[header::BASEFEE] = word(block.basefee());
    env[header::BLOBBASEFEE] = to_word(U256::from(block.blob_gasprice().unwrap_or_default()));
    env
}

/// A result that claims reads of values that nobody told the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRead;

/// What a lane's result means for the frame. `known` are all values that the lane was told.
pub fn effects(
    result: FrameResult,
    target: Address,
    known: &Known,
) -> Result<Effects, UnknownRead> {
    let used = |record: &&gatewei_driver::result::SlotRecord| {
        record.is(slot::USED) && !record.is(slot::TRANSIENT)
    };
    let slot = |record: &gatewei_driver::result::SlotRecord| {
        let (key, value) = (from_word(&record.key), from_word(&record.value));
        let start = *known.get(&key).ok_or(UnknownRead)?;
        let stored = record.is(slot::WRITTEN).then_some(value);
        // A slot that was only read still has the value that it was read with.
        if stored.is_none() && value != start {
            return Err(UnknownRead);
        }
        Ok(SlotEffect { key, start, stored })
    };
    let slots = result
        .slots
        .iter()
        .filter(used)
        .map(slot)
        .collect::<Result<_, _>>()?;
    let log = |log: gatewei_driver::result::LogRecord| {
        // A topic is big-endian in a log, a card's word little-endian.
        let topics = log
            .topics
            .iter()
            .map(|topic| from_word(topic).into())
            .collect();
        Log {
            address: target,
            data: LogData::new_unchecked(topics, log.data.into()),
        }
    };
    Ok(Effects {
        result: instruction_result(result.status),
        output: result.output.into(),
        gas_left: result.gas_left,
        refund: result.refund,
        logs: result.logs.into_iter().map(log).collect(),
        slots,
        balance_used: result.account_used & account::BALANCE != 0,
        ops: result.cost.retired.into(),
    })
}

/// revm's name of a status.
pub const fn instruction_result(status: Status) -> InstructionResult {
    match status {
        Status::Stop => InstructionResult::Stop,
        Status::Return => InstructionResult::Return,
        Status::Revert => InstructionResult::Revert,
        Status::OutOfGas => InstructionResult::OutOfGas,
        Status::MemoryOutOfGas => InstructionResult::MemoryOOG,
        Status::InvalidOperand => InstructionResult::InvalidOperandOOG,
        Status::ReentrancySentry => InstructionResult::ReentrancySentryOOG,
        Status::OpcodeNotFound => InstructionResult::OpcodeNotFound,
        Status::InvalidOpcode => InstructionResult::InvalidFEOpcode,
        Status::NotActivated => InstructionResult::NotActivated,
        Status::InvalidJump => InstructionResult::InvalidJump,
        Status::StackUnderflow => InstructionResult::StackUnderflow,
        Status::StackOverflow => InstructionResult::StackOverflow,
        Status::StaticViolation => InstructionResult::StateChangeDuringStaticCall,
        Status::OutOfOffset => InstructionResult::OutOfOffset,
    }
}
