//! Memory that two processes, or a process and a device, share: a file without a name, mapped.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate};

use super::{DmaMemory, HUGE_PAGE, UNIT};

/// Bytes of the smallest page.
const PAGE: u64 = 4096;

/// Why memory cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The system refuses.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What it said.
        error: io::Error,
    },
    /// Offset or length are not whole pages, or beyond the file.
    #[error("{length} bytes from {offset:#x} on are not whole pages of a file of {file} bytes")]
    Range {
        /// First byte.
        offset: u64,
        /// Bytes.
        length: u64,
        /// Bytes of the file.
        file: u64,
    },
    /// The file might be cut short later: touching the mapping would then kill this process.
    #[error(
        "the memory's file can be cut short: share a memfd that is sealed against shrinking, or allows sealing \
         (QEMU: -object memory-backend-memfd,share=on)"
    )]
    Unsealed,
}

/// A mapped file without a name. It cannot shrink, so that its memory stays there while it is mapped.
pub struct Mapping {
    memory: MmapRaw,
    file: OwnedFd,
    huge: bool,
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = if self.huge { "huge" } else { "small" };
        write!(f, "Mapping({} bytes, {pages} pages)", self.memory.len())
    }
}

impl Mapping {
    /// New zeroed memory of `bytes` bytes, which must be a multiple of [`HUGE_PAGE`]: of huge pages where the
    /// system has as many free, else of small ones.
    ///
    /// # Errors
    /// [`MappingError::System`].
    pub fn new(bytes: usize) -> Result<Self, MappingError> {
        let huge = MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB;
        Self::anonymous(bytes, huge).or_else(|_| Self::anonymous(bytes, MemfdFlags::empty()))
    }

    fn anonymous(bytes: usize, pages: MemfdFlags) -> Result<Self, MappingError> {
        let system = |what| {
            move |error: rustix::io::Errno| MappingError::System {
                what,
                error: error.into(),
            }
        };
        let flags = pages | MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file =
            rustix::fs::memfd_create(c"gatewei-dma", flags).map_err(system("memfd_create"))?;
        ftruncate(&file, bytes as u64).map_err(system("ftruncate"))?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW)
            .map_err(system("sealing a memfd"))?;
        let memory = MmapOptions::new().len(bytes).map_raw(&file);
        let memory = memory.map_err(|error| MappingError::System {
            what: "mmap of a memfd",
            error,
        })?;
        let huge = !pages.is_empty();
        Ok(Self { memory, file, huge })
    }

    /// Memory that another process shares: `length` bytes from `offset` on of its file.
    ///
    /// # Errors
    /// [`MappingError`]. A file that could be cut short is refused.
    pub fn from_file(file: OwnedFd, offset: u64, length: u64) -> Result<Self, MappingError> {
        let sealed = || fcntl_get_seals(&file).is_ok_and(|s| s.contains(SealFlags::SHRINK));
        if !sealed() && (fcntl_add_seals(&file, SealFlags::SHRINK).is_err() || !sealed()) {
            return Err(MappingError::Unsealed);
        }
        let size = fstat(&file).map_err(|error| MappingError::System {
            what: "fstat",
            error: error.into(),
        })?;
        let size = size.st_size as u64;
        let whole = offset.is_multiple_of(PAGE) && length.is_multiple_of(PAGE) && length > 0;
        let end = offset.checked_add(length).filter(|end| *end <= size);
        let (Some(_), true, Ok(len)) = (end, whole, usize::try_from(length)) else {
            return Err(MappingError::Range {
                offset,
                length,
                file: size,
            });
        };
        let memory = MmapOptions::new().offset(offset).len(len).map_raw(&file);
        let memory = memory.map_err(|error| MappingError::System {
            what: "mmap of shared memory",
            error,
        })?;
        let huge = false;
        Ok(Self { memory, file, huge })
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// True for no memory at all.
    pub fn is_empty(&self) -> bool {
        self.memory.len() == 0
    }

    /// Whether it has huge pages.
    pub const fn is_huge(&self) -> bool {
        self.huge
    }

    /// Address in this process, for the kernel.
    pub(crate) fn address(&self) -> u64 {
        self.memory.as_ptr() as u64
    }
}

impl AsFd for Mapping {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl DmaMemory for Mapping {
    fn units(&self) -> &[AtomicU64] {
        let (at, units) = (self.memory.as_ptr(), self.memory.len() / UNIT);
        // SAFETY: the mapping is page-aligned, `units` whole units long, readable and writable, and lives as
        // long as `self`. Its file is sealed against shrinking, so every page is there. Whoever else has it
        // mapped may write at any time, which atomics allow.
        unsafe { std::slice::from_raw_parts(at.cast::<AtomicU64>(), units) }
    }
}

const _: () = assert!(HUGE_PAGE.is_multiple_of(PAGE as usize));

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    fn unsealed(bytes: u64) -> OwnedFd {
        let file = rustix::fs::memfd_create(c"test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, bytes).unwrap();
        file
    }

    #[test]
    fn two_mappings_of_a_file_share_it() {
        let ours = Mapping::new(HUGE_PAGE).unwrap();
        let file = ours.as_fd().try_clone_to_owned().unwrap();
        let theirs = Mapping::from_file(file, 4096, 8192).unwrap();
        assert_eq!((theirs.len(), theirs.units().len()), (8192, 1024));
        ours.units()[512].store(7, Ordering::Relaxed);
        assert_eq!(theirs.units()[0].load(Ordering::Relaxed), 7);
    }

    #[test]
    fn what_might_fault_is_refused() {
        assert!(matches!(
            Mapping::from_file(unsealed(8192), 0, 4096),
            Err(MappingError::Unsealed)
        ));
        let ours = Mapping::new(HUGE_PAGE).unwrap();
        let end = HUGE_PAGE as u64;
        for (offset, length) in [(0, end + 4096), (end, 4096), (1, 4096), (0, 1), (0, 0)] {
            let file = ours.as_fd().try_clone_to_owned().unwrap();
            let refused = Mapping::from_file(file, offset, length);
            assert!(
                matches!(refused, Err(MappingError::Range { .. })),
                "{offset} {length}"
            );
        }
        let file = ours.as_fd().try_clone_to_owned().unwrap();
        assert!(Mapping::from_file(file, u64::MAX - 4095, 4096).is_err());
    }
}
