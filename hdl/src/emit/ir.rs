//! Expressions of known width.
//!
//! Every operand of an arithmetic operator or comparison has exactly the operator's width, so that Verilog's rule of
//! widening operands to their context changes nothing. Widths change at concatenations and slices alone,
//! whose operands Verilog evaluates by themselves.

use num_bigint::BigUint;

/// Index of a net in its module.
pub(super) type NetId = usize;

/// An expression and its width in bits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub kind: Kind,
    pub width: usize,
    /// A `Signed<_>` in Rust: comparisons of two such are signed.
    pub signed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Net(NetId),
    Literal(BigUint),
    /// An enum variant (`State::Idle`) and its code.
    Label(String, BigUint),
    /// Bits from this one up.
    Slice(Box<Expr>, usize),
    /// Most significant part first.
    Concat(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    /// `&`, `|` or `^` over all bits.
    Reduce(&'static str, Box<Expr>),
    /// Operands and result of one width.
    Arith(&'static str, Box<Expr>, Box<Expr>),
    /// Left operand and result of one width, the amount of any.
    Shift(&'static str, Box<Expr>, Box<Expr>),
    /// Operands of one width, one bit of result.
    Compare(&'static str, Box<Expr>, Box<Expr>),
    /// The low bits of the first operand shifted right by the second.
    SliceAt(Box<Expr>, Box<Expr>),
}

impl Expr {
    pub fn new(kind: Kind, width: usize) -> Self {
        Self {
            kind,
            width,
            signed: false,
        }
    }

    pub fn literal(value: BigUint, width: usize) -> Self {
        Self::new(Kind::Literal(value), width)
    }

    /// The value, when it is a number.
    pub fn value(&self) -> Option<&BigUint> {
        match &self.kind {
            Kind::Literal(v) | Kind::Label(_, v) => Some(v),
            _ => None,
        }
    }

    /// Bits `lo .. lo + width`, which must exist.
    pub fn slice(self, lo: usize, width: usize) -> Self {
        if lo == 0 && width == self.width {
            return Self {
                signed: false,
                ..self
            };
        }
        match self.kind {
            Kind::Literal(v) | Kind::Label(_, v) => {
                Self::literal(low_bits(&(v >> lo), width), width)
            }
            Kind::Slice(base, inner) => base.slice(lo + inner, width),
            Kind::Concat(parts) => slice_parts(parts, lo, width),
            Kind::SliceAt(base, offset) if lo == 0 => Self::new(Kind::SliceAt(base, offset), width),
            kind => Self::new(
                Kind::Slice(
                    Box::new(Self {
                        kind,
                        width: self.width,
                        signed: false,
                    }),
                    lo,
                ),
                width,
            ),
        }
    }

    /// Zero-extended or cut to `width`.
    pub fn resize(self, width: usize) -> Self {
        if width <= self.width {
            return self.slice(0, width);
        }
        let pad = Self::literal(BigUint::default(), width - self.width);
        Self::concat(vec![pad, self])
    }

    /// Sign-extended or cut to `width`.
    pub fn resize_signed(self, width: usize) -> Self {
        if width <= self.width {
            return Self {
                signed: true,
                ..self.slice(0, width)
            };
        }
        let sign = self.clone().slice(self.width - 1, 1);
        let mut parts = vec![sign; width - self.width];
        parts.push(self);
        Self {
            signed: true,
            ..Self::concat(parts)
        }
    }

    /// Parts side by side, the most significant first.
    pub fn concat(parts: Vec<Expr>) -> Self {
        let width = parts.iter().map(|p| p.width).sum();
        let mut flat: Vec<Expr> = Vec::new();
        for part in parts {
            let inner = match part.kind {
                Kind::Concat(inner) => inner,
                _ => vec![part],
            };
            for next in inner {
                if let Some(both) = flat.last().and_then(|last| joined(last, &next)) {
                    flat.pop();
                    flat.push(both);
                } else {
                    flat.push(next);
                }
            }
        }
        match flat.len() {
            1 => flat.swap_remove(0),
            _ => Self::new(Kind::Concat(flat), width),
        }
    }

    /// Calls `see` for every net that is read.
    pub fn reads(&self, see: &mut dyn FnMut(NetId)) {
        match &self.kind {
            Kind::Net(net) => see(*net),
            Kind::Literal(_) | Kind::Label(..) => {}
            Kind::Slice(x, _) | Kind::Not(x) | Kind::Negate(x) | Kind::Reduce(_, x) => x.reads(see),
            Kind::Concat(parts) => parts.iter().for_each(|p| p.reads(see)),
            Kind::Arith(_, l, r)
            | Kind::Shift(_, l, r)
            | Kind::Compare(_, l, r)
            | Kind::SliceAt(l, r) => {
                l.reads(see);
                r.reads(see);
            }
        }
    }
}

/// Two neighbours of a concatenation as one: numbers, and adjacent slices of one expression.
fn joined(high: &Expr, low: &Expr) -> Option<Expr> {
    let width = high.width + low.width;
    match (&high.kind, &low.kind) {
        (Kind::Literal(h), Kind::Literal(l)) => Some(Expr::literal((h << low.width) | l, width)),
        (Kind::Slice(h, at), Kind::Slice(l, lo)) if h == l && lo + low.width == *at => {
            Some((**l).clone().slice(*lo, width))
        }
        _ => None,
    }
}

fn slice_parts(parts: Vec<Expr>, lo: usize, width: usize) -> Expr {
    let mut kept = Vec::new();
    let mut at = 0;
    for part in parts.into_iter().rev() {
        let end = at + part.width;
        let (from, to) = (lo.max(at), (lo + width).min(end));
        if from < to {
            kept.push(part.slice(from - at, to - from));
        }
        at = end;
    }
    kept.reverse();
    Expr::concat(kept)
}

/// `value` modulo 2^`width`.
pub(super) fn low_bits(value: &BigUint, width: usize) -> BigUint {
    value & ones(width)
}

/// `width` ones.
pub(super) fn ones(width: usize) -> BigUint {
    (BigUint::from(1u8) << width) - 1u8
}

/// A statement of the combinational process, loops unrolled.
#[derive(Clone, Debug)]
pub(super) enum Stmt {
    /// Bits `lo ..` of `net`, as many as `value` has.
    Assign { net: NetId, lo: usize, value: Expr },
    /// Both branches, either may be empty.
    If {
        test: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    /// Patterns of the width of `test`; `default` takes every other value, of which `last` is the one that
    /// has a name.
    Case {
        test: Expr,
        arms: Vec<(Expr, Vec<Stmt>)>,
        default: Vec<Stmt>,
        last: Option<Expr>,
    },
}

impl Stmt {
    /// Calls `see` for every net that is assigned.
    pub fn writes(&self, see: &mut dyn FnMut(NetId)) {
        match self {
            Stmt::Assign { net, .. } => see(*net),
            Stmt::If {
                then, otherwise, ..
            } => {
                then.iter().chain(otherwise).for_each(|s| s.writes(see));
            }
            Stmt::Case { arms, default, .. } => {
                arms.iter()
                    .flat_map(|(_, body)| body)
                    .chain(default)
                    .for_each(|s| s.writes(see));
            }
        }
    }

    /// Calls `see` for every net that is read, in tests too.
    pub fn reads(&self, see: &mut dyn FnMut(NetId)) {
        match self {
            Stmt::Assign { value, .. } => value.reads(see),
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                test.reads(see);
                then.iter().chain(otherwise).for_each(|s| s.reads(see));
            }
            Stmt::Case {
                test,
                arms,
                default,
                ..
            } => {
                test.reads(see);
                arms.iter()
                    .flat_map(|(_, body)| body)
                    .chain(default)
                    .for_each(|s| s.reads(see));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(width: usize) -> Expr {
        Expr::new(Kind::Net(0), width)
    }

    #[test]
    fn slices_of_concatenations_find_their_part() {
        let wide = net(8).resize(16);
        assert_eq!(wide.clone().slice(2, 4), net(8).slice(2, 4));
        assert_eq!(
            wide.clone().slice(8, 8),
            Expr::literal(BigUint::default(), 8)
        );
        assert_eq!(wide.slice(4, 8), net(8).slice(4, 4).resize(8));
    }

    #[test]
    fn a_slice_of_a_dynamic_slice_shrinks_from_below_only() {
        let at = Expr::new(Kind::SliceAt(Box::new(net(32)), Box::new(net(5))), 8);
        assert!(matches!(at.clone().slice(0, 4).kind, Kind::SliceAt(..)));
        assert!(matches!(at.slice(4, 4).kind, Kind::Slice(..)));
    }
}
