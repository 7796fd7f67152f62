//! What of the bus address space is memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatewei_driver::dma::{DmaBuffer, DmaMemory, HeapMemory};

use crate::axi::BEAT;

/// First bus address: above 4 GiB, so that every address needs both halves of its registers.
const FIRST: u64 = 0x12_3456_0000;
/// Unmapped bytes between buffers, and their least alignment.
const PAGE: u64 = 4096;
/// Bytes of a unit of shared memory.
const UNIT: usize = 8;

/// The buffers that the card reaches, by bus address. An address is never given twice, so that a stale
/// access meets nothing.
pub struct Regions {
    map: BTreeMap<u64, Region>,
    next: u64,
    /// The region of the last access.
    last: Option<(u64, Region)>,
    /// The card may not access memory at all: its bus mastering is off.
    closed: bool,
}

/// Memory at a bus address.
#[derive(Clone)]
struct Region {
    memory: Arc<dyn DmaMemory>,
    writable: bool,
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regions({})", self.map.len())
    }
}

impl Default for Regions {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
            next: FIRST,
            last: None,
            closed: false,
        }
    }
}

impl Regions {
    /// Maps zeroed memory of at least `bytes` bytes at a multiple of `align`; none where the addresses are
    /// used up or the alignment is no power of two.
    pub fn map(&mut self, bytes: usize, align: usize) -> Option<DmaBuffer> {
        if !align.is_power_of_two() {
            return None;
        }
        let align = PAGE.max(align as u64);
        let bus = self.next.checked_next_multiple_of(align)?;
        // Whole beats, since a beat is what the card accesses.
        let bytes = bytes.max(1).checked_next_multiple_of(BEAT)?;
        self.next = bus.checked_add(bytes as u64)?.checked_add(PAGE)?;
        let memory = Arc::new(HeapMemory::new(bytes));
        let shared = memory.clone();
        let writable = true;
        self.map.insert(
            bus,
            Region {
                memory: shared,
                writable,
            },
        );
        Some(DmaBuffer::new(bus, memory))
    }

    /// Maps memory that somebody else brings to the bus address of his choice; false where the range is no
    /// range of addresses or parts of it are mapped already.
    #[must_use]
    pub fn map_at(&mut self, bus: u64, memory: Arc<dyn DmaMemory>, writable: bool) -> bool {
        let bytes = (memory.units().len() * UNIT) as u64;
        let Some(last) = bus.checked_add(bytes.saturating_sub(1)) else {
            return false;
        };
        let below = self.map.range(..=last).next_back();
        let taken = below.is_some_and(|(at, region)| {
            let bytes = (region.memory.units().len() * UNIT) as u64;
            at.saturating_add(bytes) > bus
        });
        if taken || bytes == 0 || !bus.is_multiple_of(BEAT as u64) {
            return false;
        }
        self.map.insert(bus, Region { memory, writable });
        true
    }

    /// Forbids the card to access memory, or allows it again.
    pub const fn set_closed(&mut self, closed: bool) {
        self.closed = closed;
    }

    /// Unmaps the buffer at bus address `bus`; false where there is none.
    pub fn unmap(&mut self, bus: u64) -> bool {
        self.last = None;
        self.map.remove(&bus).is_some()
    }

    /// Buffers mapped.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// True when nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The beat at an aligned address; none where nothing is mapped.
    pub fn read(&mut self, address: u64) -> Option<[u8; BEAT]> {
        let (region, at) = self.find(address)?;
        let (units, mut out) = (region.memory.units(), [0; BEAT]);
        for (i, bytes) in out.chunks_exact_mut(UNIT).enumerate() {
            bytes.copy_from_slice(&units[at + i].load(Ordering::Relaxed).to_le_bytes());
        }
        Some(out)
    }

    /// Writes the bytes of a beat that `strobe` selects to an aligned address; false where nothing is
    /// mapped for writing.
    #[must_use]
    pub fn write(&mut self, address: u64, data: &[u8; BEAT], strobe: u32) -> bool {
        let Some((region, at)) = self.find(address).filter(|(region, _)| region.writable) else {
            return false;
        };
        let units = region.memory.units();
        for (i, new) in data.chunks_exact(UNIT).enumerate() {
            let unit = &units[at + i];
            let mut bytes = unit.load(Ordering::Relaxed).to_le_bytes();
            for (j, byte) in bytes.iter_mut().enumerate() {
                if strobe >> (i * UNIT + j) & 1 == 1 {
                    *byte = new[j];
                }
            }
            unit.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
        true
    }

    /// The region of a whole beat and the beat's first unit in it.
    fn find(&mut self, address: u64) -> Option<(&Region, usize)> {
        if self.closed {
            return None;
        }
        let inside = |base: u64, region: &Region| {
            let offset = address.checked_sub(base)?;
            let bytes = (region.memory.units().len() * UNIT) as u64;
            (offset + BEAT as u64 <= bytes).then_some(offset as usize / UNIT)
        };
        let hit = self
            .last
            .as_ref()
            .is_some_and(|(base, region)| inside(*base, region).is_some());
        if !hit {
            let (base, region) = self.map.range(..=address).next_back()?;
            self.last = Some((*base, region.clone()));
        }
        let (base, region) = self.last.as_ref()?;
        Some((region, inside(*base, region)?))
    }
}
