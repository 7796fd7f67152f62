//! Which versions of what attempts would have read.

use super::super::access::Told;
use super::super::graph::{Graph, Need};

/// What a transaction has published.
#[derive(Clone, Copy, Debug, Default)]
enum Version {
    #[default]
    None,
    /// By so many attempts.
    Written { attempts: u64, right: bool },
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
        let versions = vec![Version::default(); graph.transactions()];
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
            match self.versions[writer.tx] {
                Version::None => {
                    seen.right = false;
                    continue;
                }
                Version::Estimate { .. } => {
                    seen.blocked = Some(writer.tx);
                    seen.right = false;
                    break;
                }
                Version::Written { attempts, right } => {
                    let who = (writer.tx as u64 + 1) << 16 | attempts;
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

    /// What accounts are as a transaction begins: whether they are right, or who will write one again.
    pub fn begin(&self, tx: usize) -> Result<bool, usize> {
        let mut right = true;
        for need in self
            .needs(tx)
            .iter()
            .filter(|need| need.told == Told::Begin)
        {
            let seen = self.see(tx, *need);
            if let Some(on) = seen.blocked {
                return Err(on);
            }
            right &= seen.right;
        }
        Ok(right)
    }

    /// An attempt has run.
    pub fn publish(&mut self, tx: usize, right: bool) {
        let attempts = 1 + match self.versions[tx] {
            Version::None => 0,
            Version::Written { attempts, .. } | Version::Estimate { attempts } => attempts,
        };
        self.versions[tx] = Version::Written { attempts, right };
    }

    /// Whether the latest attempt was right.
    pub fn is_right(&self, tx: usize) -> bool {
        matches!(self.versions[tx], Version::Written { right: true, .. })
    }

    /// The latest attempt was rejected.
    pub fn reject(&mut self, tx: usize) {
        if let Version::Written { attempts, .. } = self.versions[tx] {
            self.versions[tx] = Version::Estimate { attempts };
        }
    }
}
