//! Every block of the catalog prints, and Verilator finds nothing to warn of. The reference page is fresh.

use std::collections::HashSet;
use std::path::Path;

use gatewei_hdl::catalog::{blocks, tops};
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
    for entry in blocks().into_iter().chain(tops()) {
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
    for entry in blocks().into_iter().chain(tops()) {
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

/// Calls `see` with every Rust file below `folder`.
fn each_source(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, see);
        } else if path.extension().is_some_and(|e| e == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// rust-hdl's macro drops the guard of a match arm (`A if b => …` becomes `A => …`) before the printer can
/// see it.
#[test]
fn no_kernel_has_a_match_guard() {
    let mut kernels = 0;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    each_source(&source, &mut |path, text| {
        for kernel in text.split("#[hdl_gen]").skip(1) {
            kernels += 1;
            // The function's end: the first brace at an indentation of one step or none.
            let body = kernel
                .lines()
                .skip(1)
                .take_while(|l| !matches!(*l, "    }" | "}"));
            for line in body {
                let arm = line.split("//").next().unwrap_or_default().split_once("=>");
                let guarded = arm.is_some_and(|(pattern, _)| pattern.contains(" if "));
                assert!(
                    !guarded,
                    "{}: a guard in a kernel is lost: {line}",
                    path.display()
                );
            }
        }
    });
    assert!(kernels > 10, "only {kernels} kernels found");
}
