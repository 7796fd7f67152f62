//! Tables for people: columns as wide as their widest cell, numbers to the right.

use std::fmt;

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table that prints itself.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let width = |column: usize, name: &str| {
            let cells = self
                .rows
                .iter()
                .map(|row| cell(row, column).chars().count());
            cells.max().unwrap_or(0).max(name.chars().count())
        };
        let columns = self.columns.iter().enumerate();
        let widths: Vec<_> = columns.map(|(at, (name, _))| width(at, name)).collect();
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        for row in std::iter::once(&names).chain(&self.rows) {
            let mut line = String::new();
            for (at, (_, align)) in self.columns.iter().enumerate() {
                let (text, width) = (cell(row, at), widths[at]);
                match align {
                    Align::Left => line.push_str(&format!("{text:<width$}  ")),
                    Align::Right => line.push_str(&format!("{text:>width$}  ")),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A whole number with its thousands apart: `12 345 678`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Seconds in the unit that fits.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// A rate: one decimal below 100, none above.
pub(super) fn rate(number: f64) -> String {
    if number < 0.1 {
        format!("{number:.4}")
    } else if number < 100.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

/// A share of 1 in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[("name", Align::Left), ("gas", Align::Right)]);
        table.row(["a".to_owned(), thousands(1_234_567)]);
        table.row(["long one".to_owned(), thousands(12)]);
        assert_eq!(
            table.to_string(),
            "name            gas\na         1 234 567\nlong one         12\n"
        );
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1 000");
        assert_eq!(time(0.0123), "12.30 ms");
        assert_eq!(rate(0.00456), "0.0046");
        assert_eq!(rate(1234.5), "1234");
        assert_eq!(percent(0.995), "99.5 %");
    }
}
