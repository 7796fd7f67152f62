//! Holding what was done against what was claimed.

use alloy_eips::eip7928::{BlockAccessIndex, StorageChange};
use alloy_primitives::{Address, U256, map::U256Map};
use revm::{
    DatabaseRef as _,
    database::{AccountStatus, TransitionAccount, TransitionState, states::StorageSlot},
    state::{Account, AccountInfo, EvmState, bal::Bal},
};

use super::{
    Left,
    claims::{Claim, Claims, Listed, at, before},
};
use crate::{PreState, engine::bundle::Settled};

/// What one worker has confirmed of a list.
pub(super) struct Tally<'a> {
    claims: &'a Claims<'a>,
    pre_state: &'a PreState,
    /// Accounts that this worker was the first to load, and slots that it was the first to read, of those that nobody is
    /// said to write.
    loaded: usize,
    read: usize,
    /// Changes that are claimed of these accounts, and those that were done.
    claimed: usize,
    done: usize,
    /// Accounts that this worker was the first to touch.
    pub(super) settled: Vec<Settled>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(claims: &'a Claims<'a>, pre_state: &'a PreState) -> Self {
        Self {
            claims,
            pre_state,
            loaded: 0,
            read: 0,
            claimed: 0,
            done: 0,
            settled: Vec::new(),
        }
    }

    /// Takes another worker's.
    pub(super) fn add(&mut self, other: Self) {
        self.loaded += other.loaded;
        self.read += other.read;
        self.claimed += other.claimed;
        self.done += other.done;
        self.settled.extend(other.settled);
    }

    /// Everything that is claimed was done. That nothing else was, each step has shown.
    pub(super) fn is_complete(&self) -> bool {
        self.loaded == self.claims.accounts()
            && self.read == self.claims.reads()
            && self.claimed == self.done
    }

    /// Compares what transaction `index` did.
    pub(super) fn transaction(
        &mut self,
        index: BlockAccessIndex,
        state: &EvmState,
    ) -> Result<(), Left> {
        for (address, account) in state {
            let claim = self.load(address)?;
            let gone = account.is_selfdestructed_locally();
            for (key, slot) in &account.storage {
                let present = if gone { U256::ZERO } else { slot.present_value };
                self.slot(claim, index, key, slot.original_value, present)?;
            }
            if account.is_touched() {
                self.touched(claim, index, account)?;
            }
        }
        Ok(())
    }

    fn touched(
        &mut self,
        claim: &Claim<'a>,
        index: BlockAccessIndex,
        account: &Account,
    ) -> Result<(), Left> {
        let was_there = || Ok::<_, Left>(claim.info(self.pre_state, index)?.is_some());
        if account.is_selfdestructed() {
            if account.is_created() && !was_there()? {
                // It leaves no trace.
                return Ok(());
            }
            if claim.wiped != Some(index) {
                return Err(Left::SelfDestruct);
            }
            self.info(
                claim,
                index,
                &account.original_info(),
                &AccountInfo::default(),
            )?;
            return self.settle(claim);
        }
        if account.is_empty() && !account.is_created() {
            return match was_there()? {
                true => Err(Left::Deleted),
                false => Ok(()),
            };
        }
        if account.is_created() && self.has_slots(claim, index) {
            return Err(Left::SelfDestruct);
        }
        self.info(claim, index, &account.original_info(), &account.info)?;
        self.settle(claim)
    }

    /// Whether a slot is something else than zero before an account is created there.
    fn has_slots(&self, claim: &Claim<'a>, index: BlockAccessIndex) -> bool {
        let slots = &claim.changes.storage_changes;
        let last = |changes| before(changes, index, |c: &StorageChange| c.block_access_index);
        let mut lasts = slots.iter().filter_map(|slot| last(&slot.changes));
        lasts.any(|last| {
            claim
                .wiped
                .is_none_or(|wiped| wiped < last.block_access_index)
        })
    }

    /// Compares what system calls at `index` did: `list` is the list of that, and `changed` what they touched.
    pub(super) fn system(
        &mut self,
        index: BlockAccessIndex,
        list: &Bal,
        changed: TransitionState,
    ) -> Result<(), Left> {
        for (address, account) in &list.accounts {
            let claim = self.load(address)?;
            for (key, slot) in &account.storage.storage {
                let original = claim.value(self.pre_state, key, index)?;
                let present = slot.writes.last().map_or(original, |(_, value)| *value);
                self.slot(claim, index, key, original, present)?;
            }
            let info = claim.info(self.pre_state, index)?.unwrap_or_default();
            let mut after = info.clone();
            let writes = &account.account_info;
            if let Some((_, balance)) = writes.balance.writes.last() {
                after.balance = *balance;
            }
            if let Some((_, nonce)) = writes.nonce.writes.last() {
                after.nonce = *nonce;
            }
            if let Some((_, (hash, _))) = writes.code.writes.last() {
                after.code_hash = *hash;
            }
            self.info(claim, index, &info, &after)?;
        }
        for (address, account) in changed.transitions {
            if account.status.was_destroyed() {
                return Err(Left::Deleted);
            }
            let claim = self.load(&address)?;
            self.settle(claim)?;
        }
        Ok(())
    }

    fn load(&mut self, address: &Address) -> Result<&'a Claim<'a>, Left> {
        let claim = self.claims.get(address)?;
        if claim.load() {
            self.loaded += 1;
            self.claimed += claim.count();
            if claim.is_orphan(self.pre_state)? {
                return Err(Left::Orphan);
            }
        }
        Ok(claim)
    }

    fn slot(
        &mut self,
        claim: &Claim<'a>,
        index: BlockAccessIndex,
        key: &U256,
        original: U256,
        present: U256,
    ) -> Result<(), Left> {
        let claimed = match claim.slot(key)? {
            Listed::Changes(changes) => at(changes, index, |c| c.block_access_index),
            Listed::Read(place) => {
                self.read += usize::from(self.claims.read(claim, place));
                None
            }
        };
        self.same(claimed.map(|change| change.new_value), original, present)
    }

    fn info(
        &mut self,
        claim: &Claim<'a>,
        index: BlockAccessIndex,
        before: &AccountInfo,
        after: &AccountInfo,
    ) -> Result<(), Left> {
        let changes = claim.changes;
        let balance = at(&changes.balance_changes, index, |c| c.block_access_index);
        let balance = balance.map(|change| change.post_balance);
        self.same(balance, before.balance, after.balance)?;
        let nonce = at(&changes.nonce_changes, index, |c| c.block_access_index);
        let nonce = nonce.map(|change| change.new_nonce);
        self.same(nonce, before.nonce, after.nonce)?;
        self.same(claim.code(index), before.code_hash, after.code_hash)
    }

    /// What is claimed is what was done; and where nothing is claimed, nothing changed.
    fn same<T: PartialEq>(&mut self, claimed: Option<T>, before: T, after: T) -> Result<(), Left> {
        self.done += usize::from(claimed.is_some());
        match claimed.unwrap_or(before) == after {
            true => Ok(()),
            false => Err(Left::Differs),
        }
    }

    /// Makes the account's entry of the block's changes, unless somebody has. By then all its changes are known: the list
    /// has them.
    fn settle(&mut self, claim: &Claim<'a>) -> Result<(), Left> {
        if !claim.touch() {
            return Ok(());
        }
        let base = self.pre_state.basic_ref(claim.address)?;
        let end = BlockAccessIndex::new(u64::MAX);
        let mut info = claim.info(self.pre_state, end)?;
        let original = base.clone().unwrap_or_default();
        if let Some(info) = &mut info {
            if info.code.is_none() {
                info.code.clone_from(&original.code);
            }
        } else if claim.wiped.is_none() {
            return Err(Left::Differs);
        }
        let changes = claim.changes;
        let balances = changes.balance_changes.iter().map(|c| c.post_balance);
        let nonces = changes.nonce_changes.iter().map(|c| c.new_nonce);
        let codes = claim.codes.iter().map(|(_, code)| code.code_hash);
        let moves = changing(original.balance, balances)
            && changing(original.nonce, nonces)
            && changing(original.code_hash, codes);
        if !moves {
            return Err(Left::Differs);
        }
        let mut storage = U256Map::default();
        storage.reserve(changes.storage_changes.len());
        for slot in &changes.storage_changes {
            // What is left of a slot that is wiped is what comes after.
            let kept = slot.changes.iter().map(|c| c.block_access_index);
            let kept = kept.take_while(|index| claim.wiped.is_some_and(|wiped| *index <= wiped));
            let (wiped, kept) = slot.changes.split_at(kept.count());
            let base = claim.value(self.pre_state, &slot.slot, BlockAccessIndex::PRE_EXECUTION)?;
            let start = if claim.wiped.is_some() {
                U256::ZERO
            } else {
                base
            };
            let moves = changing(base, wiped.iter().map(|c| c.new_value))
                && changing(start, kept.iter().map(|c| c.new_value));
            if !moves {
                return Err(Left::Differs);
            }
            let end = kept.last().map_or(start, |c| c.new_value);
            if end != start {
                storage.insert(slot.slot, StorageSlot::new_changed(start, end));
            }
        }
        let previous_status = match &base {
            None => AccountStatus::LoadedNotExisting,
            Some(base) if base.is_empty() => AccountStatus::LoadedEmptyEIP161,
            Some(_) => AccountStatus::Loaded,
        };
        let status = match (claim.wiped, &info) {
            (None, _) => previous_status.on_changed(original.has_no_code_and_nonce()),
            (Some(_), None) => AccountStatus::Destroyed,
            (Some(_), Some(_)) => AccountStatus::DestroyedChanged,
        };
        let transition = TransitionAccount {
            info,
            status,
            previous_info: base,
            previous_status,
            storage,
            storage_was_destroyed: claim.wiped.is_some(),
        };
        self.settled.push(Settled::new(claim.address, transition));
        Ok(())
    }
}

/// Each value is another than the one before it: a list has no change that changes nothing.
fn changing<T: PartialEq>(before: T, values: impl Iterator<Item = T>) -> bool {
    let mut last = before;
    for value in values {
        if value == last {
            return false;
        }
        last = value;
    }
    true
}
