//! Which versions of what attempts would have read.

use super::super::access::Told;
use super::super::graph::{Graph, Need};

/// What a transaction has published.
#[derive(Clone, Debug, Default)]
enum Version {
    #[default]
    None,
    /// By so many attempts, of which the last one read these cells wrongly.
    Written { attempts: u64, wrong: Vec<usize> },
    /// It will be written again.
    Estimate { attempts: u64 },
}

/// What a reader finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Equal where the values are.
    pub mark: u64,
    /// It is what sequential execution has there.
    pub right: bool,
    /// The transaction that will write it again.
    pub blocked: Option<usize>,
}

/// The versions of a block.
#[derive(Debug)]
pub(super) struct Memory<'g> {
    graph: &'g Graph,
    versions: Vec<Version>,
}

impl<'g> Memory<'g> {
    pub fn new(graph: &'g Graph) -> Self {
        let mut versions = Vec::new();
        versions.resize_with(graph.transactions(), Version::default);
        Self { graph, versions }
    }

    /// What `tx` needs of others.
    pub fn needs(&self, tx: usize) -> &'g [Need] {
        self.graph.needs(tx)
    }

    /// What a read of `tx` finds now.
    pub fn see(&self, tx: usize, need: Need) -> Seen {
        let mut seen = Seen {
            mark: 0,
            right: true,
            blocked: None,
        };
        for writer in self.graph.writers(need.cell, tx) {
            match &self.versions[writer.tx] {
                Version::None => seen.right = false,
                Version::Estimate { .. } => {
                    seen.blocked = Some(writer.tx);
                    seen.right = false;
                    break;
                }
                Version::Written { attempts, wrong } => {
                    let right = if writer.updates {
                        !wrong.contains(&need.cell)
                    } else {
                        wrong.is_empty()
                    };
                    // What is right is the same whoever computes it again.
                    let attempt = if right { 0 } else { *attempts };
                    let who = (writer.tx as u64 + 1) << 16 | attempt;
                    seen.mark = seen.mark.wrapping_mul(0x100_0000_01b3) ^ who;
                    seen.right &= right;
                    if !writer.adds {
                        break;
                    }
                }
            }
        }
        seen
    }

    /// Reads the accounts with which a transaction begins: those that are wrong, or who will write one again.
    pub fn begin(&self, tx: usize) -> Result<Vec<usize>, usize> {
        let begins = self.needs(tx).iter();
        let mut wrong = Vec::new();
        for need in begins.filter(|need| need.told == Told::Begin) {
            let seen = self.see(tx, *need);
            if let Some(on) = seen.blocked {
                return Err(on);
            }
            if !seen.right {
                wrong.push(need.cell);
            }
        }
        Ok(wrong)
    }

    /// An attempt has run, and read these cells wrongly.
    pub fn publish(&mut self, tx: usize, wrong: Vec<usize>) {
        let attempts = 1 + match self.versions[tx] {
            Version::None => 0,
            Version::Written { attempts, .. } | Version::Estimate { attempts } => attempts,
        };
        self.versions[tx] = Version::Written { attempts, wrong };
    }

    /// Whether the latest attempt read nothing wrongly.
    pub fn is_right(&self, tx: usize) -> bool {
        matches!(&self.versions[tx], Version::Written { wrong, .. } if wrong.is_empty())
    }

    /// The latest attempt was rejected.
    pub fn reject(&mut self, tx: usize) {
        if let Version::Written { attempts, .. } = self.versions[tx] {
            self.versions[tx] = Version::Estimate { attempts };
        }
    }
}
