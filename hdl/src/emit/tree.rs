//! Reading a block into a tree of scopes.

use num_bigint::BigUint;
use rust_hdl_core::prelude::*;

/// A signal or constant of a scope.
pub(super) struct Leaf {
    /// Name within the scope; parts of interfaces and arrays are joined by `$`.
    pub name: String,
    pub kind: AtomKind,
    pub width: usize,
    pub descriptor: TypeDescriptor,
    /// Value of a constant.
    pub value: BigUint,
}

/// A block instance.
pub(super) struct Node {
    /// Field name in the parent; elements of arrays carry `$index`.
    pub name: String,
    pub leaves: Vec<Leaf>,
    pub code: Verilog,
    pub children: Vec<Node>,
}

/// Reads `block` and everything below it.
pub(super) fn read(top: &str, block: &dyn Block) -> Option<Node> {
    let mut reader = Reader::default();
    block.accept(top, &mut reader);
    reader.root
}

#[derive(Default)]
struct Reader {
    stack: Vec<Node>,
    /// Open interfaces of each open scope.
    namespaces: Vec<Vec<String>>,
    root: Option<Node>,
}

impl Probe for Reader {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.stack.push(Node {
            name: name.into(),
            leaves: Vec::new(),
            code: node.hdl(),
            children: Vec::new(),
        });
        self.namespaces.push(Vec::new());
    }

    fn visit_start_namespace(&mut self, name: &str, _: &dyn Block) {
        if let Some(open) = self.namespaces.last_mut() {
            open.push(name.into());
        }
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let (Some(node), Some(open)) = (self.stack.last_mut(), self.namespaces.last()) else {
            return;
        };
        let mut parts: Vec<&str> = open.iter().map(String::as_str).collect();
        parts.push(name);
        let value = match signal.kind() {
            AtomKind::Constant => literal_value(&signal.verilog()),
            _ => BigUint::default(),
        };
        node.leaves.push(Leaf {
            name: parts.join("$"),
            kind: signal.kind(),
            width: signal.bits(),
            descriptor: signal.descriptor(),
            value,
        });
    }

    fn visit_end_namespace(&mut self, _: &str, _: &dyn Block) {
        if let Some(open) = self.namespaces.last_mut() {
            open.pop();
        }
    }

    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        self.namespaces.pop();
        let Some(node) = self.stack.pop() else { return };
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }
}

/// The number in a rust-hdl literal, whose fields are private: it prints as `8'h1f`.
pub(super) fn literal_value(literal: &VerilogLiteral) -> BigUint {
    hex_literal(&format!("{literal:x}")).unwrap_or_default()
}

/// The number in `8'h1f`.
pub(super) fn hex_literal(text: &str) -> Option<BigUint> {
    let (_, digits) = text.split_once("'h")?;
    let digits: String = digits.chars().take_while(char::is_ascii_hexdigit).collect();
    BigUint::parse_bytes(digits.as_bytes(), 16)
}

/// Whether a rust-hdl literal was a `bool`; all other literals in a kernel are unsized numbers.
pub(super) fn is_bool(literal: &VerilogLiteral) -> bool {
    literal.to_string().starts_with("1'")
}
