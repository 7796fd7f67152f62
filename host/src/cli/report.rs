//! What people read: rows of blocks as a table, checks and fallbacks in words.

use std::collections::BTreeMap;

use gatewei::Checks;

use super::{
    measure::{self, mgas_per_s},
    row::Row,
    table::{Align, Table, percent, rate, thousands, time},
};

/// Blocks as a table, with a line of sums when there are several. `reference_seconds` is the time of all blocks on the
/// executor that they were compared with.
pub(super) fn rows_table(rows: &[Row], reference_seconds: f64) -> Table {
    let compared = rows.iter().any(|row| row.ratio.is_some());
    let card = rows.iter().any(|row| row.executor == "card");
    let mut columns = vec![
        ("block", Align::Right),
        ("fork", Align::Left),
        ("txs", Align::Right),
        ("gas", Align::Right),
        ("executor", Align::Left),
        ("threads", Align::Right),
        ("time", Align::Right),
        ("Mgas/s", Align::Right),
        ("again", Align::Right),
        ("checks", Align::Left),
    ];
    if compared {
        columns.push(("× sequential", Align::Right));
    }
    if card {
        columns.extend([
            ("offloaded", Align::Right),
            ("cycles", Align::Right),
            ("CPI", Align::Right),
            ("fallbacks", Align::Left),
        ]);
    }
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = vec![
            row.block.to_string(),
            row.fork.to_owned(),
            row.txs.to_string(),
            thousands(row.gas_used),
            row.executor.to_owned(),
            row.threads.to_string(),
            time(row.seconds),
            rate(row.mgas_per_s),
            row.parallel.reexecutions.to_string(),
            checks(&row.checks),
        ];
        if compared {
            let ratio = row.ratio.map(|ratio| format!("{:.2}", ratio.median));
            cells.push(ratio.unwrap_or_default());
        }
        if card {
            cells.extend([
                percent(row.card.offloaded_share),
                thousands(row.card.cycles),
                format!("{:.2}", row.card.cpi),
                fallbacks(&row.card.fallbacks),
            ]);
        }
        table.row(cells);
    }
    if let [first, _, ..] = rows {
        let gas = rows.iter().map(|row| row.gas_used).sum();
        let seconds = rows.iter().map(|row| row.seconds).sum();
        let mut cells = vec![
            "all".to_owned(),
            String::new(),
            rows.iter().map(|row| row.txs).sum::<usize>().to_string(),
            thousands(gas),
            first.executor.to_owned(),
            first.threads.to_string(),
            time(seconds),
            rate(mgas_per_s(gas, seconds)),
            rows.iter()
                .map(|row| row.parallel.reexecutions)
                .sum::<u64>()
                .to_string(),
            String::new(),
        ];
        if compared {
            cells.push(format!("{:.2}", measure::ratio(reference_seconds, seconds)));
        }
        table.row(cells);
    }
    table
}

/// What executions were thrown away for, by block.
pub(super) fn conflicts_table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("block", Align::Right),
        ("wasted gas", Align::Right),
        ("again", Align::Right),
        ("conflict", Align::Left),
    ]);
    for row in rows {
        for conflict in &row.parallel.conflicts {
            table.row([
                row.block.to_string(),
                thousands(row.parallel.wasted_gas),
                conflict.count.to_string(),
                conflict.location.to_string(),
            ]);
        }
    }
    table
}

/// `ok`, or the fields that are false.
pub(super) fn checks(checks: &Checks) -> String {
    let fields = [
        ("gas_used", checks.gas_used),
        ("receipts_root", checks.receipts_root),
        ("logs_bloom", checks.logs_bloom),
        ("requests_hash", checks.requests_hash),
        ("state_root", checks.state_root),
        ("access_list", checks.access_list),
    ];
    let wrong: Vec<_> = fields
        .iter()
        .filter(|(_, holds)| *holds == Some(false))
        .map(|(name, _)| format!("{name} WRONG"))
        .collect();
    if wrong.is_empty() {
        "ok".to_owned()
    } else {
        wrong.join(", ")
    }
}

/// `call 3, create 1`, or a dash.
pub(super) fn fallbacks(fallbacks: &BTreeMap<String, u64>) -> String {
    let counts: Vec<_> = fallbacks
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    if counts.is_empty() {
        "-".to_owned()
    } else {
        counts.join(", ")
    }
}
