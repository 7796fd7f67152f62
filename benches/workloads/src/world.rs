//! The state before the block, written directly: accounts, deployed code, storage slots.

use std::collections::BTreeMap;

use alloy_consensus::{TxEnvelope, transaction::Recovered};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde::Serialize;

use crate::{
    WorkloadError, artifact,
    call::Call,
    random::Random,
    sender::{Keyed, Sender},
};

/// All accounts before the block.
pub type PreState = BTreeMap<Address, PreAccount>;

/// One account before the block, as `prestate.json` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PreAccount {
    /// Balance in wei.
    pub balance: U256,
    /// Nonce.
    #[serde(with = "quantity")]
    pub nonce: u64,
    /// Code; empty for accounts without.
    #[serde(skip_serializing_if = "no_code")]
    pub code: Bytes,
    /// Slots that are not zero.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<B256, B256>,
}

fn no_code(code: &Bytes) -> bool {
    code.is_empty()
}

/// Numbers as JSON-RPC writes them.
mod quantity {
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:#x}"))
    }
}

/// Slot of `mapping[key]` where the mapping is declared at `slot` (Solidity's storage layout).
pub fn mapping_slot(key: Address, slot: B256) -> B256 {
    keccak256([key.into_word().0, slot.0].concat())
}

/// The same of a mapping whose keys are numbers.
pub fn number_slot(key: U256, slot: B256) -> B256 {
    keccak256([key.to_be_bytes::<32>(), slot.0].concat())
}

/// Slot of a value that is declared at `slot`.
pub fn plain_slot(slot: u64) -> B256 {
    U256::from(slot).into()
}

/// The world that traffic is made in: what it adds here is there before the block.
pub struct World {
    /// The source of all choices.
    pub random: Random,
    /// Timestamp of the block, in seconds.
    pub timestamp: u64,
    state: PreState,
    senders: Vec<Keyed>,
    codes: BTreeMap<&'static str, Bytes>,
}

impl World {
    /// A world with the system contracts of Osaka in it.
    ///
    /// # Errors
    /// A contract artifact that does not parse.
    pub fn new(seed: u64, number: u64, timestamp: u64) -> Result<Self, WorkloadError> {
        let codes = artifact::codes()?;
        let random = Random::new(seed);
        let mut world = Self {
            random,
            timestamp,
            state: PreState::new(),
            senders: Vec::new(),
            codes,
        };
        world.system_contracts(number);
        Ok(world)
    }

    /// The predeployed contracts that the block's system calls run: their rings hold values, as on
    /// mainnet, so that a call overwrites a slot instead of creating it.
    fn system_contracts(&mut self, number: u64) {
        let history_slot = (number - 1) % eip2935::HISTORY_SERVE_WINDOW as u64;
        let beacon_slot = self.timestamp % eip4788_ring();
        let contracts = [
            (
                eip2935::HISTORY_STORAGE_ADDRESS,
                &eip2935::HISTORY_STORAGE_CODE,
                vec![history_slot],
            ),
            (
                eip4788::BEACON_ROOTS_ADDRESS,
                &eip4788::BEACON_ROOTS_CODE,
                vec![beacon_slot, beacon_slot + eip4788_ring()],
            ),
            (
                eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
                vec![],
            ),
            (
                eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
                vec![],
            ),
        ];
        for (address, code, slots) in contracts {
            let storage = slots
                .into_iter()
                .map(|slot| (plain_slot(slot), self.random.word()))
                .collect();
            self.state.insert(
                address,
                PreAccount {
                    nonce: 1,
                    code: code.clone(),
                    storage,
                    ..PreAccount::default()
                },
            );
        }
    }

    /// Deploys a contract at a random address.
    pub fn deploy(&mut self, contract: &'static str) -> Address {
        let address = self.random.address();
        let code = self.codes.get(contract).cloned().unwrap_or_default();
        debug_assert!(!code.is_empty(), "{contract} has no artifact");
        self.state.insert(
            address,
            PreAccount {
                nonce: 1,
                code,
                ..PreAccount::default()
            },
        );
        address
    }

    /// A new key with 100 ether and a random nonce.
    pub fn sender(&mut self) -> Sender {
        let nonce = self.random.between(0, 999);
        let keyed = Keyed::draw(&mut self.random, nonce);
        let balance = ether(100);
        self.state.insert(
            keyed.address,
            PreAccount {
                balance,
                nonce,
                ..PreAccount::default()
            },
        );
        self.senders.push(keyed);
        Sender(self.senders.len() - 1)
    }

    /// Address of a key.
    pub fn address_of(&self, sender: Sender) -> Address {
        self.senders[sender.0].address
    }

    /// A random address that holds one ether.
    pub fn funded(&mut self) -> Address {
        let address = self.random.address();
        self.state.insert(
            address,
            PreAccount {
                balance: ether(1),
                ..PreAccount::default()
            },
        );
        address
    }

    /// Sets a storage slot of a deployed contract.
    pub fn store(&mut self, contract: Address, slot: B256, value: impl Into<B256>) {
        self.state
            .entry(contract)
            .or_default()
            .storage
            .insert(slot, value.into());
    }

    /// Value of a storage slot.
    pub fn load(&self, contract: Address, slot: B256) -> U256 {
        let value = self
            .state
            .get(&contract)
            .and_then(|account| account.storage.get(&slot));
        value.map_or(U256::ZERO, |value| (*value).into())
    }

    /// Signs the calls in order.
    pub(crate) fn sign(
        &mut self,
        calls: Vec<Call>,
    ) -> Result<Vec<Recovered<TxEnvelope>>, WorkloadError> {
        let mut signed = Vec::with_capacity(calls.len());
        for (index, call) in calls.into_iter().enumerate() {
            let sender = &mut self.senders[call.from.0];
            let tx = sender
                .sign(call, &mut self.random)
                .map_err(|error| WorkloadError::Sign {
                    index,
                    reason: error.to_string(),
                })?;
            signed.push(Recovered::new_unchecked(tx, sender.address));
        }
        Ok(signed)
    }

    /// The finished pre-state.
    pub(crate) fn into_state(self) -> PreState {
        self.state
    }
}

/// Length of the ring of the beacon roots contract (EIP-4788, `HISTORY_BUFFER_LENGTH`).
fn eip4788_ring() -> u64 {
    8191
}

/// Whole ethers in wei.
pub fn ether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(10).pow(U256::from(18))
}
