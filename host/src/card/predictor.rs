//! Which storage slots a call will probably use: those that the last call of the same function used.

use revm::primitives::{Address, Bytes, HashMap, U256};

/// A contract's function: the code's account and the calldata's first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    target: Address,
    selector: [u8; 4],
}

impl Function {
    /// The function that a call reaches. Calldata that is shorter counts as padded with zeros.
    pub fn of(target: Address, calldata: &Bytes) -> Self {
        let mut selector = [0; 4];
        let bytes = calldata.len().min(selector.len());
        selector[..bytes].copy_from_slice(&calldata[..bytes]);
        Self { target, selector }
    }
}

/// What the last calls used. Bounded in functions and in slots.
#[derive(Debug)]
pub struct Predictor {
    functions: HashMap<Function, Vec<U256>>,
    limit: usize,
}

/// Slots kept per function.
const SLOTS: usize = 128;

impl Predictor {
    /// A predictor that remembers up to `limit` functions.
    pub fn new(limit: usize) -> Self {
        Self {
            functions: HashMap::default(),
            limit,
        }
    }

    /// Slots that the last call used, in the order of their first use.
    pub fn predict(&self, function: &Function) -> &[U256] {
        self.functions.get(function).map_or(&[], Vec::as_slice)
    }

    /// A call of the function used these slots.
    pub fn learn(&mut self, function: Function, used: impl Iterator<Item = U256>) {
        let slots: Vec<U256> = used.take(SLOTS).collect();
        if slots.is_empty() {
            self.functions.remove(&function);
            return;
        }
        if self.functions.len() >= self.limit && !self.functions.contains_key(&function) {
            // What is hot comes back soon: forgetting all is the cheapest bound that is fair.
            self.functions.clear();
        }
        self.functions.insert(function, slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_of_the_same_function_counts() {
        let mut predictor = Predictor::new(2);
        let function =
            |n: u8| Function::of(Address::with_last_byte(n), &vec![1, 2, 3, 4, n].into());
        assert_eq!(
            function(1),
            Function::of(Address::with_last_byte(1), &vec![1, 2, 3, 4].into())
        );
        assert_ne!(
            function(1),
            Function::of(Address::with_last_byte(1), &vec![1, 2].into())
        );
        predictor.learn(function(1), [1, 2].map(U256::from).into_iter());
        predictor.learn(function(1), [3].map(U256::from).into_iter());
        assert_eq!(predictor.predict(&function(1)), [U256::from(3)]);
        assert!(predictor.predict(&function(2)).is_empty());
        predictor.learn(function(1), [].into_iter());
        assert!(predictor.predict(&function(1)).is_empty());
    }

    #[test]
    fn it_is_bounded() {
        let mut predictor = Predictor::new(2);
        for n in 0..100 {
            let function = Function::of(Address::with_last_byte(n), &Bytes::new());
            predictor.learn(function, (0..10_000).map(U256::from));
            assert!(predictor.functions.len() <= 2);
            assert_eq!(predictor.predict(&function).len(), SLOTS);
        }
    }
}
