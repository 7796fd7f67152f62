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

    fn dma(&mut self, bytes: usize, _align: usize) -> Result<DmaBuffer, TransportError> {
        Err(TransportError::NoMemory {
            bytes,
            reason:
                "sysfs shows registers alone: bind the card to vfio-pci and use its vfio: address"
                    .into(),
        })
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
