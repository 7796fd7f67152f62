//! One hash of a block's result, the same on every executor.

use alloy_consensus::TxReceipt as _;
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{B256, Keccak256};
use alloy_rlp::{BufMut, Encodable as _, Header};

use crate::{Outcome, changes::changes};

/// Keccak-256 of the receipts and the sorted state changes, so that blocks without a true header can be compared too.
///
/// What is hashed is a string of RLP items:
/// 1. every receipt in order, as an RLP string of its EIP-2718 encoding with bloom filter;
/// 2. every changed account ([`changes`]) by ascending address, as the list `[address, exists, balance, nonce, code hash,
///    wiped, [[slot, value], …]]`, the slots ascending, truth values as 0 and 1.
pub fn digest(outcome: &Outcome) -> B256 {
    let mut hasher = Keccak256::new();
    let mut item = Vec::new();
    let mut out = Vec::new();
    for receipt in &outcome.result.receipts {
        item.clear();
        out.clear();
        receipt.with_bloom_ref().encode_2718(&mut item);
        item.as_slice().encode(&mut out);
        hasher.update(&out);
    }
    for (address, change) in changes(&outcome.state) {
        let mut slots = Vec::new();
        for (slot, value) in &change.slots {
            let mut pair = Vec::new();
            slot.encode(&mut pair);
            value.encode(&mut pair);
            list(&pair, &mut slots);
        }
        item.clear();
        out.clear();
        address.encode(&mut item);
        change.exists.encode(&mut item);
        change.balance.encode(&mut item);
        change.nonce.encode(&mut item);
        change.code_hash.encode(&mut item);
        change.wiped.encode(&mut item);
        list(&slots, &mut item);
        list(&item, &mut out);
        hasher.update(&out);
    }
    hasher.finalize()
}

/// Wraps encoded items into an RLP list.
fn list(items: &[u8], out: &mut Vec<u8>) {
    let header = Header {
        list: true,
        payload_length: items.len(),
    };
    header.encode(out);
    out.put_slice(items);
}
