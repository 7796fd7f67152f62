//! What a contract's storage looks like, whoever calls it: which variables its calls use, and in which of its mappings
//! they look for an account that the transaction names.
//!
//! So a function that was never seen is not quite unknown, nor is a contract that another one calls: a token's balances
//! lie in one mapping whether `transfer`, `transferFrom` or a router moves them.

use revm::primitives::{Address, Bytes, HashMap, HashSet, U256};

use super::predictor::{Predicted, element};

/// Shapes kept per contract.
const SHAPES: usize = 48;
/// Accounts of one transaction that may be keys.
pub(super) const KEYS: usize = 12;
/// Keys that are tried in pairs: each costs a hash for every pair and mapping.
const PAIRED: usize = 6;
/// Slots of mappings that are tried, and those that are tried with pairs of keys.
const POSITIONS: u64 = 16;
const NESTED_POSITIONS: u64 = 8;
/// Slots behind a mapping's hash that belong to its value.
const STRUCT: u64 = 8;
/// A variable is sent when it was used in one of so many calls.
const OFTEN: u32 = 4;
/// Contracts that are remembered as used together with one.
const COMPANIONS: usize = 24;
/// Transactions of a contract in which no new shape was found, after which none is looked for.
const VAIN: u8 = 6;

/// Where a slot lies, in terms of the accounts that a transaction names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    /// A variable.
    Fixed(U256),
    /// In the value of a mapping: its slot, offset.
    Mapping(U256, U256),
    /// In the value of a mapping of mappings: its slot, offset.
    Nested(U256, U256),
}

#[derive(Debug, Default)]
struct Contract {
    /// Transactions that used its storage.
    used: u32,
    shapes: Vec<(Shape, u32)>,
    vain: u8,
    /// Contracts that were used with it.
    companions: Vec<(Address, u32)>,
}

/// Shapes of contracts' storage. Bounded in contracts and shapes.
#[derive(Debug)]
pub(super) struct Templates {
    contracts: HashMap<Address, Contract>,
    limit: usize,
}

/// The accounts that a call names: its caller, its target, and every word of the calldata that looks like an address.
pub(super) fn keys(caller: Address, target: Address, calldata: &Bytes) -> Vec<U256> {
    let word = |address: Address| -> U256 { address.into_word().into() };
    let mut keys = vec![word(caller), word(target)];
    // The arguments, and then those of calls within, which lie four bytes on.
    let starts = (4..calldata.len())
        .step_by(32)
        .chain((8..calldata.len()).step_by(32));
    for at in starts {
        let Some(bytes) = calldata.get(at..at + 32) else {
            continue;
        };
        if keys.len() >= KEYS {
            break;
        }
        // Twelve zeros, and then no small number.
        let key = U256::from_be_slice(bytes);
        if bytes[..12] == [0; 12] && bytes[12..20] != [0; 8] && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

impl Templates {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            contracts: HashMap::default(),
            limit,
        }
    }

    /// Whether anything is known of a contract.
    pub(super) fn knows(&self, address: &Address) -> bool {
        self.contracts.contains_key(address)
    }

    /// Contracts that a transaction probably uses that uses this one.
    pub(super) fn companions(&self, address: &Address) -> impl Iterator<Item = Address> {
        let contract = self.contracts.get(address);
        let all = contract.into_iter().flat_map(|contract| {
            let used = contract.used;
            let often = contract.companions.iter();
            often.filter(move |(_, count)| count * 2 >= used)
        });
        all.map(|(address, _)| *address)
    }

    /// Slots of a contract that a transaction will probably use that names these accounts.
    pub(super) fn predict(&self, address: &Address, keys: &[U256]) -> Vec<U256> {
        let Some(contract) = self.contracts.get(address) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let mut seen: HashSet<U256> = HashSet::default();
        for (shape, count) in &contract.shapes {
            if count * OFTEN < contract.used {
                continue;
            }
            match *shape {
                Shape::Fixed(slot) => out.push(slot),
                Shape::Mapping(position, offset) => {
                    out.extend(
                        keys.iter()
                            .map(|key| element(*key, position).wrapping_add(offset)),
                    );
                }
                Shape::Nested(position, offset) => {
                    let few = &keys[..keys.len().min(PAIRED)];
                    for outer in few {
                        let base = element(*outer, position);
                        let inner = few.iter().filter(|inner| *inner != outer);
                        out.extend(inner.map(|key| element(*key, base).wrapping_add(offset)));
                    }
                }
            }
        }
        // Two shapes may mean one slot, and so may two keys that are equal.
        out.retain(|slot| seen.insert(*slot));
        out
    }

    /// A transaction that names these accounts used these.
    pub(super) fn learn(&mut self, keys: &[U256], used: &[Predicted]) {
        for account in used.iter().filter(|account| !account.slots.is_empty()) {
            if self.contracts.len() >= self.limit && !self.contracts.contains_key(&account.address)
            {
                // What is hot comes back soon: forgetting all is the cheapest bound that is fair.
                self.contracts.clear();
            }
            let contract = self.contracts.entry(account.address).or_default();
            contract.learn(keys, &account.slots);
            let others = used.iter().filter(|other| !other.slots.is_empty());
            for other in others.filter(|other| other.address != account.address) {
                let known = &mut contract.companions;
                if let Some((_, count)) = known.iter_mut().find(|(it, _)| *it == other.address) {
                    *count += 1;
                } else if known.len() < COMPANIONS {
                    known.push((other.address, 1));
                }
            }
        }
    }
}

impl Contract {
    fn learn(&mut self, keys: &[U256], slots: &[U256]) {
        self.used += 1;
        let mut seen: Vec<Shape> = Vec::new();
        let mut rest: Vec<U256> = Vec::new();
        for slot in slots {
            if *slot <= U256::from(u64::MAX) {
                seen.push(Shape::Fixed(*slot));
            } else {
                rest.push(*slot);
            }
        }
        // Known shapes first: they are few.
        for (shape, _) in &self.shapes {
            if rest.is_empty() {
                break;
            }
            let before = rest.len();
            match *shape {
                Shape::Fixed(slot) => rest.retain(|other| *other != slot),
                Shape::Mapping(position, offset) => {
                    for key in keys {
                        let found = element(*key, position).wrapping_add(offset);
                        rest.retain(|slot| *slot != found);
                    }
                }
                Shape::Nested(position, offset) => {
                    let few = &keys[..keys.len().min(PAIRED)];
                    for outer in few {
                        let base = element(*outer, position);
                        for inner in few {
                            let found = element(*inner, base).wrapping_add(offset);
                            rest.retain(|slot| *slot != found);
                        }
                    }
                }
            }
            if rest.len() < before {
                seen.push(*shape);
            }
        }
        if !rest.is_empty() && self.vain < VAIN {
            let found = explain(keys, &mut rest);
            self.vain += u8::from(found.is_empty());
            seen.extend(found);
        }
        // What has no origin may be a constant: a proxy's, a namespace's.
        seen.extend(rest.into_iter().map(Shape::Fixed));
        for shape in seen {
            let known = self.shapes.iter().position(|(known, _)| *known == shape);
            match known {
                Some(at) => self.shapes[at].1 += 1,
                None if self.shapes.len() < SHAPES => self.shapes.push((shape, 1)),
                None => {
                    // The rarest makes room.
                    let rarest = self.shapes.iter_mut().min_by_key(|(_, count)| *count);
                    if let Some(rarest) = rarest {
                        *rarest = (shape, 1);
                    }
                }
            }
        }
    }
}

/// Shapes of slots; those that have one are taken out.
fn explain(keys: &[U256], slots: &mut Vec<U256>) -> Vec<Shape> {
    let mut found = Vec::new();
    let mut take = |base: U256, slots: &mut Vec<U256>, shape: &dyn Fn(U256) -> Shape| {
        slots.retain(|slot| {
            let offset = slot.wrapping_sub(base);
            let hit = offset < U256::from(STRUCT);
            if hit && !found.contains(&shape(offset)) {
                found.push(shape(offset));
            }
            !hit
        });
    };
    for key in keys {
        for position in (0..POSITIONS).map(U256::from) {
            let shape = |offset| Shape::Mapping(position, offset);
            take(element(*key, position), slots, &shape);
        }
    }
    let few = &keys[..keys.len().min(PAIRED)];
    for outer in few {
        for position in (0..NESTED_POSITIONS).map(U256::from) {
            if slots.is_empty() {
                return found;
            }
            let base = element(*outer, position);
            for inner in few {
                let shape = |offset| Shape::Nested(position, offset);
                take(element(*inner, base), slots, &shape);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Address = Address::with_last_byte(77);

    fn address(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    fn word(n: u8) -> U256 {
        address(n).into_word().into()
    }

    fn used(slots: Vec<U256>) -> Predicted {
        Predicted {
            address: TOKEN,
            balance: false,
            slots,
        }
    }

    #[test]
    fn accounts_are_found_in_calldata_and_in_calls_within() {
        let mut calldata = vec![1, 2, 3, 4];
        calldata.extend(word(9).to_be_bytes::<32>());
        calldata.extend(U256::from(1_000).to_be_bytes::<32>());
        calldata.extend([5, 6, 7, 8]);
        calldata.extend(word(10).to_be_bytes::<32>());
        calldata.extend(word(9).to_be_bytes::<32>());
        let found = keys(address(1), address(2), &calldata.into());
        assert_eq!(found, [word(1), word(2), word(9), word(10)]);
        let long = word(3).to_be_bytes::<32>().repeat(1_000);
        assert!(keys(address(1), address(2), &long.into()).len() <= KEYS);
    }

    #[test]
    fn another_function_finds_the_same_mappings() {
        let mut templates = Templates::new(2);
        let balance = |n: u8| element(word(n), U256::from(3));
        let allowance = |a: u8, b: u8| element(word(b), element(word(a), U256::from(4)));
        // transfer(20 → 21), with a constant slot and a pausing flag.
        let slots = vec![U256::from(1), U256::MAX, balance(20), balance(21)];
        templates.learn(&[word(20), word(2), word(21)], &[used(slots)]);
        // transferFrom(30 → 31) by 32.
        let keys = [word(32), word(2), word(30), word(31)];
        let predicted = templates.predict(&TOKEN, &keys);
        for slot in [U256::from(1), U256::MAX, balance(30), balance(31)] {
            assert!(predicted.contains(&slot), "{slot}");
        }
        let slots = vec![U256::from(1), balance(30), balance(31), allowance(30, 32)];
        templates.learn(&keys, &[used(slots)]);
        let keys = [word(42), word(2), word(40), word(41)];
        assert!(
            templates
                .predict(&TOKEN, &keys)
                .contains(&allowance(40, 42))
        );
        assert!(templates.predict(&address(5), &keys).is_empty());
    }

    #[test]
    fn they_are_bounded() {
        let mut templates = Templates::new(3);
        for n in 0..50u8 {
            let slots = (0..500u64).map(|slot| U256::from(slot) << n).collect();
            let account = Predicted {
                address: address(n),
                ..used(slots)
            };
            templates.learn(&[word(1)], &[account]);
            assert!(templates.contracts.len() <= 3);
            assert!(
                templates
                    .contracts
                    .values()
                    .all(|it| it.shapes.len() <= SHAPES)
            );
        }
    }
}
