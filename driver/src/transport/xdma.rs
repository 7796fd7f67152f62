//! A card behind Xilinx's XDMA and its kernel driver: copy mode.
//!
//! | file | what |
//! |---|---|
//! | `xdma0_user` | the registers, by `pread` and `pwrite` at their offsets |
//! | `xdma0_h2c_0`, `xdma0_c2h_0` | bytes to and from the card's own memory, at its AXI address |
//! | `xdma0_events_0` | the card's interrupt: four bytes to read for each |
//!
//! This bridge shows the card no host memory. So rings and buffers lie in memory of the card's, from AXI
//! address 0 on, and each access is a system call: good enough to run a board whose vendor has nothing else,
//! and no more. Source: Xilinx's `dma_ip_drivers`, XDMA, AR65444.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};

use super::{Transport, TransportError, Wait, WaitOutcome, check_offset, lock};
use crate::dma::{DmaBuffer, FreeList, RemoteMemory};
use crate::vfio_user::channel::timespec;

/// Bytes of the card's memory that are used, from AXI address 0 on.
const MEMORY: usize = 1 << 30;
/// What of it is left out, so that no buffer is at address 0; also the least alignment.
const PAGE: usize = 4096;

/// A card behind XDMA.
pub struct Xdma {
    name: String,
    registers: File,
    events: Option<File>,
    memory: Arc<CardMemory>,
    free: FreeList,
}

/// The card's memory, through two files.
struct CardMemory {
    to_card: File,
    from_card: File,
    /// The first transfer that failed.
    failed: Mutex<Option<String>>,
}

impl CardMemory {
    fn note(&self, end: io::Result<()>, what: &str, address: u64, bytes: usize) {
        if let Err(error) = end {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| format!("{what} {bytes} bytes at {address:#x}: {error}"));
        }
    }
}

impl RemoteMemory for CardMemory {
    fn read(&self, address: u64, out: &mut [u8]) {
        let end = self.from_card.read_exact_at(out, address);
        if end.is_err() {
            out.fill(0);
        }
        self.note(end, "c2h of", address, out.len());
    }

    fn write(&self, address: u64, bytes: &[u8]) {
        let end = self.to_card.write_all_at(bytes, address);
        self.note(end, "h2c of", address, bytes.len());
    }
}

impl std::fmt::Debug for Xdma {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Xdma({})", self.name)
    }
}

impl Xdma {
    /// Opens card `number`, whose files are in `dev`.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] with the remedy.
    pub fn open(dev: &Path, number: u32) -> Result<Self, TransportError> {
        let name = format!("xdma {number}");
        let path = |part: &str| dev.join(format!("xdma{number}_{part}"));
        let registers = lock::own(&name, &path("user"))?;
        let memory = CardMemory {
            to_card: lock::open(&name, &path("h2c_0"))?,
            from_card: lock::open(&name, &path("c2h_0"))?,
            failed: Mutex::new(None),
        };
        // A board whose interrupt is not wired is polled.
        let events = File::open(path("events_0")).ok();
        Ok(Self {
            name,
            registers,
            events,
            memory: Arc::new(memory),
            free: FreeList::new(PAGE, MEMORY - PAGE),
        })
    }

    /// Fails where a transfer has failed since the last look.
    fn check(&self) -> Result<(), TransportError> {
        let mut failed = self.memory.failed.lock();
        let failed = failed.as_mut().map_or(None, |failed| failed.take());
        match failed {
            None => Ok(()),
            Some(why) => Err(TransportError::Failed(why)),
        }
    }
}

impl Transport for Xdma {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.check()?;
        let mut value = [0; 4];
        match self.registers.read_exact_at(&mut value, offset.into()) {
            Ok(()) => Ok(u32::from_le_bytes(value)),
            Err(error) => Err(TransportError::Failed(error.to_string())),
        }
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        self.check()?;
        let bytes = value.to_le_bytes();
        let written = self.registers.write_all_at(&bytes, offset.into());
        written.map_err(|error| TransportError::Failed(error.to_string()))
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        let size = bytes.max(1).next_multiple_of(PAGE);
        let at = match align.is_power_of_two() {
            true => self.free.take(size, align.max(PAGE)),
            false => None,
        };
        let at = at.ok_or_else(|| TransportError::NoMemory {
            bytes,
            reason: format!("the {MEMORY} bytes of the card's memory that are used are full"),
        })?;
        let buffer = DmaBuffer::remote(at as u64, size, self.memory.clone());
        buffer.clear();
        self.check()?;
        Ok(buffer)
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.free.give(buffer.bus() as usize, buffer.len());
        Ok(())
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.check()?;
        let Some(events) = &mut self.events else {
            std::thread::sleep(budget.time);
            return Ok(WaitOutcome::Elapsed);
        };
        let ready = {
            let fd = events.as_fd();
            let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            matches!(poll(&mut fds, Some(&timespec(budget.time))), Ok(count) if count > 0)
        };
        let mut count = [0; 4];
        match ready && matches!(events.read(&mut count), Ok(4)) {
            true => Ok(WaitOutcome::Interrupt),
            false => Ok(WaitOutcome::Elapsed),
        }
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Unsupported(
            "XDMA's driver has no function reset; remove and rescan the function through sysfs"
                .into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain files in the place of character devices.
    fn files(name: &str) -> std::path::PathBuf {
        let dev = std::env::temp_dir().join(format!("gatewei-xdma-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dev).unwrap();
        for part in ["user", "h2c_0"] {
            let file = File::create(dev.join(format!("xdma0_{part}"))).unwrap();
            file.set_len(1 << 20).unwrap();
        }
        // What goes to the card comes back from there.
        let _ = std::fs::remove_file(dev.join("xdma0_c2h_0"));
        std::os::unix::fs::symlink("xdma0_h2c_0", dev.join("xdma0_c2h_0")).unwrap();
        File::create(dev.join("xdma0_events_0")).unwrap();
        dev
    }

    #[test]
    fn registers_and_memory_are_files() {
        let dev = files("plain");
        let refused = Xdma::open(&dev, 1).unwrap_err().to_string();
        assert!(refused.contains("xdma1_user"), "{refused}");
        let mut card = Xdma::open(&dev, 0).unwrap();
        let second = Xdma::open(&dev, 0).unwrap_err().to_string();
        assert!(second.contains("one owner"), "{second}");
        card.write32(0x20, 0xabcd_0123).unwrap();
        assert_eq!(card.read32(0x20).unwrap(), 0xabcd_0123);
        assert!(matches!(card.read32(0x22), Err(TransportError::Offset(_))));
        let buffer = card.dma(100, 64).unwrap();
        assert_eq!((buffer.bus(), buffer.len()), (4096, 4096));
        buffer.copy_in(3, b"bytes").unwrap();
        let mut out = [9; 8];
        buffer.copy_out(1, &mut out).unwrap();
        assert_eq!(&out, b"\0\0bytes\0");
        assert_eq!(buffer.load_unit(0), Ok(u64::from_le_bytes(*b"\0\0\0bytes")));
        assert_eq!(card.wait(Wait::default()).unwrap(), WaitOutcome::Elapsed);
        std::fs::write(dev.join("xdma0_events_0"), [1, 0, 0, 0]).unwrap();
        assert_eq!(card.wait(Wait::default()).unwrap(), WaitOutcome::Interrupt);
        card.release(buffer).unwrap();
        assert_eq!(card.dma(1, 1 << 16).unwrap().bus(), 1 << 16);
        std::fs::remove_dir_all(&dev).unwrap();
    }

    #[test]
    fn a_transfer_that_fails_is_told_at_the_next_call() {
        let dev = files("short");
        let mut card = Xdma::open(&dev, 0).unwrap();
        let buffer = card.dma(64, 64).unwrap();
        File::options()
            .write(true)
            .open(dev.join("xdma0_h2c_0"))
            .and_then(|file| file.set_len(0))
            .unwrap();
        let mut out = [9; 8];
        buffer.copy_out(0, &mut out).unwrap();
        assert_eq!(out, [0; 8]);
        let told = card.read32(0).unwrap_err().to_string();
        assert!(told.contains("c2h of 8 bytes at 0x1000"), "{told}");
        assert!(card.read32(0).is_ok(), "once");
        std::fs::remove_dir_all(&dev).unwrap();
    }
}
