//! Which accounts and slots a message tells, and what of them.

use std::collections::{BTreeMap, BTreeSet};

use gatewei_abi::message::code::flag;
use gatewei_abi::message::{Account, Slot, code as code_field};
use gatewei_abi::word_of_address;
use revm::primitives::{Address, U256};

use super::message::{OwnCode, code_word, to_word};
use super::predictor::Predicted;
use super::split::{CardDatabase, CodeId, InFlight, Known};

/// Accounts that are predicted at most.
const ACCOUNTS: usize = 128;

/// Fills a message's accounts.
pub(super) struct Teller<'a, DB: CardDatabase> {
    flight: &'a mut InFlight<DB>,
    predicted: &'a [Predicted],
    known: &'a mut Known,
    warm: BTreeMap<Address, BTreeSet<U256>>,
    /// Slots that may still be predicted.
    room: usize,
}

impl<'a, DB: CardDatabase> Teller<'a, DB> {
    /// A teller of what `flight` starts with, to a lane with `slots` entries in its slot table. What it tells is
    /// added to `known`.
    ///
    /// A slot that is predicted costs two beats of message and one of the entries, half of which are left to what
    /// was not foreseen.
    pub(super) fn new(
        flight: &'a mut InFlight<DB>,
        predicted: &'a [Predicted],
        known: &'a mut Known,
        slots: usize,
    ) -> Self {
        let warm = flight.warm();
        Self {
            flight,
            predicted,
            known,
            warm,
            room: slots / 2,
        }
    }

    /// The executing account, then those that are predicted, then those that are merely warm; and their codes.
    pub(super) fn accounts(mut self) -> (Vec<Account>, Vec<Option<OwnCode>>) {
        let target = self.flight.target();
        let predicted = self.predicted;
        let own = predicted.iter().find(|other| other.address == target);
        let own = Predicted {
            address: target,
            balance: true,
            slots: own.map_or_else(Vec::new, |own| own.slots.clone()),
        };
        let mut out = vec![self.account(&own)];
        let others = predicted.iter().filter(|other| other.address != target);
        for other in others.take(ACCOUNTS) {
            if !self.flight.is_precompile(&other.address) {
                out.push(self.account(other));
            }
        }
        let merely = |address| Predicted {
            address,
            balance: false,
            slots: Vec::new(),
        };
        while let Some((address, _)) = self.warm.first_key_value() {
            let (warm, address) = (true, *address);
            let mut account = Account {
                address: word_of_address(&address.into_array()),
                warm,
                ..Account::default()
            };
            self.slots(&merely(address), &mut account);
            out.push((account, None));
        }
        out.into_iter().unzip()
    }

    /// An account that is told in full, as far as that is to be had without a read.
    fn account(&mut self, predicted: &Predicted) -> (Account, Option<OwnCode>) {
        let address = predicted.address;
        let mut account = Account {
            address: word_of_address(&address.into_array()),
            warm: self.warm.contains_key(&address),
            ..Account::default()
        };
        let mut own = None;
        if let Some(info) = self.flight.peek_account(address) {
            // A code is no read: its hash names it.
            let code = self.flight.code_of(&info).ok();
            if let Some((mut word, code)) = code.and_then(|code| code_word(&info, &code)) {
                if self.flight.creates(address) {
                    word[code_field::FLAGS] |= flag::CREATED as u8;
                }
                self.known.codes.insert(address, CodeId::of(&info));
                (account.code, own) = (Some(word), code);
            }
            if predicted.balance {
                self.known.balances.insert(address, info.balance);
                account.balance = Some(to_word(info.balance));
            }
        }
        self.slots(predicted, &mut account);
        (account, own)
    }

    /// The slots of an account: those that are warm, then those that are predicted.
    fn slots(&mut self, predicted: &Predicted, account: &mut Account) {
        let address = predicted.address;
        let warm = self.warm.remove(&address).unwrap_or_default();
        // A contract to be begins with empty storage, whatever is below its address (EIP-7610).
        let info = self.flight.peek_account(address);
        let empty = info.is_some_and(|info| !CodeId::of(&info).alive);
        for &key in &warm {
            match self.slot(address, key, empty) {
                Some(slot) => account.slots_warm.push(slot),
                None => account.slots_named.push(to_word(key)),
            }
        }
        let new = predicted.slots.iter().filter(|key| !warm.contains(key));
        for &key in new.take(self.room) {
            if let Some(slot) = self.slot(address, key, empty) {
                account.slots_cold.push(slot);
            }
        }
        self.room -= account.slots_cold.len();
    }

    fn slot(&mut self, address: Address, key: U256, empty: bool) -> Option<Slot> {
        let value = match empty {
            true => U256::ZERO,
            false => self.flight.peek_storage(address, key)?,
        };
        self.known.slots.insert((address, key), value);
        Some(Slot {
            key: to_word(key),
            value: to_word(value),
        })
    }
}
