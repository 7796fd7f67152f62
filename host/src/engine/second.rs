//! A second opinion: a result that came from elsewhere against the same transaction on the committed state.

use revm::{
    context::result::{ExecutionResult, ResultAndState},
    state::{Account, AccountStatus},
};

use super::ran::{Changes, Slot, Touched};

/// What decides about an account's fate.
const FATE: AccountStatus = AccountStatus::Created.union(AccountStatus::SelfDestructed);

/// The first difference of a result, and of what it would change, from the `truth`; the truth comes first.
pub(super) fn difference(
    truth: &ResultAndState,
    result: &ExecutionResult,
    changes: &Changes,
) -> Option<String> {
    if truth.result != *result {
        return Some(results(&truth.result, result));
    }
    let mut left = truth.state.values().filter(|a| a.is_touched()).count();
    for (touched, slots) in changes.each() {
        let account = truth.state.get(&touched.address);
        let Some(account) = account.filter(|account| account.is_touched()) else {
            return Some(format!(
                "account {}: untouched against touched",
                touched.address
            ));
        };
        left -= 1;
        if let Some(difference) = accounts(account, touched) {
            return Some(format!("account {}: {difference}", touched.address));
        }
        let mut changed = 0;
        for Slot {
            key,
            present: value,
            ..
        } in slots
        {
            changed += 1;
            let true_value = account.storage.get(key).map(|slot| slot.present_value);
            if true_value != Some(*value) {
                let address = touched.address;
                return Some(format!(
                    "account {address}: slot {key:#x}: {true_value:?} against {value}"
                ));
            }
        }
        let true_changed = account.changed_storage_slots().count();
        if true_changed != changed {
            return Some(format!(
                "account {}: changed slots: {true_changed} against {changed}",
                touched.address
            ));
        }
    }
    (left > 0).then(|| format!("{left} touched accounts are missing"))
}

fn results(truth: &ExecutionResult, other: &ExecutionResult) -> String {
    let text =
        |name: &str, truth: String, other: String| format!("{name}: {truth} against {other}");
    let (gas, other_gas) = (truth.tx_gas_used(), other.tx_gas_used());
    if truth.is_success() != other.is_success() {
        text(
            "success",
            truth.is_success().to_string(),
            other.is_success().to_string(),
        )
    } else if gas != other_gas {
        text("gas used", gas.to_string(), other_gas.to_string())
    } else if truth.logs() != other.logs() {
        text(
            "logs",
            format!("{:?}", truth.logs()),
            format!("{:?}", other.logs()),
        )
    } else {
        text("result", format!("{truth:?}"), format!("{other:?}"))
    }
}

fn accounts(truth: &Account, other: &Touched) -> Option<String> {
    let fates = (truth.status & FATE, other.status & FATE);
    if fates.0 != fates.1 {
        return Some(format!("fate: {:?} against {:?}", fates.0, fates.1));
    }
    if truth.is_selfdestructed() {
        return None;
    }
    let (truth, other) = (&truth.info, &other.info);
    if truth.balance != other.balance {
        return Some(format!(
            "balance: {} against {}",
            truth.balance, other.balance
        ));
    }
    if truth.nonce != other.nonce {
        return Some(format!("nonce: {} against {}", truth.nonce, other.nonce));
    }
    (truth.code_hash != other.code_hash)
        .then(|| format!("code hash: {} against {}", truth.code_hash, other.code_hash))
}
