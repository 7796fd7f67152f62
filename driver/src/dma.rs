//! Memory that host and card share.
//!
//! The card may write at any time, so no Rust slice of such memory is ever made: bytes are copied in
//! and out in 64-bit atomic accesses. That is sound while the other side writes, at the price of
//! reading what may be half old and half new; whoever reads orders its reads behind a phase bit.

mod arena;
mod bus;
mod free_list;
mod limits;
mod mapping;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

pub use arena::{Arena, HUGE_PAGE, Mapper};
pub use mapping::{Mapping, MappingError};

pub(crate) use bus::BusSpace;
pub(crate) use free_list::FreeList;
pub(crate) use limits::check_locked;

/// Bytes of the unit in which shared memory is accessed.
const UNIT: usize = size_of::<u64>();
const _: () = assert!(align_of::<AtomicU64>() == align_of::<u64>());

/// Memory that a transport has made visible to its card.
///
/// In a simulation that is plain heap memory ([`HeapMemory`]); a transport to hardware implements this
/// over its mapping. Bytes lie in the units as in memory: unit `i` holds bytes `8·i` to `8·i + 7`,
/// the lowest address in the least significant byte.
pub trait DmaMemory: Send + Sync {
    /// The memory, as atomics.
    fn units(&self) -> &[AtomicU64];
}

/// Memory of the card's own, which the host reaches through calls alone: for bridges that move data but
/// show the card no host memory.
///
/// A call that fails cannot say so: the transport must remember it and fail at its next call. What is read
/// then is zeros, which no validation takes for an answer.
pub trait RemoteMemory: Send + Sync {
    /// Reads from the card's address `address` on.
    fn read(&self, address: u64, out: &mut [u8]);
    /// Writes from there on.
    fn write(&self, address: u64, bytes: &[u8]);
}

/// Shared memory for a card that lives in this process, aligned as an entry of a ring is: one that lay across two cache
/// lines would cost both sides twice the misses.
#[derive(Debug)]
pub struct HeapMemory {
    units: Box<[AtomicU64]>,
    /// Units in front of the memory, for the alignment.
    skip: usize,
    len: usize,
}

impl HeapMemory {
    /// Zeroed memory of at least `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        let len = bytes.div_ceil(UNIT);
        let spare = gatewei_abi::layout::ALIGN / UNIT - 1;
        // As plain numbers, so that the system gives zeroed pages, and only those that are touched.
        let units = Box::into_raw(vec![0u64; len + spare].into_boxed_slice());
        // SAFETY: the pointer is a box's of this length; an `AtomicU64` has the size, alignment and bit
        // validity of a `u64` (on the 64-bit targets that the driver is for).
        let units = unsafe { Box::from_raw(units as *mut [AtomicU64]) };
        let offset = units.as_ptr().align_offset(gatewei_abi::layout::ALIGN);
        let skip = offset.min(spare);
        Self { units, skip, len }
    }
}

impl DmaMemory for HeapMemory {
    fn units(&self) -> &[AtomicU64] {
        &self.units[self.skip..self.skip + self.len]
    }
}

/// Copies bytes `offset..offset + out.len()` out of shared memory; false, and nothing copied, where
/// that is out of bounds.
///
/// The accesses are relaxed: order them behind whatever says that the bytes are complete.
#[must_use]
pub fn read_bytes(memory: &dyn DmaMemory, offset: usize, out: &mut [u8]) -> bool {
    let units = memory.units();
    if out.len() > (units.len() * UNIT).saturating_sub(offset) {
        return false;
    }
    let (mut unit, mut skip, mut out) = (offset / UNIT, offset % UNIT, out);
    if skip == 0 {
        let whole = out.len() / UNIT;
        let (head, tail) = out.split_at_mut(whole * UNIT);
        for (bytes, unit) in head
            .as_chunks_mut::<UNIT>()
            .0
            .iter_mut()
            .zip(&units[unit..])
        {
            *bytes = unit.load(Ordering::Relaxed).to_le_bytes();
        }
        (unit, out) = (unit + whole, tail);
    }
    while !out.is_empty() {
        let bytes = units[unit].load(Ordering::Relaxed).to_le_bytes();
        let take = out.len().min(UNIT - skip);
        let (head, tail) = out.split_at_mut(take);
        head.copy_from_slice(&bytes[skip..skip + take]);
        (unit, skip, out) = (unit + 1, 0, tail);
    }
    true
}

/// Copies `bytes` into shared memory at `offset`; false, and nothing copied, where that is out of
/// bounds.
///
/// The accesses are relaxed: fence before telling the other side. Units that are only partly written
/// keep their other bytes, so two sides must not write parts of one unit at the same time.
#[must_use]
pub fn write_bytes(memory: &dyn DmaMemory, offset: usize, bytes: &[u8]) -> bool {
    let units = memory.units();
    if bytes.len() > (units.len() * UNIT).saturating_sub(offset) {
        return false;
    }
    let (mut unit, mut skip, mut rest) = (offset / UNIT, offset % UNIT, bytes);
    if skip == 0 {
        let (head, tail) = rest.split_at(rest.len() / UNIT * UNIT);
        for (bytes, unit) in head.as_chunks::<UNIT>().0.iter().zip(&units[unit..]) {
            unit.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        (unit, rest) = (unit + head.len() / UNIT, tail);
    }
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.len().min(UNIT - skip));
        let mut value = [0; UNIT];
        if head.len() < UNIT {
            value = units[unit].load(Ordering::Relaxed).to_le_bytes();
        }
        value[skip..skip + head.len()].copy_from_slice(head);
        units[unit].store(u64::from_le_bytes(value), Ordering::Relaxed);
        (unit, skip, rest) = (unit + 1, 0, tail);
    }
    true
}

/// A buffer at a bus address. Copy-in and copy-out only.
///
/// Dropping one frees nothing that the card could still write to: the transport that made it holds the
/// memory as well, until it is told to release it or has quiesced the card and is dropped itself.
#[derive(Clone)]
pub struct DmaBuffer {
    bus: u64,
    bytes: usize,
    backing: Backing,
}

/// Where a buffer's bytes are.
#[derive(Clone)]
enum Backing {
    Shared(Arc<dyn DmaMemory>),
    Remote(Arc<dyn RemoteMemory>),
}

impl std::fmt::Debug for DmaBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DmaBuffer({:#x}, {} bytes)", self.bus, self.bytes)
    }
}

/// An access beyond a DMA buffer: a mistake of the driver's, or of a card that was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {offset} lie beyond the DMA buffer of {capacity} bytes; report this")]
pub struct OutOfBounds {
    /// First byte of the access.
    pub offset: usize,
    /// Bytes of the access.
    pub bytes: usize,
    /// Bytes of the buffer.
    pub capacity: usize,
}

impl DmaBuffer {
    /// `memory`, which the card sees at bus address `bus`. For transports.
    pub fn new(bus: u64, memory: Arc<dyn DmaMemory>) -> Self {
        let bytes = memory.units().len() * UNIT;
        let backing = Backing::Shared(memory);
        Self {
            bus,
            bytes,
            backing,
        }
    }

    /// `bytes` bytes of the card's own memory at its address `bus`. For transports.
    pub fn remote(bus: u64, bytes: usize, memory: Arc<dyn RemoteMemory>) -> Self {
        let backing = Backing::Remote(memory);
        Self {
            bus,
            bytes,
            backing,
        }
    }

    /// Bus address of the first byte.
    pub const fn bus(&self) -> u64 {
        self.bus
    }

    /// Size in bytes.
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// True for a buffer of no bytes.
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Copies `out.len()` bytes from `offset` on.
    pub fn copy_out(&self, offset: usize, out: &mut [u8]) -> Result<(), OutOfBounds> {
        self.check(offset, out.len())?;
        match &self.backing {
            Backing::Shared(memory) => {
                // The buffer is as long as its memory: checked above.
                let _ = read_bytes(&**memory, offset, out);
            }
            Backing::Remote(memory) => memory.read(self.bus + offset as u64, out),
        }
        Ok(())
    }

    /// Copies `bytes` to `offset`.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.check(offset, bytes.len())?;
        match &self.backing {
            Backing::Shared(memory) => {
                let _ = write_bytes(&**memory, offset, bytes);
            }
            Backing::Remote(memory) => memory.write(self.bus + offset as u64, bytes),
        }
        Ok(())
    }

    fn check(&self, offset: usize, bytes: usize) -> Result<(), OutOfBounds> {
        if bytes <= self.bytes.saturating_sub(offset) {
            return Ok(());
        }
        Err(OutOfBounds {
            offset,
            bytes,
            capacity: self.bytes,
        })
    }

    /// A value from `offset`.
    pub fn load<V: FromBytes + IntoBytes>(&self, offset: usize) -> Result<V, OutOfBounds> {
        let mut value = V::new_zeroed();
        self.copy_out(offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// A value to `offset`.
    pub fn store<V: IntoBytes + Immutable>(
        &self,
        offset: usize,
        value: &V,
    ) -> Result<(), OutOfBounds> {
        self.copy_in(offset, value.as_bytes())
    }

    /// The aligned 64-bit unit at byte `offset`, in one access. What is read after an acquire fence
    /// behind it is no older than it.
    pub fn load_unit(&self, offset: usize) -> Result<u64, OutOfBounds> {
        let offset = offset - offset % UNIT;
        self.check(offset, UNIT)?;
        Ok(match &self.backing {
            Backing::Shared(memory) => memory.units()[offset / UNIT].load(Ordering::Relaxed),
            Backing::Remote(memory) => {
                let mut unit = [0; UNIT];
                memory.read(self.bus + offset as u64, &mut unit);
                u64::from_le_bytes(unit)
            }
        })
    }

    /// Zeroes the whole buffer.
    pub fn clear(&self) {
        match &self.backing {
            Backing::Shared(memory) => {
                for unit in memory.units() {
                    unit.store(0, Ordering::Relaxed);
                }
            }
            Backing::Remote(memory) => memory.write(self.bus, &vec![0; self.bytes]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(bytes: usize) -> DmaBuffer {
        DmaBuffer::new(0x1000, Arc::new(HeapMemory::new(bytes)))
    }

    #[test]
    fn copies_at_every_offset_and_length_keep_the_bytes_around_them() {
        for offset in 0..20 {
            for len in 0..20 {
                let b = buffer(40);
                let mut want = [0xaa; 40];
                b.copy_in(0, &want).unwrap();
                let bytes: Vec<u8> = (1..=len as u8).collect();
                b.copy_in(offset, &bytes).unwrap();
                want[offset..offset + len].copy_from_slice(&bytes);
                let mut all = [0; 40];
                b.copy_out(0, &mut all).unwrap();
                assert_eq!(all, want, "{offset}+{len}");
                let mut part = vec![0; len];
                b.copy_out(offset, &mut part).unwrap();
                assert_eq!(part, bytes);
            }
        }
    }

    #[test]
    fn an_access_beyond_the_end_is_refused_and_changes_nothing() {
        let b = buffer(16);
        let out = OutOfBounds {
            offset: 9,
            bytes: 8,
            capacity: 16,
        };
        assert_eq!(b.copy_in(9, &[1; 8]), Err(out));
        assert_eq!(b.copy_out(9, &mut [1; 8]), Err(out));
        assert!(b.copy_in(usize::MAX, &[1]).is_err() && b.load_unit(16).is_err());
        assert_eq!((b.load_unit(0), b.load_unit(8)), (Ok(0), Ok(0)));
        assert!(b.copy_in(16, &[]).is_ok());
    }

    #[test]
    fn memory_of_this_process_is_aligned() {
        for bytes in [1, 64, 100, 1 << 20] {
            let memory = HeapMemory::new(bytes);
            assert_eq!(memory.units().len(), bytes.div_ceil(UNIT));
            assert_eq!(memory.units().as_ptr() as usize % 64, 0);
        }
    }

    #[test]
    fn units_hold_bytes_in_memory_order() {
        let b = buffer(8);
        b.copy_in(0, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(b.load_unit(0), Ok(0x0807_0605_0403_0201));
        assert_eq!(b.load::<u32>(4), Ok(0x0807_0605));
        b.clear();
        assert_eq!(b.load_unit(0), Ok(0));
    }
}
