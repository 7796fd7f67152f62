//! A bus address space of software: for cards to which host memory is what this process looks up for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DmaBuffer, HeapMemory};

/// Bytes between two buffers, so that an access beyond one meets nothing; also the first address.
const GAP: u64 = 4096;

/// Buffers by bus address. An address is never given twice.
#[derive(Debug, Default)]
pub(crate) struct BusSpace {
    buffers: BTreeMap<u64, DmaBuffer>,
    /// Behind the last buffer.
    end: u64,
}

impl BusSpace {
    /// Zeroed memory at a multiple of `align`.
    pub(crate) fn map(&mut self, bytes: usize, align: usize) -> DmaBuffer {
        let bus = (self.end + GAP).next_multiple_of(align.max(8) as u64);
        self.end = bus + bytes as u64;
        let buffer = DmaBuffer::new(bus, Arc::new(HeapMemory::new(bytes)));
        self.buffers.insert(bus, buffer.clone());
        buffer
    }

    /// Forgets a buffer.
    pub(crate) fn unmap(&mut self, buffer: &DmaBuffer) {
        self.buffers.remove(&buffer.bus());
    }

    /// The buffer that holds these bytes, and where in it they begin.
    pub(crate) fn find(&self, address: u64, bytes: usize) -> Option<(DmaBuffer, usize)> {
        let (bus, buffer) = self.buffers.range(..=address).next_back()?;
        let offset = usize::try_from(address - bus).ok()?;
        let end = offset.checked_add(bytes)?;
        (end <= buffer.len()).then(|| (buffer.clone(), offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_found_and_nothing_beyond() {
        let mut space = BusSpace::default();
        let (first, second) = (space.map(64, 64), space.map(100, 1 << 16));
        assert!(first.bus() > 0 && second.bus().is_multiple_of(1 << 16));
        let found = |space: &BusSpace, address, bytes| {
            let found = space.find(address, bytes);
            found.map(|(buffer, at)| (buffer.bus(), at))
        };
        assert_eq!(found(&space, first.bus() + 32, 32), Some((first.bus(), 32)));
        assert_eq!(found(&space, first.bus() + 32, 33), None);
        assert_eq!(found(&space, first.bus() - 1, 1), None);
        assert_eq!(found(&space, u64::MAX, usize::MAX), None);
        space.unmap(&first);
        assert_eq!(found(&space, first.bus(), 1), None);
        assert_eq!(found(&space, second.bus(), 100), Some((second.bus(), 0)));
    }
}
