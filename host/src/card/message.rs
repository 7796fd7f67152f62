//! From a frame that is ready to run to the message that a lane runs.

use gatewei_abi::message::code::flag;
use gatewei_abi::message::{
    Account, Message, Unfit as AbiUnfit, code_image, code_word as word_of_code, header,
};
use gatewei_abi::opcode::Fork;
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{Word, layout, word, word_of_address};
use revm::bytecode::Bytecode;
use revm::context_interface::transaction::TransactionType;
use revm::context_interface::{Block, Cfg, Transaction};
use revm::interpreter::InstructionResult;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, HashMap, U256};
use revm::state::AccountInfo;

use super::predictor::Predicted;
use super::split::{CardDatabase, CodeId, InFlight, Known};
use super::teller::Teller;

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
    precompiles: u32,
    accounts: Vec<Account>,
    codes: Vec<Option<OwnCode>>,
}

/// The code of an account, with what names it to the driver.
#[derive(Clone, Debug)]
pub struct OwnCode {
    /// Its hash.
    pub key: Word,
    /// The code.
    pub code: Bytecode,
}

impl OwnCode {
    /// The code's image, with the jump destinations that revm's own analysis found.
    pub fn image(&self) -> Vec<u8> {
        image(&self.code)
    }
}

/// A code's image, with the jump destinations that revm's own analysis found.
fn image(code: &Bytecode) -> Vec<u8> {
    let jumps = code.legacy_jump_table();
    let is_jumpdest = |at| jumps.is_some_and(|jumps| jumps.is_valid(at));
    code_image(code.original_byte_slice(), is_jumpdest)
}

impl Prepared {
    /// The message, without the places of its codes.
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
            precompiles: self.precompiles,
            accounts: &self.accounts,
        }
    }

    /// The image of the code that runs.
    pub fn image(&self) -> Vec<u8> {
        image(&self.code)
    }

    /// The codes of the message's accounts, where they have any.
    pub fn codes(&self) -> &[Option<OwnCode>] {
        &self.codes
    }

    /// The message's accounts, by their indices.
    pub fn indices(&self) -> HashMap<u32, Address> {
        let mut next = 0;
        let index = |account: &Account| {
            let index = next;
            next += account.entries() as u32;
            (index, to_address(&account.address))
        };
        self.accounts.iter().map(index).collect()
    }
}

/// A word as an address.
pub fn to_address(word: &Word) -> Address {
    Address::from_word(from_word(word).into())
}

/// An account's code word, and its code where it has some of its own. None for a code that is too long for a
/// lane.
pub fn code_word(info: &AccountInfo, code: &Bytecode) -> Option<(Word, Option<OwnCode>)> {
    let id = CodeId::of(info);
    let alive = if id.alive { flag::ALIVE } else { 0 };
    if let Some(delegate) = code.eip7702_address() {
        let mut word = word_of_code(code.len(), alive | flag::DELEGATED);
        let address = word_of_address(&delegate.into_array());
        word[..Address::len_bytes()].copy_from_slice(&address[..Address::len_bytes()]);
        return Some((word, None));
    }
    let word = word_of_code(code.len(), alive);
    let own = (!code.is_empty()).then(|| OwnCode {
        key: id.hash.0,
        code: code.clone(),
    });
    (code.len() <= layout::CODE_BYTES).then_some((word, own))
}

/// Makes the message of a frame. What it tells the lane is added to `known`; `predicted` are accounts and
/// slots that the frames will probably use, the most probable first; the lane's slot table has `slots` entries.
pub fn prepare<DB: CardDatabase>(
    flight: &mut InFlight<DB>,
    predicted: &[Predicted],
    known: &mut Known,
    slots: u16,
) -> Result<Prepared, Unfit> {
    let spec = flight.spec();
    let fork = fork(spec).ok_or(Unfit::Fork)?;
    let gas = flight.frame_gas();
    if gas.reservoir() != 0 {
        return Err(Unfit::StateGas);
    }
    let code = flight.code();
    // Beyond this the lane would only say so.
    if code.len() > layout::CODE_BYTES {
        return Err(Unfit::Limit(Trap::Code));
    }
    let mut flags = 0;
    if flight.is_static() {
        flags |= gatewei_abi::message::flags::STATIC;
    }
    if spec.is_enabled_in(SpecId::OSAKA) {
        flags |= gatewei_abi::message::flags::P256;
    }
    if spec.is_enabled_in(SpecId::SHANGHAI) {
        flags |= gatewei_abi::message::flags::INIT_CODE;
    }
    if spec.is_enabled_in(SpecId::CANCUN) {
        flags |= gatewei_abi::message::flags::KEEP;
    }
    let (accounts, codes) = Teller::new(flight, predicted, known, slots.into()).accounts();
    Ok(Prepared {
        env: environment(flight),
        fork,
        flags,
        gas: gas.remaining(),
        code_key: flight.code_hash().0,
        code,
        calldata: flight.calldata(),
        blobs: blobs(flight),
        precompiles: precompiles(spec),
        accounts,
        codes,
    })
}

/// Highest address of a precompiled contract, but for that of EIP-7951.
const fn precompiles(spec: SpecId) -> u32 {
    if spec.is_enabled_in(SpecId::PRAGUE) {
        17
    } else if spec.is_enabled_in(SpecId::CANCUN) {
        10
    } else {
        9
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
        Status::SelfDestruct => InstructionResult::SelfDestruct,
        Status::InitCodeSize => InstructionResult::CreateInitCodeSizeLimit,
        Status::StaticCallValue => InstructionResult::CallNotAllowedInsideStatic,
    }
}
