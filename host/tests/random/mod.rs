//! Random blocks in which everything conflicts with everything: few accounts, few slots, and programs
//! that look at balances, create, call what they created, destroy and create again.

use std::sync::Arc;

use alloy_consensus::{
    Header, SignableTransaction as _, TxEnvelope, TxLegacy, transaction::Recovered,
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use gatewei::{Block, Chain, Executor as _, Fork, PreState, Scope, Sequential};
use revm::{
    bytecode::opcode::*,
    context::{
        TxEnv,
        either::Either,
        transaction::{Authorization, RecoveredAuthority, RecoveredAuthorization},
    },
    primitives::hardfork::SpecId,
};

/// Times and numbers of mainnet blocks of forks that differ in what matters here.
pub const FORKS: [(SpecId, u64, u64); 6] = [
    (SpecId::HOMESTEAD, 1_200_000, 1_458_000_000),
    (SpecId::BYZANTIUM, 4_400_000, 1_508_500_000),
    (SpecId::ISTANBUL, 9_200_000, 1_578_000_000),
    (SpecId::LONDON, 13_000_000, 1_628_600_000),
    (SpecId::SHANGHAI, 18_000_000, 1_693_000_000),
    (SpecId::OSAKA, 23_960_000, 1_764_900_000),
];

/// splitmix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

// 0..5 have money, 5..9 are contracts, 9 is the factory, 10 collects the fees, 11 does not exist.
fn address(n: u64) -> Address {
    Address::with_last_byte(0xa0 + n as u8)
}

const FACTORY: u64 = 9;
const COLLECTOR: u64 = 10;

/// Destroys itself when it is called without data, else counts in slot 0.
const CHILD: [u8; 17] = [
    CALLDATASIZE,
    PUSH1,
    6,
    JUMPI,
    CALLER,
    SELFDESTRUCT, // without data
    JUMPDEST,
    PUSH1,
    1,
    PUSH1,
    0,
    SLOAD,
    ADD,
    PUSH1,
    0,
    SSTORE,
    STOP,
];

/// Stores 5 in slot 0 and deploys [`CHILD`].
fn child_init() -> Vec<u8> {
    let length = CHILD.len() as u8;
    let mut code = vec![PUSH1, 5, PUSH1, 0, SSTORE];
    code.extend([
        PUSH1, length, PUSH1, 17, PUSH1, 0, CODECOPY, PUSH1, length, PUSH1, 0, RETURN,
    ]);
    code.extend(CHILD);
    code
}

fn child() -> Address {
    address(FACTORY).create2_from_code(B256::ZERO, child_init())
}

fn anyone(random: &mut Random) -> Address {
    match random.below(14) {
        12 => child(),
        13 => Address::with_last_byte(4),
        n => address(n),
    }
}

fn push(code: &mut Vec<u8>, value: u64) {
    code.push(PUSH2);
    code.extend((value as u16).to_be_bytes());
}

fn push_address(code: &mut Vec<u8>, address: Address) {
    code.push(PUSH20);
    code.extend(address);
}

/// Deploys `CALLER SELFDESTRUCT`.
const DEPLOY_MORTAL: [u8; 13] = [
    PUSH2,
    CALLER,
    SELFDESTRUCT,
    PUSH1,
    0,
    MSTORE,
    PUSH1,
    2,
    PUSH1,
    30,
    RETURN,
    STOP,
    STOP,
];
/// Stores the value of the call, then destroys itself.
const STILLBORN: [u8; 13] = [
    CALLVALUE,
    PUSH1,
    1,
    SSTORE,
    PUSH1,
    2,
    PUSH1,
    2,
    SSTORE,
    ORIGIN,
    SELFDESTRUCT,
    STOP,
    STOP,
];
/// Reverts with data.
const FAILS: [u8; 13] = [
    PUSH1, 7, PUSH1, 0, SSTORE, PUSH1, 9, PUSH1, 0, REVERT, STOP, STOP, STOP,
];

/// Creates a contract and calls it.
fn create_and_call(code: &mut Vec<u8>, random: &mut Random) {
    let init = [DEPLOY_MORTAL, DEPLOY_MORTAL, STILLBORN, FAILS][random.below(4) as usize];
    code.push(PUSH13);
    code.extend(init);
    push(code, 0);
    code.push(MSTORE);
    let kind = [CREATE, CREATE2][random.below(2) as usize];
    if kind == CREATE2 {
        push(code, random.below(2));
    }
    // Length, offset, value.
    for operand in [13, 19, random.below(2)] {
        push(code, operand);
    }
    code.push(kind);
    for operand in [0, 0, 0, 0, random.below(2)] {
        push(code, operand);
    }
    code.extend([DUP6, GAS, CALL, POP, POP]);
}

/// A few snippets that each leave the stack as it was.
fn program(random: &mut Random) -> Bytes {
    let mut code = Vec::new();
    for _ in 0..random.below(9) {
        let slot = random.below(4);
        match random.below(11) {
            0..=2 => {
                push(&mut code, slot);
                code.push(SLOAD);
                push(&mut code, random.below(3));
                code.push(ADD);
                push(&mut code, random.below(4));
                code.push(SSTORE);
            }
            3 => {
                push(&mut code, random.below(3));
                push(&mut code, slot);
                code.push(SSTORE);
            }
            4 | 5 => {
                push_address(&mut code, anyone(random));
                code.push([BALANCE, EXTCODESIZE, BALANCE, EXTCODEHASH][random.below(4) as usize]);
                push(&mut code, slot);
                code.push(SSTORE);
            }
            6 => {
                code.push([SELFBALANCE, GAS, CALLER, COINBASE][random.below(4) as usize]);
                push(&mut code, slot);
                code.push(SSTORE);
            }
            7 | 8 => {
                for _ in 0..4 {
                    push(&mut code, 0);
                }
                push(&mut code, random.below(3) * 7);
                push_address(&mut code, anyone(random));
                push(&mut code, 60_000);
                code.extend([CALL, POP]);
            }
            9 if random.chance(50) => {
                for _ in 0..2 {
                    push(&mut code, 0);
                }
                push(&mut code, random.below(2));
                code.extend([CREATE, POP]);
            }
            9 => create_and_call(&mut code, random),
            _ if random.chance(30) => {
                push_address(&mut code, anyone(random));
                code.push(SELFDESTRUCT);
            }
            _ => {}
        }
    }
    match random.below(8) {
        0 => code.push(INVALID),
        1 => code.extend([PUSH1, 0, PUSH1, 0, REVERT]),
        _ => code.push(STOP),
    }
    code.into()
}

fn world(random: &mut Random) -> PreState {
    let mut state = PreState::new();
    let ether = U256::from(10u64.pow(18));
    for n in 0..5 {
        // The last one can pay for a few transactions only, or for what it was sent before.
        let balance = if n == 4 {
            ether / U256::from(400)
        } else {
            ether
        };
        state.insert(address(n), balance, n, Bytes::new(), []);
    }
    for n in 5..FACTORY {
        let storage = (0..4).map(|slot| (U256::from(slot), U256::from(random.below(3))));
        let storage: Vec<_> = storage.filter(|(_, value)| !value.is_zero()).collect();
        state.insert(
            address(n),
            U256::from(random.below(20)),
            1,
            program(random),
            storage,
        );
    }
    let copy = [CALLDATASIZE, PUSH1, 0, PUSH1, 0, CALLDATACOPY];
    let create = [PUSH1, 0, CALLDATASIZE, PUSH1, 0, PUSH1, 0, CREATE2, STOP];
    state.insert(
        address(FACTORY),
        U256::ZERO,
        1,
        [&copy[..], &create].concat().into(),
        [],
    );
    if random.chance(50) {
        state.insert(address(COLLECTOR), U256::from(3), 0, Bytes::new(), []);
    }
    state
}

fn transaction(random: &mut Random, spec: SpecId, nonce: impl Fn(Address) -> u64) -> TxEnv {
    let caller = address(random.below(5));
    let (kind, data) = match random.below(20) {
        0..=2 => (TxKind::Call(address(FACTORY)), child_init().into()),
        3..=5 => (
            TxKind::Call(child()),
            vec![1; random.below(2) as usize].into(),
        ),
        6 => (TxKind::Create, program(random)),
        7..=10 => (TxKind::Call(anyone(random)), Bytes::new()),
        _ => (TxKind::Call(address(5 + random.below(4))), Bytes::new()),
    };
    let mut tx = TxEnv {
        caller,
        kind,
        data,
        nonce: nonce(caller) + u64::from(random.chance(1)),
        chain_id: Some(1).filter(|_| spec.is_enabled_in(SpecId::SPURIOUS_DRAGON)),
        gas_limit: [60_000, 150_000, 400_000][random.below(3) as usize],
        gas_price: 1_000_000_000,
        value: U256::from(random.below(4) * random.below(1_000_000)),
        ..TxEnv::default()
    };
    if spec.is_enabled_in(SpecId::PRAGUE) && random.chance(15) && tx.kind.is_call() {
        tx.tx_type = 4;
        tx.gas_priority_fee = Some(7);
        for _ in 0..1 + random.below(2) {
            let who = address(random.below(6));
            let inner = Authorization {
                chain_id: U256::from(random.below(2)),
                address: [address(5), address(6), Address::ZERO][random.below(3) as usize],
                nonce: nonce(who) + u64::from(who == caller),
            };
            let authority = RecoveredAuthority::Valid(who);
            tx.authorization_list
                .push(Either::Right(RecoveredAuthorization::new_unchecked(
                    inner, authority,
                )));
        }
    }
    tx
}

fn envelope(tx: &TxEnv) -> Recovered<TxEnvelope> {
    // Execution takes everything but type and hash from the `TxEnv`.
    let legacy = TxLegacy {
        nonce: tx.nonce,
        gas_price: tx.gas_price,
        gas_limit: tx.gas_limit,
        to: tx.kind,
        value: tx.value,
        input: tx.data.clone(),
        chain_id: tx.chain_id,
    };
    let signature = Signature::new(U256::ONE, U256::ONE, false);
    Recovered::new_unchecked(TxEnvelope::Legacy(legacy.into_signed(signature)), tx.caller)
}

/// A block of up to `txs` transactions. Nearly all of them are valid; a block with an invalid one
/// must fail in the same way on every executor.
pub fn block(seed: u64, fork: (SpecId, u64, u64), txs: usize) -> Block {
    let mut random = Random(seed);
    let (spec, number, timestamp) = fork;
    let header = Header {
        number,
        timestamp,
        gas_limit: 30_000_000,
        base_fee_per_gas: spec.is_enabled_in(SpecId::LONDON).then_some(7),
        beneficiary: address([COLLECTOR, COLLECTOR, 0, 5, 11][random.below(5) as usize]),
        excess_blob_gas: spec.is_enabled_in(SpecId::CANCUN).then_some(0),
        blob_gas_used: spec.is_enabled_in(SpecId::CANCUN).then_some(0),
        parent_beacon_block_root: spec.is_enabled_in(SpecId::CANCUN).then_some(B256::ZERO),
        ..Header::default()
    };
    let chain = Arc::new(Chain::mainnet());
    let mut block = Block {
        source: "random".into(),
        environment: chain.environment(&header),
        header,
        transactions: Vec::new(),
        tx_envs: Vec::new(),
        withdrawals: None,
        fork: Fork::new(spec).expect("a fork that is covered"),
        chain,
        pre_state: Arc::new(world(&mut random)),
        access_list: None,
        list_accesses: false,
        witness: None,
        scope: Scope::Transactions,
    };
    assert_eq!(block.environment.cfg_env.spec, spec);
    for _ in 0..txs {
        let Ok(so_far) = Sequential.execute(&block) else {
            break;
        };
        let nonce = |who: Address| match so_far.state.account(&who) {
            Some(account) => account.info.as_ref().map_or(0, |info| info.nonce),
            None => block
                .pre_state
                .account(&who)
                .map_or(0, |account| account.info.nonce),
        };
        let tx = transaction(&mut random, spec, nonce);
        block.transactions.push(envelope(&tx));
        block.tx_envs.push(tx);
        // Leave out most of those that cannot be paid for.
        if Sequential.execute(&block).is_err() && random.chance(90) {
            block.transactions.pop();
            block.tx_envs.pop();
        }
    }
    block
}
