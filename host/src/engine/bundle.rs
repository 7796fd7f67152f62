//! The changes of a block, put together from its accounts in any order and on several threads.

use alloy_primitives::{Address, B256};
use parking_lot::Mutex;
use rayon::ThreadPool;
use revm::{
    bytecode::Bytecode,
    database::{
        AccountRevert, BundleAccount, BundleState, TransitionAccount,
        states::{StorageWithOriginalValues, reverts::Reverts},
    },
};

/// A changed account as the block leaves it.
pub(super) struct Settled {
    address: Address,
    account: BundleAccount,
    revert: Option<AccountRevert>,
    contract: Option<(B256, Bytecode)>,
}

impl Settled {
    /// What the whole block made of an account.
    pub(super) fn new(address: Address, transition: TransitionAccount) -> Self {
        let contract = transition.has_new_contract();
        let contract = contract.map(|(hash, code)| (hash, code.clone()));
        let (account, revert) = if transition.storage_was_destroyed {
            let account = transition.present_bundle_account();
            (account, transition.create_revert())
        } else {
            // The same, but the slots are moved and not copied.
            let mut account = BundleAccount {
                info: transition.previous_info.clone(),
                original_info: transition.previous_info.clone(),
                storage: StorageWithOriginalValues::default(),
                status: transition.previous_status,
            };
            let revert = account.update_and_create_revert(transition);
            (account, revert)
        };
        Self {
            address,
            account,
            revert,
            contract,
        }
    }
}

/// The changes of the block, as revm's `BundleState::apply_transitions_and_create_reverts` puts them together.
#[derive(Default)]
pub(super) struct Bundle {
    state: BundleState,
    reverts: Vec<(Address, AccountRevert)>,
}

impl Bundle {
    /// Room for so many accounts.
    pub(super) fn with_room(accounts: usize) -> Self {
        let mut bundle = Self::default();
        bundle.state.state.reserve(accounts);
        bundle.reverts.reserve(accounts);
        bundle
    }

    pub(super) fn extend(&mut self, settled: impl IntoIterator<Item = Settled>) {
        for account in settled {
            self.state.contracts.extend(account.contract);
            let Some(revert) = account.revert else {
                continue;
            };
            self.state.state_size += account.account.size_hint();
            self.state.reverts_size += revert.size_hint();
            self.state.state.insert(account.address, account.account);
            self.reverts.push((account.address, revert));
        }
    }

    pub(super) fn end(self) -> BundleState {
        BundleState {
            reverts: Reverts::new(vec![self.reverts]),
            ..self.state
        }
    }
}

/// Accounts that a thread takes at a time.
const CHUNK: usize = 64;
/// Accounts that are worth the coming and going of threads: half a millisecond of work.
const WORTH: usize = 768;

/// Does `work` with all items, in any order, on the calling thread and those of the pool; `collect` takes the results of
/// one chunk after the other.
pub(super) fn in_chunks<T: Send, R: Send>(
    items: impl ExactSizeIterator<Item = T> + Send,
    pool: Option<&ThreadPool>,
    work: impl Fn(T) -> R + Sync,
    collect: impl FnMut(&mut Vec<R>) + Send,
) {
    let pool = pool.filter(|_| items.len() >= WORTH);
    let (items, collect) = (Mutex::new(items), Mutex::new(collect));
    let share = || {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut done = Vec::with_capacity(CHUNK);
        loop {
            chunk.extend(items.lock().by_ref().take(CHUNK));
            if chunk.is_empty() {
                return;
            }
            done.extend(chunk.drain(..).map(&work));
            (*collect.lock())(&mut done);
        }
    };
    match pool {
        None => share(),
        Some(pool) => pool.in_place_scope(|scope| {
            for _ in 0..pool.current_num_threads() {
                scope.spawn(|_| share());
            }
            share();
        }),
    }
}
