//! Every block of the catalog prints, and Verilator finds nothing to warn of. The reference page is fresh.

use std::collections::HashSet;

use gatewei_hdl::catalog::blocks;
use gatewei_hdl::tools::{ToolError, lint, verilator_root};

#[test]
fn every_block_prints_and_lints() {
    let linter = match verilator_root() {
        Ok(_) => true,
        Err(error @ ToolError::Missing { .. }) => {
            println!("skipped the lint: {error}");
            false
        }
        Err(error) => panic!("{error}"),
    };
    let mut failures = String::new();
    for entry in blocks() {
        let checked = match (entry.design)() {
            Ok(design) if linter => lint(&design).map_err(|e| e.to_string()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = checked {
            failures += &format!("{}: {error}\n", entry.name);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn names_are_unique() {
    let mut seen = HashSet::new();
    for entry in blocks() {
        assert!(
            seen.insert(entry.name),
            "two blocks are called {}",
            entry.name
        );
    }
}

#[test]
fn the_reference_page_is_fresh() {
    let page = include_str!("../abi/REFERENCE.md");
    assert_eq!(
        page,
        gatewei_abi::docs::reference(),
        "run `gatewei-hdl docs`"
    );
}
