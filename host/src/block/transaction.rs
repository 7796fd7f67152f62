//! Transactions of `block.json`: from JSON-RPC fields to signed transactions with their senders.

use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844,
    TxEip4844Variant, TxEip7702, TxEnvelope, TxLegacy,
    transaction::{Recovered, SignerRecoverable as _},
};
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U64, U256};
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;

/// A transaction as `eth_getBlockByNumber(n, true)` gives it. Which fields are needed depends on the type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonTransaction {
    #[serde(rename = "type")]
    kind: Option<U64>,
    hash: Option<B256>,
    from: Option<Address>,
    chain_id: Option<U64>,
    nonce: Option<U64>,
    gas: Option<U64>,
    gas_price: Option<U256>,
    max_fee_per_gas: Option<U256>,
    max_priority_fee_per_gas: Option<U256>,
    max_fee_per_blob_gas: Option<U256>,
    to: Option<Address>,
    value: Option<U256>,
    #[serde(alias = "data")]
    input: Option<Bytes>,
    access_list: Option<AccessList>,
    blob_versioned_hashes: Option<Vec<B256>>,
    authorization_list: Option<Vec<SignedAuthorization>>,
    r: Option<U256>,
    s: Option<U256>,
    v: Option<U256>,
    y_parity: Option<U64>,
}

/// What is wrong with a transaction: a field and a reason.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) field: &'static str,
    pub(super) reason: String,
}

fn fault(field: &'static str, reason: impl Into<String>) -> Fault {
    Fault {
        field,
        reason: reason.into(),
    }
}

fn need<T>(value: Option<T>, field: &'static str) -> Result<T, Fault> {
    value.ok_or_else(|| fault(field, "is missing, and a transaction of this type has it"))
}

/// A number that fits `u128`, as fees do.
fn fee(value: Option<U256>, field: &'static str) -> Result<u128, Fault> {
    let value = need(value, field)?;
    u128::try_from(value).map_err(|_| fault(field, format!("{value} does not fit 128 bits")))
}

impl JsonTransaction {
    /// Builds the signed transaction and finds its sender.
    ///
    /// # Errors
    /// A field that is missing or out of range; a signature that does not fit `from`; a hash that is not the
    /// transaction's.
    pub(super) fn recover(self, spec: SpecId) -> Result<Recovered<TxEnvelope>, Fault> {
        let (hash, from) = (self.hash, self.from);
        let signed = self.sign()?;
        // EIP-2 (Homestead) forbids the upper half of `s`; earlier signatures may have it.
        let sender = if spec.is_enabled_in(SpecId::HOMESTEAD) {
            signed.recover_signer()
        } else {
            signed.recover_signer_unchecked()
        };
        let sender =
            sender.map_err(|error| fault("s", format!("the signature has no signer: {error}")))?;
        if let Some(from) = from.filter(|from| *from != sender) {
            return Err(fault(
                "from",
                format!(
                    "is {from}, but {sender} has signed: `from`, the signature or a signed field (nonce, fees, gas, \
                     to, value, input) was changed"
                ),
            ));
        }
        if let Some(given) = hash.filter(|given| given != signed.tx_hash()) {
            let own = signed.tx_hash();
            return Err(fault(
                "hash",
                format!("is {given}, but the transaction's is {own}"),
            ));
        }
        Ok(Recovered::new_unchecked(signed, sender))
    }

    fn sign(self) -> Result<TxEnvelope, Fault> {
        let kind: u64 = self.kind.unwrap_or_default().to();
        let (r, s) = (need(self.r, "r")?, need(self.s, "s")?);
        let nonce: u64 = need(self.nonce, "nonce")?.to();
        let gas_limit: u64 = need(self.gas, "gas")?.to();
        let value = need(self.value, "value")?;
        let input = need(self.input, "input")?;
        let to = self.to.map_or(TxKind::Create, TxKind::Call);
        if kind == 0 {
            let (chain_id, odd) = legacy_parity(need(self.v, "v")?)?;
            let tx = TxLegacy {
                chain_id,
                nonce,
                gas_price: fee(self.gas_price, "gasPrice")?,
                gas_limit,
                to,
                value,
                input,
            };
            return Ok(TxEnvelope::Legacy(
                tx.into_signed(Signature::new(r, s, odd)),
            ));
        }
        let odd = match (self.y_parity, self.v) {
            (Some(parity), _) => parity != U64::ZERO,
            (None, Some(v)) => !v.is_zero(),
            (None, None) => return Err(fault("yParity", "is missing")),
        };
        let signature = Signature::new(r, s, odd);
        let chain_id: u64 = need(self.chain_id, "chainId")?.to();
        let access_list = self.access_list.unwrap_or_default();
        if kind == 1 {
            let tx = TxEip2930 {
                chain_id,
                nonce,
                gas_price: fee(self.gas_price, "gasPrice")?,
                gas_limit,
                to,
                value,
                access_list,
                input,
            };
            return Ok(TxEnvelope::Eip2930(tx.into_signed(signature)));
        }
        let max_fee_per_gas = fee(self.max_fee_per_gas, "maxFeePerGas")?;
        let max_priority_fee_per_gas = fee(self.max_priority_fee_per_gas, "maxPriorityFeePerGas")?;
        match kind {
            2 => {
                let tx = TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to,
                    value,
                    access_list,
                    input,
                };
                Ok(TxEnvelope::Eip1559(tx.into_signed(signature)))
            }
            3 => {
                let tx = TxEip4844 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to: need(self.to, "to")?,
                    value,
                    access_list,
                    blob_versioned_hashes: need(self.blob_versioned_hashes, "blobVersionedHashes")?,
                    max_fee_per_blob_gas: fee(self.max_fee_per_blob_gas, "maxFeePerBlobGas")?,
                    input,
                };
                let tx = TxEip4844Variant::TxEip4844(tx);
                Ok(EthereumTxEnvelope::Eip4844(tx.into_signed(signature)))
            }
            4 => {
                let tx = TxEip7702 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to: need(self.to, "to")?,
                    value,
                    access_list,
                    authorization_list: need(self.authorization_list, "authorizationList")?,
                    input,
                };
                Ok(TxEnvelope::Eip7702(tx.into_signed(signature)))
            }
            _ => Err(fault(
                "type",
                format!("{kind:#x} is no transaction type up to Osaka (0x0 to 0x4)"),
            )),
        }
    }
}

/// Chain id and parity of a legacy `v`: 27 or 28, or 35 + 2 · chain id + parity (EIP-155).
fn legacy_parity(v: U256) -> Result<(Option<u64>, bool), Fault> {
    let wrong = || {
        fault(
            "v",
            format!("{v} is neither 27, 28 nor 35 and more (EIP-155)"),
        )
    };
    let v = u64::try_from(v).map_err(|_| wrong())?;
    match v {
        27 | 28 => Ok((None, v == 28)),
        35.. => Ok((Some((v - 35) / 2), (v - 35) % 2 == 1)),
        _ => Err(wrong()),
    }
}
