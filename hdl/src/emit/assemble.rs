//! All modules of a design, each distinct body once.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::rc::Rc;

use rust_hdl_core::prelude::*;

use super::error::EmitError;
use super::module::{self, register};
use super::names::is_keyword;
use super::nets::{Child, Interface, PortInfo};
use super::tree::Node;
use super::{Design, Port};

/// Instances that a module's header names.
const INSTANCES_SHOWN: usize = 4;

/// Head of every file. The style rules that it turns off say nothing about behaviour; the rules that
/// find miscompiles (widths, latches, implicit nets, multiple drivers, loops) stay on.
const HEAD: &str = "\
// Generated from rust-hdl by gatewei-hdl; edit the Rust source instead.
// Several modules stand in one file, and a block may leave bits of a signal or a port unread:
/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */
`default_nettype none
";

struct Module {
    name: String,
    text: String,
    instances: Vec<String>,
}

#[derive(Default)]
struct Assembly {
    modules: Vec<Module>,
    by_text: HashMap<String, usize>,
    names: HashSet<String>,
    globals: Vec<String>,
    /// Instance path and module.
    instances: Vec<(String, usize)>,
}

/// Prints `root`, a block of the Rust type `rust_type`.
pub(super) fn assemble(top: &str, rust_type: &str, root: &Node) -> Result<Design, EmitError> {
    let mut assembly = Assembly::default();
    assembly.names.insert(top.into());
    let ports = assembly.add(root, top, None)?;
    for port in &ports {
        if is_keyword(&port.name) {
            let what = format!("Verilog reserves the port name `{}`; rename it", port.name);
            return Err(EmitError::Unsupported {
                block: top.into(),
                what,
            });
        }
    }
    let mut verilog = HEAD.to_string();
    // The top first: readers start there.
    for module in assembly.modules.iter().rev().filter(|m| !m.text.is_empty()) {
        verilog.push('\n');
        if module.name == top {
            let _ = writeln!(verilog, "// Rust block {rust_type}.");
        } else {
            let shown = module
                .instances
                .iter()
                .take(INSTANCES_SHOWN)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            let more = match module.instances.len().saturating_sub(INSTANCES_SHOWN) {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let _ = writeln!(verilog, "// Rust block at {shown}{more}.");
        }
        let _ = writeln!(verilog, "module {} {}endmodule", module.name, module.text);
    }
    for text in &assembly.globals {
        let _ = write!(verilog, "\n{}\n", text.trim_end());
    }
    verilog += "\n`default_nettype wire\n";
    let name = |i: usize| assembly.modules[i].name.clone();
    Ok(Design {
        top: top.into(),
        verilog,
        ports: ports
            .iter()
            .map(|p| Port {
                name: p.verilog.clone(),
                width: p.width,
                input: p.input,
            })
            .collect(),
        modules: assembly
            .instances
            .iter()
            .map(|(path, i)| (path.clone(), name(*i)))
            .collect(),
    })
}

impl Assembly {
    /// Prints `node` and what is below it; `parent` is the name of the scope around it.
    fn add(
        &mut self,
        node: &Node,
        path: &str,
        parent: Option<&str>,
    ) -> Result<Vec<PortInfo>, EmitError> {
        let mut children = Vec::new();
        let at = self.instances.len();
        self.instances.push((path.into(), usize::MAX));
        for child in &node.children {
            let register = register(child);
            let below = format!("{path}.{}", child.name.replace('$', "_"));
            let (ports, module) = match register {
                Some(_) => (module::body(&below, child, &[])?.ports, String::new()),
                None => {
                    let first = self.instances.len();
                    let ports = self.add(child, &below, Some(&node.name))?;
                    (ports, self.modules[self.instances[first].1].name.clone())
                }
            };
            let interface = Rc::new(Interface {
                module,
                ports,
                register,
            });
            children.push(Child {
                name: child.name.clone(),
                interface,
            });
        }
        let body = module::body(path, node, &children)?;
        if !body.globals.is_empty() && !self.globals.contains(&body.globals) {
            self.globals.push(body.globals.clone());
        }
        let index = match self.by_text.get(&body.text) {
            Some(index) if parent.is_some() => *index,
            _ => {
                let name = match &node.code {
                    Verilog::Blackbox(bb) => bb.name.clone(),
                    code => self.name(node, code, parent),
                };
                let index = self.modules.len();
                self.by_text.insert(body.text.clone(), index);
                self.modules.push(Module {
                    name,
                    text: body.text,
                    instances: Vec::new(),
                });
                index
            }
        };
        self.modules[index].instances.push(path.into());
        self.instances[at].1 = index;
        Ok(body.ports)
    }

    /// A module name: that of the top, of the primitive, or of the field, with the parent's before it
    /// where two bodies would share one.
    fn name(&mut self, node: &Node, code: &Verilog, parent: Option<&str>) -> String {
        let Some(parent) = parent else {
            return node.name.clone();
        };
        let field = stem(&node.name);
        let base = primitive(code).unwrap_or_else(|| field.clone());
        let qualified = format!("{}_{base}", stem(parent));
        let numbered = (2..).map(|n| format!("{qualified}_{n}"));
        let name = [base, qualified.clone()]
            .into_iter()
            .chain(numbered)
            .find(|name| !is_keyword(name) && !self.names.contains(name))
            .unwrap_or(qualified);
        self.names.insert(name.clone());
        name
    }
}

/// A field name without array indices.
fn stem(name: &str) -> String {
    let parts = name
        .split('$')
        .filter(|p| !p.chars().all(|c| c.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("_")
}

/// The name of one of the crate's primitives: its code starts with `// prim::Ram<10, 256>`.
fn primitive(code: &Verilog) -> Option<String> {
    let Verilog::Custom(code) = code else {
        return None;
    };
    let (ty, rest) = code
        .trim_start()
        .strip_prefix("// prim::")?
        .split_once('<')?;
    let (sizes, _) = rest.split_once('>')?;
    let mut name = String::new();
    for (i, c) in ty.char_indices() {
        if c.is_ascii_uppercase() && i > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    Some(format!("{name}_{}", sizes.replace(", ", "x")))
}
