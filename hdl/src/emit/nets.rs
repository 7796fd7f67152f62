//! The nets of a module: its ports, locals and constants, and the ports of its sub-blocks.

use std::collections::HashMap;
use std::rc::Rc;

use num_bigint::BigUint;
use rust_hdl_core::prelude::*;

use super::error::EmitError;
use super::ir::{Expr, Kind, NetId};
use super::names::Namer;
use super::tree::{Leaf, Node};

/// A port of a printed module.
#[derive(Clone)]
pub(super) struct PortInfo {
    /// Name in Rust, with `$` between parts.
    pub name: String,
    pub verilog: String,
    pub input: bool,
    pub width: usize,
    pub descriptor: TypeDescriptor,
    /// For an output: the inputs that reach it without a register, as indices of ports.
    pub fed_by: Vec<usize>,
}

/// What a parent has to know of a module below it.
pub(super) struct Interface {
    /// Name of the Verilog module.
    pub module: String,
    pub ports: Vec<PortInfo>,
    /// Initial value, when the block is a plain register and is printed in place.
    pub register: Option<BigUint>,
}

/// A sub-block.
pub(super) struct Child {
    /// Field name in Rust.
    pub name: String,
    pub interface: Rc<Interface>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    Input,
    Output,
    Local,
    Constant(BigUint),
    /// Input of a sub-block: child and port.
    ChildInput(usize, usize),
    /// Output of a sub-block: child and port.
    ChildOutput(usize, usize),
}

impl Role {
    /// Whether the module's own process drives the net.
    pub fn is_driven_here(&self) -> bool {
        matches!(self, Role::Output | Role::Local | Role::ChildInput(..))
    }
}

pub(super) struct Net {
    /// Name in Rust, with `$` between parts.
    pub name: String,
    pub verilog: String,
    pub width: usize,
    pub role: Role,
    pub descriptor: TypeDescriptor,
}

impl Net {
    /// The name as in the Rust source.
    pub fn rust_name(&self) -> String {
        self.name.replace('$', ".")
    }
}

/// All nets of a module, in declaration order.
pub(super) struct Nets {
    pub all: Vec<Net>,
    by_name: HashMap<String, NetId>,
    /// Codes of the enum variants in sight; `None` when two enums disagree.
    labels: HashMap<String, Option<(usize, usize)>>,
}

impl Nets {
    /// Collects the nets of `node`, whose sub-blocks are `children`.
    pub fn new(
        block: &str,
        node: &Node,
        children: &[Child],
        namer: &mut Namer,
    ) -> Result<Self, EmitError> {
        let mut nets = Self {
            all: Vec::new(),
            by_name: HashMap::new(),
            labels: HashMap::new(),
        };
        for leaf in &node.leaves {
            let role = own_role(block, leaf)?;
            nets.add(
                block,
                namer,
                leaf.name.clone(),
                leaf.width,
                role,
                leaf.descriptor.clone(),
            )?;
        }
        for (c, child) in children.iter().enumerate() {
            for (p, port) in child.interface.ports.iter().enumerate() {
                let role = if port.input {
                    Role::ChildInput(c, p)
                } else {
                    Role::ChildOutput(c, p)
                };
                let name = format!("{}${}", child.name, port.name);
                nets.add(
                    block,
                    namer,
                    name,
                    port.width,
                    role,
                    port.descriptor.clone(),
                )?;
            }
        }
        Ok(nets)
    }

    fn add(
        &mut self,
        block: &str,
        namer: &mut Namer,
        name: String,
        width: usize,
        role: Role,
        descriptor: TypeDescriptor,
    ) -> Result<(), EmitError> {
        if width == 0 {
            let what = format!(
                "`{}` has no bits; an enum needs two variants at least",
                name.replace('$', ".")
            );
            return Err(EmitError::Unsupported {
                block: block.into(),
                what,
            });
        }
        self.add_labels(&descriptor);
        let verilog = namer.take(&name);
        self.by_name.insert(name.clone(), self.all.len());
        self.all.push(Net {
            name,
            verilog,
            width,
            role,
            descriptor,
        });
        Ok(())
    }

    fn add_labels(&mut self, descriptor: &TypeDescriptor) {
        match &descriptor.kind {
            TypeKind::Enum(variants) => {
                for (code, label) in variants.iter().enumerate() {
                    let entry = (clog2(variants.len()), code);
                    self.labels
                        .entry(label.clone())
                        .and_modify(|known| {
                            if *known != Some(entry) {
                                *known = None;
                            }
                        })
                        .or_insert(Some(entry));
                }
            }
            TypeKind::Composite(fields) => fields.iter().for_each(|f| self.add_labels(&f.kind)),
            TypeKind::Bits(_) | TypeKind::Signed(_) => {}
        }
    }

    pub fn find(&self, name: &str) -> Option<NetId> {
        self.by_name.get(name).copied()
    }

    /// The net as an expression.
    pub fn read(&self, id: NetId) -> Expr {
        let net = &self.all[id];
        let signed = matches!(net.descriptor.kind, TypeKind::Signed(_));
        Expr {
            kind: Kind::Net(id),
            width: net.width,
            signed,
        }
    }

    /// The enum variant that a path ends in (`St$Idle`): `Some(None)` when it is ambiguous.
    pub fn label(&self, path: &str) -> Option<Option<Expr>> {
        let mut parts = path.rsplit('$');
        let (variant, ty) = (parts.next()?, parts.next()?);
        let label = format!("{ty}::{variant}");
        let entry = self.labels.get(&label)?;
        Some(entry.map(|(width, code)| Expr::new(Kind::Label(label.clone(), code.into()), width)))
    }
}

fn own_role(block: &str, leaf: &Leaf) -> Result<Role, EmitError> {
    Ok(match leaf.kind {
        AtomKind::InputParameter => Role::Input,
        AtomKind::OutputParameter | AtomKind::OutputPassthrough => Role::Output,
        AtomKind::LocalSignal | AtomKind::StubInputSignal | AtomKind::StubOutputSignal => {
            Role::Local
        }
        AtomKind::Constant => Role::Constant(leaf.value.clone()),
        AtomKind::InOutParameter => {
            let what = format!(
                "`{}` is bidirectional; use an input and an output",
                leaf.name
            );
            return Err(EmitError::Unsupported {
                block: block.into(),
                what,
            });
        }
    })
}

/// Offset and width of a field path in a struct signal.
pub(super) fn field(descriptor: &TypeDescriptor, path: &[&str]) -> Option<(usize, usize)> {
    let Some((first, rest)) = path.split_first() else {
        return Some((0, width_of(descriptor)));
    };
    let TypeKind::Composite(fields) = &descriptor.kind else {
        return None;
    };
    let mut at = 0;
    for f in fields {
        if f.fieldname == *first {
            return field(&f.kind, rest).map(|(lo, width)| (at + lo, width));
        }
        at += width_of(&f.kind);
    }
    None
}

fn width_of(descriptor: &TypeDescriptor) -> usize {
    match &descriptor.kind {
        TypeKind::Bits(n) | TypeKind::Signed(n) => *n,
        TypeKind::Enum(variants) => clog2(variants.len()),
        TypeKind::Composite(fields) => fields.iter().map(|f| width_of(&f.kind)).sum(),
    }
}
