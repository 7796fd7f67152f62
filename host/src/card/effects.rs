//! From a lane's result to the effects of the frames.

use gatewei_abi::Word;
use gatewei_abi::message::code::flag;
use gatewei_abi::result::{field, kind, slot};
use gatewei_driver::result::{FrameResult, LogRecord, SlotRecord};
use revm::primitives::{Address, HashSet, Log, LogData, U256};

use super::create::{self, Deployed};
use super::message::{from_word, instruction_result, to_address};
use super::split::{AccountEffect, Effects, Known, SlotEffect};

/// A result that claims reads of values that nobody told the lane, or lacks what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRead;

/// What a lane's result means for the transaction. `known` is all that the lane was told.
pub fn effects(
    result: FrameResult,
    known: &Known,
    deployed: &Deployed,
) -> Result<Effects, UnknownRead> {
    Ok(Effects {
        result: instruction_result(result.status),
        accounts: accounts(&result.slots, known, deployed)?,
        output: result.output.into(),
        gas_left: result.gas_left,
        refund: result.refund,
        logs: result.logs.into_iter().map(log).collect(),
        ops: result.cost.retired.into(),
    })
}

/// The accounts that were used, with what became of them.
fn accounts(
    records: &[SlotRecord],
    known: &Known,
    deployed: &Deployed,
) -> Result<Vec<AccountEffect>, UnknownRead> {
    let mut out = Vec::new();
    // Where each account's effect is, by the index of its record.
    let mut places = vec![None; records.len()];
    let mut seen: HashSet<(u32, Address, Word)> = HashSet::default();
    for (index, (place, record)) in places.iter_mut().zip(records).enumerate() {
        // The executing account, the first one, is in use whether or not an opcode names it.
        let used = index == 0 || record.is(slot::USED);
        if record.kind() == kind::ACCOUNT && used {
            let address = to_address(&record.key);
            let flags = create::flags(&record.value);
            // What the lane only asks for has neither flag.
            let created = flags & flag::CREATED != 0;
            if !seen.insert((kind::ACCOUNT, address, record.key)) {
                return Err(UnknownRead);
            }
            *place = Some(out.len());
            out.push(AccountEffect {
                address,
                code: known.codes.get(&address).copied(),
                touched: record.is(slot::WRITTEN),
                created: created.then(|| {
                    let code = deployed.get(&record.value);
                    code.map(|(code, hash)| (code.clone(), hash))
                }),
                destroyed: flags & flag::DESTROYED != 0,
                ..AccountEffect::default()
            });
        }
    }
    if !is_whole(records, known) {
        return Err(UnknownRead);
    }
    let states = [kind::STORAGE, kind::FIELD];
    let belong = |record: &&SlotRecord| {
        states.contains(&record.kind()) && record.flags & (slot::USED | slot::WRITTEN) != 0
    };
    for record in records.iter().filter(belong) {
        let place = places.get(record.account as usize).copied().flatten();
        let account = place.and_then(|place| out.get_mut(place));
        // What belongs to an account was not used without it.
        let account = account.ok_or(UnknownRead)?;
        if !seen.insert((record.kind(), account.address, record.key)) {
            return Err(UnknownRead);
        }
        if record.kind() == kind::FIELD {
            note_field(account, record, known)?;
        } else {
            account.slots.push(stored(account.address, record, known)?);
        }
    }
    Ok(out)
}

/// Whether all that the lane was told is there. What a lane is told it keeps to the message's end, also
/// where nothing used it: a record that is missing has been lost on its way.
fn is_whole(records: &[SlotRecord], known: &Known) -> bool {
    let (mut slots, mut balances, mut nonces) = (0, 0, 0);
    for record in records {
        let Some(owner) = records.get(record.account as usize) else {
            continue;
        };
        let (address, key) = (to_address(&owner.key), from_word(&record.key));
        match record.kind() {
            kind::STORAGE => slots += usize::from(known.slots.contains_key(&(address, key))),
            kind::FIELD if key == U256::from(field::BALANCE) => {
                balances += usize::from(known.balances.contains_key(&address));
            }
            kind::FIELD if key == U256::from(field::NONCE) => {
                nonces += usize::from(known.nonces.contains_key(&address));
            }
            _ => {}
        }
    }
    slots >= known.slots.len() && balances >= known.balances.len() && nonces >= known.nonces.len()
}

fn stored(address: Address, record: &SlotRecord, known: &Known) -> Result<SlotEffect, UnknownRead> {
    let (key, value) = (from_word(&record.key), from_word(&record.value));
    let start = *known.slots.get(&(address, key)).ok_or(UnknownRead)?;
    let stored = changed(record, start, value)?;
    Ok(SlotEffect { key, start, stored })
}

fn note_field(
    account: &mut AccountEffect,
    record: &SlotRecord,
    known: &Known,
) -> Result<(), UnknownRead> {
    let (key, value) = (from_word(&record.key), from_word(&record.value));
    if key == U256::from(field::BALANCE) {
        let start = *known.balances.get(&account.address).ok_or(UnknownRead)?;
        account.balance_used = record.is(slot::USED).then_some(start);
        account.balance = changed(record, start, value)?.map(|end| (start, end));
        Ok(())
    } else if key == U256::from(field::NONCE) {
        let start = *known.nonces.get(&account.address).ok_or(UnknownRead)?;
        let end = changed(record, U256::from(start), value)?;
        let end = end.map_or(Ok(start), u64::try_from);
        account.nonce = Some((start, end.map_err(|_| UnknownRead)?));
        Ok(())
    } else if key == U256::from(field::CODE_HASH) {
        // Whether it still holds, the account's code tells.
        let told = account.code.ok_or(UnknownRead)?;
        changed(record, told.hash.into(), value).map(|_| ())
    } else {
        Err(UnknownRead)
    }
}

/// The final value of what was written. What was only read still has the value that it was read with.
fn changed(record: &SlotRecord, start: U256, value: U256) -> Result<Option<U256>, UnknownRead> {
    match record.is(slot::WRITTEN) {
        true => Ok(Some(value)),
        false if value == start => Ok(None),
        false => Err(UnknownRead),
    }
}

fn log(log: LogRecord) -> Log {
    // A topic is big-endian in a log, a card's word little-endian.
    let topics = log.topics.iter().map(|topic| from_word(topic).into());
    Log {
        address: to_address(&log.address),
        data: LogData::new_unchecked(topics.collect(), log.data.into()),
    }
}
