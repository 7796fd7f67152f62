//! Which parts of a range of memory are free.

use std::collections::BTreeMap;

/// Free parts: first byte → bytes. No two of them touch.
#[derive(Debug)]
pub(crate) struct FreeList {
    free: BTreeMap<usize, usize>,
    /// Parts that are taken.
    taken: usize,
}

impl FreeList {
    /// All free: `bytes` bytes from `start` on.
    pub(crate) fn new(start: usize, bytes: usize) -> Self {
        let free = BTreeMap::from([(start, bytes)]);
        Self { free, taken: 0 }
    }

    /// Takes the first free part of `bytes` bytes at a multiple of `align`.
    pub(crate) fn take(&mut self, bytes: usize, align: usize) -> Option<usize> {
        let (start, len, at) = self.free.iter().find_map(|(&start, &len)| {
            let at = start.checked_next_multiple_of(align)?;
            (at.checked_add(bytes)? <= start + len).then_some((start, len, at))
        })?;
        self.free.remove(&start);
        if at > start {
            self.free.insert(start, at - start);
        }
        if start + len > at + bytes {
            self.free.insert(at + bytes, start + len - at - bytes);
        }
        self.taken += 1;
        Some(at)
    }

    /// Gives a part back that was taken; it joins its free neighbours.
    pub(crate) fn give(&mut self, at: usize, bytes: usize) {
        let (mut at, mut bytes) = (at, bytes);
        if let Some(len) = self.free.remove(&(at + bytes)) {
            bytes += len;
        }
        if let Some((&before, &len)) = self.free.range(..at).next_back()
            && before + len == at
        {
            (at, bytes) = (before, len + bytes);
        }
        self.free.insert(at, bytes);
        self.taken -= 1;
    }

    /// Whether nothing is taken.
    pub(crate) const fn is_whole(&self) -> bool {
        self.taken == 0
    }
}
