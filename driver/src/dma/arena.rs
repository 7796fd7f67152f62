//! Where the memory for DMA comes from: few large segments, each mapped for the card once.
//!
//! An IOMMU maps by pages, and a virtual one pays a message for each. So a segment is a multiple of 2 MiB,
//! of huge pages where there are any, at a bus address that is a multiple of 2 MiB as well. Buffers are cut
//! out of segments; a segment without buffers is unmapped, but for the first.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{DmaBuffer, DmaMemory, FreeList, Mapping, UNIT};
use crate::transport::TransportError;

/// Bytes of a huge page, and the alignment of segments in the bus address space.
pub const HUGE_PAGE: usize = 2 << 20;
/// Bytes of a segment, unless a buffer needs a larger one.
const SEGMENT: usize = 16 << 20;
/// Least alignment of a buffer: two buffers share no page, so that no two are parts of one transfer.
const PAGE: usize = 4096;

/// Makes memory visible to a card: an IOMMU's domain, or a peer that maps it.
pub trait Mapper {
    /// Maps the whole of `memory` at bus address `bus`, for reading and writing. The error is a sentence with
    /// its remedy.
    fn map(&mut self, memory: &Mapping, bus: u64) -> Result<(), String>;

    /// Unmaps what was mapped at `bus`.
    fn unmap(&mut self, memory: &Mapping, bus: u64) -> Result<(), String>;
}

/// Memory that is mapped for the card.
struct Segment {
    memory: Arc<Mapping>,
    free: FreeList,
}

/// A part of a segment.
struct Part {
    memory: Arc<Mapping>,
    first: usize,
    units: usize,
}

impl DmaMemory for Part {
    fn units(&self) -> &[AtomicU64] {
        &self.memory.units()[self.first..self.first + self.units]
    }
}

/// Memory for DMA at bus addresses of its own choosing.
pub struct Arena {
    segments: BTreeMap<u64, Segment>,
    /// Bus addresses that may be used.
    windows: Vec<RangeInclusive<u64>>,
    /// Bytes and place of each buffer that is out, by bus address: segment, first byte, bytes.
    buffers: BTreeMap<u64, (u64, usize, usize)>,
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (segments, bytes) = (self.segments.len(), self.bytes());
        write!(f, "Arena({segments} segments, {bytes} bytes)")
    }
}

impl Arena {
    /// An empty arena in these windows of the bus address space.
    pub fn new(windows: Vec<RangeInclusive<u64>>) -> Self {
        Self {
            segments: BTreeMap::new(),
            windows,
            buffers: BTreeMap::new(),
        }
    }

    /// Bytes mapped.
    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|s| s.memory.len() as u64).sum()
    }

    /// Segments mapped, and those of them that have huge pages.
    pub fn segments(&self) -> (usize, usize) {
        let huge = self.segments.values().filter(|s| s.memory.is_huge());
        (self.segments.len(), huge.count())
    }

    /// Zeroed memory for the card, at a bus address that is a multiple of `align`.
    ///
    /// # Errors
    /// [`TransportError::NoMemory`].
    pub fn allocate(
        &mut self,
        bytes: usize,
        align: usize,
        mapper: &mut dyn Mapper,
    ) -> Result<DmaBuffer, TransportError> {
        let refuse = |reason: String| TransportError::NoMemory { bytes, reason };
        if !align.is_power_of_two() || align > HUGE_PAGE {
            return Err(refuse(format!("no alignment of {align}; report this")));
        }
        let align = align.max(PAGE);
        let size = bytes.max(1).checked_next_multiple_of(PAGE);
        let size = size.ok_or_else(|| refuse("more than any memory".into()))?;
        let cut = self.segments.iter_mut().find_map(|(bus, segment)| {
            let at = segment.free.take(size, align)?;
            Some((*bus, at))
        });
        let (segment, at) = match cut {
            Some(cut) => cut,
            None => {
                let bus = self.grow(size, mapper).map_err(refuse)?;
                // A new segment is long enough, and aligned to more than anybody asks for.
                let segment = self.segments.get_mut(&bus);
                let at = segment.and_then(|segment| segment.free.take(size, align));
                (bus, at.ok_or_else(|| refuse("report this".into()))?)
            }
        };
        let bus = segment + at as u64;
        self.buffers.insert(bus, (segment, at, size));
        let memory = self.segments[&segment].memory.clone();
        let buffer = DmaBuffer::new(
            bus,
            Arc::new(Part {
                memory,
                first: at / UNIT,
                units: size / UNIT,
            }),
        );
        buffer.clear();
        Ok(buffer)
    }

    /// Maps a segment that holds `bytes` at least; its bus address.
    fn grow(&mut self, bytes: usize, mapper: &mut dyn Mapper) -> Result<u64, String> {
        let size = bytes.max(SEGMENT).checked_next_multiple_of(HUGE_PAGE);
        let size = size.ok_or("more than any memory")?;
        let bus = self.place(size as u64).ok_or_else(|| {
            format!("no {size} bytes are left in the bus addresses that this machine allows")
        })?;
        let memory = Mapping::new(size).map_err(|error| error.to_string())?;
        mapper.map(&memory, bus)?;
        tracing::debug!(?memory, bus, "memory for DMA mapped");
        let free = FreeList::new(0, size);
        let memory = Arc::new(memory);
        self.segments.insert(bus, Segment { memory, free });
        Ok(bus)
    }

    /// A free, aligned range of bus addresses; never address 0.
    fn place(&self, bytes: u64) -> Option<u64> {
        let align = HUGE_PAGE as u64;
        self.windows.iter().find_map(|window| {
            let mut at = (*window.start()).max(1).checked_next_multiple_of(align)?;
            loop {
                let last = at
                    .checked_add(bytes - 1)
                    .filter(|last| last <= window.end())?;
                let taken = self.segments.range(..=last).next_back();
                let taken = taken.map(|(bus, s)| bus + s.memory.len() as u64);
                match taken.filter(|end| *end > at) {
                    Some(end) => at = end,
                    None => return Some(at),
                }
            }
        })
    }

    /// Takes a buffer back.
    ///
    /// # Errors
    /// [`TransportError::Failed`] for a buffer that is not of this arena, or what unmapping says.
    pub fn release(
        &mut self,
        buffer: &DmaBuffer,
        mapper: &mut dyn Mapper,
    ) -> Result<(), TransportError> {
        let Some((bus, at, bytes)) = self.buffers.remove(&buffer.bus()) else {
            return Err(TransportError::Failed(format!(
                "release of {buffer:?}, which is not mapped; report this"
            )));
        };
        let Some(segment) = self.segments.get_mut(&bus) else {
            return Ok(());
        };
        segment.free.give(at, bytes);
        if segment.free.is_whole() && self.segments.keys().next() != Some(&bus) {
            let unmapped = mapper.unmap(&self.segments[&bus].memory, bus);
            unmapped.map_err(TransportError::Failed)?;
            self.segments.remove(&bus);
        }
        Ok(())
    }

    /// Unmaps everything; the card must be at rest. The first error is told, after all were tried.
    pub fn clear(&mut self, mapper: &mut dyn Mapper) -> Result<(), String> {
        self.buffers.clear();
        let mut end = Ok(());
        for (bus, segment) in std::mem::take(&mut self.segments) {
            end = end.and(mapper.unmap(&segment.memory, bus));
        }
        end
    }
}

#[cfg(test)]
mod tests;
