//! A block's result against its header.

use alloy_consensus::{EthereumReceipt, TxReceipt as _};
use alloy_primitives::{B256, Bloom};
use revm::primitives::hardfork::SpecId;
use serde::Serialize;

use crate::{Block, Outcome, access_list_difference};

/// Which header fields the result has: true or false, `None` where a field cannot be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Gas used by all transactions.
    pub gas_used: Option<bool>,
    /// Root of the receipts; not before Byzantium, whose receipts have a status in place of a state root (EIP-658).
    pub receipts_root: Option<bool>,
    /// Bloom filter of all logs.
    pub logs_bloom: Option<bool>,
    /// Hash of the requests (EIP-7685), from Prague on.
    pub requests_hash: Option<bool>,
    /// Root of the state after the block; only where there is a witness, or the pre-state is known to be
    /// the whole state.
    pub state_root: Option<bool>,
    /// The block's access list (EIP-7928), if it came with one.
    pub access_list: Option<bool>,
}

/// A header field that the result does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Name of the field in `block.json`.
    pub field: &'static str,
    /// Its value there.
    pub header: String,
    /// The value of the result.
    pub result: String,
}

impl Checks {
    /// Compares a result with the block's header. Also gives what is behind every `false`.
    pub fn new(block: &Block, outcome: &Outcome) -> (Self, Vec<Mismatch>) {
        let (header, result) = (&block.header, &outcome.result);
        let mut mismatches = Vec::new();
        let mut check = |field, expected: String, got: String| {
            let holds = expected == got;
            if !holds {
                mismatches.push(Mismatch {
                    field,
                    header: expected,
                    result: got,
                });
            }
            Some(holds)
        };
        let logs_bloom = result
            .receipts
            .iter()
            .fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
        let checks = Self {
            gas_used: check(
                "gasUsed",
                header.gas_used.to_string(),
                result.gas_used.to_string(),
            ),
            receipts_root: if block.spec().is_enabled_in(SpecId::BYZANTIUM) {
                let root = EthereumReceipt::calculate_receipt_root_no_memo(&result.receipts);
                check("receiptsRoot", text(header.receipts_root), text(root))
            } else {
                None
            },
            logs_bloom: check(
                "logsBloom",
                header.logs_bloom.to_string(),
                logs_bloom.to_string(),
            ),
            requests_hash: header.requests_hash.and_then(|expected| {
                let hash = result.requests.requests_hash();
                check("requestsHash", text(expected), text(hash))
            }),
            state_root: block.state_root_after(&outcome.state).and_then(|root| {
                let root = root.map_or_else(|error| error.to_string(), text);
                check("stateRoot", text(header.state_root), root)
            }),
            access_list: None,
        };
        let list = block.access_list.as_ref().zip(outcome.access_list.as_ref());
        let access_list = list.map(|(given, done)| {
            let difference = access_list_difference(given.accounts(), done);
            let holds = difference.is_none();
            mismatches.extend(difference.map(|difference| Mismatch {
                field: "blockAccessList",
                header: format!("{}: {}", difference.place, difference.left),
                result: difference.right,
            }));
            holds
        });
        let checks = Self {
            access_list,
            ..checks
        };
        (checks, mismatches)
    }

    /// Whether no field is false.
    pub fn hold(&self) -> bool {
        let all = [
            self.gas_used,
            self.receipts_root,
            self.logs_bloom,
            self.requests_hash,
            self.state_root,
            self.access_list,
        ];
        !all.contains(&Some(false))
    }
}

fn text(hash: B256) -> String {
    hash.to_string()
}
