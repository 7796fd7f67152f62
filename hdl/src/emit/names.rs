//! Names: from Rust paths to Verilog identifiers, and array indices.

use std::collections::{HashMap, HashSet};

/// Words that Verilog and SystemVerilog reserve and that are plausible field names.
const KEYWORDS: &str = "alias always always_comb always_ff always_latch and assert assign assume automatic before \
    begin bind bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config \
    const constraint context continue cover covergroup cross deassign default defparam design disable dist do edge \
    else end endcase endfunction endgenerate endmodule endtask enum event eventually expect export extends extern \
    final first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff \
    ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance \
    int integer interconnect interface intersect join join_any join_none large let liblist library local localparam \
    logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor not null or \
    output package packed parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown \
    pullup pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict \
    return rnmos rpmos rtran scalared sequence shortint shortreal signed small soft solve specify specparam static \
    string strong struct super supply0 supply1 table tagged task this throughout time timeprecision timeunit tran \
    tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until untyped use uwire var \
    vectored virtual void wait wand weak while wildcard wire with within wor xnor xor";

/// Hands out identifiers, each once.
#[derive(Default)]
pub(super) struct Namer {
    used: HashSet<String>,
}

impl Namer {
    /// An unused identifier close to `wish`, whose `$` become `_`.
    pub fn take(&mut self, wish: &str) -> String {
        let mut base = wish.replace("::", "_").replace(['$', '.'], "_");
        while base.contains("__") {
            base = base.replace("__", "_");
        }
        if is_keyword(&base) {
            base.push('_');
        }
        let mut name = base.clone();
        let mut n = 2;
        while !self.used.insert(name.clone()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }
}

/// Whether Verilog or SystemVerilog reserves `name`.
pub(super) fn is_keyword(name: &str) -> bool {
    KEYWORDS.split_whitespace().any(|k| k == name)
}

/// A name as rust-hdl's macro leaves it (`core[(i+1)%4]$y$next`) with its indices evaluated
/// (`core$2$y`), or `None` when an index is not arithmetic on numbers and `loops`.
pub(super) fn resolve(raw: &str, loops: &HashMap<String, i64>) -> Option<String> {
    let raw = raw.strip_suffix("$next").unwrap_or(raw);
    let raw = raw.strip_prefix('.').unwrap_or(raw).replace('.', "$");
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some(open) = rest.find('[') {
        let mut depth = 0usize;
        let close = rest.char_indices().skip(open).find_map(|(at, c)| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        })?;
        let index = evaluate(&rest[open + 1..close], loops)?;
        out += &rest[..open];
        out += &format!("${}", usize::try_from(index).ok()?);
        rest = &rest[close + 1..];
    }
    out += rest;
    Some(out)
}

/// Integer arithmetic (`+ - * / %`, parentheses) on numbers and loop variables.
pub(super) fn evaluate(text: &str, loops: &HashMap<String, i64>) -> Option<i64> {
    let mut parser = Parser {
        rest: text.as_bytes(),
        loops,
    };
    let value = parser.sum()?;
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a [u8],
    loops: &'a HashMap<String, i64>,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let [b' ', tail @ ..] = self.rest {
            self.rest = tail;
        }
        self.rest.first().copied()
    }

    fn take(&mut self, wanted: &[u8]) -> Option<u8> {
        let c = self.peek()?;
        wanted.contains(&c).then(|| {
            self.rest = &self.rest[1..];
            c
        })
    }

    fn sum(&mut self) -> Option<i64> {
        let mut left = self.product()?;
        while let Some(op) = self.take(b"+-") {
            let right = self.product()?;
            left = if op == b'+' {
                left.checked_add(right)?
            } else {
                left.checked_sub(right)?
            };
        }
        Some(left)
    }

    fn product(&mut self) -> Option<i64> {
        let mut left = self.atom()?;
        while let Some(op) = self.take(b"*/%") {
            let right = self.atom()?;
            left = match op {
                b'*' => left.checked_mul(right)?,
                b'/' => left.checked_div(right)?,
                _ => left.checked_rem(right)?,
            };
        }
        Some(left)
    }

    fn atom(&mut self) -> Option<i64> {
        if self.take(b"(").is_some() {
            let value = self.sum()?;
            return self.take(b")").map(|_| value);
        }
        self.peek()?;
        let end = self
            .rest
            .iter()
            .position(|c| !(c.is_ascii_alphanumeric() || *c == b'_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        let word = std::str::from_utf8(word).ok()?;
        match self.loops.get(word) {
            Some(value) => Some(*value),
            None => number(word).and_then(|n| i64::try_from(n).ok()),
        }
    }
}

/// A Rust integer literal: decimal, `0x`, `0b` or `0o`, with underscores and a type suffix.
pub(super) fn number(text: &str) -> Option<u128> {
    let mut digits: String = text.chars().filter(|c| *c != '_').collect();
    for suffix in ["u128", "usize", "u64", "i64", "u32", "i32", "u16", "u8"] {
        if let Some(cut) = digits.strip_suffix(suffix) {
            digits = cut.into();
            break;
        }
    }
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ => (10, digits.as_str()),
    };
    u128::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_evaluated() {
        let loops = HashMap::from([("x".to_string(), 3), ("y".to_string(), 4)]);
        assert_eq!(
            resolve("b[y+5*((2*x+3*y)%5)]$next", &loops).as_deref(),
            Some("b$19")
        );
        assert_eq!(resolve("a[x][y-1]$q", &loops).as_deref(), Some("a$3$3$q"));
        assert_eq!(resolve("a[N-1]", &loops), None);
        assert_eq!(resolve("a[x-4]", &loops), None);
        assert_eq!(resolve("plain$next", &loops).as_deref(), Some("plain"));
    }

    #[test]
    fn numbers_in_every_radix() {
        assert_eq!(number("0x60"), Some(96));
        assert_eq!(number("0b11_u8"), Some(3));
        assert_eq!(number("1_000u64"), Some(1000));
        assert_eq!(number("N"), None);
    }

    #[test]
    fn identifiers_are_unique_and_legal() {
        let mut namer = Namer::default();
        assert_eq!(namer.take("core$0$y"), "core_0_y");
        assert_eq!(namer.take("core_0$y"), "core_0_y_2");
        assert_eq!(namer.take("reg"), "reg_");
    }
}
