//! From what revm says an attempt changed to what multi-version memory stores.

use revm::state::{Account, EvmState};

use super::{
    reads::{AccountRead, ReadSet},
    write_set::{AccountWrite, BalanceWrite, Writes},
};

/// The writes of an attempt that ended in `state`, having read `reads`. Marks in `reads` what only
/// the outcome shows to have been depended on.
pub(crate) fn writes(state: &EvmState, reads: &mut ReadSet) -> Writes {
    if reads.all_nonces {
        reads
            .accounts
            .values_mut()
            .for_each(|read| read.nonce = true);
    }
    let mut writes = Writes::default();
    for (address, account) in state.iter().filter(|(_, account)| account.is_touched()) {
        let Some(read) = reads.accounts.get_mut(address) else {
            // revm never touches what it has not loaded. Should it ever, every reader sees all of it.
            let gone = account.is_selfdestructed();
            let info = (!gone).then(|| account.info.clone());
            writes
                .accounts
                .push((*address, AccountWrite::full(info, true)));
            continue;
        };
        if let Some(write) = account_write(account, read) {
            writes.accounts.push((*address, write));
        }
        writes.add_slots(*address, account);
    }
    writes
}

/// What a touched account becomes; mirrors how revm's `State` applies it.
fn account_write(account: &Account, read: &mut AccountRead) -> Option<AccountWrite> {
    if account.is_selfdestructed() {
        read.balance = true;
        return Some(AccountWrite::full(None, true));
    }
    let created = account.is_created();
    if account.is_empty() && !created {
        // EIP-161: touched and empty is deleted. Nothing changes where there was nothing.
        return read.info.is_some().then(|| AccountWrite::full(None, true));
    }
    let Some(before) = &read.info else {
        // It did not exist, so there was nothing to be added to.
        return Some(AccountWrite::full(Some(account.info.clone()), created));
    };
    let info = &account.info;
    // Whoever is debited was looked at: should an instruction not have said so, this does.
    read.balance |= info.balance < before.balance;
    read.nonce |= info.nonce != before.nonce;
    let balance = if info.balance == before.balance {
        BalanceWrite::Keep
    } else if read.balance {
        BalanceWrite::Set(info.balance)
    } else {
        BalanceWrite::Add(info.balance.wrapping_sub(before.balance))
    };
    let write = AccountWrite {
        deleted: false,
        claimed: false,
        code: (info.code_hash != before.code_hash).then(|| info.clone()),
        nonce: (info.nonce != before.nonce).then_some(info.nonce),
        balance,
        wiped: created,
    };
    let changes = write.code.is_some()
        || write.nonce.is_some()
        || write.wiped
        || balance != BalanceWrite::Keep;
    changes.then_some(write)
}
