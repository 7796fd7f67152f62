//! Verilog text of expressions and statements.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use num_bigint::BigUint;

use super::ir::{Expr, Kind, NetId, Stmt};
use super::names::Namer;
use super::nets::{Nets, Role};

/// Parts of a concatenation on one line.
const PARTS_A_LINE: usize = 8;

/// Writes one module's expressions and remembers what they need declared.
pub(super) struct Printer<'a> {
    pub nets: &'a Nets,
    /// Nets that are another name for something else, with that text.
    pub aliases: BTreeMap<NetId, String>,
    used: RefCell<Used>,
}

/// What the printed text refers to.
#[derive(Default)]
struct Used {
    namer: Namer,
    nets: BTreeSet<NetId>,
    /// Enum variants: name, and width and code.
    labels: BTreeMap<String, (String, usize, BigUint)>,
    /// Slicing functions: name by width of the argument, low bit and width of the result.
    functions: BTreeMap<(usize, usize, usize), String>,
}

impl<'a> Printer<'a> {
    pub fn new(nets: &'a Nets, namer: Namer) -> Self {
        Self {
            nets,
            aliases: BTreeMap::new(),
            used: RefCell::new(Used {
                namer,
                ..Used::default()
            }),
        }
    }

    /// The identifier that stands for a net.
    pub fn net(&self, id: NetId) -> String {
        self.used.borrow_mut().nets.insert(id);
        self.aliases
            .get(&id)
            .unwrap_or(&self.nets.all[id].verilog)
            .clone()
    }

    /// Whether the text so far names the net.
    pub fn uses(&self, id: NetId) -> bool {
        self.used.borrow().nets.contains(&id)
    }

    /// An expression as an operand: in parentheses where it is made of operators.
    fn operand(&self, e: &Expr) -> String {
        match e.kind {
            Kind::Arith(..)
            | Kind::Shift(..)
            | Kind::Compare(..)
            | Kind::Reduce(..)
            | Kind::Negate(_) => {
                format!("({})", self.expr(e))
            }
            _ => self.expr(e),
        }
    }

    /// An expression, without parentheses around it.
    pub fn expr(&self, e: &Expr) -> String {
        match &e.kind {
            Kind::Net(id) => self.net(*id),
            Kind::Literal(v) => literal(v, e.width),
            Kind::Label(label, code) => self.label(label, e.width, code),
            Kind::Slice(base, lo) => match self.indexable(base) {
                Some(name) if e.width == 1 => format!("{name}[{lo}]"),
                Some(name) => format!("{name}[{}:{lo}]", lo + e.width - 1),
                None => self.call(base.width, *lo, e.width, &self.expr(base)),
            },
            Kind::Concat(parts) => self.concat(parts),
            Kind::Not(x) if x.width == 1 => format!("!{}", self.operand(x)),
            Kind::Not(x) => format!("~{}", self.operand(x)),
            Kind::Negate(x) => format!("-{}", self.operand(x)),
            Kind::Reduce(op, x) => format!("{op}{}", self.operand(x)),
            Kind::Arith(op, l, r) | Kind::Shift(op, l, r) => {
                format!("{} {op} {}", self.operand(l), self.operand(r))
            }
            Kind::Compare(op, l, r) if l.signed && r.signed => {
                format!("$signed({}) {op} $signed({})", self.expr(l), self.expr(r))
            }
            Kind::Compare(op, l, r) => format!("{} {op} {}", self.operand(l), self.operand(r)),
            Kind::SliceAt(base, at) => self.slice_at(base, at, e.width),
        }
    }

    /// A name that may be followed by an index.
    fn indexable(&self, e: &Expr) -> Option<String> {
        match e.kind {
            Kind::Net(id)
                if e.width > 1 && !matches!(self.nets.all[id].role, Role::Constant(_)) =>
            {
                let name = self.net(id);
                // An alias may be a literal.
                name.starts_with(|c: char| c.is_ascii_alphabetic())
                    .then_some(name)
            }
            _ => None,
        }
    }

    fn concat(&self, parts: &[Expr]) -> String {
        let mut texts = Vec::new();
        let mut rest = parts;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|p| *p == first).count();
            let text = self.expr(first);
            texts.push(if run > 1 {
                format!("{{{run}{{{text}}}}}")
            } else {
                text
            });
            rest = &rest[run..];
        }
        if texts.len() == 1 {
            return texts.swap_remove(0);
        }
        let lines: Vec<String> = texts
            .chunks(PARTS_A_LINE)
            .map(|line| line.join(", "))
            .collect();
        format!("{{{}}}", lines.join(",\n        "))
    }

    /// The low `width` bits of `base >> at`. A select says so where it cannot leave `base`.
    fn slice_at(&self, base: &Expr, at: &Expr, width: usize) -> String {
        let largest = 1usize.checked_shl(at.width as u32).unwrap_or(usize::MAX);
        let inside = largest.saturating_sub(1).saturating_add(width) <= base.width;
        if let (true, Some(name)) = (inside, self.indexable(base)) {
            // Verilog counts positions in exactly as many bits as the base needs.
            let position = at.clone().resize((base.width - 1).ilog2() as usize + 1);
            let position = self.expr(&position);
            return if width == 1 {
                format!("{name}[{position}]")
            } else {
                format!("{name}[{position} +: {width}]")
            };
        }
        let shifted = format!("{} >> {}", self.operand(base), self.operand(at));
        if width == base.width {
            return format!("({shifted})");
        }
        self.call(base.width, 0, width, &shifted)
    }

    /// Bits of an expression that has no name: Verilog slices names alone.
    fn call(&self, from: usize, lo: usize, width: usize, argument: &str) -> String {
        let used = &mut *self.used.borrow_mut();
        let name = used.functions.entry((from, lo, width)).or_insert_with(|| {
            let wish = match width {
                1 => format!("bit_{lo}_of_{from}"),
                _ => format!("bits_{}_{lo}_of_{from}", lo + width - 1),
            };
            used.namer.take(&wish)
        });
        format!("{name}({argument})")
    }

    fn label(&self, label: &str, width: usize, code: &BigUint) -> String {
        let used = &mut *self.used.borrow_mut();
        let entry = used
            .labels
            .entry(label.into())
            .or_insert_with(|| (used.namer.take(label), width, code.clone()));
        entry.0.clone()
    }

    /// The assigned side: a net or a part of it.
    fn target(&self, net: NetId, lo: usize, width: usize) -> String {
        let name = self.net(net);
        match (width == self.nets.all[net].width, width) {
            (true, _) => name,
            (false, 1) => format!("{name}[{lo}]"),
            (false, _) => format!("{name}[{}:{lo}]", lo + width - 1),
        }
    }

    /// The statements as far as they assign nets of `only`, indented by `depth` steps.
    pub fn statements(
        &self,
        stmts: &[Stmt],
        only: &BTreeSet<NetId>,
        depth: usize,
        out: &mut String,
    ) {
        let pad = "    ".repeat(depth);
        for stmt in stmts.iter().filter(|s| touches(s, only)) {
            match stmt {
                Stmt::Assign { net, lo, value } => {
                    let target = self.target(*net, *lo, value.width);
                    let _ = writeln!(out, "{pad}{target} = {};", self.expr(value));
                }
                Stmt::If { .. } => {
                    out.push_str(&pad);
                    self.conditional(stmt, only, depth, out);
                }
                Stmt::Case {
                    test,
                    arms,
                    default,
                    last,
                } => {
                    let _ = writeln!(out, "{pad}case ({})", self.expr(test));
                    let fallback = default.iter().any(|s| touches(s, only));
                    for (pattern, body) in arms {
                        if body.iter().any(|s| touches(s, only)) {
                            let _ = writeln!(out, "{pad}    {}: begin", self.expr(pattern));
                            self.statements(body, only, depth + 2, out);
                            let _ = writeln!(out, "{pad}    end");
                        } else if fallback {
                            let _ = writeln!(out, "{pad}    {}: ;", self.expr(pattern));
                        }
                    }
                    if fallback {
                        let name = match last {
                            Some(Expr {
                                kind: Kind::Label(label, _),
                                ..
                            }) => format!(" // {label}"),
                            _ => String::new(),
                        };
                        let _ = writeln!(out, "{pad}    default: begin{name}");
                        self.statements(default, only, depth + 2, out);
                        let _ = writeln!(out, "{pad}    end");
                    } else {
                        let _ = writeln!(out, "{pad}    default: ;");
                    }
                    let _ = writeln!(out, "{pad}endcase");
                }
            }
        }
    }

    /// An `if` whose indentation is already written.
    fn conditional(&self, stmt: &Stmt, only: &BTreeSet<NetId>, depth: usize, out: &mut String) {
        let Stmt::If {
            test,
            then,
            otherwise,
        } = stmt
        else {
            return;
        };
        let pad = "    ".repeat(depth);
        let has = |body: &[Stmt]| body.iter().any(|s| touches(s, only));
        if !has(then) {
            let not = Expr::new(Kind::Not(Box::new(test.clone())), 1);
            let _ = writeln!(out, "if ({}) begin", self.expr(&not));
            self.statements(otherwise, only, depth + 1, out);
            let _ = writeln!(out, "{pad}end");
            return;
        }
        let _ = writeln!(out, "if ({}) begin", self.expr(test));
        self.statements(then, only, depth + 1, out);
        let rest: Vec<&Stmt> = otherwise.iter().filter(|s| touches(s, only)).collect();
        match rest.as_slice() {
            [] => {
                let _ = writeln!(out, "{pad}end");
            }
            [next @ Stmt::If { .. }] => {
                let _ = write!(out, "{pad}end else ");
                self.conditional(next, only, depth, out);
            }
            _ => {
                let _ = writeln!(out, "{pad}end else begin");
                self.statements(otherwise, only, depth + 1, out);
                let _ = writeln!(out, "{pad}end");
            }
        }
    }

    /// Declarations of the constants and enum variants that the text names.
    pub fn parameters(&self, out: &mut String) {
        let used = self.used.borrow();
        for id in &used.nets {
            let net = &self.nets.all[*id];
            if let Role::Constant(v) = &net.role {
                let _ = writeln!(
                    out,
                    "    localparam {}{} = {};",
                    range(net.width),
                    net.verilog,
                    literal(v, net.width)
                );
            }
        }
        for (name, width, code) in used.labels.values() {
            let _ = writeln!(
                out,
                "    localparam {}{name} = {};",
                range(*width),
                literal(code, *width)
            );
        }
    }

    /// Definitions of the slicing functions that the text calls.
    pub fn functions(&self, out: &mut String) {
        for ((from, lo, width), name) in &self.used.borrow().functions {
            let slice = if *width == 1 {
                format!("x[{lo}]")
            } else {
                format!("x[{}:{lo}]", lo + width - 1)
            };
            let _ = write!(
                out,
                "    function {}{name}(input {}x);\n        {name} = {slice};\n    endfunction\n",
                range(*width),
                range(*from)
            );
        }
    }
}

/// Whether the statement assigns a net of `only`.
fn touches(stmt: &Stmt, only: &BTreeSet<NetId>) -> bool {
    match stmt {
        Stmt::Assign { net, .. } => only.contains(net),
        Stmt::If {
            then, otherwise, ..
        } => then.iter().chain(otherwise).any(|s| touches(s, only)),
        Stmt::Case { arms, default, .. } => arms
            .iter()
            .flat_map(|(_, b)| b)
            .chain(default)
            .any(|s| touches(s, only)),
    }
}

/// `8'h1f`.
pub(super) fn literal(value: &BigUint, width: usize) -> String {
    if width == 1 {
        format!("1'b{value}")
    } else {
        format!("{width}'h{value:x}")
    }
}

/// `[7:0] `, nothing for one bit.
pub(super) fn range(width: usize) -> String {
    if width == 1 {
        String::new()
    } else {
        format!("[{}:0] ", width - 1)
    }
}
