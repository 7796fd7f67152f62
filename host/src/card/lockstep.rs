//! One program on a card and on revm, compared opcode by opcode.
//!
//! At every opcode of the frame: program counter, opcode, gas, stack depth, topmost word, memory size;
//! at its end: result, logs, and all changed state. The first difference is shown with both sides and
//! the opcodes before it.

use std::fmt;

use gatewei_driver::result::Cost;
use gatewei_driver::transport::Transport;
use revm::bytecode::Bytecode;
use revm::context::transaction::AccessListItem;
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, TxKind, U256, address};
use revm::state::{AccountInfo, AccountStatus};
use revm::{ExecuteEvm, MainBuilder};

use super::flights::{CardRunner, Flights, Landing, Place};
use super::reason::Reason;
use super::split::{Begun, CardEvm, InFlight, begin};
use super::trace::{Step, record};

/// A transport whose card tells what its lanes retire.
pub trait Traced: Transport {
    /// Forgets what was retired so far and records from now on.
    fn start_trace(&mut self);

    /// What was retired for a command since [`Traced::start_trace`].
    fn take_trace(&mut self, command: u32) -> Vec<Step>;
}

/// The sender of every program's transaction.
pub const SENDER: Address = address!("0x5e4d000000000000000000000000000000005e4d");
/// The contract that runs it.
pub const CONTRACT: Address = address!("0xc0de00000000000000000000000000000000c0de");
/// Gas of the transaction: the frame's is less, or chosen (Osaka's cap is 2^24, EIP-7825).
const TX_GAS: u64 = 16_000_000;
/// What a transaction costs before its frame, and more.
const TX_GAS_APART: u64 = 1_000_000;

/// An account of a program's world beside the contract that is called.
#[derive(Clone, Debug, Default)]
pub struct Other {
    /// Address.
    pub address: Address,
    /// Code, as it is deployed: a delegation (EIP-7702) is one.
    pub code: Bytes,
    /// Balance, wei.
    pub balance: U256,
    /// Nonce.
    pub nonce: u64,
    /// Storage.
    pub storage: Vec<(U256, U256)>,
}

/// A program with its world: a contract, what it may call, one call of it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Rules.
    pub spec: SpecId,
    /// Code, as [`Other::code`].
    pub code: Bytes,
    /// Calldata.
    pub calldata: Bytes,
    /// Gas of the frame, of which no rule limits the amount; none: about 16 million.
    pub gas: Option<u64>,
    /// Value of the call, wei.
    pub value: U256,
    /// Balance of the contract before the call, wei.
    pub balance: U256,
    /// Storage of the contract.
    pub storage: Vec<(U256, U256)>,
    /// The other accounts.
    pub others: Vec<Other>,
    /// The contract's slots in the access list.
    pub warm: Vec<U256>,
    /// Other accounts in the access list, with their slots.
    pub warm_others: Vec<(Address, Vec<U256>)>,
    /// The frame is static.
    pub is_static: bool,
    /// The code is init code of a creation.
    pub create: bool,
    /// Blob hashes; a creation has none.
    pub blobs: Vec<B256>,
}

impl Program {
    /// A plain call of `code`.
    pub fn new(spec: SpecId, code: impl Into<Bytes>) -> Self {
        Self {
            spec,
            code: code.into(),
            calldata: Bytes::new(),
            gas: None,
            value: U256::ZERO,
            balance: U256::from(1_000_000),
            storage: Vec::new(),
            others: Vec::new(),
            warm: Vec::new(),
            warm_others: Vec::new(),
            is_static: false,
            create: false,
            blobs: Vec::new(),
        }
    }

    /// An EVM in which nothing of the environment is zero, and the transaction.
    fn prepare(&self) -> (CardEvm<CacheDB<EmptyDB>>, TxEnv) {
        let mut db = CacheDB::new(EmptyDB::new());
        let sender = AccountInfo {
            balance: U256::MAX >> 8,
            ..AccountInfo::default()
        };
        db.insert_account_info(SENDER, sender);
        if !self.create {
            let info = AccountInfo::from_bytecode(bytecode(&self.code));
            db.insert_account_info(CONTRACT, info.with_balance(self.balance).with_nonce(1));
            insert_storage(&mut db, CONTRACT, &self.storage);
        }
        for other in &self.others {
            let info = AccountInfo::from_bytecode(bytecode(&other.code));
            let info = info.with_balance(other.balance).with_nonce(other.nonce);
            db.insert_account_info(other.address, info);
            insert_storage(&mut db, other.address, &other.storage);
        }
        let mut cfg = CfgEnv::new_with_spec(self.spec);
        cfg.chain_id = 0x6777;
        let wanted = self.gas.unwrap_or_default().saturating_add(TX_GAS_APART);
        let tx_gas = TX_GAS.max(wanted);
        cfg.tx_gas_limit_cap = Some(tx_gas);
        let block = BlockEnv {
            number: U256::from(20_000_000),
            beneficiary: address!("0xc01bba5e0000000000000000000000000000ba5e"),
            timestamp: U256::from(1_760_000_000u64),
            gas_limit: tx_gas.max(36_000_000),
            basefee: 7,
            difficulty: U256::from(0xd1ff),
            prevrandao: Some(B256::repeat_byte(0x3c)),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: 5,
            }),
            ..BlockEnv::default()
        };
        let mut tx = TxEnv {
            caller: SENDER,
            kind: if self.create {
                TxKind::Create
            } else {
                TxKind::Call(CONTRACT)
            },
            data: if self.create {
                self.code.clone()
            } else {
                self.calldata.clone()
            },
            gas_limit: tx_gas,
            gas_price: 1_000,
            value: self.value,
            chain_id: Some(cfg.chain_id),
            ..TxEnv::default()
        };
        let item = |address: Address, keys: &[U256]| AccessListItem {
            address,
            storage_keys: keys.iter().map(|key| (*key).into()).collect(),
        };
        let own = (!self.warm.is_empty()).then(|| item(CONTRACT, &self.warm));
        let others = self.warm_others.iter();
        let others = others.map(|(address, keys)| item(*address, keys));
        let list: Vec<AccessListItem> = own.into_iter().chain(others).collect();
        if !list.is_empty() {
            (tx.tx_type, tx.access_list) = (1, list.into());
        }
        if !self.blobs.is_empty() {
            (tx.tx_type, tx.max_fee_per_blob_gas) = (3, 10);
            tx.gas_priority_fee = Some(1);
            tx.blob_hashes.clone_from(&self.blobs);
        }
        let context = MainnetContext::new(db, self.spec)
            .with_cfg(cfg)
            .with_block(block);
        (context.build_mainnet(), tx)
    }

    /// The frame, ready to run.
    fn frame(&self) -> Result<InFlight<CacheDB<EmptyDB>>, Divergence> {
        let (evm, tx) = self.prepare();
        match begin(evm, tx) {
            Begun::Frame(mut inflight) => {
                if let Some(gas) = self.gas {
                    inflight.set_frame_gas(gas);
                }
                if self.is_static {
                    inflight.set_static();
                }
                Ok(inflight)
            }
            Begun::Ended(ended) => Err(Divergence::NoFrame(format!("{:?}", ended.outcome))),
        }
    }

    /// The steps that revm takes, and how it ends.
    pub fn on_revm(&self) -> Result<(Vec<Step>, End), Divergence> {
        let (steps, mut ended) = record(self.frame()?);
        let outcome = format!("{:?}", ended.outcome);
        Ok((
            steps,
            End {
                outcome,
                state: state(&mut ended.evm),
            },
        ))
    }

    /// Runs on a card and on revm, and compares.
    pub fn compare<T: Traced>(&self, runner: &mut CardRunner<T>) -> Result<Report, Divergence> {
        let (want, end) = self.on_revm()?;
        let (got, place, cost, card_end) = self.on_card(runner)?;
        let trapped = match place {
            Place::Card => None,
            Place::Cpu(reason @ (Reason::Opcode(_) | Reason::Trap(_) | Reason::Unfit(_))) => {
                Some(reason)
            }
            other => return Err(Divergence::Lost(format!("{other:?}"))),
        };
        // A lane that gives the frame back has come as far as it has come.
        let length = if trapped.is_some() {
            got.len().min(want.len())
        } else {
            want.len()
        };
        if let Some(difference) = first_difference(&want[..length], &got) {
            return Err(Divergence::Step(Box::new(difference)));
        }
        if trapped.is_none() && cost.retired as usize != want.len() {
            return Err(Divergence::Retired {
                revm: want.len(),
                card: cost.retired,
            });
        }
        if end != card_end {
            return Err(Divergence::End(Box::new((end, card_end))));
        }
        Ok(Report {
            steps: got,
            trapped,
            cost,
            outcome: end.outcome,
        })
    }

    /// The steps that a card takes, where the frame ended, its cost, and how the transaction ends.
    pub fn on_card<T: Traced>(
        &self,
        runner: &mut CardRunner<T>,
    ) -> Result<(Vec<Step>, Place, Cost, End), Divergence> {
        let inflight = self.frame()?;
        runner.card_mut().transport_mut().start_trace();
        let mut landings = Vec::new();
        let mut flights = Flights::new(runner);
        landings.extend(flights.launch(inflight, ()));
        let mut command = None;
        while landings.is_empty() {
            // The last attempt's trace counts, if one was not enough.
            command = flights.commands().next().or(command);
            flights.step(&mut landings);
        }
        drop(flights);
        let transport = runner.card_mut().transport_mut();
        let steps = command.map_or_else(Vec::new, |command| transport.take_trace(command));
        match landings.pop() {
            Some(Landing::Ended {
                mut ended,
                place,
                cost,
                ..
            }) => {
                let outcome = format!("{:?}", ended.outcome);
                Ok((
                    steps,
                    place,
                    cost,
                    End {
                        outcome,
                        state: state(&mut ended.evm),
                    },
                ))
            }
            _ => Err(Divergence::Lost("stale".into())),
        }
    }
}

/// Code as it is deployed: a delegation (EIP-7702), or whatever the bytes are.
fn bytecode(code: &Bytes) -> Bytecode {
    let raw = Bytecode::new_raw_checked(code.clone());
    raw.unwrap_or_else(|_| Bytecode::new_legacy(code.clone()))
}

/// Fills the storage of an account that was just inserted, so that nothing is fetched and nothing can fail.
fn insert_storage(db: &mut CacheDB<EmptyDB>, address: Address, slots: &[(U256, U256)]) {
    let account = db.cache.accounts.entry(address).or_default();
    account.storage.extend(slots.iter().copied());
}

/// Changed state in a fixed order. Whether an account is still cold is left out: one that only a frame loaded
/// that reverted is, in revm's journal, and is not where a card ran the frames. After a transaction nobody asks.
fn state(evm: &mut CardEvm<CacheDB<EmptyDB>>) -> String {
    let state = evm.finalize();
    let mut accounts: Vec<_> = state.into_iter().collect();
    accounts.sort_by_key(|(address, _)| *address);
    let mut out = String::new();
    for (address, account) in accounts {
        let info = &account.info;
        out += &format!("{address} balance {} nonce {}", info.balance, info.nonce);
        let status = account.status - AccountStatus::Cold;
        out += &format!(" code {} {status:?}\n", info.code_hash);
        let mut slots: Vec<_> = account.storage.into_iter().collect();
        slots.sort_by_key(|(key, _)| *key);
        for (key, slot) in slots {
            let (from, to) = (slot.original_value, slot.present_value);
            out += &format!("  {key:#x}: {from:#x} -> {to:#x}\n");
        }
    }
    out
}

/// How a transaction ended: its result with gas, output and logs, and the state it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The result.
    pub outcome: String,
    /// Accounts and slots, loaded or changed.
    pub state: String,
}

/// Two executions that agree.
#[derive(Clone, Debug)]
pub struct Report {
    /// The card's steps.
    pub steps: Vec<Step>,
    /// Why the card gave the frame back, if it did.
    pub trapped: Option<Reason>,
    /// What it cost.
    pub cost: Cost,
    /// The result.
    pub outcome: String,
}

/// Two executions that do not agree, or that cannot be compared.
#[derive(Clone, Debug)]
pub enum Divergence {
    /// The transaction ends before its frame.
    NoFrame(String),
    /// The card lost the message.
    Lost(String),
    /// A step differs.
    Step(Box<Difference>),
    /// The number of retired opcodes differs.
    Retired {
        /// Steps of revm.
        revm: usize,
        /// The card's count.
        card: u32,
    },
    /// The end differs: revm's, the card's.
    End(Box<(End, End)>),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrame(outcome) => write!(f, "the transaction has no frame: {outcome}"),
            Self::Lost(why) => write!(f, "the card lost the message: {why}"),
            Self::Step(difference) => write!(f, "{difference}"),
            Self::Retired { revm, card } => {
                write!(f, "revm ran {revm} opcodes, the card counts {card}")
            }
            Self::End(ends) => {
                let (revm, card) = &**ends;
                writeln!(
                    f,
                    "the end differs\nrevm: {}\ncard: {}",
                    revm.outcome, card.outcome
                )?;
                let (left, right) = (revm.state.lines(), card.state.lines());
                let line = left.zip(right).find(|(left, right)| left != right);
                match line {
                    Some((left, right)) => write!(f, "revm: {left}\ncard: {right}"),
                    None if revm.state == card.state => Ok(()),
                    None => write!(f, "revm:\n{}card:\n{}", revm.state, card.state),
                }
            }
        }
    }
}

impl std::error::Error for Divergence {}

/// Opcodes shown before a difference.
const SHOWN: usize = 12;

/// The first step that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its index.
    pub index: usize,
    /// The steps before it, on which both agree.
    pub before: Vec<Step>,
    /// revm's step; none where it had ended.
    pub revm: Option<Step>,
    /// The card's step; none where it had ended.
    pub card: Option<Step>,
}

/// Compares two traces.
pub fn first_difference(revm: &[Step], card: &[Step]) -> Option<Difference> {
    let length = revm.len().max(card.len());
    let index = (0..length).find(|&index| revm.get(index) != card.get(index))?;
    Some(Difference {
        index,
        before: revm[index.saturating_sub(SHOWN)..index].to_vec(),
        revm: revm.get(index).copied(),
        card: card.get(index).copied(),
    })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "opcode {} differs; before it:", self.index)?;
        let first = self.index - self.before.len();
        for (index, step) in self.before.iter().enumerate() {
            writeln!(f, "  {:>6}  {step}", first + index)?;
        }
        let side = |step: &Option<Step>| match step {
            Some(step) => step.to_string(),
            None => "(ended)".to_owned(),
        };
        writeln!(f, "  revm >  {}", side(&self.revm))?;
        write!(f, "  card >  {}", side(&self.card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(pc: u32) -> Step {
        Step {
            frame: 0,
            pc,
            opcode: 1,
            gas: 9,
            depth: 2,
            top: U256::from(3),
            memory: 0,
        }
    }

    #[test]
    fn the_first_difference_is_found_and_shown() {
        let revm: Vec<Step> = (0..30).map(step).collect();
        assert_eq!(first_difference(&revm, &revm), None);
        let mut card = revm.clone();
        card[20].gas -= 1;
        let difference = first_difference(&revm, &card).expect("it differs");
        assert_eq!((difference.index, difference.before.len()), (20, SHOWN));
        let text = difference.to_string();
        assert!(
            text.contains("opcode 20 differs") && text.contains("gas         8"),
            "{text}"
        );
        let short = first_difference(&revm, &revm[..5]).expect("one has ended");
        assert!(short.to_string().contains("(ended)"));
    }
}
