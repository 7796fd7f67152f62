//! Which storage slots a call will probably use: those that the last call of the same function used,
//! with the keys of mappings taken from the new call.
//!
//! Solidity keeps `m[k]` of a mapping at slot `p` at keccak256(k ‖ p), and `m[a][b]` at
//! keccak256(b ‖ keccak256(a ‖ p)) ([layout of storage](https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html)).
//! Where such a key was the caller or a word of the calldata, the next call's slot is known from its own.

use revm::primitives::{Address, Bytes, HashMap, U256, keccak256};

/// Slots kept per function.
const SLOTS: usize = 128;
/// Words of calldata that may be keys.
const ARGUMENTS: usize = 6;
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
        }
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
fn element(key: U256, position: U256) -> U256 {
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

/// What is known of a function.
#[derive(Debug, Default)]
struct Habit {
    /// What its last call used.
    places: Vec<Place>,
    /// Calls whose slots were looked for in vain.
    vain: u8,
}

/// What the last calls used. Bounded in functions and in slots.
#[derive(Debug)]
pub struct Predictor {
    functions: HashMap<Function, Habit>,
    limit: usize,
}

impl Predictor {
    /// A predictor that remembers up to `limit` functions.
    pub fn new(limit: usize) -> Self {
        Self {
            functions: HashMap::default(),
            limit,
        }
    }

    /// Slots that the call will probably use, those that the last call used first in front; each once.
    pub fn predict(&self, call: &Call) -> Vec<U256> {
        let habit = self.functions.get(&call.function);
        let places = habit.map_or(&[][..], |habit| &habit.places);
        let mut slots = Vec::new();
        for slot in places.iter().filter_map(|place| place.slot(call)) {
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        slots
    }

    /// The call used these slots.
    pub fn learn(&mut self, call: &Call, used: impl Iterator<Item = U256>) {
        let used: Vec<U256> = used.take(SLOTS).collect();
        if used.is_empty() {
            self.functions.remove(&call.function);
            return;
        }
        // Places that have just been right stay; the others are looked for anew.
        let old = self.functions.remove(&call.function).unwrap_or_default();
        let mut known: HashMap<U256, Place> = HashMap::default();
        let mut vain = old.vain;
        for place in old.places {
            if let Some(slot) = place.slot(call) {
                known.entry(slot).or_insert(place);
            }
        }
        // Low slots are variables, not elements.
        let strange = |slot: &&U256| !known.contains_key(*slot) && **slot > U256::from(u64::MAX);
        let strange: Vec<U256> = used.iter().filter(strange).copied().collect();
        if !strange.is_empty() && vain < VAIN {
            let found = explain(call, &strange[..strange.len().min(EXPLAINED)]);
            vain += u8::from(found.is_empty());
            known.extend(found);
        }
        let place = |slot: &U256| known.get(slot).copied().unwrap_or(Place::Fixed(*slot));
        let places = used.iter().map(place).collect();
        if self.functions.len() >= self.limit {
            // What is hot comes back soon: forgetting all is the cheapest bound that is fair.
            self.functions.clear();
        }
        self.functions.insert(call.function, Habit { places, vain });
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

    #[test]
    fn the_last_call_of_the_same_function_counts() {
        let mut predictor = Predictor::new(2);
        predictor.learn(&call(1, 9, 4, &[]), numbers(&[1, 2]).into_iter());
        predictor.learn(&call(1, 9, 4, &[]), numbers(&[3]).into_iter());
        assert_eq!(predictor.predict(&call(1, 8, 4, &[7])), numbers(&[3]));
        assert!(predictor.predict(&call(2, 9, 4, &[])).is_empty());
        assert!(predictor.predict(&call(1, 9, 5, &[])).is_empty());
        predictor.learn(&call(1, 9, 4, &[]), [].into_iter());
        assert!(predictor.predict(&call(1, 9, 4, &[])).is_empty());
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
        predictor.learn(&first, slots(50, 51, 52).into_iter());
        let second = call(1, 60, 4, &[61, 62, 2_000]);
        assert_eq!(predictor.predict(&second), slots(60, 61, 62));
        // It stays so when calls agree with it.
        predictor.learn(&second, slots(60, 61, 62).into_iter());
        let third = call(1, 70, 4, &[71, 72, 1]);
        assert_eq!(predictor.predict(&third), slots(70, 71, 72));
        // Two keys that are the same are one slot.
        let own = call(1, 70, 4, &[71, 71, 1]);
        assert_eq!(predictor.predict(&own).len(), 5);
        // A call without its arguments has none of their slots.
        let short = call(1, 70, 4, &[]);
        assert_eq!(predictor.predict(&short).len(), 2);
    }

    #[test]
    fn what_is_never_found_is_not_looked_for_for_ever() {
        let mut predictor = Predictor::new(2);
        let at = |key: u64| element(U256::from(key), U256::ZERO);
        for n in 0..20 {
            predictor.learn(&call(1, 9, 4, &[5]), [at(1_000 + n)].into_iter());
        }
        // Now it would be found, were it looked for.
        predictor.learn(&call(1, 9, 4, &[5]), [at(5)].into_iter());
        assert_eq!(predictor.predict(&call(1, 9, 4, &[6])), [at(5)]);
    }

    #[test]
    fn it_is_bounded() {
        let mut predictor = Predictor::new(2);
        for n in 0..100 {
            predictor.learn(&call(n, 1, 4, &[]), (0..1_000).map(U256::from));
            assert!(predictor.functions.len() <= 2);
        }
        assert_eq!(predictor.predict(&call(99, 1, 4, &[])).len(), SLOTS);
    }
}
