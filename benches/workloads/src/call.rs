//! One transaction before it is signed, and the encoding of its arguments (Contract ABI
//! specification).

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use crate::sender::Sender;

/// A transaction before it has a nonce, fees and a signature.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who signs it.
    pub from: Sender,
    /// Account that is called or paid.
    pub to: Address,
    /// Value in wei.
    pub value: U256,
    /// Input data.
    pub input: Bytes,
    /// Gas limit; generous, because the gas used is what counts.
    pub gas_limit: u64,
    /// Slots of `to` that the call reads or writes, as far as they are known: some transactions
    /// carry them as their access list (EIP-2930).
    pub slots: Vec<B256>,
}

impl Call {
    /// A call without value.
    pub fn plain(
        from: Sender,
        to: Address,
        input: Bytes,
        gas_limit: u64,
        slots: Vec<B256>,
    ) -> Self {
        Self {
            from,
            to,
            value: U256::ZERO,
            input,
            gas_limit,
            slots,
        }
    }
}

/// One argument of a call.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// `address`.
    Address(Address),
    /// `uint256`.
    Number(U256),
    /// `address[]`.
    Addresses(&'a [Address]),
}

/// Encodes a call: selector of the signature, then the arguments; dynamic ones by their offset, in
/// a tail.
pub fn encode(signature: &str, arguments: &[Argument<'_>]) -> Bytes {
    let mut head = keccak256(signature)[..4].to_vec();
    let mut tail = Vec::new();
    for argument in arguments {
        match argument {
            Argument::Address(address) => head.extend(address.into_word()),
            Argument::Number(number) => head.extend(number.to_be_bytes::<32>()),
            Argument::Addresses(addresses) => {
                let offset = 32 * arguments.len() + tail.len();
                head.extend(U256::from(offset).to_be_bytes::<32>());
                tail.extend(U256::from(addresses.len()).to_be_bytes::<32>());
                tail.extend(addresses.iter().flat_map(|address| address.into_word().0));
            }
        }
    }
    head.extend(tail);
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own example has a static and dynamic arguments in this shape.
    #[test]
    fn dynamic_arguments_go_to_the_tail() {
        let (one, two) = (Address::repeat_byte(0x11), Address::repeat_byte(0x22));
        let input = encode(
            "airdrop(address[],uint256)",
            &[
                Argument::Addresses(&[one, two]),
                Argument::Number(U256::from(7)),
            ],
        );
        assert_eq!(input.len(), 4 + 32 * 5);
        let word = |i: usize| U256::from_be_slice(&input[4 + 32 * i..36 + 32 * i]);
        assert_eq!(word(0), U256::from(64), "offset of the array");
        assert_eq!(word(1), U256::from(7));
        assert_eq!(word(2), U256::from(2), "length of the array");
        assert_eq!(word(4), U256::from_be_bytes(two.into_word().0));
    }

    #[test]
    fn selectors_are_those_of_the_compiler() {
        for artifact in crate::artifacts().expect("artifacts parse") {
            for (signature, selector) in &artifact.method_identifiers {
                assert_eq!(
                    alloy_primitives::hex::encode(encode(signature, &[])),
                    *selector,
                    "{signature}"
                );
            }
        }
    }
}
