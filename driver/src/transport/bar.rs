//! Registers that are mapped into this process.

use memmap2::{MmapOptions, MmapRaw};

/// A mapped BAR. Never a slice: what lies behind it changes by itself, and reading may have effects.
#[derive(Debug)]
pub(super) struct MappedBar {
    memory: MmapRaw,
}

impl MappedBar {
    /// Maps `bytes` bytes from `offset` on of a file that stands for the device.
    pub(super) fn map(
        file: &impl std::os::fd::AsRawFd,
        offset: u64,
        bytes: usize,
    ) -> std::io::Result<Self> {
        let mut options = MmapOptions::new();
        let memory = options.offset(offset).len(bytes).map_raw(file.as_raw_fd());
        Ok(Self { memory: memory? })
    }

    /// Where the register at `offset` is; `None` beyond the BAR.
    fn at(&self, offset: u32) -> Option<*mut u32> {
        let offset = offset as usize;
        let inside = offset.is_multiple_of(4) && offset + 4 <= self.memory.len();
        inside.then(|| self.memory.as_mut_ptr().wrapping_add(offset).cast())
    }

    /// Reads a register; all ones beyond the BAR, as from a function that is not there.
    pub(super) fn read(&self, offset: u32) -> u32 {
        // SAFETY: aligned and inside the mapping, which lives as long as `self`.
        let value = self.at(offset).map(|at| unsafe { at.read_volatile() });
        value.map_or(u32::MAX, u32::from_le)
    }

    /// Writes a register; nothing beyond the BAR.
    pub(super) fn write(&self, offset: u32, value: u32) {
        if let Some(at) = self.at(offset) {
            // SAFETY: aligned and inside the mapping, which lives as long as `self`.
            unsafe { at.write_volatile(value.to_le()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_words_and_end_with_the_bar() {
        let file = rustix::fs::memfd_create(c"bar", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, 4096).unwrap();
        let bar = MappedBar::map(&file, 0, 4096).unwrap();
        bar.write(8, 0x1234_5678);
        bar.write(4096, 1);
        bar.write(10, 1);
        assert_eq!((bar.read(8), bar.read(12)), (0x1234_5678, 0));
        assert_eq!((bar.read(4096), bar.read(2)), (u32::MAX, u32::MAX));
    }
}
