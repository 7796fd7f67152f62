//! Multi-version memory against one as simple as can be.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use proptest::{collection::vec, prelude::*};

use super::{
    mv_memory::{MvMemory, SlotView},
    write_set::{AccountWrite, BalanceWrite, Final, Locations, Writes},
};

const READERS: usize = 8;

/// What a version does to the one account and the one slot of the test.
#[derive(Clone, Copy, Debug)]
struct Write {
    balance: BalanceWrite,
    nonce: Option<u64>,
    deleted: bool,
    slot: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(Write),
    Estimate,
    /// The balance that an addition came to.
    Settle(u8),
}

fn wei(value: u8) -> U256 {
    U256::from(value)
}

fn write() -> impl Strategy<Value = Write> {
    let balance = prop_oneof![
        Just(BalanceWrite::Keep),
        any::<u8>().prop_map(|by| BalanceWrite::Add(wei(by))),
        any::<u8>().prop_map(|to| BalanceWrite::Set(wei(to))),
    ];
    let nonce = proptest::option::of(0..9u64);
    let deleted = proptest::bool::weighted(0.1);
    let slot = proptest::option::of(any::<u8>());
    (balance, nonce, deleted, slot).prop_map(|(balance, nonce, deleted, slot)| Write {
        balance,
        nonce,
        deleted,
        slot: slot.filter(|_| !deleted),
    })
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        3 => write().prop_map(Step::Publish),
        1 => Just(Step::Estimate),
        1 => any::<u8>().prop_map(Step::Settle),
    ];
    vec((0..READERS, step), 0..30)
}

fn key() -> (Address, U256) {
    (Address::repeat_byte(1), U256::from(7))
}

fn writes(write: &Write) -> Writes {
    let account = if write.deleted {
        AccountWrite::full(None, true)
    } else {
        AccountWrite {
            deleted: false,
            claimed: false,
            code: None,
            nonce: write.nonce,
            balance: write.balance,
            wiped: false,
        }
    };
    Writes {
        accounts: vec![(key().0, account)],
        slots: write
            .slot
            .map(|value| (key(), wei(value)))
            .into_iter()
            .collect(),
    }
}

/// The same memory, as simple as can be.
#[derive(Default)]
struct Model(BTreeMap<usize, (Write, bool)>);

impl Model {
    fn below(&self, reader: usize) -> impl Iterator<Item = (usize, &Write, bool)> {
        let below = self.0.range(..reader).rev();
        below.map(|(version, (write, estimate))| (*version, write, *estimate))
    }

    /// Balance on top of a base of 1000 wei.
    fn balance(&self, reader: usize) -> U256 {
        let mut credit = U256::ZERO;
        for (_, write, _) in self.below(reader) {
            match write.balance {
                _ if write.deleted => return credit,
                BalanceWrite::Keep => {}
                BalanceWrite::Add(by) => credit += by,
                BalanceWrite::Set(to) => return to + credit,
            }
        }
        U256::from(1000) + credit
    }

    fn slot(&self, reader: usize) -> SlotView {
        let found = self
            .below(reader)
            .find(|(_, write, _)| write.deleted || write.slot.is_some());
        match found {
            None => SlotView::Base,
            Some((version, _, true)) => SlotView::Estimate(version),
            Some((_, write, _)) => SlotView::Value(wei(write.slot.unwrap_or(0))),
        }
    }
}

proptest! {
    #[test]
    fn readers_see_the_highest_writes_below_them(steps in steps()) {
        let memory = MvMemory::new();
        let mut model = Model::default();
        let mut places: BTreeMap<usize, Locations> = BTreeMap::new();
        for (version, step) in steps {
            match step {
                Step::Publish(write) => {
                    let previous = places.remove(&version).unwrap_or_default();
                    places.insert(version, memory.publish(version, &writes(&write), &previous));
                    model.0.insert(version, (write, false));
                }
                Step::Estimate => {
                    if let (Some(places), Some((_, estimate))) =
                        (places.get(&version), model.0.get_mut(&version))
                    {
                        memory.estimate(version, places);
                        *estimate = true;
                    }
                }
                Step::Settle(balance) => {
                    // What is deleted has nothing added to it.
                    if model.0.get(&version).is_some_and(|(write, _)| write.deleted) {
                        continue;
                    }
                    let (address, balance) = (key().0, wei(balance));
                    memory.settle(Final::Balance { version, address, balance });
                    memory.catch_up();
                    if let Some((write, _)) = model.0.get_mut(&version) {
                        write.balance = BalanceWrite::Set(balance);
                    }
                }
            }
        }
        for reader in 0..=READERS {
            let view = memory.account(&key().0, reader);
            prop_assert_eq!(view.is_some(), model.below(reader).next().is_some());
            let estimate = model.below(reader).find(|(.., estimate)| *estimate);
            if let Some(view) = view.filter(|_| estimate.is_none()) {
                let balance = view.balance.unwrap_or(U256::from(1000)) + view.credit;
                prop_assert_eq!(balance, model.balance(reader));
            }
            prop_assert_eq!(memory.slot(key().0, key().1, reader), model.slot(reader));
        }
    }
}
