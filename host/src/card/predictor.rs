//! Which accounts and storage slots a call will probably use: those that the last call of the same function
//! used, with accounts and the keys of mappings taken from the new call where they came from the last.
//!
//! Solidity keeps `m[k]` of a mapping at slot `p` at keccak256(k ‖ p), and `m[a][b]` at
//! keccak256(b ‖ keccak256(a ‖ p)) ([layout of storage](https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html)).
//! Where such a key was the caller or a word of the calldata, the next call's slot is known from its own.

use std::hash::{DefaultHasher, Hash, Hasher};

use revm::primitives::{Address, B256, Bytes, HashMap, U256, keccak256};

use super::templates::{self, Templates};

/// Slots kept per function.
const SLOTS: usize = 128;
/// Accounts kept per function.
const ACCOUNTS: usize = 32;
/// Words of calldata that may be keys.
const ARGUMENTS: usize = 8;
/// Slots of mappings that are tried.
const POSITIONS: u64 = 16;
/// Slots behind a mapping's hash that belong to its value.
const STRUCT: u64 = 8;
/// Slots of one call for which an origin is looked for: each is compared with some 900 hashes.
const EXPLAINED: usize = 32;
/// Calls of a function in which nothing was found, after which its slots are not looked for any more: its
/// keys are none of the call's words.
const VAIN: u8 = 4;

/// A contract's function: the code's account and the calldata's first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Function {
    target: Address,
    selector: [u8; 4],
}

/// A call, as far as its slots may depend on it.
#[derive(Clone, Debug)]
pub struct Call {
    function: Function,
    /// Possible keys: the caller, then the arguments.
    words: Vec<U256>,
    /// The accounts that it names ([`templates::keys`]).
    keys: Vec<U256>,
}

impl Call {
    /// The call. Calldata that is shorter than a selector counts as padded with zeros.
    pub fn of(target: Address, caller: Address, calldata: &Bytes) -> Self {
        let mut selector = [0; 4];
        let bytes = calldata.len().min(selector.len());
        selector[..bytes].copy_from_slice(&calldata[..bytes]);
        let arguments = calldata.get(4..).unwrap_or_default().chunks_exact(32);
        let arguments = arguments.take(ARGUMENTS).map(U256::from_be_slice);
        Self {
            function: Function { target, selector },
            words: [caller.into_word().into()]
                .into_iter()
                .chain(arguments)
                .collect(),
            keys: templates::keys(caller, target, calldata),
        }
    }

    /// The account that it calls.
    pub(super) fn target(&self) -> Address {
        self.function.target
    }
}

impl Call {
    /// The accounts that the arguments name, in short.
    fn parties(&self) -> u64 {
        let least = U256::from(u64::MAX);
        let names = self.words[1..].iter();
        // Small numbers and those beyond an address are amounts and flags.
        let names = names.filter(|word| **word > least && word.bit_len() <= 160);
        let mut hasher = DefaultHasher::new();
        names.for_each(|word| word.hash(&mut hasher));
        hasher.finish()
    }
}

/// Where a slot lies, in terms of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Always here.
    Fixed(U256),
    /// In the value of a mapping: index of the key among the call's words, the mapping's slot, offset.
    Mapping(usize, U256, U256),
    /// In the value of a mapping of mappings: outer key, inner key, the mapping's slot, offset.
    Nested(usize, usize, U256, U256),
}

impl Place {
    /// The slot for a call; none where the call lacks a word.
    fn slot(self, call: &Call) -> Option<U256> {
        let word = |index: usize| call.words.get(index).copied();
        Some(match self {
            Self::Fixed(slot) => slot,
            Self::Mapping(key, position, offset) => {
                element(word(key)?, position).wrapping_add(offset)
            }
            Self::Nested(outer, inner, position, offset) => {
                element(word(inner)?, element(word(outer)?, position)).wrapping_add(offset)
            }
        })
    }
}

/// The slot of a mapping's element.
pub(super) fn element(key: U256, position: U256) -> U256 {
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(&key.to_be_bytes::<32>());
    preimage[32..].copy_from_slice(&position.to_be_bytes::<32>());
    keccak256(preimage).into()
}

/// The slots of a call that lie in mappings whose keys are the call's words, and where.
fn explain(call: &Call, slots: &[U256]) -> HashMap<U256, Place> {
    let mut found = HashMap::default();
    let mut bases = Vec::new();
    // The slots just behind a hash, with their offsets.
    let behind = |base: U256| {
        let offsets = slots
            .iter()
            .map(move |slot| (*slot, slot.wrapping_sub(base)));
        offsets.filter(|(_, offset)| *offset < U256::from(STRUCT))
    };
    for (key, word) in call.words.iter().enumerate() {
        for position in (0..POSITIONS).map(U256::from) {
            let base = element(*word, position);
            for (slot, offset) in behind(base) {
                let place = Place::Mapping(key, position, offset);
                found.entry(slot).or_insert(place);
            }
            bases.push((key, position, base));
        }
    }
    if slots.iter().all(|slot| found.contains_key(slot)) {
        return found;
    }
    for (outer, position, base) in bases {
        for (inner, word) in call.words.iter().enumerate() {
            for (slot, offset) in behind(element(*word, base)) {
                let place = Place::Nested(outer, inner, position, offset);
                found.entry(slot).or_insert(place);
            }
        }
    }
    found
}

/// An account that a call used, or will probably use, beside its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// Address.
    pub address: Address,
    /// Its balance, too.
    pub balance: bool,
    /// Its slots, each once.
    pub slots: Vec<U256>,
}

/// Which account it is, in terms of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Always this one.
    Fixed(Address),
    /// The one that a word of the call names.
    Word(usize),
}

impl Who {
    fn of(call: &Call, address: Address) -> Self {
        let word: U256 = address.into_word().into();
        let index = call.words.iter().position(|other| *other == word);
        match index {
            Some(index) if address != call.function.target => Self::Word(index),
            _ => Self::Fixed(address),
        }
    }

    /// The account for a call; none where the call lacks the word, or the word is no address.
    fn address(self, call: &Call) -> Option<Address> {
        match self {
            Self::Fixed(address) => Some(address),
            Self::Word(index) => {
                let word: B256 = (*call.words.get(index)?).into();
                let address = Address::from_word(word);
                (address.into_word() == word).then_some(address)
            }
        }
    }
}

/// An account that a function's last call used.
#[derive(Clone, Debug)]
struct Used {
    who: Who,
    balance: bool,
    places: Vec<Place>,
}

/// What is known of a function.
#[derive(Clone, Debug, Default)]
struct Habit {
    /// What its last call used.
    accounts: Vec<Used>,
    /// Calls whose slots were looked for in vain.
    vain: u8,
}

/// What the last calls used. Bounded in functions, accounts and slots.
#[derive(Debug)]
pub struct Predictor {
    functions: HashMap<Function, Habit>,
    /// By the accounts that the arguments name, too: what a router calls depends on them.
    special: HashMap<(Function, u64), Habit>,
    /// By contract, whatever was called.
    templates: Templates,
    limit: usize,
}

impl Predictor {
    /// A predictor that remembers up to `limit` functions.
    pub fn new(limit: usize) -> Self {
        Self {
            functions: HashMap::default(),
            special: HashMap::default(),
            templates: Templates::new(limit),
            limit,
        }
    }

    /// Accounts that the call will probably use, those that the last call used first in front; each once.
    ///
    /// The last call with the same accounts as arguments tells best. Else the last one of the same function does, and
    /// what is known of the contracts that the call names.
    pub fn predict(&self, call: &Call) -> Vec<Predicted> {
        if let Some(habit) = self.special.get(&(call.function, call.parties())) {
            return habit.accounts(call);
        }
        let habit = self.functions.get(&call.function);
        let mut out = habit.map_or_else(Vec::new, |habit| habit.accounts(call));
        self.widen(call, &call.keys, habit.is_none(), &mut out);
        out
    }

    /// As [`Predictor::predict`], with all that may be: for one who knows what not. `others` are accounts that it uses,
    /// too.
    pub(super) fn predict_all(&self, call: &Call, others: &[Predicted]) -> Vec<Predicted> {
        let habits = [
            self.special.get(&(call.function, call.parties())),
            self.functions.get(&call.function),
        ];
        let mut out: Vec<Predicted> = Vec::new();
        for account in habits
            .into_iter()
            .flatten()
            .flat_map(|habit| habit.accounts(call))
        {
            let known = place(&mut out, account.address);
            known.balance |= account.balance;
            known.slots.extend(account.slots);
        }
        let mut keys = call.keys.clone();
        let target = call.target();
        let certain = others.iter().map(|other| other.address);
        for address in certain.chain([target]) {
            for companion in self.templates.companions(&address) {
                place(&mut out, companion);
            }
        }
        for other in others {
            place(&mut out, other.address);
            let key = other.address.into_word().into();
            if !keys.contains(&key) && keys.len() < templates::KEYS {
                keys.push(key);
            }
        }
        self.widen(call, &keys, true, &mut out);
        out
    }

    /// Adds what contracts are known to use: the target, those that the call names, and, with `all`, those that are there
    /// already.
    fn widen(&self, call: &Call, keys: &[U256], all: bool, out: &mut Vec<Predicted>) {
        for key in &call.keys[1..] {
            let address = Address::from_word((*key).into());
            if self.templates.knows(&address) && !out.iter().any(|it| it.address == address) {
                let slots = self.templates.predict(&address, keys);
                place(out, address).slots = slots;
            }
        }
        for account in out.iter_mut().filter(|_| all) {
            for slot in self.templates.predict(&account.address, keys) {
                if !account.slots.contains(&slot) {
                    account.slots.push(slot);
                }
            }
        }
    }

    /// The call used these accounts.
    pub fn learn(&mut self, call: &Call, used: &[Predicted]) {
        let used = &used[..used.len().min(ACCOUNTS)];
        self.templates.learn(&call.keys, used);
        let old = self.functions.remove(&call.function).unwrap_or_default();
        let habit = old.learn(call, used);
        // What is hot comes back soon: forgetting all is the cheapest bound that is fair.
        // One account's slots depend on its function alone.
        if used.len() > 2 {
            if self.special.len() >= self.limit {
                self.special.clear();
            }
            let key = (call.function, call.parties());
            self.special.insert(key, habit.clone());
        }
        if self.functions.len() >= self.limit {
            self.functions.clear();
        }
        self.functions.insert(call.function, habit);
    }
}

/// The entry of an account, made where there is none.
fn place(out: &mut Vec<Predicted>, address: Address) -> &mut Predicted {
    let at = out.iter().position(|other| other.address == address);
    let at = at.unwrap_or_else(|| {
        out.push(Predicted {
            address,
            balance: false,
            slots: Vec::new(),
        });
        out.len() - 1
    });
    &mut out[at]
}

impl Habit {
    /// Accounts that a call will probably use, each once.
    fn accounts(&self, call: &Call) -> Vec<Predicted> {
        let mut out: Vec<Predicted> = Vec::new();
        for used in &self.accounts {
            let Some(address) = used.who.address(call) else {
                continue;
            };
            let account = place(&mut out, address);
            account.balance |= used.balance;
            for slot in used.places.iter().filter_map(|place| place.slot(call)) {
                if !account.slots.contains(&slot) {
                    account.slots.push(slot);
                }
            }
        }
        out
    }

    /// What is known after one more call.
    fn learn(self, call: &Call, used: &[Predicted]) -> Self {
        // Places that have just been right stay; the others are looked for anew. A key's origin is the same
        // whatever account it is a key of.
        let mut known: HashMap<U256, Place> = HashMap::default();
        let mut vain = self.vain;
        for place in self.accounts.into_iter().flat_map(|used| used.places) {
            if let Some(slot) = place.slot(call) {
                known.entry(slot).or_insert(place);
            }
        }
        let mut room = SLOTS;
        let slots: Vec<Vec<U256>> = used
            .iter()
            .map(|account| {
                let mut slots = account.slots.clone();
                slots.truncate(room);
                room -= slots.len();
                slots
            })
            .collect();
        // Low slots are variables, not elements.
        let strange = |slot: &&U256| !known.contains_key(*slot) && **slot > U256::from(u64::MAX);
        let strange: Vec<U256> = slots.iter().flatten().filter(strange).copied().collect();
        if !strange.is_empty() && vain < VAIN {
            let found = explain(call, &strange[..strange.len().min(EXPLAINED)]);
            vain += u8::from(found.is_empty());
            known.extend(found);
        }
        let place = |slot: &U256| known.get(slot).copied().unwrap_or(Place::Fixed(*slot));
        let accounts = used.iter().zip(&slots).map(|(account, slots)| Used {
            who: Who::of(call, account.address),
            balance: account.balance,
            places: slots.iter().map(place).collect(),
        });
        let accounts = accounts.collect();
        Self { accounts, vain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(target: u8, caller: u8, selector: u8, arguments: &[u64]) -> Call {
        let mut calldata = vec![1, 2, 3, selector];
        for argument in arguments {
            calldata.extend(U256::from(*argument).to_be_bytes::<32>());
        }
        let caller = Address::with_last_byte(caller);
        Call::of(Address::with_last_byte(target), caller, &calldata.into())
    }

    fn numbers(slots: &[u64]) -> Vec<U256> {
        slots.iter().copied().map(U256::from).collect()
    }

    fn learn(predictor: &mut Predictor, call: &Call, slots: Vec<U256>) {
        let account = Predicted {
            address: call.function.target,
            balance: false,
            slots,
        };
        predictor.learn(call, &[account]);
    }

    fn predict(predictor: &Predictor, call: &Call) -> Vec<U256> {
        let accounts = predictor.predict(call).into_iter();
        accounts.flat_map(|account| account.slots).collect()
    }

    #[test]
    fn the_last_call_of_the_same_function_counts() {
        let mut predictor = Predictor::new(2);
        learn(&mut predictor, &call(1, 9, 4, &[]), numbers(&[1, 2]));
        learn(&mut predictor, &call(1, 9, 4, &[]), numbers(&[3]));
        assert_eq!(predict(&predictor, &call(1, 8, 4, &[7])), numbers(&[3]));
        assert!(predict(&predictor, &call(2, 9, 4, &[])).is_empty());
        // Another function of the contract may use all of its variables.
        let other = predict(&predictor, &call(1, 9, 5, &[]));
        assert_eq!(other, numbers(&[1, 2, 3]));
        learn(&mut predictor, &call(1, 9, 4, &[]), vec![]);
        assert!(predict(&predictor, &call(1, 9, 4, &[])).is_empty());
    }

    #[test]
    fn keys_of_mappings_come_from_the_new_call() {
        let mut predictor = Predictor::new(2);
        // transferFrom(from, to, amount): balances at 0, allowances at 1, and a struct of a mapping at 5.
        let slots = |caller: u64, from: u64, to: u64| {
            let at = |key: u64, position: U256| element(U256::from(key), position);
            let plain = |n: u64| U256::from(n);
            vec![
                plain(7),
                at(from, plain(0)),
                at(to, plain(0)),
                at(caller, at(from, plain(1))),
                at(to, plain(5)) + plain(3),
                // A hash of something that the call does not name.
                at(123_456, plain(0)),
            ]
        };
        let first = call(1, 50, 4, &[51, 52, 1_000]);
        learn(&mut predictor, &first, slots(50, 51, 52));
        let second = call(1, 60, 4, &[61, 62, 2_000]);
        assert_eq!(predict(&predictor, &second), slots(60, 61, 62));
        // It stays so when calls agree with it.
        learn(&mut predictor, &second, slots(60, 61, 62));
        let third = call(1, 70, 4, &[71, 72, 1]);
        assert_eq!(predict(&predictor, &third), slots(70, 71, 72));
        // Two keys that are the same are one slot.
        let own = call(1, 70, 4, &[71, 71, 1]);
        assert_eq!(predict(&predictor, &own).len(), 5);
        // A call without its arguments has none of their slots.
        let short = call(1, 70, 4, &[]);
        assert_eq!(predict(&predictor, &short).len(), 2);
    }

    #[test]
    fn what_is_never_found_is_not_looked_for_for_ever() {
        let mut predictor = Predictor::new(2);
        let at = |key: u64| element(U256::from(key), U256::ZERO);
        for n in 0..20 {
            learn(&mut predictor, &call(1, 9, 4, &[5]), vec![at(1_000 + n)]);
        }
        // Now it would be found, were it looked for.
        learn(&mut predictor, &call(1, 9, 4, &[5]), vec![at(5)]);
        assert_eq!(predict(&predictor, &call(1, 9, 4, &[6])), [at(5)]);
    }

    #[test]
    fn it_is_bounded() {
        let mut predictor = Predictor::new(2);
        for n in 0..100 {
            learn(
                &mut predictor,
                &call(n, 1, 4, &[]),
                (0..1_000).map(U256::from).collect(),
            );
            assert!(predictor.functions.len() <= 2);
        }
        assert_eq!(predict(&predictor, &call(99, 1, 4, &[])).len(), SLOTS);
    }

    #[test]
    fn accounts_come_from_the_new_call() {
        let mut predictor = Predictor::new(2);
        let account = |address: u8, balance: bool, slots: &[u64]| Predicted {
            address: Address::with_last_byte(address),
            balance,
            slots: numbers(slots),
        };
        // The contract itself, one that it always calls, its caller, and one that an argument names.
        let used = |caller, named| {
            vec![
                account(1, false, &[1]),
                account(200, false, &[7, 8]),
                account(caller, true, &[]),
                account(named, false, &[3]),
            ]
        };
        predictor.learn(&call(1, 50, 4, &[51]), &used(50, 51));
        let predicted = predictor.predict(&call(1, 60, 4, &[61]));
        assert_eq!(predicted, used(60, 61));
        // Two that are the same are one account; a word that is no address is none.
        let same = predictor.predict(&call(1, 60, 4, &[60]));
        assert_eq!(same[2], account(60, true, &[3]));
        let mut strange = call(1, 60, 4, &[61]);
        strange.words[1] = U256::MAX;
        assert_eq!(predictor.predict(&strange), used(60, 61)[..3]);
    }
}
