//! Names of rejections in the fixtures, and which field of a transaction each is about.

use crate::Fault;

/// What a transaction that is no transaction is rejected with.
pub(super) const UNDECODABLE: &str = "undecodable";

/// Exceptions of the execution-spec-tests with the fields that revm's errors are about.
const FIELDS: &[(&str, &[&str])] = &[
    ("INTRINSIC_GAS_TOO_LOW", &["gas"]),
    ("GAS_LIMIT_EXCEEDS_MAXIMUM", &["gas"]),
    ("GAS_ALLOWANCE_EXCEEDED", &["gas"]),
    ("INSUFFICIENT_ACCOUNT_FUNDS", &["value"]),
    // A gas price beyond 128 bits is refused by the decoder already.
    ("GASLIMIT_PRICE_PRODUCT_OVERFLOW", &["value", UNDECODABLE]),
    ("SENDER_NOT_EOA", &["from"]),
    ("NONCE_IS_MAX", &["nonce"]),
    ("INITCODE_SIZE_EXCEEDED", &["input"]),
    ("INSUFFICIENT_MAX_FEE_PER_GAS", &["gasPrice"]),
    (
        "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
        &["maxPriorityFeePerGas"],
    ),
    ("INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", &["maxFeePerBlobGas"]),
    ("TYPE_3_TX_BLOB_COUNT_EXCEEDED", &["blobVersionedHashes"]),
    (
        "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
        &["blobVersionedHashes"],
    ),
    (
        "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
        &["blobVersionedHashes"],
    ),
    ("TYPE_3_TX_ZERO_BLOBS", &["blobVersionedHashes"]),
    ("TYPE_3_TX_PRE_FORK", &["type"]),
    ("TYPE_3_TX_CONTRACT_CREATION", &["to", UNDECODABLE]),
    ("RLP_INVALID_VALUE", &[UNDECODABLE]),
];

/// Whether a rejection about this field is one of the expected exceptions (`TransactionException.A|…B`). A name that is
/// not known accepts any rejection.
pub(super) fn accepts(expected: &str, field: &str) -> bool {
    expected.split('|').any(|name| {
        let name = name.trim().trim_start_matches("TransactionException.");
        FIELDS
            .iter()
            .find(|(known, _)| *known == name)
            .is_none_or(|(_, fields)| fields.contains(&field))
    })
}

/// Field that a fault is about; `None` when it does not reject the transaction.
pub(super) fn field(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::Transaction { field, .. } => Some(field),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_names_must_fit() {
        let both = "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS|TransactionException.INTRINSIC_GAS_TOO_LOW";
        assert!(accepts(both, "gas"));
        assert!(accepts(both, "value"));
        assert!(!accepts(both, "nonce"));
        assert!(!accepts("TransactionException.NONCE_IS_MAX", "gas"));
        assert!(accepts("TransactionException.SOMETHING_NEW", "gas"));
    }
}
