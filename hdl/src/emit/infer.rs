//! Widths: from rust-hdl's untyped expressions to [`Expr`]s.
//!
//! The rules are those of the Rust operators: both operands of `+ - & | ^` and of comparisons have one width, which
//! is the result's; a bare number takes the width of what it meets; shifts keep the width of their left
//! operand; casts and slices state theirs.

use std::collections::HashMap;

use num_bigint::{BigInt, BigUint, Sign};
use rust_hdl_core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

use super::error::EmitError;
use super::ir::{Expr, Kind, ones};
use super::names::resolve;
use super::nets::{Nets, Role, field};
use super::tree::{is_bool, literal_value};

/// Width of the result of shifting a bare number by a signal, in rust-hdl.
const LITERAL_BITS: usize = 64;

/// What is known of an expression.
pub(super) enum Typed {
    Exact(Expr),
    /// A number that takes the width of its context.
    Number(BigInt),
    /// A `signed_bit_cast`, whose target width rust-hdl does not record: sign-extended to its context.
    Resizable(Expr),
}

/// Where an expression stands.
pub(super) struct Scope<'a> {
    pub nets: &'a Nets,
    /// Instance path of the block.
    pub block: &'a str,
    pub loops: HashMap<String, i64>,
    /// Rust name of the signal that is being assigned, or the statement, for messages.
    pub target: String,
}

impl Scope<'_> {
    /// The expression at exactly `width` bits.
    pub fn sized(&self, e: &VerilogExpression, width: usize) -> Result<Expr, EmitError> {
        let typed = self.infer(e)?;
        self.fit(typed, width, e)
    }

    fn fit(&self, typed: Typed, width: usize, e: &VerilogExpression) -> Result<Expr, EmitError> {
        match typed {
            Typed::Exact(x) if x.width == width => Ok(x),
            Typed::Exact(x) => Err(self.mismatch(e, width, x.width)),
            Typed::Resizable(x) => Ok(x.resize_signed(width)),
            Typed::Number(n) => self.number(n, width, e),
        }
    }

    fn number(&self, n: BigInt, width: usize, e: &VerilogExpression) -> Result<Expr, EmitError> {
        let bits = match n.sign() {
            Sign::Minus => (BigInt::from(1) << width) + &n,
            _ => n.clone(),
        };
        match bits.to_biguint() {
            Some(v) if v <= ones(width) => Ok(Expr::literal(v, width)),
            _ => Err(EmitError::Overflow {
                block: self.block.into(),
                signal: self.target.clone(),
                expression: describe(e),
                value: n.to_string(),
                width,
            }),
        }
    }

    /// The expression at the width that follows from itself.
    pub fn exact(&self, e: &VerilogExpression) -> Result<Expr, EmitError> {
        match self.infer(e)? {
            Typed::Exact(x) => Ok(x),
            Typed::Number(_) | Typed::Resizable(_) => Err(self.unsized_error(e)),
        }
    }

    fn unsized_error(&self, e: &VerilogExpression) -> EmitError {
        EmitError::Unsized {
            block: self.block.into(),
            signal: self.target.clone(),
            expression: describe(e),
        }
    }

    /// The expression as something that slices well: constants become their value.
    fn sliceable(&self, e: &VerilogExpression) -> Result<Expr, EmitError> {
        Ok(self.fold(self.exact(e)?))
    }

    fn fold(&self, x: Expr) -> Expr {
        if let Kind::Net(id) = x.kind
            && let Role::Constant(v) = &self.nets.all[id].role
        {
            return Expr {
                kind: Kind::Literal(v.clone()),
                ..x
            };
        }
        x
    }

    /// An amount or position: a number where it is known.
    fn position(&self, e: &VerilogExpression) -> Result<Result<usize, Expr>, EmitError> {
        let known = match self.infer(e)? {
            Typed::Number(n) => n.to_biguint(),
            Typed::Exact(x) => match self.fold(x) {
                Expr {
                    kind: Kind::Literal(v),
                    ..
                } => Some(v),
                x => return Ok(Err(x)),
            },
            Typed::Resizable(_) => None,
        };
        match known.and_then(|v| usize::try_from(v).ok()) {
            Some(n) => Ok(Ok(n)),
            None => Err(self.unsized_error(e)),
        }
    }

    fn mismatch(&self, e: &VerilogExpression, left: usize, right: usize) -> EmitError {
        EmitError::Width {
            block: self.block.into(),
            signal: self.target.clone(),
            expression: describe(e),
            left,
            right,
        }
    }

    /// What is known of the width and value of `e`.
    pub fn infer(&self, e: &VerilogExpression) -> Result<Typed, EmitError> {
        use VerilogExpression as V;
        Ok(match e {
            V::Signal(raw) => self.name(raw)?,
            V::Literal(l) if is_bool(l) => Typed::Exact(Expr::literal(literal_value(l), 1)),
            V::Literal(l) => Typed::Number(literal_value(l).into()),
            V::Paren(inner) => self.infer(inner)?,
            V::Cast(inner, width) => match self.infer(inner)? {
                Typed::Number(n) => Typed::Exact(self.number(n, *width, e)?),
                Typed::Exact(x) if x.width >= *width => Typed::Exact(self.fold(x).resize(*width)),
                Typed::Exact(x) => Typed::Exact(x.resize(*width)),
                Typed::Resizable(_) => return Err(self.unsized_error(inner)),
            },
            V::Signed(inner) => match self.infer(inner)? {
                Typed::Exact(x) if x.signed => Typed::Resizable(x),
                Typed::Exact(x) => Typed::Exact(Expr { signed: true, ..x }),
                other => other,
            },
            V::Unsigned(inner) => Typed::Exact(Expr {
                signed: false,
                ..self.exact(inner)?
            }),
            V::Binary(l, op, r) => self.binary(e, l, op, r)?,
            V::Unary(op, x) => self.unary(op, x)?,
            V::Index(x, at) => {
                let base = self.sliceable(x)?;
                match self.position(at)? {
                    Ok(k) if k >= base.width => return Err(self.mismatch(e, base.width, k + 1)),
                    Ok(k) => Typed::Exact(base.slice(k, 1)),
                    Err(at) => Typed::Exact(slice_at(base, at, 1)),
                }
            }
            V::Slice(x, width, at) => {
                let base = self.sliceable(x)?;
                Typed::Exact(match self.position(at)? {
                    Ok(k) => {
                        // Rust's get_bits is a shift: bits beyond the top read zero.
                        let have = base.width.saturating_sub(k).min(*width);
                        match have {
                            0 => Expr::literal(BigUint::default(), *width),
                            _ => base.slice(k, have).resize(*width),
                        }
                    }
                    Err(at) if *width > base.width => {
                        let all = base.width;
                        slice_at(base, at, all).resize(*width)
                    }
                    Err(at) => slice_at(base, at, *width),
                })
            }
            V::IndexReplace(x, at, bit) => Typed::Exact(self.replace_bit(e, x, at, bit)?),
        })
    }

    fn name(&self, raw: &str) -> Result<Typed, EmitError> {
        if let Some(value) = self.loops.get(raw) {
            return Ok(Typed::Number((*value).into()));
        }
        let Some(name) = resolve(raw, &self.loops) else {
            return Err(EmitError::Index {
                block: self.block.into(),
                name: raw.replace('$', "."),
            });
        };
        if let Some(id) = self.nets.find(&name) {
            return Ok(Typed::Exact(self.nets.read(id)));
        }
        if let Some((base, path)) = name.split_once("$val()$")
            && let Some(id) = self.nets.find(base)
        {
            let path: Vec<&str> = path.split('$').collect();
            if let Some((lo, width)) = field(&self.nets.all[id].descriptor, &path) {
                return Ok(Typed::Exact(self.fold(self.nets.read(id)).slice(lo, width)));
            }
        }
        match self.nets.label(&name) {
            Some(Some(label)) => Ok(Typed::Exact(label)),
            Some(None) => Err(EmitError::Ambiguous {
                block: self.block.into(),
                signal: self.target.clone(),
                name: name.replace('$', "::"),
            }),
            None => Err(EmitError::Unknown {
                block: self.block.into(),
                signal: self.target.clone(),
                name: name.replace('$', "."),
            }),
        }
    }

    /// Both operands at one width. Each is inferred once: inference walks the whole tree below.
    fn pair(&self, e: &VerilogExpression, l: Typed, r: Typed) -> Result<(Expr, Expr), EmitError> {
        match (l, r) {
            (Typed::Exact(a), Typed::Exact(b)) if a.width != b.width => {
                Err(self.mismatch(e, a.width, b.width))
            }
            (Typed::Exact(a), Typed::Exact(b)) => Ok((a, b)),
            (Typed::Exact(a), other) => {
                let b = self.fit(other, a.width, e)?;
                let signed = a.signed;
                Ok((a, Expr { signed, ..b }))
            }
            (other, Typed::Exact(b)) => {
                let a = self.fit(other, b.width, e)?;
                let signed = b.signed;
                Ok((Expr { signed, ..a }, b))
            }
            _ => Err(self.unsized_error(e)),
        }
    }

    fn binary(
        &self,
        e: &VerilogExpression,
        l: &VerilogExpression,
        op: &VerilogOp,
        r: &VerilogExpression,
    ) -> Result<Typed, EmitError> {
        use VerilogOp as Op;
        if matches!(op, Op::Shl | Op::Shr) {
            let left = match self.infer(l)? {
                Typed::Number(n) if matches!(self.infer(r)?, Typed::Exact(_)) => {
                    self.number(n, LITERAL_BITS, l)?
                }
                Typed::Exact(x) => x,
                Typed::Number(n) => {
                    let amount = self.position(r)?.unwrap_or_default();
                    return Ok(Typed::Number(if matches!(op, Op::Shl) {
                        n << amount
                    } else {
                        n >> amount
                    }));
                }
                Typed::Resizable(_) => return Err(self.unsized_error(l)),
            };
            let amount = self.position(r)?;
            // A shift by a known amount slices its operand, which a named constant does not allow.
            let left = if amount.is_ok() {
                self.fold(left)
            } else {
                left
            };
            return Ok(Typed::Exact(shift(left, matches!(op, Op::Shl), amount)));
        }
        let (left, right) = (self.infer(l)?, self.infer(r)?);
        if let (Typed::Number(a), Typed::Number(b)) = (&left, &right) {
            return fold_numbers(a, op, b).ok_or_else(|| self.unsized_error(e));
        }
        // Bits<N> + bool adds one.
        if let (Op::Add, Typed::Exact(a), Typed::Exact(b)) = (op, &left, &right)
            && b.width == 1
            && a.width > 1
        {
            let kind = Kind::Arith(
                "+",
                Box::new(a.clone()),
                Box::new(b.clone().resize(a.width)),
            );
            return Ok(Typed::Exact(Expr::new(kind, a.width)));
        }
        let (a, b) = self.pair(e, left, right)?;
        let (width, signed) = (a.width, a.signed);
        let symbol = match op {
            Op::Add => "+",
            Op::Sub => "-",
            Op::BitAnd => "&",
            Op::BitOr => "|",
            Op::BitXor => "^",
            Op::LogicalAnd | Op::LogicalOr => {
                if width != 1 {
                    return Err(self.mismatch(e, 1, width));
                }
                if matches!(op, Op::LogicalAnd) {
                    "&&"
                } else {
                    "||"
                }
            }
            Op::Mul => {
                let wide = |x: Expr| {
                    if signed {
                        x.resize_signed(2 * width)
                    } else {
                        x.resize(2 * width)
                    }
                };
                let kind = Kind::Arith("*", Box::new(wide(a)), Box::new(wide(b)));
                return Ok(Typed::Exact(Expr {
                    kind,
                    width: 2 * width,
                    signed,
                }));
            }
            Op::Eq => return Ok(compare("==", a, b)),
            Op::Ne => return Ok(compare("!=", a, b)),
            Op::Lt => return Ok(compare("<", a, b)),
            Op::Le => return Ok(compare("<=", a, b)),
            Op::Gt => return Ok(compare(">", a, b)),
            Op::Ge => return Ok(compare(">=", a, b)),
            Op::Shl | Op::Shr => return Err(self.unsized_error(e)),
        };
        Ok(Typed::Exact(Expr {
            kind: Kind::Arith(symbol, Box::new(a), Box::new(b)),
            width,
            signed,
        }))
    }

    fn unary(&self, op: &VerilogOpUnary, x: &VerilogExpression) -> Result<Typed, EmitError> {
        let x = match (op, self.infer(x)?) {
            (VerilogOpUnary::Neg, Typed::Number(n)) => return Ok(Typed::Number(-n)),
            (_, Typed::Exact(inner)) => inner,
            _ => return Err(self.unsized_error(x)),
        };
        let (width, signed) = (x.width, x.signed);
        let kind = match op {
            VerilogOpUnary::Not => Kind::Not(Box::new(x)),
            VerilogOpUnary::Neg => Kind::Negate(Box::new(x)),
            VerilogOpUnary::All => return Ok(Typed::Exact(reduce("&", x))),
            VerilogOpUnary::Any => return Ok(Typed::Exact(reduce("|", x))),
            VerilogOpUnary::Xor => return Ok(Typed::Exact(reduce("^", x))),
        };
        Ok(Typed::Exact(Expr {
            kind,
            width,
            signed,
        }))
    }

    fn replace_bit(
        &self,
        e: &VerilogExpression,
        x: &VerilogExpression,
        at: &VerilogExpression,
        bit: &VerilogExpression,
    ) -> Result<Expr, EmitError> {
        let base = self.sliceable(x)?;
        let bit = self.sized(bit, 1)?;
        let width = base.width;
        match self.position(at)? {
            Ok(k) if k >= width => Err(self.mismatch(e, width, k + 1)),
            Ok(k) => {
                let mut parts = Vec::new();
                if k + 1 < width {
                    parts.push(base.clone().slice(k + 1, width - k - 1));
                }
                parts.push(bit);
                if k > 0 {
                    parts.push(base.slice(0, k));
                }
                Ok(Expr::concat(parts))
            }
            Err(at) => {
                let arith = |op, a, b| Expr::new(Kind::Arith(op, Box::new(a), Box::new(b)), width);
                let one = Expr::literal(1u8.into(), width);
                let hole = Expr::new(
                    Kind::Not(Box::new(shift(one, true, Err(at.clone())))),
                    width,
                );
                let new = shift(bit.resize(width), true, Err(at));
                Ok(arith("|", arith("&", base, hole), new))
            }
        }
    }
}

fn compare(op: &'static str, a: Expr, b: Expr) -> Typed {
    Typed::Exact(Expr::new(Kind::Compare(op, Box::new(a), Box::new(b)), 1))
}

fn reduce(op: &'static str, x: Expr) -> Expr {
    if x.width == 1 {
        return Expr { signed: false, ..x };
    }
    Expr::new(Kind::Reduce(op, Box::new(x)), 1)
}

fn slice_at(base: Expr, at: Expr, width: usize) -> Expr {
    Expr::new(Kind::SliceAt(Box::new(base), Box::new(at)), width)
}

/// A shift that keeps the width; by a known amount it is a concatenation.
fn shift(x: Expr, left: bool, amount: Result<usize, Expr>) -> Expr {
    let width = x.width;
    match amount {
        Ok(0) => x,
        Ok(k) if k >= width => Expr::literal(BigUint::default(), width),
        Ok(k) => {
            let zeros = Expr::literal(BigUint::default(), k);
            if left {
                Expr::concat(vec![x.slice(0, width - k), zeros])
            } else {
                Expr::concat(vec![zeros, x.slice(k, width - k)])
            }
        }
        Err(amount) => {
            let op = if left { "<<" } else { ">>" };
            Expr::new(
                Kind::Shift(op, Box::new(Expr { signed: false, ..x }), Box::new(amount)),
                width,
            )
        }
    }
}

fn fold_numbers(a: &BigInt, op: &VerilogOp, b: &BigInt) -> Option<Typed> {
    use VerilogOp as Op;
    let bit = |v: bool| Some(Typed::Exact(Expr::literal(u8::from(v).into(), 1)));
    let number = |n: BigInt| Some(Typed::Number(n));
    match op {
        Op::Add => number(a + b),
        Op::Sub => number(a - b),
        Op::Mul => number(a * b),
        Op::BitAnd => number(a & b),
        Op::BitOr => number(a | b),
        Op::BitXor => number(a ^ b),
        Op::Eq => bit(a == b),
        Op::Ne => bit(a != b),
        Op::Lt => bit(a < b),
        Op::Le => bit(a <= b),
        Op::Gt => bit(a > b),
        Op::Ge => bit(a >= b),
        Op::Shl | Op::Shr | Op::LogicalAnd | Op::LogicalOr => None,
    }
}

/// The expression in Rust's notation, for messages.
pub(super) fn describe(e: &VerilogExpression) -> String {
    use VerilogExpression as V;
    match e {
        V::Signal(raw) => raw.replace('$', "."),
        V::Literal(l) if is_bool(l) => (literal_value(l) == BigUint::from(1u8)).to_string(),
        V::Literal(l) => literal_value(l).to_string(),
        V::Cast(x, width) => format!("bit_cast::<{width}, _>({})", describe(x)),
        V::Signed(x) => format!("signed({})", describe(x)),
        V::Unsigned(x) => format!("unsigned({})", describe(x)),
        V::Paren(x) => format!("({})", describe(x)),
        V::Binary(l, op, r) => {
            let symbol = match op {
                VerilogOp::Add => "+",
                VerilogOp::Sub => "-",
                VerilogOp::Mul => "*",
                VerilogOp::LogicalAnd => "&&",
                VerilogOp::LogicalOr => "||",
                VerilogOp::BitXor => "^",
                VerilogOp::BitAnd => "&",
                VerilogOp::BitOr => "|",
                VerilogOp::Shl => "<<",
                VerilogOp::Shr => ">>",
                VerilogOp::Eq => "==",
                VerilogOp::Lt => "<",
                VerilogOp::Le => "<=",
                VerilogOp::Ne => "!=",
                VerilogOp::Ge => ">=",
                VerilogOp::Gt => ">",
            };
            format!("{} {symbol} {}", describe(l), describe(r))
        }
        V::Unary(op, x) => match op {
            VerilogOpUnary::Not => format!("!{}", describe(x)),
            VerilogOpUnary::Neg => format!("-{}", describe(x)),
            VerilogOpUnary::All => format!("{}.all()", describe(x)),
            VerilogOpUnary::Any => format!("{}.any()", describe(x)),
            VerilogOpUnary::Xor => format!("{}.xor()", describe(x)),
        },
        V::Index(x, at) => format!("{}.get_bit({})", describe(x), describe(at)),
        V::Slice(x, width, at) => format!("{}.get_bits::<{width}>({})", describe(x), describe(at)),
        V::IndexReplace(x, at, bit) => {
            format!(
                "{}.replace_bit({}, {})",
                describe(x),
                describe(at),
                describe(bit)
            )
        }
    }
}
