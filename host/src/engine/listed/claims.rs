//! What a block access list claims, to be looked up by account, slot and index.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use alloy_eips::eip7928::{AccountChanges, BlockAccessIndex, StorageChange};
use alloy_primitives::{Address, B256, U256, map::AddressMap};
use revm::{DatabaseRef as _, state::AccountInfo};

use super::Left;
use crate::{AccessList, PreState, access_list::code};

/// All claims of a list.
pub(super) struct Claims<'l> {
    accounts: AddressMap<Claim<'l>>,
    /// For every slot that is said to be read alone, whether somebody has read it.
    reads: Box<[AtomicBool]>,
}

/// What is claimed of one account.
pub(super) struct Claim<'l> {
    pub(super) address: Address,
    pub(super) changes: &'l AccountChanges,
    pub(super) codes: Vec<(BlockAccessIndex, AccountInfo)>,
    base: OnceLock<Option<AccountInfo>>,
    /// The transaction that destroys it, and with it all slots.
    pub(super) wiped: Option<BlockAccessIndex>,
    /// Where its slots begin in [`Claims::reads`].
    reads: usize,
    seen: AtomicU8,
}

/// Somebody has loaded the account.
const LOADED: u8 = 1;
/// Somebody has touched it, and so it is among the block's changes.
const TOUCHED: u8 = 2;

/// A slot in a list.
pub(super) enum Listed<'l> {
    /// It changes, in ascending order of the indices.
    Changes(&'l [StorageChange]),
    /// It is only read; its place in the list of those.
    Read(usize),
}

impl<'l> Claims<'l> {
    /// `destroys`: a code can only go where its account destroys itself.
    ///
    /// # Errors
    /// An account that destroys itself twice.
    pub(super) fn new(list: &'l AccessList, destroys: bool) -> Result<Self, Left> {
        let mut accounts = AddressMap::default();
        accounts.reserve(list.accounts().len());
        let mut reads = 0;
        for changes in list.accounts() {
            let codes = changes.code_changes.iter();
            let codes = codes.map(|change| (change.block_access_index, code(change)));
            let gone = changes.code_changes.iter();
            let mut gone = gone.filter(|change| destroys && change.new_code.is_empty());
            let wiped = gone.next().map(|change| change.block_access_index);
            if gone.next().is_some() {
                return Err(Left::SelfDestruct);
            }
            let claim = Claim {
                address: changes.address,
                changes,
                codes: codes.collect(),
                base: OnceLock::new(),
                wiped,
                reads,
                seen: AtomicU8::new(0),
            };
            reads += changes.storage_reads.len();
            accounts.insert(changes.address, claim);
        }
        let reads = (0..reads).map(|_| AtomicBool::new(false)).collect();
        Ok(Self { accounts, reads })
    }

    /// What is claimed of an account; it must not be accessed where nothing is.
    pub(super) fn get(&self, address: &Address) -> Result<&Claim<'l>, Left> {
        self.accounts.get(address).ok_or(Left::Differs)
    }

    /// Number of accounts.
    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Number of slots that are said to be read alone.
    pub(super) fn reads(&self) -> usize {
        self.reads.len()
    }

    /// Says that somebody reads such a slot; whether that is the first time.
    pub(super) fn read(&self, claim: &Claim<'_>, place: usize) -> bool {
        first(&self.reads[claim.reads + place])
    }
}

/// Sets a mark; whether it was not set. Looks first: most have been, and a line that is only read is shared.
fn first(mark: &AtomicBool) -> bool {
    !mark.load(Ordering::Relaxed) && !mark.swap(true, Ordering::Relaxed)
}

impl<'l> Claim<'l> {
    /// Says that somebody loads the account; whether that is the first time.
    pub(super) fn load(&self) -> bool {
        self.mark(LOADED)
    }

    /// Says that somebody touches the account; whether that is the first time.
    pub(super) fn touch(&self) -> bool {
        self.mark(TOUCHED)
    }

    fn mark(&self, bit: u8) -> bool {
        self.seen.load(Ordering::Relaxed) & bit == 0
            && self.seen.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// The account before the block, without its code.
    pub(super) fn base(&self, pre_state: &PreState) -> Result<Option<&AccountInfo>, Left> {
        if let Some(base) = self.base.get() {
            return Ok(base.as_ref());
        }
        let base = pre_state.read(self.address)?;
        Ok(self.base.get_or_init(|| base).as_ref())
    }

    /// The account as what comes before `index` leaves it; with its code where that is of this block.
    pub(super) fn info(
        &self,
        pre_state: &PreState,
        index: BlockAccessIndex,
    ) -> Result<Option<AccountInfo>, Left> {
        let base = self.base(pre_state)?;
        let changes = self.changes;
        let balance = before(&changes.balance_changes, index, |c| c.block_access_index);
        let nonce = before(&changes.nonce_changes, index, |c| c.block_access_index);
        let code = before(&self.codes, index, |(at, _)| *at);
        if balance.is_none() && nonce.is_none() && code.is_none() {
            return Ok(base.cloned());
        }
        let mut info = base.cloned().unwrap_or_default();
        if let Some(change) = balance {
            info.balance = change.post_balance;
        }
        if let Some(change) = nonce {
            info.nonce = change.new_nonce;
        }
        if let Some((_, code)) = code {
            info.code_hash = code.code_hash;
            info.code.clone_from(&code.code);
        }
        // EIP-161: what is empty is deleted.
        Ok((!info.is_empty()).then_some(info))
    }

    /// A slot, if the account is said to access it.
    pub(super) fn slot(&self, key: &U256) -> Result<Listed<'l>, Left> {
        let changes = &self.changes.storage_changes;
        if let Ok(at) = changes.binary_search_by(|slot| slot.slot.cmp(key)) {
            return Ok(Listed::Changes(&changes[at].changes));
        }
        let read = self.changes.storage_reads.binary_search(key);
        read.map(Listed::Read).map_err(|_| Left::Differs)
    }

    /// A slot as what comes before `index` leaves it.
    pub(super) fn value(
        &self,
        pre_state: &PreState,
        key: &U256,
        index: BlockAccessIndex,
    ) -> Result<U256, Left> {
        let wiped = self.wiped.filter(|wiped| *wiped < index);
        if let Listed::Changes(changes) = self.slot(key)?
            && let Some(change) = before(changes, index, |c| c.block_access_index)
            && wiped.is_none_or(|wiped| wiped <= change.block_access_index)
        {
            return Ok(change.new_value);
        }
        // As revm's `State` does: an account that does not exist has no storage, whatever the base says.
        if wiped.is_some() || self.base(pre_state)?.is_none() {
            return Ok(U256::ZERO);
        }
        Ok(pre_state.storage_ref(self.address, *key)?)
    }

    /// Whether the account has neither code nor nonce before the block, and yet a slot (EIP-7610 is about these). For revm's
    /// `State` all its slots are zero as soon as it has changed.
    pub(super) fn is_orphan(&self, pre_state: &PreState) -> Result<bool, Left> {
        let base = self.base(pre_state)?;
        if !base.is_some_and(AccountInfo::has_no_code_and_nonce) {
            return Ok(false);
        }
        let changed = self.changes.storage_changes.iter().map(|slot| slot.slot);
        for slot in changed.chain(self.changes.storage_reads.iter().copied()) {
            if !pre_state.storage_ref(self.address, slot)?.is_zero() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many changes are claimed.
    pub(super) fn count(&self) -> usize {
        let changes = self.changes;
        let slots = changes.storage_changes.iter();
        slots.map(|slot| slot.changes.len()).sum::<usize>()
            + changes.balance_changes.len()
            + changes.nonce_changes.len()
            + changes.code_changes.len()
    }

    /// The hash of the code that `index` gives it.
    pub(super) fn code(&self, index: BlockAccessIndex) -> Option<B256> {
        at(&self.codes, index, |(at, _)| *at).map(|(_, code)| code.code_hash)
    }
}

/// The last of the changes before `index`.
pub(super) fn before<T>(
    changes: &[T],
    index: BlockAccessIndex,
    of: impl Fn(&T) -> BlockAccessIndex,
) -> Option<&T> {
    let end = changes.partition_point(|change| of(change) < index);
    changes[..end].last()
}

/// The change at `index`.
pub(super) fn at<T>(
    changes: &[T],
    index: BlockAccessIndex,
    of: impl Fn(&T) -> BlockAccessIndex,
) -> Option<&T> {
    let found = changes.binary_search_by_key(&index, of);
    found.ok().map(|at| &changes[at])
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip7928::{CodeChange, SlotChanges};

    use super::*;

    const ADDRESS: Address = Address::repeat_byte(7);

    fn at(index: u64) -> BlockAccessIndex {
        BlockAccessIndex::new(index)
    }

    fn list(changes: AccountChanges) -> AccessList {
        let changes = AccountChanges {
            address: ADDRESS,
            ..changes
        };
        AccessList::new(vec![changes], 9).expect("its form is right")
    }

    fn state(nonce: u64, code: &'static [u8], slot: u64) -> PreState {
        let mut state = PreState::new();
        let slot = (U256::ZERO, U256::from(slot));
        state.insert(ADDRESS, U256::ONE, nonce, code.into(), [slot]);
        state
    }

    #[test]
    fn an_account_with_slots_alone_is_found() {
        let list = list(AccountChanges {
            storage_reads: vec![U256::ZERO],
            ..AccountChanges::default()
        });
        let is_orphan = |state: PreState| {
            let claims = Claims::new(&list, true).expect("nothing is destroyed");
            let claim = claims.get(&ADDRESS).expect("it is listed");
            claim.is_orphan(&state).expect("it can be read")
        };
        assert!(is_orphan(state(0, &[], 5)));
        assert!(!is_orphan(state(0, &[], 0)));
        assert!(!is_orphan(state(1, &[], 5)));
        assert!(!is_orphan(state(0, &[0xfe], 5)));
        assert!(!is_orphan(PreState::new()));
    }

    #[test]
    fn what_is_destroyed_has_lost_its_slots() {
        let write = |index, value| StorageChange::new(at(index), U256::from(value));
        let slot = SlotChanges::new(U256::ONE, vec![write(2, 8), write(6, 9)]);
        let list = list(AccountChanges {
            storage_reads: vec![U256::ZERO],
            storage_changes: vec![slot],
            code_changes: vec![CodeChange::new(at(4), Default::default())],
            ..AccountChanges::default()
        });
        let state = state(1, &[0xfe], 5);
        let values = |destroys, key| {
            let claims = Claims::new(&list, destroys).expect("nothing is destroyed twice");
            let claim = claims.get(&ADDRESS).expect("it is listed");
            [1, 3, 5, 7].map(|index| {
                let value = claim.value(&state, &U256::from(key), at(index));
                value.expect("it can be read").to::<u64>()
            })
        };
        assert_eq!(
            (values(true, 0), values(true, 1)),
            ([5, 5, 0, 0], [0, 8, 0, 9])
        );
        assert_eq!(
            (values(false, 0), values(false, 1)),
            ([5, 5, 5, 5], [0, 8, 8, 9])
        );
    }
}
