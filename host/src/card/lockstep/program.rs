//! A program with its world, and its two executions.

use gatewei_driver::result::Cost;
use revm::bytecode::Bytecode;
use revm::context::transaction::AccessListItem;
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::interpreter::InstructionResult;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, TxKind, U256, address};
use revm::state::{AccountInfo, AccountStatus};
use revm::{ExecuteEvm, MainBuilder};
use serde::{Deserialize, Serialize};

use super::super::flights::{CardRunner, Flights, Landing, Place};
use super::super::reason::Reason;
use super::super::split::{Begun, CardEvm, InFlight, begin};
use super::super::trace::{Record, Step, record};
use super::Traced;
use super::divergence::{Divergence, End, first_difference};

/// The sender of every program's transaction.
pub const SENDER: Address = address!("0x5e4d000000000000000000000000000000005e4d");
/// The contract that runs it.
pub const CONTRACT: Address = address!("0xc0de00000000000000000000000000000000c0de");
/// Gas of the transaction: the frame's is less, or chosen (Osaka's cap is 2^24, EIP-7825).
const TX_GAS: u64 = 16_000_000;
/// What a transaction costs before its frame, and more.
const TX_GAS_APART: u64 = 1_000_000;
/// Number of the block, unless a program has its own.
pub const NUMBER: u64 = 20_000_000;

/// An account of a program's world beside the contract that is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Program {
    /// Rules.
    #[serde(with = "spec")]
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
    /// Number of the block.
    pub number: u64,
}

/// Rules by their name.
mod spec {
    use revm::primitives::hardfork::SpecId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(spec: &SpecId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(spec)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SpecId, D::Error> {
        let name = String::deserialize(from)?;
        let unknown = || D::Error::custom(format!("there are no rules named `{name}`"));
        name.parse().map_err(|_| unknown())
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::new(SpecId::OSAKA, Bytes::new())
    }
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
            number: NUMBER,
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
            number: U256::from(self.number),
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

    /// What revm does, and how it ends.
    pub fn on_revm(&self) -> Result<(Record, End), Divergence> {
        let (record, mut ended) = record(self.frame()?);
        let outcome = format!("{:?}", ended.outcome);
        Ok((
            record,
            End {
                outcome,
                state: state(&mut ended.evm),
            },
        ))
    }

    /// Runs on a card and on revm, and compares.
    pub fn compare<T: Traced>(&self, runner: &mut CardRunner<T>) -> Result<Report, Divergence> {
        let (record, end) = self.on_revm()?;
        let want = &record.steps;
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
        let mut ends = record.ends;
        if trapped.is_some() {
            ends.retain(|(index, _)| *index + 1 < length);
        }
        Ok(Report {
            steps: got,
            ends,
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

/// Two executions that agree.
#[derive(Clone, Debug)]
pub struct Report {
    /// The card's steps.
    pub steps: Vec<Step>,
    /// How frames ended, as in [`Record::ends`], as far as the card ran them.
    pub ends: Vec<(usize, InstructionResult)>,
    /// Why the card gave the frame back, if it did.
    pub trapped: Option<Reason>,
    /// What it cost.
    pub cost: Cost,
    /// The result.
    pub outcome: String,
}
