//! Which transaction needs what which other one writes.

use std::collections::{BTreeMap, BTreeSet};

use super::access::{Access, Cell, Told};

/// A read of something that a transaction before it writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// Index of what is read, into [`Graph::writers`].
    pub cell: usize,
    pub told: Told,
}

/// A transaction that writes a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Writer {
    pub tx: usize,
    /// It adds to what those before it write.
    pub adds: bool,
    /// It reads what it writes: what it makes of it is taken to rest on that alone.
    pub updates: bool,
}

/// The dependencies between the transactions of a block: reads of what transactions before them have written, as the
/// engine validates them. What merely credits a balance that nobody looks at is none.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    needs: Vec<Vec<Need>>,
    writers: Vec<Vec<Writer>>,
}

impl Graph {
    pub(super) fn of(accesses: &[Access]) -> Self {
        let mut writers: BTreeMap<Cell, Vec<Writer>> = BTreeMap::new();
        // Only what is read matters, and a wipe writes every slot of its account that is.
        let reads = accesses.iter().flat_map(|access| &access.reads);
        let read: BTreeSet<Cell> = reads.map(|(cell, _)| *cell).collect();
        for (tx, access) in accesses.iter().enumerate() {
            let wiped = read.iter().filter(
                |cell| matches!(cell, Cell::Slot(address, _) if access.wipes.contains(address)),
            );
            let wiped = wiped.map(|cell| (*cell, false));
            let written = access.writes.iter().map(|write| (write.cell, write.adds));
            let all: BTreeMap<Cell, bool> = written.chain(wiped).collect();
            for (cell, adds) in all.into_iter().filter(|(cell, _)| read.contains(cell)) {
                let updates = !adds && access.reads.iter().any(|(own, _)| *own == cell);
                let writer = Writer { tx, adds, updates };
                writers.entry(cell).or_default().push(writer);
            }
        }
        let index: BTreeMap<Cell, usize> = writers.keys().copied().zip(0..).collect();
        let needs = accesses.iter().enumerate().map(|(tx, access)| {
            let needs = access.reads.iter().filter_map(|&(cell, told)| {
                let before = writers.get(&cell)?.first()?.tx < tx;
                before.then(|| Need {
                    cell: index[&cell],
                    told,
                })
            });
            needs.collect()
        });
        Self {
            needs: needs.collect(),
            writers: writers.into_values().collect(),
        }
    }

    /// A graph of `transactions` in which each edge (from, to) is a slot that `from` writes and `to` reads.
    /// Edges that do not lead upwards, or out of the block, are left out.
    pub fn of_edges(transactions: usize, edges: &[(usize, usize)]) -> Self {
        let mut graph = Self {
            needs: vec![Vec::new(); transactions],
            writers: Vec::new(),
        };
        for &(from, to) in edges.iter().filter(|(from, to)| from < to) {
            if let Some(needs) = graph.needs.get_mut(to) {
                needs.push(Need {
                    cell: graph.writers.len(),
                    told: Told::Sent,
                });
                graph.writers.push(vec![Writer {
                    tx: from,
                    adds: false,
                    updates: false,
                }]);
            }
        }
        graph
    }

    /// Number of transactions.
    pub fn transactions(&self) -> usize {
        self.needs.len()
    }

    pub(super) fn needs(&self, tx: usize) -> &[Need] {
        self.needs.get(tx).map_or(&[], Vec::as_slice)
    }

    /// The transactions before `tx` that write a cell, the last one first.
    pub(super) fn writers(&self, cell: usize, tx: usize) -> impl Iterator<Item = Writer> {
        let all = self.writers.get(cell).map_or(&[][..], Vec::as_slice);
        let below = all.partition_point(|writer| writer.tx < tx);
        all[..below].iter().rev().copied()
    }

    /// The transactions whose results a transaction rests on, in order.
    pub fn dependencies(&self, tx: usize) -> Vec<usize> {
        let mut on = BTreeSet::new();
        for need in self.needs(tx) {
            for writer in self.writers(need.cell, tx) {
                on.insert(writer.tx);
                if !writer.adds {
                    break;
                }
            }
        }
        on.into_iter().collect()
    }

    /// The longest chain of transactions of which each needs the one before, by the sum of their weights.
    pub fn critical_path(&self, weight: impl Fn(usize) -> u64) -> u64 {
        let mut ends: Vec<u64> = Vec::with_capacity(self.transactions());
        for tx in 0..self.transactions() {
            let before = self.dependencies(tx).into_iter().map(|on| ends[on]);
            ends.push(before.max().unwrap_or(0) + weight(tx));
        }
        ends.into_iter().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};

    use super::super::access::Write;
    use super::*;

    const ACCOUNT: Address = Address::repeat_byte(7);

    fn writes(cell: Cell, adds: bool) -> Access {
        Access {
            writes: vec![Write { cell, adds }],
            ..Access::default()
        }
    }

    fn reads(cell: Cell) -> Access {
        Access {
            reads: vec![(cell, Told::Sent)],
            ..Access::default()
        }
    }

    #[test]
    fn a_read_needs_the_last_writer_before_it() {
        let slot = Cell::Slot(ACCOUNT, U256::from(1));
        let graph = Graph::of(&[
            writes(slot, false),
            writes(slot, false),
            reads(slot),
            writes(slot, false),
            reads(slot),
        ]);
        assert_eq!(graph.dependencies(2), [1]);
        assert_eq!(graph.dependencies(4), [3]);
        assert_eq!(graph.dependencies(0), [0; 0]);
    }

    #[test]
    fn a_balance_needs_all_that_was_added_since_it_was_set() {
        let balance = Cell::Balance(ACCOUNT);
        let graph = Graph::of(&[
            writes(balance, true),
            writes(balance, false),
            writes(balance, true),
            writes(balance, true),
            reads(balance),
        ]);
        assert_eq!(graph.dependencies(4), [1, 2, 3]);
    }

    #[test]
    fn a_wipe_writes_the_slots_that_are_read() {
        let wipe = Access {
            wipes: vec![ACCOUNT],
            ..Access::default()
        };
        let mine = Cell::Slot(ACCOUNT, U256::from(9));
        let others = Cell::Slot(Address::ZERO, U256::from(9));
        let graph = Graph::of(&[wipe, reads(mine), reads(others)]);
        assert_eq!(graph.dependencies(1), [0]);
        assert_eq!(graph.dependencies(2), [0; 0]);
    }

    #[test]
    fn the_critical_path_is_the_longest_sum() {
        let diamond = Graph::of_edges(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        let weights = [10, 50, 20, 5];
        assert_eq!(diamond.critical_path(|tx| weights[tx]), 65);
        assert_eq!(Graph::of_edges(3, &[]).critical_path(|_| 7), 7);
        assert_eq!(Graph::of_edges(0, &[]).critical_path(|_| 7), 0);
    }
}
