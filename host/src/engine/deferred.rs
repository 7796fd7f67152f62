//! Commits to revm's `State` that put off what nobody reads before the block ends.
//!
//! For every account that a transaction changes, `State` keeps two things: the account as it is now, which later
//! transactions read, and how the block changes it (a *transition*), of which the block's changes and reverts are made.
//! The second is most of the work of a commit, and it follows from the first and from what was there before. So a commit
//! here writes the account alone and notes what was there; transitions are made in the end, on all threads.
//!
//! An account that is created, destroyed or emptied goes revm's own way from then on.

use alloy_primitives::{
    Address, U256,
    map::{AddressMap, U256Map, hash_map::Entry},
};
use rayon::ThreadPool;
use revm::{
    DatabaseCommit as _,
    database::{
        AccountStatus, BundleState, CacheState, TransitionAccount,
        states::{CacheAccount, StorageSlot},
    },
    state::{Account, AccountInfo, AccountStatus as Fate},
};

use super::{
    bundle::{Bundle, Settled, in_chunks},
    ran::Slot,
    system::BlockState,
};

/// What has been committed and `State` has no transitions of.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// `None`: the account goes revm's own way.
    accounts: AddressMap<Option<Before>>,
}

/// An account before the block changed it.
#[derive(Debug)]
struct Before {
    info: Option<AccountInfo>,
    status: AccountStatus,
    /// Slots in the order of their writes, each with its value before.
    slots: Vec<(U256, U256)>,
}

impl Deferred {
    /// Nothing. What has been committed to `state` so far goes revm's own way.
    pub(super) fn of(state: &BlockState<'_>) -> Self {
        let known = state.transition_state.iter();
        let known = known.flat_map(|known| known.transitions.keys());
        Self {
            accounts: known.map(|address| (*address, None)).collect(),
        }
    }

    /// Whether to [`change`](Self::change) an account or to [`commit`](Self::commit) what a transaction made of it.
    pub(super) fn takes(&self, address: &Address, fate: Fate, info: &AccountInfo) -> bool {
        // EIP-161: what is empty is deleted.
        let plain = !fate.intersects(Fate::Created.union(Fate::SelfDestructed)) && !info.is_empty();
        plain && !matches!(self.accounts.get(address), Some(None))
    }

    /// Commits a change of an account that is in the cache, with the slots that changed. It may come without its code, where
    /// that stays the same.
    pub(super) fn change(
        &mut self,
        cache: &mut CacheState,
        address: Address,
        info: AccountInfo,
        slots: impl Iterator<Item = Slot>,
    ) {
        let cached = cache.accounts.entry(address);
        debug_assert!(
            matches!(cached, Entry::Occupied(_)),
            "who executed it has loaded it"
        );
        let cached = cached.or_insert_with(CacheAccount::new_loaded_not_existing);
        let before = self.accounts.entry(address).or_insert_with(|| {
            Some(Before {
                info: cached.account_info(),
                status: cached.status,
                slots: Vec::new(),
            })
        });
        let account = cached.account.as_ref();
        let has_neither = account.is_some_and(|account| account.info.has_no_code_and_nonce());
        cached.status = cached.status.on_changed(has_neither);
        let account = cached.account.get_or_insert_default();
        if account.info.code_hash == info.code_hash {
            // The code is there: to count its users is slow where other threads do the same.
            account.info.balance = info.balance;
            account.info.nonce = info.nonce;
        } else {
            account.info = info;
        }
        for slot in slots {
            account.storage.insert(slot.key, slot.present);
            if let Some(before) = before {
                before.slots.push((slot.key, slot.original));
            }
        }
    }

    /// Commits what a transaction made of an account revm's own way, from now on.
    pub(super) fn commit(
        &mut self,
        state: &mut BlockState<'_>,
        address: Address,
        account: Account,
    ) {
        if let Some(before) = self.accounts.insert(address, None).flatten() {
            let transition = before.transition(&state.cache, &address);
            if let Some(known) = &mut state.transition_state {
                known.transitions.insert(address, transition);
            }
        }
        state.commit_iter(&mut std::iter::once((address, account)));
    }

    /// The changes of the block, which has ended in `state`, made on the calling thread and those of the pool.
    pub(super) fn settle(
        mut self,
        state: &mut BlockState<'_>,
        pool: Option<&ThreadPool>,
    ) -> BundleState {
        let mut transitions = state
            .transition_state
            .take()
            .unwrap_or_default()
            .transitions;
        transitions.retain(|address, last| !self.joins(address, last));
        let mut bundle = Bundle::with_room(transitions.len() + self.accounts.len());
        let others = transitions
            .into_iter()
            .map(|(address, transition)| Settled::new(address, transition));
        bundle.extend(others);
        let cache = &state.cache;
        in_chunks(
            self.accounts.into_iter(),
            pool,
            |(address, before)| {
                let transition = before?.transition(cache, &address);
                Some(Settled::new(address, transition))
            },
            |settled| bundle.extend(settled.drain(..).flatten()),
        );
        bundle.end()
    }

    /// Joins what came after the transactions with what they made of the account: whether that is all of it.
    fn joins(&mut self, address: &Address, last: &mut TransitionAccount) -> bool {
        let Some(entry) = self.accounts.get_mut(address) else {
            return false;
        };
        let Some(before) = entry else { return false };
        if last.storage_was_destroyed {
            // Nothing is left of the slots.
            last.previous_info = before.info.take();
            last.previous_status = before.status;
            *entry = None;
            return false;
        }
        let slots = last.storage.iter();
        let slots = slots.map(|(key, slot)| (*key, slot.previous_or_original_value));
        before.slots.extend(slots);
        true
    }
}

impl Before {
    /// How the account became what it is now.
    fn transition(self, cache: &CacheState, address: &Address) -> TransitionAccount {
        let now = cache.accounts.get(address);
        let account = now.and_then(|now| now.account.as_ref());
        let mut storage = U256Map::default();
        storage.reserve(self.slots.len());
        for (key, original) in self.slots {
            let Entry::Vacant(slot) = storage.entry(key) else {
                // What was there before the block, the first write tells.
                continue;
            };
            let present = account.and_then(|account| account.storage.get(&key));
            let present = present.copied().unwrap_or_default();
            slot.insert(StorageSlot::new_changed(original, present));
        }
        storage.retain(|_, slot| slot.is_changed());
        TransitionAccount {
            info: account.map(|account| account.info.clone()),
            status: now.map_or(self.status, |now| now.status),
            previous_info: self.info,
            previous_status: self.status,
            storage,
            storage_was_destroyed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use proptest::{collection::vec, prelude::*};
    use revm::{
        Database as _,
        bytecode::Bytecode,
        database::{State, WrapDatabaseRef, states::bundle_state::BundleRetention},
        state::{EvmStorageSlot, TransactionId},
    };

    use super::*;
    use crate::PreState;

    /// What happens to an account.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Change,
        Create,
        Destroy,
        Empty,
    }

    /// An event of one account, with what it writes in its slots.
    type Step = (u8, Event, [u8; 3]);

    fn address(n: u8) -> Address {
        Address::repeat_byte(n + 1)
    }

    /// A contract, one that has only been paid, one with slots alone (EIP-7610), and two that are not there.
    fn pre_state() -> PreState {
        let slots = || [1, 2].map(|n| (U256::from(n), U256::from(n)));
        let mut state = PreState::new();
        state.insert(address(0), U256::from(7), 1, [0xfe].into(), slots());
        state.insert(address(1), U256::from(7), 0, Default::default(), []);
        state.insert(address(2), U256::from(7), 0, Default::default(), slots());
        state
    }

    fn state(of: &PreState) -> BlockState<'_> {
        State::builder()
            .with_database(WrapDatabaseRef(of))
            .with_bundle_update()
            .build()
    }

    /// What revm's journal makes of an event, if it can happen now.
    fn account(state: &mut BlockState<'_>, (n, event, writes): Step) -> Option<Account> {
        let address = address(n);
        let there = state.basic(address).expect("it is in memory");
        let bare = there
            .as_ref()
            .is_none_or(AccountInfo::has_no_code_and_nonce);
        let mut account = Account::default();
        account.info = there.clone().unwrap_or_default();
        account.status = Fate::Touched;
        match event {
            Event::Change => account.info.balance += U256::from(writes[0] + 1),
            Event::Create if bare => {
                let code = Bytecode::new_raw([0x5b, writes[0]].into());
                let balance = account.info.balance;
                account.info = AccountInfo::from_bytecode(code).with_balance(balance);
                account.info.nonce = 1;
                account.status |= Fate::Created;
            }
            Event::Destroy if there.is_some() => account.status |= Fate::SelfDestructed,
            Event::Empty if bare => account.info.balance = U256::ZERO,
            _ => return None,
        }
        let created = account.is_created();
        // Only code writes slots.
        let writes = writes.into_iter().zip(0u8..);
        let writes = writes.filter(|_| created || matches!(event, Event::Change) && !bare);
        for (value, key) in writes {
            let (key, value) = (U256::from(key), U256::from(value));
            let original = match created {
                true => U256::ZERO,
                false => state.storage(address, key).expect("it is in memory"),
            };
            let slot = EvmStorageSlot::new_changed(original, value, TransactionId::ZERO);
            account.storage.insert(key, slot);
        }
        Some(account)
    }

    fn step() -> impl Strategy<Value = Step> {
        let event = prop_oneof![
            6 => Just(Event::Change),
            1 => Just(Event::Create),
            1 => Just(Event::Destroy),
            1 => Just(Event::Empty),
        ];
        (0..5u8, event, prop::array::uniform3(0..3u8))
    }

    proptest! {
        #[test]
        fn a_block_ends_as_with_revms_own_commits(during in vec(step(), 0..30), after in vec(step(), 0..4)) {
            let base = pre_state();
            let (mut truth, mut put_off) = (state(&base), state(&base));
            let mut deferred = Deferred::of(&put_off);
            let mut commit = |step: Step, deferred: Option<&mut Deferred>| {
                let address = address(step.0);
                put_off.load_cache_account(address).expect("it is in memory");
                let Some(account) = account(&mut truth, step) else { return };
                truth.commit_iter(&mut std::iter::once((address, account.clone())));
                match deferred {
                    None => put_off.commit_iter(&mut std::iter::once((address, account))),
                    Some(deferred) if deferred.takes(&address, account.status, &account.info) => {
                        let slots = Slot::changed(&account);
                        let info = AccountInfo { code: None, ..account.info.clone() };
                        deferred.change(&mut put_off.cache, address, info, slots);
                    }
                    Some(deferred) => deferred.commit(&mut put_off, address, account),
                }
            };
            for step in during {
                commit(step, Some(&mut deferred));
            }
            for step in after {
                commit(step, None);
            }
            for (address, account) in &truth.cache.accounts {
                let now = put_off.cache.accounts.get(address).expect("it was committed");
                let (account, now) = (&account.account, &now.account);
                prop_assert_eq!(account.as_ref().map(|a| &a.info), now.as_ref().map(|a| &a.info));
            }
            truth.merge_transitions(BundleRetention::Reverts);
            let mut truth = truth.take_bundle();
            let mut bundle = deferred.settle(&mut put_off, None);
            let code = |info: &Option<AccountInfo>| -> Option<B256> {
                info.as_ref()?.code.as_ref().map(Bytecode::hash_slow)
            };
            for (address, account) in &truth.state {
                let ours = bundle.state.get(address).map(|account| code(&account.info));
                prop_assert_eq!(ours, Some(code(&account.info)));
            }
            truth.reverts.sort();
            bundle.reverts.sort();
            prop_assert_eq!(truth, bundle);
        }
    }
}
