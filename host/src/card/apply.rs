//! Effects of frames that ran elsewhere, replayed into revm's journal.

use revm::bytecode::Bytecode;
use revm::context::result::EVMError;
use revm::context::{Journal, JournalTr};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::handler::{EvmTr, FrameResult, ItemOrResult};
use revm::interpreter::{InterpreterAction, InterpreterResult};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{KECCAK_EMPTY, U256};

use super::split::{AccountEffect, CardDatabase, CardEvm, CodeId, Effects, EvmError};

/// Why a result could not be applied.
pub(super) enum Refused<E> {
    Error(E),
    Stale,
}

/// Replays the effects through the journal's own entry points and lets revm close the frame.
pub(super) fn apply<DB: CardDatabase>(
    evm: &mut CardEvm<DB>,
    effects: Effects,
) -> Result<FrameResult, Refused<EvmError<DB>>> {
    let spec = evm.ctx.cfg.spec;
    let journal = &mut evm.ctx.journaled_state;
    for account in effects.accounts {
        apply_account(journal, account, spec)?;
    }
    for log in effects.logs {
        journal.log(log);
    }
    let frame = evm.frame_stack.get();
    let mut gas = frame.interpreter.gas;
    gas.set_remaining(effects.gas_left);
    gas.set_refund(effects.refund);
    let action =
        InterpreterAction::Return(InterpreterResult::new(effects.result, effects.output, gas));
    // Commits or reverts the checkpoint; for a creation, the rules of the deployed code.
    let next = frame.process_next_action::<_, EvmError<DB>>(&mut evm.ctx, action);
    frame.set_finished(true);
    let ItemOrResult::Result(result) = next.map_err(Refused::Error)? else {
        return Err(Refused::Error(EVMError::Custom(
            "a returning frame opened another".into(),
        )));
    };
    let last = evm
        .frame_return_result(result)
        .map_err(|e| Refused::Error(e.into()))?;
    last.ok_or_else(|| Refused::Error(EVMError::Custom("the first frame has a parent".into())))
}

/// What the frames did to one account. An account or slot that only a frame loaded that reverted is warm
/// then, other than revm leaves it; nobody looks at that after a first frame.
fn apply_account<DB: CardDatabase>(
    journal: &mut Journal<DB>,
    account: AccountEffect,
    spec: SpecId,
) -> Result<(), Refused<EvmError<DB>>> {
    let address = account.address;
    // The loads set original values and warmth as a real run does; then they are the reads that get
    // recorded, so they must be the ones that were used.
    let loaded = journal.load_account(address).map_err(database)?;
    let (balance, nonce) = (loaded.data.info.balance, loaded.data.info.nonce);
    let born = !loaded.data.is_created_locally();
    let id = CodeId::of(&loaded.data.info);
    let same = account.code.is_none_or(|code| code == id)
        && account.balance_used.is_none_or(|told| told == balance)
        && account.nonce.is_none_or(|(told, _)| told == nonce);
    if !same {
        return Err(Refused::Stale);
    }
    if account.balance_used.is_some() {
        journal.database.balance_used(address);
    }
    if account.nonce.is_some() {
        journal.database.nonces_used();
    }
    if let Some(code) = account.created {
        // The first frame's own contract has been created already.
        if born {
            let checkpoint = journal.create_account_checkpoint(address, address, U256::ZERO, spec);
            if checkpoint.is_err() {
                return Err(Refused::Stale);
            }
            journal.checkpoint_commit();
        }
        // As revm: what deploys nothing has the empty code set, but for the first frame's contract, whose
        // code is yet to come.
        let code = code.or_else(|| born.then(|| (Bytecode::default(), KECCAK_EMPTY)));
        if let Some((code, hash)) = code {
            journal.set_code_with_hash(address, code, hash);
        }
    }
    if let Some((start, end)) = account.nonce {
        let mut loaded = journal.load_account_mut(address).map_err(database)?;
        // A contract begins with 1.
        if start != end && loaded.data.nonce() != end {
            loaded.data.set_nonce(end);
        }
    }
    if account.destroyed {
        let destroyed = journal.selfdestruct(address, address, false);
        if let Err(error) = destroyed {
            return Err(Refused::Error(match error.take_db_error() {
                Some(error) => EVMError::Database(error),
                None => EVMError::Custom("an account that is loaded was not loaded".into()),
            }));
        }
    }
    // As revm's own journal entries: a value that comes back to where it was leaves nothing.
    if let Some((start, end)) = account.balance
        && (start != end || account.destroyed)
    {
        // What is only added to may have changed meanwhile: nothing depended on it.
        let end = balance.wrapping_add(end.wrapping_sub(start));
        let mut loaded = journal.load_account_mut(address).map_err(database)?;
        loaded.data.set_balance(end);
    }
    if account.touched {
        journal.touch_account(address);
    }
    for slot in account.slots {
        let loaded = journal.sload(address, slot.key).map_err(database)?;
        if loaded.data != slot.start {
            return Err(Refused::Stale);
        }
        // To store what is there would touch an account whose frame reverted.
        if let Some(value) = slot.stored.filter(|value| *value != slot.start) {
            journal.sstore(address, slot.key, value).map_err(database)?;
        }
    }
    Ok(())
}

fn database<E>(error: E) -> Refused<EVMError<E>> {
    Refused::Error(EVMError::Database(error))
}
