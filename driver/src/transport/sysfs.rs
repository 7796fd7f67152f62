//! The registers of a card in a slot, without interrupts and without memory: for the first day of a board.

use std::fs::File;
use std::path::Path;

use gatewei_abi::{pci, regs};

use super::bar::MappedBar;
use super::{
    PciAddress, Transport, TransportError, Wait, WaitOutcome, check_bar, check_offset, lock,
};
use crate::dma::DmaBuffer;

/// The register BAR of a function, through `resourceN` of sysfs.
pub struct SysfsBar {
    name: String,
    bar: MappedBar,
    _owner: File,
}

impl std::fmt::Debug for SysfsBar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SysfsBar({})", self.name)
    }
}

impl SysfsBar {
    /// Maps the registers of `function`; `sys` is where sysfs is mounted.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] with the remedy, [`TransportError::Bar`] for another device.
    pub fn open(sys: &Path, function: PciAddress) -> Result<Self, TransportError> {
        let name = format!("sysfs {function}");
        let unavailable = |reason: String| TransportError::Unavailable {
            name: name.clone(),
            reason,
        };
        let place = sys.join("bus/pci/devices").join(function.to_string());
        let path = place.join(format!("resource{}", pci::BAR_REGISTERS));
        let file = lock::own(&name, &path)?;
        let size = file.metadata().map_err(|e| unavailable(e.to_string()))?;
        check_bar(&name, size.len())?;
        // A function without a driver may be off.
        let enable = std::fs::write(place.join("enable"), "1");
        if let Err(error) = enable {
            tracing::debug!(card = name, %error, "not enabled; its driver may have done so");
        }
        let bar = MappedBar::map(&file, 0, regs::SPACE as usize);
        let bar = bar.map_err(|error| {
            unavailable(format!(
                "{}: {error}; a kernel that is locked down does not map registers: use vfio:{function}",
                path.display()
            ))
        })?;
        Ok(Self {
            name,
            bar,
            _owner: file,
        })
    }
}

impl Transport for SysfsBar {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        Ok(self.bar.read(offset))
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        self.bar.write(offset, value);
        Ok(())
    }

    fn dma(&mut self, _bytes: usize, _align: usize) -> Result<DmaBuffer, TransportError> {
        Err(TransportError::Unsupported(
            "sysfs shows registers alone: bind the card to vfio-pci and use its vfio: address"
                .into(),
        ))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        Err(TransportError::Failed(format!(
            "release of {buffer:?}, which is not mapped; report this"
        )))
    }

    /// Sleeps: there is no interrupt.
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        std::thread::sleep(budget.time);
        Ok(WaitOutcome::Elapsed)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Unsupported(
            "sysfs shows registers alone; reset the function with its `reset` file, or through vfio:".into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gatewei_abi::regs::card;
    use gatewei_abi::{ABI_VERSION, MAGIC};

    use super::*;
    use crate::{Outcome, selftest};

    const FUNCTION: PciAddress = PciAddress {
        segment: 0,
        bus: 3,
        device: 0,
        function: 0,
    };

    /// A sysfs in which the registers are a plain file of `bytes` bytes.
    fn sysfs(name: &str, bytes: u64) -> PathBuf {
        let sys = std::env::temp_dir().join(format!("gatewei-sys-{name}-{}", std::process::id()));
        let place = sys.join("bus/pci/devices/0000:03:00.0");
        std::fs::create_dir_all(&place).unwrap();
        let file = File::create(place.join("resource0")).unwrap();
        file.set_len(bytes).unwrap();
        sys
    }

    #[test]
    fn a_self_test_stops_where_registers_that_are_mere_memory_show() {
        let sys = sysfs("registers", regs::SPACE.into());
        let open = || SysfsBar::open(&sys, FUNCTION);
        let first = |bar: SysfsBar| selftest(bar, crate::Options::default()).pop().unwrap();
        let stranger = first(open().unwrap());
        let Outcome::Failed(why) = stranger.outcome else {
            panic!("{stranger:?}");
        };
        assert!(
            why.contains("is no gatewei card") && why.contains("0x00000000"),
            "{why}"
        );
        let mut bar = open().unwrap();
        for (register, value) in [
            (card::MAGIC, MAGIC),
            (card::VERSION, ABI_VERSION),
            (card::CAPS, u32::from_le_bytes([1, 1, 4, 1])),
            (card::SLOTS, 64),
        ] {
            bar.write32(register, value).unwrap();
        }
        let last = first(bar);
        assert_eq!(last.name, "clock", "{last:?}");
        assert!(matches!(last.outcome, Outcome::Failed(why) if why.contains("does not run")));
        std::fs::remove_dir_all(&sys).unwrap();
    }

    #[test]
    fn a_bar_that_is_too_small_and_a_second_owner_are_refused() {
        let sys = sysfs("small", 2048);
        let small = SysfsBar::open(&sys, FUNCTION).unwrap_err();
        assert!(
            matches!(
                small,
                TransportError::Bar {
                    found: 2048,
                    needed: 4096,
                    ..
                }
            ),
            "{small}"
        );
        std::fs::remove_dir_all(&sys).unwrap();
        let sys = sysfs("owner", regs::SPACE.into());
        let mut owner = SysfsBar::open(&sys, FUNCTION).unwrap();
        let second = SysfsBar::open(&sys, FUNCTION).unwrap_err().to_string();
        assert!(second.contains("one owner"), "{second}");
        assert!(matches!(
            owner.dma(64, 64),
            Err(TransportError::Unsupported(_))
        ));
        assert!(matches!(
            owner.read32(4096),
            Err(TransportError::Offset(4096))
        ));
        drop(owner);
        assert!(SysfsBar::open(&sys, FUNCTION).is_ok());
        std::fs::remove_dir_all(&sys).unwrap();
    }
}
