//! The database that one attempt runs on: multi-version memory over the block's pre-state,
//! recording every read.

use alloy_primitives::{Address, B256, U256};
use revm::{
    Database, DatabaseRef,
    database_interface::DBErrorMarker,
    state::{AccountInfo, Bytecode},
};

use super::{
    mv_memory::{AccountView, MvMemory, SlotView},
    reads::{AccountRead, ReadSet, SlotRead},
    scheduler::Attempt,
};
use crate::PreState;

/// Why a [`View`] could not answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError<E> {
    /// The value is about to be written again: the attempt cannot end well. Not an error of the
    /// block; [`Session::submit`](super::Session::submit) puts the transaction back.
    #[error(
        "transaction {0} is about to write this value again; submit the attempt and take another task"
    )]
    Blocked(usize),
    /// The block's database failed.
    #[error("the block's pre-state could not be read: {0}")]
    Base(#[source] E),
}

impl<E: std::error::Error + Send + Sync + 'static> DBErrorMarker for ViewError<E> {}

/// The block's pre-state, as attempts read it.
pub trait Base: DatabaseRef {
    /// An account without its code, which the EVM then asks for by its hash where it needs it.
    /// A code is counted by its users, and threads that load the same few accounts all the time
    /// would do little else than pass that counter to and fro.
    ///
    /// # Errors
    /// As [`DatabaseRef::basic_ref`].
    fn account_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error>;
}

impl Base for PreState {
    fn account_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.read(address)
    }
}

/// What instructions tell the database about *how* a value was used. A read of an account is not
/// yet a dependency on its balance.
pub trait Observe {
    /// The outcome depends on this account's balance. The account has been loaded already.
    fn observe_balance(&mut self, address: Address);
    /// The outcome depends on the nonce of every account that is read.
    fn observe_nonces(&mut self);
}

/// The state as one attempt sees it. Belongs to one worker's EVM and is aimed at an attempt with
/// [`Session::aim`](super::Session::aim).
///
/// Balance rule for those who read balances without the EVM's opcodes (a card does): report each
/// used balance through [`Observe::observe_balance`]. Value transfers out of an account and the
/// opcodes of an EVM made by [`Session::evm`](super::Session::evm) report themselves.
pub struct View<'a, DB> {
    base: &'a DB,
    memory: &'a MvMemory,
    attempt: Attempt,
    sender: Address,
    pub(crate) reads: ReadSet,
}

impl<'a, DB: Base> View<'a, DB> {
    pub(crate) fn new(base: &'a DB, memory: &'a MvMemory) -> Self {
        let attempt = Attempt {
            tx: 0,
            incarnation: 0,
        };
        Self {
            base,
            memory,
            attempt,
            sender: Address::ZERO,
            reads: ReadSet::default(),
        }
    }

    pub(crate) fn aim(&mut self, attempt: Attempt, sender: Address, all_nonces: bool, exact: bool) {
        self.attempt = attempt;
        self.sender = sender;
        self.reads.clear();
        self.reads.all_nonces = all_nonces;
        self.reads.exact = exact;
    }

    /// The attempt that this view serves.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// A slot as it is now, without recording a read: for a prediction. `None` where it is about to
    /// be written again, or the database fails.
    pub fn peek_storage(&self, address: Address, key: U256) -> Option<U256> {
        match self.memory.slot(address, key, self.reader()) {
            SlotView::Value(value) => Some(value),
            SlotView::Estimate(_) => None,
            SlotView::Base => self.base.storage_ref(address, key).ok(),
        }
    }

    /// An account as it is now, as [`View::peek_storage`]. One that does not exist is empty; it may come
    /// without its code.
    pub fn peek_account(&self, address: Address) -> Option<AccountInfo> {
        if let Some(read) = self.reads.accounts.get(&address) {
            return Some(read.info.clone().unwrap_or_default());
        }
        let view = self.memory.account(&address, self.reader());
        if view.as_ref().is_some_and(|view| view.estimate.is_some()) {
            return None;
        }
        let base = self.base.account_ref(address).ok()?;
        let info = match view {
            None => base,
            Some(view) => self.overlay(base, view),
        };
        Some(info.unwrap_or_default())
    }

    /// Versions below this one are visible: version 0 is the pre-execution system calls' and
    /// transaction `i` writes version `i + 1`.
    fn reader(&self) -> usize {
        self.attempt.tx + 1
    }

    fn overlay(&self, base: Option<AccountInfo>, view: AccountView) -> Option<AccountInfo> {
        if view.deleted {
            return None;
        }
        let mut info = base.unwrap_or_default();
        if let Some(code) = view.code {
            info.code_hash = code.code_hash;
            info.code = code.code;
        }
        info.balance = view
            .balance
            .unwrap_or(info.balance)
            .wrapping_add(view.credit);
        info.nonce = view.nonce.unwrap_or(info.nonce);
        // What is empty is deleted since EIP-161; for the few blocks before, the claim is at worst stale.
        (!view.claimed || !info.is_empty()).then_some(info)
    }
}

impl<DB: Base> Database for View<'_, DB> {
    type Error = ViewError<DB::Error>;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        // revm's journal asks once per transaction, a card may have asked before; a second question gets
        // the same answer.
        if let Some(read) = self.reads.accounts.get(&address) {
            return Ok(read.info.clone());
        }
        let is_sender = address == self.sender;
        let view = self.memory.account(&address, self.reader());
        if let Some((version, vital)) = view.as_ref().and_then(|v| v.estimate)
            && (vital || is_sender || self.reads.exact)
            && version > 0
        {
            return Err(ViewError::Blocked(version - 1));
        }
        let from_base = view.is_none();
        let info = match view {
            // Nothing of the base shows through.
            Some(v)
                if v.deleted || (v.balance.is_some() && v.nonce.is_some() && v.code.is_some()) =>
            {
                self.overlay(None, v)
            }
            view => {
                let base = self.base.account_ref(address).map_err(ViewError::Base)?;
                match view {
                    None => base,
                    Some(view) => self.overlay(base, view),
                }
            }
        };
        let exact = is_sender || self.reads.exact;
        let read = AccountRead {
            // With its code where that is of this block: the base has none by its hash. The base's own
            // accounts come without.
            info: info.clone(),
            from_base,
            balance: exact,
            nonce: exact,
        };
        self.reads.accounts.insert(address, read);
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        // Code of this block's creations travels with the account, so this is the base's.
        self.base
            .code_by_hash_ref(code_hash)
            .map_err(ViewError::Base)
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Self::Error> {
        // As `State` does: an account that does not exist has no storage, whatever the base says.
        if self
            .reads
            .accounts
            .get(&address)
            .is_some_and(|read| read.info.is_none())
        {
            return Ok(U256::ZERO);
        }
        let (value, from_base) = match self.memory.slot(address, key, self.reader()) {
            SlotView::Value(value) => (value, false),
            SlotView::Estimate(version) if version > 0 => {
                return Err(ViewError::Blocked(version - 1));
            }
            _ => (
                self.base
                    .storage_ref(address, key)
                    .map_err(ViewError::Base)?,
                true,
            ),
        };
        self.reads.slots.push(SlotRead {
            address,
            key,
            value,
            from_base,
        });
        Ok(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        self.base.block_hash_ref(number).map_err(ViewError::Base)
    }
}

impl<DB> Observe for View<'_, DB> {
    fn observe_balance(&mut self, address: Address) {
        self.reads.need_balance(&address);
    }

    fn observe_nonces(&mut self) {
        self.reads.all_nonces = true;
    }
}

impl<DB> std::fmt::Debug for View<'_, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("attempt", &self.attempt)
            .field("reads", &self.reads)
            .finish_non_exhaustive()
    }
}
