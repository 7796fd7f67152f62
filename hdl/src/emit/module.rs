//! One module: from a scope of the tree to its text.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use num_bigint::BigUint;
use rust_hdl_core::prelude::*;

use super::error::EmitError;
use super::flow;
use super::infer::Scope;
use super::ir::{Kind, NetId, Stmt};
use super::names::Namer;
use super::nets::{Child, Nets, PortInfo, Role};
use super::print::{Printer, literal, range};
use super::schedule::{self, Plan};
use super::tree::{Node, hex_literal};

/// The text of a module without its name, and its ports.
pub(super) struct Body {
    /// From the port list to before `endmodule`.
    pub text: String,
    pub ports: Vec<PortInfo>,
    /// Black boxes and the like that stand outside of the module.
    pub globals: String,
}

/// The initial value, when `node` is rust-hdl's plain register.
pub(super) fn register(node: &Node) -> Option<BigUint> {
    let Verilog::Custom(code) = &node.code else {
        return None;
    };
    let names: Vec<&str> = node.leaves.iter().map(|l| l.name.as_str()).collect();
    if names != ["d", "q", "clock"] || !node.children.is_empty() {
        return None;
    }
    let rest = code
        .trim()
        .strip_prefix("initial begin")?
        .trim_start()
        .strip_prefix("q = ")?;
    let (initial, rest) = rest.split_once(';')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let expected = [
        "end",
        "always",
        "@(posedge",
        "clock)",
        "begin",
        "q",
        "<=",
        "d;",
        "end",
    ];
    (words == expected).then(|| hex_literal(initial))?
}

/// Ports of a scope in declaration order, each output fed by `fed_by`.
fn ports(
    node: &Node,
    verilog: &dyn Fn(&str) -> String,
    fed_by: &dyn Fn(usize) -> Vec<usize>,
) -> Vec<PortInfo> {
    let parameters = node.leaves.iter().filter(|l| l.kind.is_parameter());
    parameters
        .enumerate()
        .map(|(i, leaf)| PortInfo {
            name: leaf.name.clone(),
            verilog: verilog(&leaf.name),
            input: leaf.kind == AtomKind::InputParameter,
            width: leaf.width,
            descriptor: leaf.descriptor.clone(),
            fed_by: fed_by(i),
        })
        .collect()
}

/// Prints the scope `node` at `path`, whose sub-blocks are `children`.
pub(super) fn body(path: &str, node: &Node, children: &[Child]) -> Result<Body, EmitError> {
    match &node.code {
        Verilog::Combinatorial(code) => {
            let mut namer = Namer::default();
            let nets = Nets::new(path, node, children, &mut namer)?;
            let mut scope = Scope {
                nets: &nets,
                block: path,
                loops: HashMap::new(),
                target: String::new(),
            };
            let mut stmts = Vec::new();
            scope.block(code, &mut stmts)?;
            logic(path, node, children, &nets, namer, stmts)
        }
        Verilog::Empty => {
            let what = "it has no logic; put #[hdl_gen] on its update".to_string();
            Err(EmitError::Unsupported {
                block: path.into(),
                what,
            })
        }
        Verilog::Custom(code) => Ok(custom(node, code, "", false)),
        Verilog::Wrapper(wrapper) => Ok(custom(node, &wrapper.code, &wrapper.cores, true)),
        Verilog::Blackbox(bb) => Ok(custom(node, "", &bb.code, true)),
    }
}

fn custom(node: &Node, code: &str, globals: &str, wires: bool) -> Body {
    let combinational = wires
        || ["always @(*)", "always @*", "assign "]
            .iter()
            .any(|k| code.contains(k));
    let inputs: Vec<usize> = node
        .leaves
        .iter()
        .filter(|l| l.kind.is_parameter())
        .enumerate()
        .filter(|(_, l)| l.kind == AtomKind::InputParameter && combinational)
        .map(|(i, _)| i)
        .collect();
    let ports = ports(node, &|name| name.replace('$', "_"), &|_| inputs.clone());
    let is_wire = |port: &PortInfo| wires || code.contains(&format!("assign {}", port.verilog));
    let mut text = port_list(&ports, &is_wire);
    for line in code.trim_end().lines() {
        let _ = writeln!(text, "    {line}");
    }
    Body {
        text,
        ports,
        globals: globals.into(),
    }
}

fn port_list(ports: &[PortInfo], is_wire: &dyn Fn(&PortInfo) -> bool) -> String {
    let lines: Vec<String> = ports
        .iter()
        .map(|port| {
            let kind = match (port.input, is_wire(port)) {
                (true, _) => "input wire",
                (false, true) => "output wire",
                (false, false) => "output reg",
            };
            format!("    {kind} {}{}", range(port.width), port.verilog)
        })
        .collect();
    format!("(\n{}\n);\n", lines.join(",\n"))
}

fn logic(
    path: &str,
    node: &Node,
    children: &[Child],
    nets: &Nets,
    namer: Namer,
    mut stmts: Vec<Stmt>,
) -> Result<Body, EmitError> {
    flow::drop_dead(&mut stmts, nets);
    flow::merge_parts(&mut stmts, nets);
    let joined = flow::check(path, &stmts, nets)?;
    let plan = schedule::plan(path, &stmts, nets, children, &joined)?;
    let mut printer = Printer::new(nets, namer);
    let module = Module {
        children,
        nets,
        stmts: &stmts,
        plan: &plan,
        direct: direct(nets, &stmts, children, &plan),
    };
    let text = module.print(&mut printer)?;

    let position: HashMap<NetId, usize> = node
        .leaves
        .iter()
        .filter(|l| l.kind.is_parameter())
        .enumerate()
        .filter_map(|(i, leaf)| nets.find(&leaf.name).map(|id| (id, i)))
        .collect();
    let verilog = |name: &str| {
        nets.find(name)
            .map_or_else(|| name.to_string(), |id| nets.all[id].verilog.clone())
    };
    let by_position: BTreeMap<usize, Vec<usize>> = plan
        .fed_by
        .iter()
        .filter_map(|(output, inputs)| {
            let inputs = inputs
                .iter()
                .filter_map(|i| position.get(i).copied())
                .collect();
            position.get(output).map(|o| (*o, inputs))
        })
        .collect();
    let ports = ports(node, &verilog, &|i| {
        by_position.get(&i).cloned().unwrap_or_default()
    });
    let in_process = |port: &PortInfo| {
        nets.find(&port.name)
            .is_some_and(|id| plan.processes.iter().any(|p| p.contains(&id)))
    };
    let list = port_list(&ports, &|port| !in_process(port));
    Ok(Body {
        text: list + &text,
        ports,
        globals: String::new(),
    })
}

/// Inputs of sub-blocks that need no net: what they are connected to is written at the connection. A plain
/// register's data may be any expression, a port a name or a number.
fn direct(nets: &Nets, stmts: &[Stmt], children: &[Child], plan: &Plan) -> Vec<bool> {
    let mut direct = vec![false; nets.all.len()];
    for (id, value) in &plan.simple {
        if let Role::ChildInput(c, p) = nets.all[*id].role {
            let interface = &children[c].interface;
            let data = interface.register.is_some() && interface.ports[p].name == "d";
            direct[*id] = data
                || matches!(
                    value.kind,
                    Kind::Net(_) | Kind::Literal(_) | Kind::Label(..)
                );
        }
    }
    for stmt in stmts {
        stmt.reads(&mut |read| direct[read] = false);
    }
    direct
}

struct Module<'a> {
    children: &'a [Child],
    nets: &'a Nets,
    stmts: &'a [Stmt],
    plan: &'a Plan,
    direct: Vec<bool>,
}

impl Module<'_> {
    fn print(&self, printer: &mut Printer) -> Result<String, EmitError> {
        let mut logic = String::new();
        for (id, value) in self.plan.simple.iter().filter(|(id, _)| !self.direct[**id]) {
            let _ = writeln!(
                logic,
                "    assign {} = {};",
                printer.net(*id),
                printer.expr(value)
            );
        }
        for process in &self.plan.processes {
            logic += "\n    always @(*) begin\n";
            printer.statements(self.stmts, process, 2, &mut logic);
            logic += "    end\n";
        }
        let registers = self.registers(printer);
        let instances = self.instances(printer);

        let mut text = String::new();
        printer.parameters(&mut text);
        self.declarations(printer, &mut text);
        printer.functions(&mut text);
        for part in [registers, logic, instances] {
            if !part.is_empty() {
                text.push('\n');
                text += part.trim_start_matches('\n');
            }
        }
        Ok(text)
    }

    /// Text at a sub-block's input.
    fn connection(&self, printer: &Printer, id: NetId) -> String {
        match self.plan.simple.get(&id) {
            Some(value) if self.direct[id] => printer.expr(value),
            _ => printer.net(id),
        }
    }

    fn port(&self, child: &Child, port: &str) -> Option<NetId> {
        self.nets.find(&format!("{}${port}", child.name))
    }

    /// All plain registers of one clock in one `always` block.
    fn registers(&self, printer: &Printer) -> String {
        let mut initial = String::new();
        let mut clocked: BTreeMap<String, String> = BTreeMap::new();
        for child in self.children {
            let Some(value) = &child.interface.register else {
                continue;
            };
            let ports = (
                self.port(child, "d"),
                self.port(child, "q"),
                self.port(child, "clock"),
            );
            let (Some(d), Some(q), Some(clock)) = ports else {
                continue;
            };
            let name = printer.net(q);
            let _ = writeln!(
                initial,
                "        {name} = {};",
                literal(value, self.nets.all[q].width)
            );
            let data = self.connection(printer, d);
            let edge = clocked.entry(self.connection(printer, clock)).or_default();
            let _ = writeln!(edge, "        {name} <= {data};");
        }
        if initial.is_empty() {
            return initial;
        }
        let mut out = format!("    initial begin\n{initial}    end\n");
        for (clock, body) in clocked {
            let _ = write!(out, "    always @(posedge {clock}) begin\n{body}    end\n");
        }
        out
    }

    fn instances(&self, printer: &Printer) -> String {
        let mut out = String::new();
        for child in self
            .children
            .iter()
            .filter(|c| c.interface.register.is_none())
        {
            let instance = child.name.replace('$', "_");
            let pins: Vec<String> = child
                .interface
                .ports
                .iter()
                .filter_map(|port| {
                    let net = self.port(child, &port.name)?;
                    let text = if port.input {
                        self.connection(printer, net)
                    } else {
                        printer.net(net)
                    };
                    Some(format!("        .{}({text})", port.verilog))
                })
                .collect();
            let _ = write!(
                out,
                "\n    {} u_{instance} (\n{}\n    );\n",
                child.interface.module,
                pins.join(",\n")
            );
        }
        out
    }

    /// Wires and variables; ports are declared in the port list, direct connections need none.
    fn declarations(&self, printer: &Printer, out: &mut String) {
        for (id, net) in self.nets.all.iter().enumerate() {
            let child_register = |c: usize| self.children[c].interface.register.is_some();
            let kind = match net.role {
                Role::Input | Role::Output | Role::Constant(_) => continue,
                _ if !printer.uses(id) || self.direct[id] => continue,
                Role::ChildOutput(c, _) if child_register(c) => "reg",
                Role::ChildOutput(..) => "wire",
                Role::Local | Role::ChildInput(..) if self.plan.simple.contains_key(&id) => "wire",
                Role::Local | Role::ChildInput(..) => "reg",
            };
            let _ = writeln!(out, "    {kind} {}{};", range(net.width), net.verilog);
        }
    }
}
