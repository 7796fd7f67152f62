//! The changes of a block, put together from its accounts in any order.

use alloy_primitives::Address;
use revm::database::{AccountRevert, BundleState, states::reverts::Reverts};

use super::tally::Settled;
use crate::AccessList;

/// The changes of the block, as revm's `BundleState::apply_transitions_and_create_reverts` puts them together.
#[derive(Default)]
pub(super) struct Bundle {
    state: BundleState,
    reverts: Vec<(Address, AccountRevert)>,
}

impl Bundle {
    /// Room for all that a list names.
    pub(super) fn of(list: &AccessList) -> Self {
        let mut bundle = Self::default();
        bundle.state.state.reserve(list.accounts().len());
        bundle.reverts.reserve(list.accounts().len());
        bundle
    }

    pub(super) fn extend(&mut self, settled: &mut Vec<Settled>) {
        for account in settled.drain(..) {
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
