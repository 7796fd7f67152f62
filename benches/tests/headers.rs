//! A generated block is a real block to the product: every check of its header holds.

use std::path::Path;

use gatewei::{Checks, Executor as _, Sequential};
use gatewei_benches::block;
use gatewei_workloads::{KINDS, Params};

#[test]
fn every_check_of_a_generated_header_is_true() {
    for kind in KINDS {
        let params = Params {
            txs: 100,
            seed: 9,
            contention: None,
        };
        let block = block(kind.name, &params, Path::new(env!("CARGO_TARGET_TMPDIR")))
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        let outcome = Sequential.execute(&block).expect("valid block");
        let (checks, mismatches) = Checks::new(&block, &outcome);
        let all = Checks {
            gas_used: Some(true),
            receipts_root: Some(true),
            logs_bloom: Some(true),
            requests_hash: Some(true),
            state_root: Some(true),
            access_list: None,
        };
        assert_eq!(checks, all, "{}: {mismatches:?}", kind.name);
    }
}
