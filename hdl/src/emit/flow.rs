//! What a process does to its nets: latches, reads of unfinished values, superfluous assignments.
//!
//! Rust's `.val()` on a local or output gives the value so far. A read that is followed by another
//! assignment on the same path (an *unfinished* read, as in a chain of `x = x + …`) keeps this meaning only inside one `always`
//! block, so such nets are joined; every other read sees the net's final value wherever it stands.

use std::collections::{BTreeSet, HashMap};

use num_bigint::BigUint;

use super::error::EmitError;
use super::ir::{Expr, NetId, Stmt, ones};
use super::nets::{Nets, Role};

/// Nets that have to share an `always` block.
pub(super) struct Joined {
    parent: Vec<NetId>,
}

impl Joined {
    fn new(nets: usize) -> Self {
        Self {
            parent: (0..nets).collect(),
        }
    }

    /// The representative of the set that `net` is in.
    pub fn of(&self, mut net: NetId) -> NetId {
        while self.parent[net] != net {
            net = self.parent[net];
        }
        net
    }

    fn join(&mut self, a: NetId, b: NetId) {
        let (a, b) = (self.of(a), self.of(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

/// Drops assignments that a later unconditional one replaces unread (the default of a register that
/// is then always assigned).
pub(super) fn drop_dead(stmts: &mut Vec<Stmt>, nets: &Nets) {
    let mut last_whole: HashMap<NetId, usize> = HashMap::new();
    let mut first_read: HashMap<NetId, usize> = HashMap::new();
    for (i, stmt) in stmts.iter().enumerate() {
        stmt.reads(&mut |net| {
            first_read.entry(net).or_insert(i);
        });
        if let Stmt::Assign { net, lo: 0, value } = stmt
            && value.width == nets.all[*net].width
        {
            last_whole.insert(*net, i);
        }
    }
    last_whole.retain(|net, i| first_read.get(net).is_none_or(|read| read > i));
    for (i, stmt) in stmts.iter_mut().enumerate() {
        let dead = |net: NetId| last_whole.get(&net).is_some_and(|last| i < *last);
        let mut any = false;
        stmt.writes(&mut |net| any |= dead(net));
        if any {
            prune(stmt, &|net| !dead(net));
        }
    }
    stmts.retain(|s| !is_empty(s));
}

fn prune(stmt: &mut Stmt, keep: &dyn Fn(NetId) -> bool) {
    let prune_all = |body: &mut Vec<Stmt>| {
        body.iter_mut().for_each(|s| prune(s, keep));
        body.retain(|s| !is_empty(s));
    };
    match stmt {
        Stmt::Assign { net, .. } => {
            if !keep(*net) {
                *stmt = Stmt::Case {
                    test: Expr::literal(0u8.into(), 1),
                    arms: vec![],
                    default: vec![],
                    last: None,
                };
            }
        }
        Stmt::If {
            then, otherwise, ..
        } => {
            prune_all(then);
            prune_all(otherwise);
        }
        Stmt::Case { arms, default, .. } => {
            arms.iter_mut().for_each(|(_, body)| prune_all(body));
            prune_all(default);
        }
    }
}

/// Whether the statement assigns nothing.
pub(super) fn is_empty(stmt: &Stmt) -> bool {
    let mut any = false;
    stmt.writes(&mut |_| any = true);
    !any
}

/// Turns the unconditional assignments of all parts of a net into one of their concatenation.
pub(super) fn merge_parts(stmts: &mut Vec<Stmt>, nets: &Nets) {
    let mut parts: HashMap<NetId, Vec<(usize, usize)>> = HashMap::new(); // (statement, low bit)
    let mut other: BTreeSet<NetId> = BTreeSet::new();
    let mut last_write: HashMap<NetId, usize> = HashMap::new();
    let mut first_read: HashMap<NetId, usize> = HashMap::new();
    for (i, stmt) in stmts.iter().enumerate() {
        match stmt {
            Stmt::Assign { net, lo, value } if value.width < nets.all[*net].width => {
                parts.entry(*net).or_default().push((i, *lo));
            }
            _ => stmt.writes(&mut |net| {
                other.insert(net);
            }),
        }
        stmt.writes(&mut |net| {
            last_write.insert(net, i);
        });
        stmt.reads(&mut |net| {
            first_read.entry(net).or_insert(i);
        });
    }
    let mut gone = BTreeSet::new();
    for (net, mut list) in parts {
        let last = last_write.get(&net).copied().unwrap_or_default();
        if other.contains(&net) || first_read.get(&net).is_some_and(|read| *read <= last) {
            continue;
        }
        list.sort_by_key(|(_, lo)| std::cmp::Reverse(*lo));
        let mut top = nets.all[net].width;
        let mut values = Vec::new();
        let mut moves = true;
        for (i, lo) in &list {
            let Stmt::Assign { value, .. } = &stmts[*i] else {
                continue;
            };
            moves &= lo + value.width == top;
            top = *lo;
            // A value that changes between its place and the last part's cannot move.
            value.reads(&mut |read| moves &= last_write.get(&read).is_none_or(|w| w < i));
            values.push(value.clone());
        }
        if moves && top == 0 {
            gone.extend(list.iter().map(|(i, _)| *i).filter(|i| *i != last));
            stmts[last] = Stmt::Assign {
                net,
                lo: 0,
                value: Expr::concat(values),
            };
        }
    }
    let mut at = 0;
    stmts.retain(|_| {
        at += 1;
        !gone.contains(&(at - 1))
    });
}

/// Checks that every net is assigned on every path and read only when it has a value.
pub(super) fn check(block: &str, stmts: &[Stmt], nets: &Nets) -> Result<Joined, EmitError> {
    let mut flow = Flow {
        block,
        nets,
        joined: Joined::new(nets.all.len()),
    };
    let mut assigned = Assigned {
        outer: None,
        mine: HashMap::new(),
    };
    flow.walk(stmts, &mut assigned, &BTreeSet::new())?;
    let mut written = BTreeSet::new();
    let mut read = BTreeSet::new();
    for stmt in stmts {
        stmt.writes(&mut |net| {
            written.insert(net);
        });
        stmt.reads(&mut |net| {
            read.insert(net);
        });
    }
    for (id, net) in nets.all.iter().enumerate() {
        if !net.role.is_driven_here() {
            continue;
        }
        let (block, signal) = (block.to_string(), net.rust_name());
        if !written.contains(&id) {
            if net.role != Role::Local || read.contains(&id) {
                return Err(EmitError::Undriven { block, signal });
            }
        } else if assigned.bits(id) != ones(net.width) {
            return Err(EmitError::Latch { block, signal });
        }
    }
    Ok(flow.joined)
}

/// Bits of nets that have a value on every path to here.
struct Assigned<'a> {
    outer: Option<&'a Assigned<'a>>,
    mine: HashMap<NetId, BigUint>,
}

impl Assigned<'_> {
    fn bits(&self, net: NetId) -> BigUint {
        match (self.mine.get(&net), self.outer) {
            (Some(bits), _) => bits.clone(),
            (None, Some(outer)) => outer.bits(net),
            (None, None) => BigUint::default(),
        }
    }

    fn add(&mut self, net: NetId, lo: usize, width: usize) {
        let bits = self.bits(net) | (ones(width) << lo);
        self.mine.insert(net, bits);
    }
}

struct Flow<'a> {
    block: &'a str,
    nets: &'a Nets,
    joined: Joined,
}

impl Flow<'_> {
    /// `later`: nets that are assigned after `stmts` on this path.
    fn walk(
        &mut self,
        stmts: &[Stmt],
        assigned: &mut Assigned,
        later: &BTreeSet<NetId>,
    ) -> Result<(), EmitError> {
        // For every statement, what is assigned after it.
        let mut after = vec![later.clone()];
        for stmt in stmts.iter().skip(1).rev() {
            let mut set = after[after.len() - 1].clone();
            stmt.writes(&mut |net| {
                set.insert(net);
            });
            after.push(set);
        }
        for (stmt, after) in stmts.iter().zip(after.iter().rev()) {
            match stmt {
                Stmt::Assign { net, lo, value } => {
                    self.reads(value, stmt, assigned, after)?;
                    if lo + value.width > self.nets.all[*net].width {
                        return Err(EmitError::Width {
                            block: self.block.into(),
                            signal: self.nets.all[*net].rust_name(),
                            expression: format!("the part from bit {lo}"),
                            left: self.nets.all[*net].width,
                            right: lo + value.width,
                        });
                    }
                    assigned.add(*net, *lo, value.width);
                }
                Stmt::If {
                    test,
                    then,
                    otherwise,
                } => {
                    self.reads(test, stmt, assigned, after)?;
                    self.branches(&[then, otherwise], assigned, after)?;
                }
                Stmt::Case {
                    test,
                    arms,
                    default,
                    ..
                } => {
                    self.reads(test, stmt, assigned, after)?;
                    let mut bodies: Vec<&Vec<Stmt>> = arms.iter().map(|(_, body)| body).collect();
                    bodies.push(default);
                    self.branches(&bodies, assigned, after)?;
                }
            }
        }
        Ok(())
    }

    fn branches(
        &mut self,
        bodies: &[&Vec<Stmt>],
        assigned: &mut Assigned,
        after: &BTreeSet<NetId>,
    ) -> Result<(), EmitError> {
        let mut ends = Vec::new();
        for body in bodies {
            let mut end = Assigned {
                outer: Some(assigned),
                mine: HashMap::new(),
            };
            self.walk(body, &mut end, after)?;
            ends.push(end.mine);
        }
        let touched: BTreeSet<NetId> = ends.iter().flat_map(|m| m.keys().copied()).collect();
        for net in touched {
            let before = assigned.bits(net);
            let all = ends
                .iter()
                .map(|m| m.get(&net).unwrap_or(&before))
                .fold(ones(self.nets.all[net].width), |a, b| a & b);
            assigned.mine.insert(net, all);
        }
        Ok(())
    }

    /// The reads of `value` in `stmt`: those of nets that are assigned again are unfinished.
    fn reads(
        &mut self,
        value: &Expr,
        stmt: &Stmt,
        assigned: &Assigned,
        after: &BTreeSet<NetId>,
    ) -> Result<(), EmitError> {
        let mut read = BTreeSet::new();
        value.reads(&mut |net| {
            if self.nets.all[net].role.is_driven_here() {
                read.insert(net);
            }
        });
        if read.is_empty() {
            return Ok(());
        }
        let mut targets = BTreeSet::new();
        stmt.writes(&mut |net| {
            targets.insert(net);
        });
        for net in read {
            if !after.contains(&net) && !targets.contains(&net) {
                continue;
            }
            if assigned.bits(net) != ones(self.nets.all[net].width) {
                let reader = targets
                    .first()
                    .map_or(String::new(), |t| self.nets.all[*t].rust_name());
                return Err(EmitError::ReadBeforeWrite {
                    block: self.block.into(),
                    signal: self.nets.all[net].rust_name(),
                    reader,
                });
            }
            for target in &targets {
                self.joined.join(net, *target);
            }
        }
        Ok(())
    }
}
