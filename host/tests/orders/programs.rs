//! Programs of a few lines in place of revm's, the state before them, and the committed state.

use std::convert::Infallible;

use alloy_primitives::{Address, B256, U256};
use revm::{
    Database as _, DatabaseRef,
    bytecode::Bytecode,
    database::{AccountStatus, CacheState, PlainAccount, states::CacheAccount},
    state::AccountInfo,
};

use crate::engine::{
    view::{Base, Observe as _, View, ViewError},
    write_set::{AccountWrite, BalanceWrite, Writes},
};

/// Whose slots the programs read and write.
pub const CONTRACT: Address = Address::repeat_byte(1);
/// Whom they pay.
const MINER: Address = Address::repeat_byte(2);
const TIP: U256 = U256::from_limbs([7, 0, 0, 0]);

/// Makes a number of the slots that it `reads`, and of the miner's balance if it `looks` at that; puts it into the slots
/// that it `writes`, or into the next ones if it is odd; pays a tip.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program {
    pub reads: &'static [u64],
    pub looks: bool,
    pub writes: &'static [u64],
    pub tips: bool,
}

/// What a program runs on. An error is the transaction that must run before.
pub trait State {
    fn slot(&mut self, key: U256) -> Result<U256, usize>;
    fn balance(&mut self, needed: bool) -> Result<U256, usize>;
}

pub fn run(program: &Program, tx: usize, state: &mut impl State) -> Result<Writes, usize> {
    let mut number = U256::from(tx + 1);
    for key in program.reads {
        number = number * U256::from(3) + state.slot(U256::from(*key))?;
    }
    let mut balance = BalanceWrite::Keep;
    if program.looks {
        let before = state.balance(true)?;
        number += before;
        balance = BalanceWrite::Set(before + TIP);
    } else if program.tips {
        state.balance(false)?;
        balance = BalanceWrite::Add(TIP);
    }
    let mut writes = Writes::default();
    if program.tips {
        let write = AccountWrite {
            balance,
            ..AccountWrite::default()
        };
        writes.accounts.push((MINER, write));
    }
    for key in program.writes {
        let key = U256::from(*key) + number % U256::from(2);
        writes.slots.push(((CONTRACT, key), number));
    }
    Ok(writes)
}

/// The state before the block: two accounts, and slots that are zero.
pub struct Before;

impl DatabaseRef for Before {
    type Error = Infallible;

    fn basic_ref(&self, _: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(Some(AccountInfo::default().with_nonce(1)))
    }

    fn code_by_hash_ref(&self, _: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, _: Address, _: U256) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn block_hash_ref(&self, _: u64) -> Result<B256, Infallible> {
        Ok(B256::ZERO)
    }
}

impl Base for Before {
    fn account_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        self.basic_ref(address)
    }
}

impl State for View<'_, Before> {
    fn slot(&mut self, key: U256) -> Result<U256, usize> {
        self.storage(CONTRACT, key).map_err(blocked)
    }

    fn balance(&mut self, needed: bool) -> Result<U256, usize> {
        let account = self.basic(MINER).map_err(blocked)?;
        if needed {
            self.observe_balance(MINER);
        }
        Ok(account.unwrap_or_default().balance)
    }
}

fn blocked(error: ViewError<Infallible>) -> usize {
    match error {
        ViewError::Blocked(on) => on,
        ViewError::Base(never) => match never {},
    }
}

/// The committed state.
#[derive(Debug, Default)]
pub struct Committed {
    pub cache: CacheState,
    /// The transactions, as they were committed.
    pub order: Vec<usize>,
    pub rejected: u64,
}

impl State for Committed {
    fn slot(&mut self, key: U256) -> Result<U256, usize> {
        let slots = &self.account(CONTRACT).storage;
        Ok(slots.get(&key).copied().unwrap_or_default())
    }

    fn balance(&mut self, _: bool) -> Result<U256, usize> {
        Ok(self.account(MINER).info.balance)
    }
}

impl Committed {
    fn account(&mut self, address: Address) -> &mut PlainAccount {
        let account = self.cache.accounts.entry(address).or_insert_with(|| {
            let info = AccountInfo::default().with_nonce(1);
            let mut loaded = CacheAccount::new_loaded(info, Default::default());
            loaded.status = AccountStatus::Changed;
            loaded
        });
        account.account.as_mut().expect("none is deleted")
    }

    /// Commits a transaction. What it added to a balance becomes what that comes to.
    pub fn commit(&mut self, tx: usize, writes: &mut Writes) {
        for ((address, key), value) in &writes.slots {
            self.account(*address).storage.insert(*key, *value);
        }
        for (address, write) in &mut writes.accounts {
            let balance = &mut self.account(*address).info.balance;
            match write.balance {
                BalanceWrite::Keep => {}
                BalanceWrite::Add(wei) => *balance += wei,
                BalanceWrite::Set(wei) => *balance = wei,
            }
            write.balance = BalanceWrite::Set(*balance);
        }
        self.order.push(tx);
    }

    pub fn values(mut self) -> (Vec<U256>, U256) {
        let slots = (0..8).map(|key| self.slot(U256::from(key)));
        let slots = slots.map(|value| value.expect("nobody waits")).collect();
        (slots, self.account(MINER).info.balance)
    }
}

/// What running the programs one after the other gives: slots, and the miner's balance.
pub fn in_order(programs: &[Program]) -> (Vec<U256>, U256) {
    let mut state = Committed::default();
    for (tx, program) in programs.iter().enumerate() {
        let mut writes = run(program, tx, &mut state).expect("nobody waits");
        state.commit(tx, &mut writes);
    }
    state.values()
}
