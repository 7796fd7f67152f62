//! Cutting a module's logic into processes.
//!
//! One `always` block for the whole `update` would be a false loop wherever a value goes out to a
//! sub-block (or to the parent) and its answer comes back. One block for every net would repeat each
//! condition for each net. So nets share a block when no path can lead from one of them out and back into another:
//!
//! - nets that reach registers and memories alone, by how many sub-blocks lie before them;
//! - the others by that number and by the set of inputs that they depend on: whatever path runs through the
//!   parent then enters all of a block's nets or none.
//!
//! A net with a single unconditional assignment needs no block at all.

use std::collections::{BTreeMap, BTreeSet};

use super::error::EmitError;
use super::flow::Joined;
use super::ir::{Expr, NetId, Stmt};
use super::nets::{Child, Nets, Role};

/// A module's logic in pieces.
pub(super) struct Plan {
    /// Nets with one unconditional assignment, by net.
    pub simple: BTreeMap<NetId, Expr>,
    /// Nets of each `always` block.
    pub processes: Vec<BTreeSet<NetId>>,
    /// For each output net, the input nets that reach it without a register.
    pub fed_by: BTreeMap<NetId, BTreeSet<NetId>>,
}

/// Plans the processes of `stmts`.
pub(super) fn plan(
    block: &str,
    stmts: &[Stmt],
    nets: &Nets,
    children: &[Child],
    joined: &Joined,
) -> Result<Plan, EmitError> {
    let graph = Graph::new(stmts, nets, children, joined);
    let order = graph.order(block, nets)?;
    let facts = graph.facts(&order, nets, joined);
    let simple = simple_nets(stmts, nets, joined);

    let mut groups: BTreeMap<(bool, usize, BTreeSet<NetId>), BTreeSet<NetId>> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for stmt in stmts {
        stmt.writes(&mut |net| {
            written.insert(net);
        });
    }
    for net in written {
        if simple.contains_key(&net) {
            continue;
        }
        let fact = &facts[joined.of(net)];
        let inputs = if fact.seen {
            fact.inputs.clone()
        } else {
            BTreeSet::new()
        };
        groups
            .entry((!fact.seen, fact.level, inputs))
            .or_default()
            .insert(net);
    }
    let fed_by = (0..nets.all.len())
        .filter(|net| nets.all[*net].role == Role::Output)
        .map(|net| (net, facts[joined.of(net)].inputs.clone()))
        .collect();
    Ok(Plan {
        simple,
        processes: groups.into_values().collect(),
        fed_by,
    })
}

/// Nets that have one assignment, whole and unconditional.
fn simple_nets(stmts: &[Stmt], nets: &Nets, joined: &Joined) -> BTreeMap<NetId, Expr> {
    let mut writes: BTreeMap<NetId, usize> = BTreeMap::new();
    let mut members: BTreeMap<NetId, usize> = BTreeMap::new();
    for stmt in stmts {
        stmt.writes(&mut |net| *writes.entry(net).or_default() += 1);
    }
    for net in 0..nets.all.len() {
        *members.entry(joined.of(net)).or_default() += 1;
    }
    stmts
        .iter()
        .filter_map(|stmt| match stmt {
            Stmt::Assign { net, lo: 0, value }
                if value.width == nets.all[*net].width
                    && writes.get(net) == Some(&1)
                    && members.get(&joined.of(*net)) == Some(&1) =>
            {
                Some((*net, value.clone()))
            }
            _ => None,
        })
        .collect()
}

#[derive(Clone, Default)]
struct Fact {
    /// Most sub-blocks on a path to the net.
    level: usize,
    /// Module inputs on which the net depends.
    inputs: BTreeSet<NetId>,
    /// Whether it reaches an output of the module.
    seen: bool,
}

/// Combinational dependencies between nets; joined nets are one node, their representative.
struct Graph {
    /// What each node depends on.
    sources: Vec<BTreeSet<NetId>>,
    /// Nodes that are outputs of sub-blocks.
    crossing: Vec<bool>,
}

impl Graph {
    fn new(stmts: &[Stmt], nets: &Nets, children: &[Child], joined: &Joined) -> Self {
        let mut graph = Self {
            sources: vec![BTreeSet::new(); nets.all.len()],
            crossing: vec![false; nets.all.len()],
        };
        let mut tests = Vec::new();
        for stmt in stmts {
            graph.add(stmt, &mut tests, joined);
        }
        for (id, net) in nets.all.iter().enumerate() {
            if let Role::ChildOutput(c, p) = net.role {
                graph.crossing[id] = true;
                // A sub-block's ports stand side by side among the nets.
                let base = id - p;
                let sources = children[c].interface.ports[p]
                    .fed_by
                    .iter()
                    .map(|i| joined.of(base + i));
                graph.sources[id].extend(sources);
            }
        }
        graph
    }

    fn add(&mut self, stmt: &Stmt, tests: &mut Vec<NetId>, joined: &Joined) {
        match stmt {
            Stmt::Assign { net, value, .. } => {
                let node = joined.of(*net);
                let sources = &mut self.sources[node];
                value.reads(&mut |read| {
                    sources.insert(joined.of(read));
                });
                sources.extend(tests.iter().map(|t| joined.of(*t)));
                sources.remove(&node);
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                let depth = tests.len();
                test.reads(&mut |read| tests.push(read));
                then.iter()
                    .chain(otherwise)
                    .for_each(|s| self.add(s, tests, joined));
                tests.truncate(depth);
            }
            Stmt::Case {
                test,
                arms,
                default,
                ..
            } => {
                let depth = tests.len();
                test.reads(&mut |read| tests.push(read));
                arms.iter()
                    .flat_map(|(_, b)| b)
                    .chain(default)
                    .for_each(|s| self.add(s, tests, joined));
                tests.truncate(depth);
            }
        }
    }

    /// All nodes, each after what it depends on.
    fn order(&self, block: &str, nets: &Nets) -> Result<Vec<NetId>, EmitError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.sources.len()];
        let mut order = Vec::new();
        for start in 0..self.sources.len() {
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::Open;
            let mut path = vec![(start, self.sources[start].iter())];
            while let Some((node, rest)) = path.last_mut() {
                let node = *node;
                match rest.next() {
                    Some(&next) if marks[next] == Mark::Open => {
                        let names: Vec<String> = path
                            .iter()
                            .map(|(n, _)| *n)
                            .skip_while(|n| *n != next)
                            .chain([next])
                            .map(|n| format!("`{}`", nets.all[n].rust_name()))
                            .collect();
                        return Err(EmitError::Loop {
                            block: block.into(),
                            path: names.join(" <- "),
                        });
                    }
                    Some(&next) if marks[next] == Mark::New => {
                        marks[next] = Mark::Open;
                        path.push((next, self.sources[next].iter()));
                    }
                    Some(_) => {}
                    None => {
                        marks[node] = Mark::Done;
                        order.push(node);
                        path.pop();
                    }
                }
            }
        }
        Ok(order)
    }

    fn facts(&self, order: &[NetId], nets: &Nets, joined: &Joined) -> Vec<Fact> {
        let mut facts = vec![Fact::default(); self.sources.len()];
        for &node in order {
            let mut fact = Fact::default();
            if nets.all[node].role == Role::Input {
                fact.inputs.insert(node);
            }
            for &source in &self.sources[node] {
                fact.level = fact.level.max(facts[source].level);
                fact.inputs.extend(facts[source].inputs.iter().copied());
            }
            // A register's output depends on nothing: paths begin there.
            fact.level += usize::from(self.crossing[node] && !self.sources[node].is_empty());
            facts[node] = fact;
        }
        for (net, _) in nets
            .all
            .iter()
            .enumerate()
            .filter(|(_, n)| n.role == Role::Output)
        {
            facts[joined.of(net)].seen = true;
        }
        for &node in order.iter().rev() {
            if facts[node].seen {
                for &source in &self.sources[node] {
                    facts[source].seen = true;
                }
            }
        }
        facts
    }
}
