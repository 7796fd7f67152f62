//! The table of faults in `driver/README.md` lists every fault, and a test of each that exists.

use std::path::Path;

use gatewei_driver::inject::Injected;

/// Faults that a card, its link and its peers can have, beside those that [`Injected`] names.
const OTHERS: &[(u8, &str)] = &[
    (1, "clock stands still"),
    (4, "depth 2, index and phase wrap"),
    (6, "DMA read-only"),
    (6, "DMA of the rings fails"),
    (7, "hot-unplug in a guest"),
    (7, "reset by another queue pair"),
    (8, "vfio-user EOF"),
    (8, "vfio-user error reply"),
    (8, "vfio-user short message"),
    (8, "vfio-user oversize message"),
    (8, "vfio-user silence"),
    (8, "malformed message to the server"),
    (9, "capability cycle"),
    (9, "reserved BAR type"),
    (9, "MSI-X table outside its BAR"),
    (9, "small BAR"),
    (9, "ABI mismatch"),
    (10, "card killed in the middle of a block"),
    (10, "driver killed with DMA in flight"),
    (10, "driver killed in a guest"),
    (10, "driver panics with a message in flight"),
    (10, "second owner"),
    (11, "bit flips where there is no header"),
    (11, "many flipped bits"),
];

struct Row {
    group: u8,
    fault: String,
    file: String,
    test: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in the workspace")
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("driver/README.md")).expect("there is a README");
    let section = text.split("## Faults").nth(1).expect("it has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let group = cells.first()?.parse().ok()?;
        let mut test = cells
            .get(3)?
            .split('`')
            .filter(|part| !part.trim().is_empty());
        Some(Row {
            group,
            fault: cells[1].to_owned(),
            file: test.next()?.to_owned(),
            test: test.next()?.to_owned(),
        })
    });
    rows.collect()
}

#[test]
fn every_fault_stands_in_the_table() {
    let rows = rows();
    let injected = Injected::ALL
        .iter()
        .map(|fault| (fault.group(), fault.name()));
    let all: Vec<_> = injected.chain(OTHERS.iter().copied()).collect();
    for (group, fault) in &all {
        let found = rows
            .iter()
            .filter(|row| row.group == *group && row.fault == *fault);
        assert_eq!(found.count(), 1, "{group} {fault}");
    }
    assert_eq!(rows.len(), all.len(), "a row that is no fault's");
    for group in 1..=11 {
        let found = rows.iter().any(|row| row.group == group);
        assert!(found, "nothing for group {group}");
    }
}

#[test]
fn every_test_in_the_table_exists() {
    for row in rows() {
        let text = std::fs::read_to_string(root().join(&row.file));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", row.file));
        let function = format!("fn {}(", row.test);
        // The cases of a macro, which makes functions of them; the steps of the guest's script.
        let case = format!("\n    {} => ", row.test);
        let step = format!("\n{}() {{", row.test);
        let named = [function, case, step]
            .iter()
            .any(|form| text.contains(form));
        assert!(
            named,
            "{}: {} has no test {}",
            row.fault, row.file, row.test
        );
    }
}
