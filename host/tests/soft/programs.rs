//! Random contracts, worlds and transactions.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

use gatewei::card::CardDatabase;
pub use gatewei::card::lockstep::random::Rng;
use revm::bytecode::opcode::*;
use revm::context::either::Either;
use revm::context::transaction::{
    AccessList, AccessListItem, Authorization, RecoveredAuthority, RecoveredAuthorization,
};
use revm::context::{BlockEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId::{self, *};
use revm::primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use revm::state::{AccountInfo, Bytecode};
use revm::{Database, DatabaseRef};

/// The read-only state below. It serves code by hash alone, as a node's does.
#[derive(Debug, Default)]
pub struct World {
    pub accounts: HashMap<Address, AccountInfo>,
    pub codes: HashMap<B256, Bytecode>,
    pub storage: HashMap<(Address, U256), U256>,
}

impl World {
    pub fn put(&mut self, address: Address, balance: U256, nonce: u64, code: Bytecode) {
        let code_hash = code.hash_slow();
        let info = AccountInfo {
            balance,
            nonce,
            code_hash,
            code: None,
            ..AccountInfo::default()
        };
        self.accounts.insert(address, info);
        self.codes.insert(code_hash, code);
    }
}

impl DatabaseRef for World {
    type Error = Infallible;
    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).cloned())
    }
    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.codes[&hash].clone())
    }
    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self
            .storage
            .get(&(address, key))
            .copied()
            .unwrap_or_default())
    }
    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(keccak256(number.to_be_bytes()))
    }
}

/// A world as an EVM's database. It tells of every second slot and most accounts when asked for a guess.
#[derive(Clone, Debug, Default)]
pub struct Db(pub Arc<World>);

impl Database for Db {
    type Error = Infallible;
    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        self.0.basic_ref(address)
    }
    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Infallible> {
        self.0.code_by_hash_ref(hash)
    }
    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Infallible> {
        self.0.storage_ref(address, key)
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        self.0.block_hash_ref(number)
    }
}

impl CardDatabase for Db {
    fn peek_storage(&mut self, address: Address, key: U256) -> Option<U256> {
        let value = self
            .0
            .storage
            .get(&(address, key))
            .copied()
            .unwrap_or_default();
        (!key.bit(0)).then_some(value)
    }

    fn peek_account(&mut self, address: Address) -> Option<AccountInfo> {
        let info = self.0.accounts.get(&address).cloned().unwrap_or_default();
        (address[19] & 3 != 1).then_some(info)
    }
}

/// Accounts: 0 to 3 have money, 4 to 7 are contracts, 8 is delegated, 9 to 11 are empty.
pub fn addr(n: u64) -> Address {
    Address::with_last_byte(n as u8 + 0xa0)
}

fn anyone(r: &mut Rng) -> Address {
    if r.chance(10) {
        Address::with_last_byte(r.pick(&[2, 4, 9]))
    } else {
        addr(r.below(12))
    }
}

pub fn push(code: &mut Vec<u8>, value: u64) {
    code.push(PUSH8);
    code.extend(value.to_be_bytes());
}

/// A random program: snippets that each leave the stack as it was, then an ending.
pub fn program(r: &mut Rng, spec: SpecId, create: bool, calls: bool) -> Bytes {
    let mut c = vec![];
    for _ in 0..r.below(14) {
        match r.below(if calls { 20 } else { 12 }) {
            0..=3 => {
                let value = r.below(3);
                push(&mut c, value);
                push(&mut c, r.below(5));
                c.push(SSTORE);
            }
            4 => {
                push(&mut c, r.below(7));
                c.extend([SLOAD, POP]);
            }
            // Makes every error in gas visible.
            5 => {
                c.push(GAS);
                push(&mut c, r.below(5));
                c.push(SSTORE);
            }
            6 => {
                let topics = r.below(5) as u8;
                (0..topics).for_each(|_| push(&mut c, r.below(9)));
                push(&mut c, r.below(70));
                push(&mut c, r.below(40));
                c.push(LOG0 + topics);
            }
            7 if spec >= CANCUN => {
                push(&mut c, r.below(9));
                push(&mut c, 1);
                c.push(TSTORE);
                push(&mut c, 1);
                c.push(TLOAD);
                push(&mut c, 3);
                c.push(SSTORE);
            }
            8 if spec >= ISTANBUL => {
                c.push(SELFBALANCE);
                push(&mut c, r.below(5));
                c.push(SSTORE);
            }
            9 => {
                push(&mut c, 700 + r.below(301));
                c.push(BLOCKHASH);
                push(&mut c, 1);
                c.push(SSTORE);
            }
            10 => {
                let what = [
                    CALLER,
                    ORIGIN,
                    CALLVALUE,
                    TIMESTAMP,
                    GASPRICE,
                    ADDRESS,
                    CODESIZE,
                    NUMBER,
                    CALLDATASIZE,
                    COINBASE,
                    DIFFICULTY,
                    GASLIMIT,
                    MSIZE,
                ];
                c.push(r.pick(&what));
                push(&mut c, 2);
                c.push(SSTORE);
            }
            11 => {
                push(&mut c, 2 + r.below(200));
                let at = c.len() as u64;
                c.push(JUMPDEST);
                push(&mut c, 1);
                c.extend([SWAP1, SUB, DUP1]);
                push(&mut c, at);
                c.extend([JUMPI, POP]);
            }
            12 => {
                c.push(PUSH20);
                c.extend(anyone(r));
                c.push(r.pick(&[BALANCE, EXTCODESIZE, BALANCE, EXTCODEHASH]));
                push(&mut c, r.below(5));
                c.push(r.pick(&[SSTORE, MSTORE]));
            }
            13 => {
                push(&mut c, 40);
                push(&mut c, 0);
                push(&mut c, 5);
                c.push(PUSH20);
                c.extend(anyone(r));
                c.push(EXTCODECOPY);
            }
            14 | 17..=19 => {
                let kind = r.pick(&[CALL, CALL, CALLCODE, DELEGATECALL, STATICCALL]);
                let kind = if spec >= BYZANTIUM { kind } else { CALL };
                (0..4).for_each(|_| push(&mut c, r.below(50)));
                if matches!(kind, CALL | CALLCODE) {
                    let value = r.pick(&[0, 0, 1, 2, 900]);
                    push(&mut c, value);
                }
                c.push(PUSH20);
                c.extend(anyone(r));
                push(&mut c, 60_000);
                c.extend([kind, POP]);
            }
            15 => {
                (0..3).for_each(|_| push(&mut c, 0));
                c.extend([CREATE, POP]);
            }
            16 => {
                c.push(PUSH20);
                c.extend(anyone(r));
                c.push(SELFDESTRUCT);
            }
            _ => {}
        }
    }
    match r.below(12) {
        0..=3 => c.push(STOP),
        4..=6 => {
            // From init code this is the deployed code: sometimes 0xef, too long or too dear.
            if create && r.chance(20) {
                push(&mut c, 0xef);
                push(&mut c, 0);
                c.push(MSTORE8);
            }
            let deployed = r.pick(&[0, 1, 40, 700, 24_576, 24_577]);
            push(&mut c, if create { deployed } else { r.below(80) });
            push(&mut c, 0);
            c.push(RETURN);
        }
        7..=8 => {
            push(&mut c, r.below(80));
            push(&mut c, 0);
            c.push(REVERT);
        }
        // Halts with gas left.
        9 => c.push(r.pick(&[INVALID, POP, JUMP, MSTORE8, 0x0c])),
        // Runs out of gas.
        10 => {
            let at = c.len() as u64;
            c.push(JUMPDEST);
            push(&mut c, at);
            c.push(JUMP);
        }
        _ => {}
    }
    c.into()
}

/// A world with all kinds of accounts.
pub fn world(r: &mut Rng, spec: SpecId) -> World {
    let mut w = World::default();
    let ether = U256::from(10u64.pow(18)) * U256::from(1_000_000);
    (0..4).for_each(|i| w.put(addr(i), ether, i, Bytecode::default()));
    for i in 4..9 {
        let calls = r.chance(60);
        let code = match i {
            8 if spec >= PRAGUE => Bytecode::new_eip7702(addr(4)),
            7 if r.chance(40) => Bytecode::new_raw(
                [&[PUSH20][..], &anyone(r)[..], &[SELFDESTRUCT]]
                    .concat()
                    .into(),
            ),
            _ => Bytecode::new_raw(program(r, spec, false, calls)),
        };
        w.put(addr(i), U256::from(r.below(3)), 1, code);
    }
    // Storage also below addresses that creations will hit: nobody may see it (EIP-7610).
    let created = (0..32).map(|i| addr(i % 4).create(i / 4));
    for address in (0..9).map(addr).chain(created) {
        for key in 0..5 {
            if r.chance(50) {
                w.storage
                    .insert((address, U256::from(key)), U256::from(r.below(3)));
            }
        }
    }
    w
}

/// A block in which nothing is zero.
pub fn block() -> BlockEnv {
    BlockEnv {
        number: U256::from(1_001),
        beneficiary: addr(10),
        timestamp: U256::from(1_700_000_000u64),
        gas_limit: 36_000_000,
        basefee: 7,
        difficulty: U256::from(0xd1ff),
        prevrandao: Some(B256::repeat_byte(0x3c)),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: 5,
        }),
        ..BlockEnv::default()
    }
}

/// A transaction, rarely invalid.
pub fn transaction(r: &mut Rng, spec: SpecId, nonces: &BTreeMap<Address, u64>) -> TxEnv {
    let kind = match r.below(100) {
        0..=24 => TxKind::Create,
        25..=75 => TxKind::Call(addr(4 + r.below(5))),
        _ => TxKind::Call(anyone(r)),
    };
    let types = match spec {
        s if s >= PRAGUE && kind.is_call() => 5,
        s if s >= CANCUN && kind.is_call() => 4,
        s if s >= LONDON => 3,
        s if s >= BERLIN => 2,
        _ => 1,
    };
    let tx_type = r.below(types) as u8;
    let caller = addr(r.below(4));
    let calls = r.chance(50);
    let mut tx = TxEnv {
        caller,
        kind,
        tx_type,
        nonce: nonces.get(&caller).copied().unwrap_or_default() + u64::from(r.chance(2)),
        chain_id: Some(1),
        gas_limit: match r.below(20) {
            0 => 21_000,
            1..=5 => 21_000 + r.below(60_000),
            6 => 16_000_000,
            _ => 100_000 + r.below(900_000),
        },
        gas_price: 100,
        value: U256::from(if r.chance(50) { 0 } else { r.below(1000) }),
        data: match kind {
            TxKind::Create => program(r, spec, true, calls),
            TxKind::Call(_) => vec![r.below(2) as u8; r.pick(&[0, 4, 100, 2000])].into(),
        },
        ..TxEnv::default()
    };
    if tx_type >= 1 {
        let keys = |r: &mut Rng| (0..r.below(3)).map(|k| U256::from(k).into()).collect();
        let items = (0..r.below(3))
            .map(|_| AccessListItem {
                address: anyone(r),
                storage_keys: keys(r),
            })
            .collect();
        tx.access_list = AccessList(items);
    }
    if tx_type >= 2 {
        tx.gas_priority_fee = Some(r.below(9).into());
    }
    if tx_type == 3 {
        let mut hash = B256::repeat_byte(r.below(9) as u8);
        hash.0[0] = 1;
        (tx.blob_hashes, tx.max_fee_per_blob_gas) = (vec![hash], 10);
    }
    if tx_type == 4 {
        let authorization = |r: &mut Rng| {
            let authority = r.pick(&[caller, addr(1), addr(2), addr(8), addr(9), addr(11)]);
            let nonce = nonces.get(&authority).copied().unwrap_or_default();
            let inner = Authorization {
                chain_id: U256::from(r.below(2)),
                address: if r.chance(10) {
                    Address::ZERO
                } else {
                    addr(4 + r.below(5))
                },
                nonce: nonce + u64::from(authority == caller),
            };
            let authority = RecoveredAuthority::Valid(authority);
            Either::Right(RecoveredAuthorization::new_unchecked(inner, authority))
        };
        tx.authorization_list = (0..1 + r.below(3)).map(|_| authorization(r)).collect();
    }
    tx
}
