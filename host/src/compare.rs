//! Where two results of one block part.

use std::{collections::BTreeSet, fmt};

use alloy_primitives::{Address, Log};

use crate::{
    Outcome, Receipt,
    changes::{AccountChange, changes},
};

/// The first difference of two outcomes: receipts first, then requests and gas, then accounts by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The thing that differs: `receipt 4: gas used`.
    pub place: String,
    /// Its value in the first outcome.
    pub left: String,
    /// Its value in the second outcome.
    pub right: String,
    /// Index of the transaction, from 0, if the thing is a receipt.
    pub transaction: Option<usize>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} against {}", self.place, self.left, self.right)
    }
}

/// Compares the results of two executions of a block, bit for bit but for the statistics and the way a bundle keeps
/// unchanged accounts. `None` when they are identical.
pub fn first_difference(left: &Outcome, right: &Outcome) -> Option<Difference> {
    receipts(&left.result.receipts, &right.result.receipts)
        .or_else(|| {
            let (left, right) = (&left.result, &right.result);
            None.or_else(|| field("requests", &left.requests, &right.requests))
                .or_else(|| field("gas used", &left.gas_used, &right.gas_used))
                .or_else(|| field("blob gas used", &left.blob_gas_used, &right.blob_gas_used))
        })
        .or_else(|| states(left, right))
}

fn field<T: PartialEq + fmt::Debug>(place: &str, left: &T, right: &T) -> Option<Difference> {
    (left != right).then(|| Difference {
        place: place.to_owned(),
        left: format!("{left:?}"),
        right: format!("{right:?}"),
        transaction: None,
    })
}

fn receipts(left: &[Receipt], right: &[Receipt]) -> Option<Difference> {
    // Gas used is compared by transaction: cumulative gas would blame all that follow.
    let (mut before_left, mut before_right) = (0, 0);
    for (index, (left, right)) in left.iter().zip(right).enumerate() {
        let name = |what: &str| format!("receipt {index}: {what}");
        let gas_left = left.cumulative_gas_used.wrapping_sub(before_left);
        let gas_right = right.cumulative_gas_used.wrapping_sub(before_right);
        let difference = None
            .or_else(|| field(&name("type"), &left.tx_type, &right.tx_type))
            .or_else(|| field(&name("success"), &left.success, &right.success))
            .or_else(|| field(&name("gas used"), &gas_left, &gas_right))
            .or_else(|| logs(index, &left.logs, &right.logs));
        if let Some(difference) = difference {
            return Some(Difference {
                transaction: Some(index),
                ..difference
            });
        }
        (before_left, before_right) = (left.cumulative_gas_used, right.cumulative_gas_used);
    }
    field("number of receipts", &left.len(), &right.len())
}

fn logs(receipt: usize, left: &[Log], right: &[Log]) -> Option<Difference> {
    let unequal = left.iter().zip(right).enumerate().find_map(|(at, (l, r))| {
        let name = |what: &str| format!("receipt {receipt}: log {at}: {what}");
        None.or_else(|| field(&name("address"), &l.address, &r.address))
            .or_else(|| field(&name("topics"), &l.data.topics(), &r.data.topics()))
            .or_else(|| field(&name("data"), &l.data.data, &r.data.data))
    });
    unequal.or_else(|| {
        let place = format!("receipt {receipt}: number of logs");
        field(&place, &left.len(), &right.len())
    })
}

fn states(left: &Outcome, right: &Outcome) -> Option<Difference> {
    let (mut lefts, mut rights) = (changes(&left.state), changes(&right.state));
    let addresses: BTreeSet<Address> = lefts.keys().chain(rights.keys()).copied().collect();
    let account = addresses.into_iter().find_map(|address| {
        let (left, right) = (lefts.remove(&address), rights.remove(&address));
        account(address, left, right)
    });
    account.or_else(|| {
        let codes = |outcome: &Outcome| -> BTreeSet<_> {
            outcome.state.contracts.keys().copied().collect()
        };
        field("hashes of new codes", &codes(left), &codes(right))
    })
}

fn account(
    address: Address,
    left: Option<AccountChange>,
    right: Option<AccountChange>,
) -> Option<Difference> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => {
            let side = |change: &Option<AccountChange>| match change {
                Some(change) => format!("{change:?}"),
                None => "unchanged".to_owned(),
            };
            return (left != right).then(|| Difference {
                place: format!("account {address}"),
                left: side(&left),
                right: side(&right),
                transaction: None,
            });
        }
    };
    let name = |what: &str| format!("account {address}: {what}");
    None.or_else(|| field(&name("existence"), &left.exists, &right.exists))
        .or_else(|| field(&name("balance"), &left.balance, &right.balance))
        .or_else(|| field(&name("nonce"), &left.nonce, &right.nonce))
        .or_else(|| field(&name("code hash"), &left.code_hash, &right.code_hash))
        .or_else(|| field(&name("wiped storage"), &left.wiped, &right.wiped))
        .or_else(|| {
            let slots: BTreeSet<_> = left.slots.keys().chain(right.slots.keys()).collect();
            slots.into_iter().find_map(|slot| {
                let side = |change: &AccountChange| match change.slots.get(slot) {
                    Some(value) => format!("{value:#x}"),
                    None => "unchanged".to_owned(),
                };
                let (left, right) = (side(&left), side(&right));
                (left != right).then(|| Difference {
                    place: name(&format!("slot {slot:#x}")),
                    left,
                    right,
                    transaction: None,
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{LogData, U256, address, bytes};
    use revm::{
        database::{AccountStatus, BundleAccount, states::StorageSlot},
        state::AccountInfo,
    };

    use super::*;
    use crate::{Statistics, digest};

    const ACCOUNT: Address = address!("0x00000000000000000000000000000000000000aa");

    fn outcome() -> Outcome {
        let log = Log {
            address: ACCOUNT,
            data: LogData::new_unchecked(Vec::new(), bytes!("01")),
        };
        let receipt = |gas| Receipt {
            success: true,
            cumulative_gas_used: gas,
            logs: vec![log.clone()],
            ..Receipt::default()
        };
        let slot = StorageSlot::new_changed(U256::ZERO, U256::from(1));
        let account = BundleAccount::new(
            None,
            Some(AccountInfo::from_balance(U256::from(5))),
            [(U256::from(7), slot)].into_iter().collect(),
            AccountStatus::InMemoryChange,
        );
        let mut outcome = Outcome {
            result: Default::default(),
            state: Default::default(),
            access_list: None,
            statistics: Statistics::default(),
        };
        outcome.result.receipts = vec![receipt(21_000), receipt(50_000)];
        outcome.state.state.insert(ACCOUNT, account);
        outcome
    }

    /// Changes a copy and tells where the difference is found; the digest must see it as well.
    fn place_after(change: impl FnOnce(&mut Outcome)) -> String {
        let (left, mut right) = (outcome(), outcome());
        change(&mut right);
        assert_ne!(digest(&left), digest(&right));
        first_difference(&left, &right)
            .map(|difference| difference.place)
            .unwrap_or_default()
    }

    #[test]
    fn identical_outcomes_have_no_difference() {
        let (left, mut right) = (outcome(), outcome());
        right.statistics.executions = 9;
        // An account that was only touched.
        let info = Some(AccountInfo::from_balance(U256::from(1)));
        let touched = BundleAccount::new(
            info.clone(),
            info,
            Default::default(),
            AccountStatus::Changed,
        );
        right.state.state.insert(Address::ZERO, touched);
        assert_eq!(first_difference(&left, &right), None);
        assert_eq!(digest(&left), digest(&right));
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let receipt = place_after(|other| {
            for receipt in &mut other.result.receipts {
                receipt.cumulative_gas_used += 1;
            }
        });
        assert_eq!(receipt, "receipt 0: gas used");
        let log = place_after(|other| {
            other.result.receipts[1].logs[0].data =
                LogData::new_unchecked(Vec::new(), bytes!("02"));
        });
        assert_eq!(log, "receipt 1: log 0: data");
        let missing = place_after(|other| {
            other.result.receipts.pop();
        });
        assert_eq!(missing, "number of receipts");
        let balance = place_after(|other| {
            let account = other.state.state.get_mut(&ACCOUNT);
            if let Some(info) = account.and_then(|account| account.info.as_mut()) {
                info.balance = U256::ONE;
            }
        });
        assert_eq!(balance, format!("account {ACCOUNT}: balance"));
        let slot = place_after(|other| {
            if let Some(account) = other.state.state.get_mut(&ACCOUNT) {
                account.storage.clear();
            }
        });
        assert_eq!(slot, format!("account {ACCOUNT}: slot 0x7"));
        let gone = place_after(|other| other.state.state.clear());
        assert_eq!(gone, format!("account {ACCOUNT}"));
    }
}
