//! Statements: from rust-hdl's tree to [`Stmt`]s, loops unrolled, macros and links written out.

use num_bigint::BigUint;
use rust_hdl_core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogLink,
    VerilogLinkDetails, VerilogMatch, VerilogStatement,
};

use super::error::EmitError;
use super::infer::{Scope, describe};
use super::ir::{Expr, NetId, Stmt, low_bits};
use super::names::{number, resolve};
use super::tree::literal_value;

impl Scope<'_> {
    /// Lowers `code` to the end of `out`.
    pub fn block(&mut self, code: &VerilogBlock, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        code.iter()
            .try_for_each(|statement| self.statement(statement, out))
    }

    fn body(&mut self, code: &VerilogBlock) -> Result<Vec<Stmt>, EmitError> {
        let mut out = Vec::new();
        self.block(code, &mut out)?;
        Ok(out)
    }

    fn statement(
        &mut self,
        statement: &VerilogStatement,
        out: &mut Vec<Stmt>,
    ) -> Result<(), EmitError> {
        match statement {
            VerilogStatement::Assignment(target, value) => {
                let net = self.target(target)?;
                let value = self.sized(value, self.nets.all[net].width)?;
                out.push(Stmt::Assign { net, lo: 0, value });
            }
            VerilogStatement::SliceAssignment {
                base,
                width,
                offset,
                replacement,
            } => {
                let net = self.target(base)?;
                let VerilogExpression::Literal(lo) = offset else {
                    return Err(self.unsupported(format!(
                        "a computed slice of `{}` is assigned",
                        self.target
                    )));
                };
                let lo = usize::try_from(literal_value(lo)).unwrap_or(usize::MAX);
                let value = self.sized(replacement, *width)?;
                out.push(Stmt::Assign { net, lo, value });
            }
            VerilogStatement::If(conditional) => self.conditional(conditional, out)?,
            VerilogStatement::Match(m) => self.selection(m, out)?,
            VerilogStatement::Loop(l) => {
                for i in l.from.as_usize()..l.to.as_usize() {
                    let value = i64::try_from(i).unwrap_or(i64::MAX);
                    let shadowed = self.loops.insert(l.index.clone(), value);
                    self.block(&l.block, out)?;
                    match shadowed {
                        Some(outer) => self.loops.insert(l.index.clone(), outer),
                        None => self.loops.remove(&l.index),
                    };
                }
            }
            VerilogStatement::Comment(_) => {}
            VerilogStatement::Link(links) => {
                for link in links {
                    self.link(link, out)?;
                }
            }
            VerilogStatement::Macro(code) => self.block(code, out)?,
        }
        Ok(())
    }

    fn target(&mut self, target: &VerilogExpression) -> Result<NetId, EmitError> {
        self.target = describe(target).replace(".next", "");
        match target {
            VerilogExpression::Signal(raw) => self.writable(raw),
            _ => Err(self.unsupported(format!("`{}` cannot be assigned", self.target))),
        }
    }

    fn writable(&self, raw: &str) -> Result<NetId, EmitError> {
        let Some(name) = resolve(raw, &self.loops) else {
            return Err(EmitError::Index {
                block: self.block.into(),
                name: raw.replace('$', "."),
            });
        };
        let Some(net) = self.nets.find(&name) else {
            return Err(EmitError::Unknown {
                block: self.block.into(),
                signal: self.target.clone(),
                name: name.replace('$', "."),
            });
        };
        if !self.nets.all[net].role.is_driven_here() {
            let signal = self.nets.all[net].rust_name();
            return Err(EmitError::NotWritable {
                block: self.block.into(),
                signal,
            });
        }
        Ok(net)
    }

    fn unsupported(&self, what: String) -> EmitError {
        EmitError::Unsupported {
            block: self.block.into(),
            what,
        }
    }

    fn conditional(
        &mut self,
        c: &VerilogConditional,
        out: &mut Vec<Stmt>,
    ) -> Result<(), EmitError> {
        self.target = format!("if {}", describe(&c.test));
        let test = self.sized(&c.test, 1)?;
        let then = self.body(&c.then)?;
        let mut otherwise = Vec::new();
        match &c.otherwise {
            VerilogBlockOrConditional::Block(code) => self.block(code, &mut otherwise)?,
            VerilogBlockOrConditional::Conditional(inner) => {
                self.statement(inner, &mut otherwise)?
            }
            VerilogBlockOrConditional::None => {}
        }
        match test.value() {
            Some(v) if *v == BigUint::default() => out.extend(otherwise),
            Some(_) => out.extend(then),
            None => out.push(Stmt::If {
                test,
                then,
                otherwise,
            }),
        }
        Ok(())
    }

    fn selection(&mut self, m: &VerilogMatch, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        let place = format!("match {}", describe(&m.test));
        self.target = place.clone();
        let test = self.exact(&m.test)?;
        let mut arms = Vec::new();
        let mut default = None;
        for case in &m.cases {
            self.target = place.clone();
            if case.condition == "default" {
                default = Some(self.body(&case.block)?);
                break;
            }
            let pattern = self.pattern(&case.condition, test.width)?;
            arms.push((pattern, self.body(&case.block)?));
        }
        // Rust's match is exhaustive: without a wildcard, the last arm takes the codes that no variant has.
        let (default, last) = match default {
            Some(body) => (body, None),
            None => arms
                .pop()
                .map_or((Vec::new(), None), |(last, body)| (body, Some(last))),
        };
        out.push(Stmt::Case {
            test,
            arms,
            default,
            last,
        });
        Ok(())
    }

    fn pattern(&self, text: &str, width: usize) -> Result<Expr, EmitError> {
        let value = match text {
            "true" => Some(1),
            "false" => Some(0),
            _ => number(text),
        };
        if let Some(value) = value {
            let value = BigUint::from(value);
            if low_bits(&value, width) != value {
                return Err(EmitError::Overflow {
                    block: self.block.into(),
                    signal: self.target.clone(),
                    expression: text.into(),
                    value: value.to_string(),
                    width,
                });
            }
            return Ok(Expr::literal(value, width));
        }
        self.sized(&VerilogExpression::Signal(text.into()), width)
    }

    fn link(&mut self, link: &VerilogLink, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        let join = |owner: &str, d: &VerilogLinkDetails| {
            let my = d.my_name.trim_start_matches('.').replace('.', "$");
            if my.is_empty() {
                owner.to_string()
            } else {
                format!("{owner}${my}")
            }
        };
        let (target, source) = match link {
            VerilogLink::Forward(d) => (join(&d.other_name, d), join(&d.owner_name, d)),
            VerilogLink::Backward(d) => (join(&d.owner_name, d), join(&d.other_name, d)),
            VerilogLink::Bidirectional(d) => {
                return Err(self.unsupported(format!("`{}` is bidirectional", d.owner_name)));
            }
        };
        self.target = target.replace('$', ".");
        let net = self.writable(&target)?;
        let value = self.sized(&VerilogExpression::Signal(source), self.nets.all[net].width)?;
        out.push(Stmt::Assign { net, lo: 0, value });
        Ok(())
    }
}
