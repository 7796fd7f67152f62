//! Keys and signatures.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, ChainId, Signature, TxKind};
use k256::ecdsa::SigningKey;

use crate::{call::Call, random::Random, seal::BASE_FEE};

/// Chain id of Ethereum mainnet.
const MAINNET: ChainId = 1;

/// A key of the world, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender(pub(crate) usize);

/// A key, its address and its next nonce.
pub(crate) struct Keyed {
    key: SigningKey,
    pub(crate) address: Address,
    nonce: u64,
}

impl Keyed {
    /// Draws a key; `nonce` is that of the first transaction.
    pub(crate) fn draw(random: &mut Random, nonce: u64) -> Self {
        loop {
            // All but 2^-128 of the words are keys.
            if let Ok(key) = SigningKey::from_slice(random.word().as_slice()) {
                return Self {
                    address: Address::from_private_key(&key),
                    key,
                    nonce,
                };
            }
        }
    }

    /// Signs the call with the next nonce. One in eight is a legacy transaction (EIP-155), one in
    /// eight of the others carries an access list (EIP-2930), all others are EIP-1559.
    pub(crate) fn sign(
        &mut self,
        call: Call,
        random: &mut Random,
    ) -> Result<TxEnvelope, k256::ecdsa::Error> {
        let Call {
            to,
            value,
            input,
            gas_limit,
            slots,
            ..
        } = call;
        let nonce = self.nonce;
        self.nonce += 1;
        let tip = u128::from(random.between(1, 20)) * 100_000_000;
        let gas_price = u128::from(BASE_FEE) + tip;
        let to = TxKind::Call(to);
        if random.one_in(8) {
            let chain_id = Some(MAINNET);
            return self.seal(TxLegacy {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            });
        }
        if !slots.is_empty() && random.one_in(8) {
            let item = AccessListItem {
                address: to.to().copied().unwrap_or_default(),
                storage_keys: slots,
            };
            let access_list = AccessList(vec![item]);
            return self.seal(TxEip2930 {
                chain_id: MAINNET,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list,
                input,
            });
        }
        self.seal(TxEip1559 {
            chain_id: MAINNET,
            nonce,
            gas_limit,
            max_fee_per_gas: 2 * gas_price,
            max_priority_fee_per_gas: tip,
            to,
            value,
            access_list: AccessList::default(),
            input,
        })
    }

    /// Deterministic ECDSA (RFC 6979).
    fn seal<T>(&self, tx: T) -> Result<TxEnvelope, k256::ecdsa::Error>
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<alloy_consensus::Signed<T>>,
    {
        let signature = self
            .key
            .sign_prehash_recoverable(tx.signature_hash().as_slice())?;
        Ok(tx.into_signed(signature.into()).into())
    }
}
