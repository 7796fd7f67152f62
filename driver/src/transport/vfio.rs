//! A card in a slot, through the kernel's VFIO: the transport of production.
//!
//! ```text
//! /dev/vfio/vfio  container   the IOMMU's domain: which memory the card reaches, at which bus addresses
//! /dev/vfio/N     group       functions that cannot be told apart by the IOMMU: one owner for all of them
//!    └ function   device      configuration space, BARs, interrupts as event files, reset
//! ```
//!
//! The kernel allows a group one owner. When the device's file is closed, be it that the process was
//! killed, the kernel ends the function's bus mastering, resets it and unmaps its memory.

mod ioctl;

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use gatewei_abi::regs::{self, card};
use gatewei_abi::{MAGIC, board, pci};
use vfio_bindings::bindings::vfio::{
    VFIO_DEVICE_FLAGS_PCI, VFIO_DEVICE_FLAGS_RESET, VFIO_GROUP_FLAGS_VIABLE,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
    VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX, VFIO_REGION_INFO_FLAG_MMAP,
    VFIO_TYPE1v2_IOMMU,
};

use super::bar::MappedBar;
use super::events::{Events, Vector};
use super::{PciAddress, Transport, TransportError, Wait, WaitOutcome, check_bar, check_offset};
use crate::dma::{Arena, DmaBuffer, Mapper, Mapping, check_locked};

/// How long a function reset may take. PCIe allows a function 100 ms after it; the kernel waits up to a
/// minute for one that does not answer.
const RESET: Duration = Duration::from_secs(5);
/// Bus addresses where the kernel does not say which it allows: 4 GiB to 39 bits, the least that IOMMUs have.
const BUS: RangeInclusive<u64> = 0x1_0000_0000..=0x7f_ffff_ffff;
/// Where devices write to raise interrupts: no memory is mapped there.
const MSI: RangeInclusive<u64> = 0xfee0_0000..=0xfeef_ffff;
/// The command register, and its bits for memory accesses and bus mastering.
const COMMAND: u64 = 4;
const MEMORY: u16 = 2;
const MASTER: u16 = 4;

/// A function that this process owns.
pub struct Vfio {
    name: String,
    /// Fields are dropped in this order: the mapping, then the files that it hangs on.
    bar: Registers,
    domain: Domain,
    device: File,
    config: ioctl::Region,
    _group: File,
    events: Events,
    irq: u32,
    /// Events of the vectors, where each has its own.
    vectors: Vec<Vector>,
    arena: Arena,
    /// The function can be reset.
    resets: bool,
    /// A reset did not end: the function is not touched again.
    stuck: bool,
}

/// How registers are reached.
enum Registers {
    Mapped(MappedBar),
    /// Calls, where the kernel does not map the BAR.
    Called(ioctl::Region),
}

impl std::fmt::Debug for Vfio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vfio({}, {:?})", self.name, self.arena)
    }
}

impl Vfio {
    /// Takes a function that is bound to `vfio-pci`.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] with the remedy, [`TransportError::Bar`] for another device.
    pub fn open(function: PciAddress) -> Result<Self, TransportError> {
        Self::open_within(function, 0..=u64::MAX)
    }

    /// The same, for a function that reaches only these bus addresses.
    ///
    /// # Errors
    /// As [`Vfio::open`].
    pub fn open_within(
        function: PciAddress,
        reach: RangeInclusive<u64>,
    ) -> Result<Self, TransportError> {
        let name = format!("vfio {function}");
        let opened = Self::take(&name, function, reach);
        opened.map_err(|reason| TransportError::Unavailable {
            name: name.clone(),
            reason,
        })?
    }

    /// The outer error is a sentence of what is in the way.
    fn take(
        name: &str,
        function: PciAddress,
        reach: RangeInclusive<u64>,
    ) -> Result<Result<Self, TransportError>, String> {
        let place = Path::new("/sys/bus/pci/devices").join(function.to_string());
        let number = group_of(&place, function)?;
        let container = open_container()?;
        let group = open_group(&number, function)?;
        let flags = ioctl::group_flags(&group).map_err(|e| format!("its group: {e}"))?;
        if flags & VFIO_GROUP_FLAGS_VIABLE == 0 {
            return Err(format!(
                "IOMMU group {number} has functions of other drivers: bind all of \
                 /sys/kernel/iommu_groups/{number}/devices to vfio-pci, or none to any driver"
            ));
        }
        ioctl::set_container(&group, &container).map_err(|e| format!("its group: {e}"))?;
        ioctl::set_iommu(&container, VFIO_TYPE1v2_IOMMU).map_err(|error| {
            match error.raw_os_error() {
                Some(libc::EPERM) => "the IOMMU cannot isolate interrupts, so the kernel refuses: switch \
                     interrupt remapping on (BIOS; not intremap=off), or load vfio_iommu_type1 with \
                     allow_unsafe_interrupts=1 on a machine whose devices are trusted"
                    .into(),
                _ => format!("its IOMMU: {error}"),
            }
        })?;
        let id = CString::new(function.to_string()).map_err(|error| error.to_string())?;
        let device = ioctl::device(&group, &id).map_err(|error| {
            format!("{error}; is it bound to vfio-pci, and awake (its power state D0)?")
        })?;
        let domain = Domain {
            container,
            locked: 0,
        };
        Self::set_up(name, domain, group, device, &reach).map_err(|e| e.to_string())
    }

    /// Looks at the function, enables it, and gives it its event files.
    fn set_up(
        name: &str,
        domain: Domain,
        group: File,
        device: File,
        reach: &RangeInclusive<u64>,
    ) -> io::Result<Result<Self, TransportError>> {
        let flags = ioctl::device_flags(&device)?;
        if flags & VFIO_DEVICE_FLAGS_PCI == 0 {
            return Err(io::Error::other("it is no PCI function"));
        }
        let events = Events::new()?;
        let config = ioctl::region(&device, VFIO_PCI_CONFIG_REGION_INDEX)?;
        let registers = ioctl::region(&device, pci::BAR_REGISTERS.into())?;
        if let Err(refusal) = check_bar(name, registers.size) {
            return Ok(Err(refusal));
        }
        let bar = match registers.flags & VFIO_REGION_INFO_FLAG_MMAP {
            0 => Registers::Called(registers),
            _ => Registers::Mapped(MappedBar::map(
                &device,
                registers.offset,
                gatewei_abi::regs::SPACE as usize,
            )?),
        };
        // MSI-X is what the card has; MSI is what a board's bridge may have instead.
        let indexes = [VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX];
        let mut usable = indexes
            .into_iter()
            .filter(|index| ioctl::irq_count(&device, *index).is_ok_and(|count| count > 0));
        let irq = usable
            .next()
            .ok_or_else(|| io::Error::other("it has neither MSI-X nor MSI"))?;
        let iommu = ioctl::iommu(&domain.container)?;
        let mut vfio = Self {
            name: name.into(),
            bar,
            domain,
            config,
            _group: group,
            irq,
            vectors: Vec::new(),
            arena: Arena::new(windows(&iommu.windows, reach)),
            events,
            device,
            resets: flags & VFIO_DEVICE_FLAGS_RESET != 0,
            stuck: false,
        };
        vfio.enable()?;
        vfio.arena = Arena::new(windows(&iommu.windows, &vfio.reach(reach)));
        for (index, event) in [
            (VFIO_PCI_ERR_IRQ_INDEX, vfio.events.error()),
            (VFIO_PCI_REQ_IRQ_INDEX, vfio.events.request()),
        ] {
            // Not every function has them.
            if let Err(error) = ioctl::set_irqs(&vfio.device, index, &[event]) {
                tracing::debug!(card = name, index, %error, "no such interrupt");
            }
        }
        Ok(Ok(vfio))
    }

    /// Memory accesses, bus mastering, and the card's interrupts.
    fn enable(&mut self) -> io::Result<()> {
        self.command(MEMORY | MASTER, 0)?;
        match &self.vectors[..] {
            [] => ioctl::set_irqs(&self.device, self.irq, &[self.events.interrupt()]),
            vectors => {
                let events: Vec<_> = vectors.iter().map(AsFd::as_fd).collect();
                ioctl::set_irqs(&self.device, self.irq, &events)
            }
        }
    }

    /// Sets and clears bits of the command register.
    fn command(&self, set: u16, clear: u16) -> io::Result<()> {
        let (at, mut bytes) = (self.config.offset + COMMAND, [0; 2]);
        self.device.read_exact_at(&mut bytes, at)?;
        let value = (u16::from_le_bytes(bytes) | set) & !clear;
        self.device.write_all_at(&value.to_le_bytes(), at)
    }

    /// What of these bus addresses the card reaches, as the board in its identity registers says. What is no card may
    /// reach all of them: whoever opens it finds out.
    fn reach(&mut self, within: &RangeInclusive<u64>) -> RangeInclusive<u64> {
        let mut read = |offset| self.read32(regs::CARD + offset).unwrap_or_default();
        let bits = match read(card::MAGIC) {
            MAGIC => board::address_bits(read(card::BOARD) as u16),
            _ => u64::BITS,
        };
        *within.start()..=*within.end().min(&reachable(bits))
    }

    fn usable(&self) -> Result<(), TransportError> {
        match self.stuck {
            false => Ok(()),
            true => Err(TransportError::Gone(format!(
                "a function reset did not end within {RESET:?}; power the machine off and on"
            ))),
        }
    }
}

/// The last of the addresses of this many bits.
const fn reachable(bits: u32) -> u64 {
    u64::MAX >> u64::BITS.saturating_sub(bits)
}

/// Name of the function's IOMMU group.
fn group_of(place: &Path, function: PciAddress) -> Result<String, String> {
    if !place.exists() {
        return Err(format!(
            "there is no PCI function {function}; `gatewei card list` shows those that there are"
        ));
    }
    let base = |link: &str| {
        let target = std::fs::read_link(place.join(link)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    };
    let Some(group) = base("iommu_group") else {
        return Err(
            "the machine has no IOMMU that is in use: switch it on in the BIOS (VT-d, AMD-Vi) and boot with \
             intel_iommu=on or amd_iommu=on"
                .into(),
        );
    };
    match base("driver").as_deref() {
        Some("vfio-pci") => Ok(group),
        driver => Err(format!(
            "it is bound to {}: `modprobe vfio-pci; echo vfio-pci > {path}/driver_override; {unbind}echo {function} \
             > /sys/bus/pci/drivers_probe`, as root",
            driver.unwrap_or("no driver"),
            path = place.display(),
            unbind = match driver {
                Some(_) => format!("echo {function} > {}/driver/unbind; ", place.display()),
                None => String::new(),
            }
        )),
    }
}

fn open_container() -> Result<File, String> {
    let path = "/dev/vfio/vfio";
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let container = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {path}: `modprobe vfio-pci`"),
        _ => format!("{path}: {error}: it is usually open to everybody, see its mode"),
    })?;
    let version = ioctl::api_version(&container).map_err(|error| format!("{path}: {error}"))?;
    let usable = ioctl::has_extension(&container, VFIO_TYPE1v2_IOMMU);
    if version != 0 || !usable.unwrap_or(false) {
        return Err(format!(
            "the kernel's VFIO has version {version} (known: 0), or no IOMMU of type 1: \
             `modprobe vfio_iommu_type1`"
        ));
    }
    Ok(container)
}

fn open_group(number: &str, function: PciAddress) -> Result<File, String> {
    let path = format!("/dev/vfio/{number}");
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::EBUSY) => format!(
            "IOMMU group {number} is in use by another process: a card has one owner (`fuser {path}` names it)"
        ),
        Some(libc::EACCES | libc::EPERM) => format!(
            "no permission for {path}: `chown $USER {path}`, as root, or a udev rule for {function}'s group"
        ),
        _ => format!("{path}: {error}"),
    })
}

/// The bus addresses that may be used: what the kernel allows and the function reaches, less what is
/// reserved; above 4 GiB first.
fn windows(
    allowed: &[RangeInclusive<u64>],
    reach: &RangeInclusive<u64>,
) -> Vec<RangeInclusive<u64>> {
    let whole = [0..=*BUS.end()];
    let allowed = if allowed.is_empty() { &whole } else { allowed };
    let high = *BUS.start()..=u64::MAX;
    let below = 0..=MSI.start() - 1;
    let above = MSI.end() + 1..=BUS.start() - 1;
    let parts = [high, below, above];
    let cut = |a: &RangeInclusive<u64>, b: &RangeInclusive<u64>| {
        *a.start().max(b.start())..=*a.end().min(b.end())
    };
    let windows = parts.iter().flat_map(|part| {
        let reached = cut(part, reach);
        allowed.iter().map(move |window| cut(window, &reached))
    });
    windows.filter(|window| !window.is_empty()).collect()
}

/// The IOMMU's domain.
struct Domain {
    container: File,
    /// Bytes mapped, which the kernel counts as locked.
    locked: u64,
}

impl Mapper for Domain {
    fn map(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        let bytes = memory.len() as u64;
        check_locked(self.locked, bytes)?;
        let left = ioctl::iommu(&self.container).ok().and_then(|i| i.mappings);
        if left == Some(0) {
            return Err(
                "the IOMMU's domain has all the mappings that it may have: load vfio_iommu_type1 with a larger \
                 dma_entry_limit"
                    .into(),
            );
        }
        ioctl::map(&self.container, memory.address(), bus, bytes)
            .map_err(|error| format!("mapping {bytes} bytes at {bus:#x} for the card: {error}"))?;
        self.locked += bytes;
        Ok(())
    }

    fn unmap(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        let bytes = memory.len() as u64;
        ioctl::unmap(&self.container, bus, bytes)
            .map_err(|error| format!("unmapping {bytes} bytes at {bus:#x}: {error}"))?;
        self.locked -= bytes;
        Ok(())
    }
}

impl Transport for Vfio {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.usable()?;
        match &self.bar {
            Registers::Mapped(bar) => Ok(bar.read(offset)),
            Registers::Called(region) => {
                let mut value = [0; 4];
                let at = region.offset + u64::from(offset);
                let read = self.device.read_exact_at(&mut value, at);
                read.map_err(|error| TransportError::Failed(error.to_string()))?;
                Ok(u32::from_le_bytes(value))
            }
        }
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        self.usable()?;
        match &self.bar {
            Registers::Mapped(bar) => bar.write(offset, value),
            Registers::Called(region) => {
                let at = region.offset + u64::from(offset);
                let written = self.device.write_all_at(&value.to_le_bytes(), at);
                written.map_err(|error| TransportError::Failed(error.to_string()))?;
            }
        }
        Ok(())
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.arena.allocate(bytes, align, &mut self.domain)
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.arena.release(&buffer, &mut self.domain)
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.usable()?;
        self.events.wait(None, budget.time)
    }

    fn vectors(&mut self, count: u16) -> Result<Option<Vec<Vector>>, TransportError> {
        self.usable()?;
        let failed = |error: io::Error| TransportError::Failed(format!("interrupts: {error}"));
        let there = ioctl::irq_count(&self.device, self.irq).map_err(failed)?;
        if there < u32::from(count) {
            return Err(TransportError::Unsupported(format!(
                "the function has {there} interrupt vectors, {count} are needed: one for each queue pair"
            )));
        }
        let vectors = (0..count)
            .map(|_| Vector::new())
            .collect::<io::Result<Vec<_>>>();
        self.vectors = vectors.map_err(failed)?;
        // Kernels before 6.5 add no vectors to those in use.
        ioctl::set_irqs(&self.device, self.irq, &[]).map_err(failed)?;
        self.enable().map_err(failed)?;
        Ok(Some(self.vectors.clone()))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.usable()?;
        if !self.resets {
            return Err(TransportError::Unsupported(
                "the function has no reset; a card's bitstream gives it function level reset"
                    .into(),
            ));
        }
        let failed = |error: io::Error| TransportError::Failed(format!("function reset: {error}"));
        let device = self.device.try_clone().map_err(failed)?;
        // The call cannot be broken off: it has a thread of its own, which may outlast this transport.
        let (done, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name("gatewei-flr".into());
        let spawned = thread.spawn(move || done.send(ioctl::reset(&device)));
        spawned.map_err(failed)?;
        match ended.recv_timeout(RESET) {
            Ok(end) => {
                end.map_err(failed)?;
                self.enable().map_err(failed)
            }
            Err(_) => {
                self.stuck = true;
                self.usable()
            }
        }
    }
}

impl Drop for Vfio {
    /// Ends the function's accesses first, its mappings next; files close last.
    fn drop(&mut self) {
        if !self.stuck {
            let quiet = self.command(0, MASTER);
            let quiet = quiet.and(ioctl::set_irqs(&self.device, self.irq, &[]));
            if let Err(error) = quiet {
                tracing::debug!(card = self.name, %error, "the function is not there to be disabled");
            }
        }
        if let Err(why) = self.arena.clear(&mut self.domain) {
            tracing::warn!(
                card = self.name,
                why,
                "memory for DMA stays mapped until the process ends"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_prefer_high_addresses_and_spare_the_interrupts() {
        let (all, windows) = (0..=0x7f_ffff_ffff, |allowed: &[_]| {
            windows(allowed, &(0..=u64::MAX))
        });
        let want = [
            0x1_0000_0000..=0x7f_ffff_ffff,
            0..=0xfedf_ffff,
            0xfef0_0000..=0xffff_ffff,
        ];
        assert_eq!(windows(&[all]), want);
        assert_eq!(windows(&[]), want, "the kernel does not say");
        assert_eq!(
            windows(&[0..=0xffff, 0xfee0_0000..=0xfeef_ffff]),
            [0..=0xffff]
        );
    }

    #[test]
    fn a_card_of_32_bits_gets_memory_below_4_gib() {
        assert_eq!(reachable(64), u64::MAX);
        let low = windows(&[0..=0x7f_ffff_ffff], &(0..=reachable(32)));
        assert_eq!(low, [0..=0xfedf_ffff, 0xfef0_0000..=0xffff_ffff]);
    }

    #[test]
    fn what_is_in_the_way_is_told_with_its_remedy() {
        let function: PciAddress = "0000:03:00.0".parse().unwrap();
        let folder = std::env::temp_dir().join(format!("gatewei-vfio-{}", std::process::id()));
        let place = folder.join("0000:03:00.0");
        let said = || group_of(&place, function).unwrap_err();
        assert!(said().contains("card list"));
        std::fs::create_dir_all(&place).unwrap();
        assert!(said().contains("intel_iommu=on"));
        let link = |target: &str, name: &str| {
            let _ = std::fs::remove_file(place.join(name));
            std::os::unix::fs::symlink(target, place.join(name)).unwrap();
        };
        link("/x/iommu_groups/17", "iommu_group");
        assert!(said().contains("bound to no driver") && !said().contains("unbind"));
        link("/x/drivers/xdma", "driver");
        assert!(said().contains("bound to xdma") && said().contains("driver/unbind"));
        link("/x/drivers/vfio-pci", "driver");
        assert_eq!(group_of(&place, function).unwrap(), "17");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
