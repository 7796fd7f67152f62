//! The simulated card as a PCI function: what each message of vfio-user does to it.
//!
//! Every field of a message is checked where it is used. What cannot be done is an error number in the
//! reply, and changes nothing.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use gatewei_abi::{pci, regs};
use gatewei_driver::dma::Mapping;
use gatewei_driver::transport::{Transport, TransportError};
use gatewei_driver::vfio_user::wire::{
    Access, CAPABILITIES, DeviceInfo, DmaMap, DmaUnmap, IrqInfo, MAJOR, MINOR, RegionInfo, SetIrqs,
    Version, command, device, dma, irq, region,
};
use rustix::io::{Errno, write};
use zerocopy::{FromBytes, IntoBytes};

use super::config::{self, Config};
use crate::card::SimCard;

/// Most bytes of an access to a region.
const ACCESS_BYTES: u32 = 4096;
/// Most mappings of a client's: as many as the kernel's IOMMU driver allows.
const MAPPINGS: usize = 65_535;
/// What a function that does not answer reads as.
const NOTHING: u8 = 0xff;

/// A card behind configuration space, BARs, interrupts and DMA mappings.
pub struct Function {
    card: SimCard,
    config: Config,
    /// The MSI-X table, which a client keeps for itself: interrupts are event files here.
    msix_bar: Vec<u8>,
    vectors: Vec<Option<OwnedFd>>,
    error: Option<OwnedFd>,
    request: Option<OwnedFd>,
    /// Bus address → bytes of each mapping.
    mappings: BTreeMap<u64, u64>,
    /// The card has broken a rule of its bus: its clock rests until it is reset.
    broken: bool,
}

impl Function {
    /// A function that nobody uses yet.
    pub fn new(card: SimCard) -> Self {
        let mut function = Self {
            card,
            config: Config::new(),
            msix_bar: vec![0; pci::BAR_MSIX_BYTES as usize],
            vectors: Vec::new(),
            error: None,
            request: None,
            mappings: BTreeMap::new(),
            broken: false,
        };
        function.leave();
        function
    }

    /// The card.
    pub const fn card(&mut self) -> &mut SimCard {
        &mut self.card
    }

    /// Its client is gone: the function is as after power-up.
    pub fn leave(&mut self) {
        self.vectors = (0..pci::MSIX_VECTORS).map(|_| None).collect();
        (self.error, self.request) = (None, None);
        self.reset();
        for bus in std::mem::take(&mut self.mappings).into_keys() {
            self.card.memory_mut().regions.unmap(bus);
        }
    }

    /// Function level reset. Mappings and event files stay: they are not the function's.
    fn reset(&mut self) {
        self.config = Config::new();
        self.apply_command();
        self.broken = false;
        if let Err(error) = self.card.reset() {
            tracing::warn!(%error, "the card does not reset");
        }
    }

    fn apply_command(&mut self) {
        let closed = !self.config.is_master();
        self.card.memory_mut().regions.set_closed(closed);
    }

    /// Runs the card's clock and hands its interrupts on. Returns whether the card has something to do.
    pub fn run(&mut self, cycles: u64, quiet: u64) -> bool {
        if self.broken || self.card.quiet() >= quiet {
            return false;
        }
        if let Err(error) = self.card.run(cycles) {
            tracing::error!(%error, "the card is broken");
            signal(self.error.as_ref());
            self.broken = true;
        }
        let raised = self.card.take_vectors();
        for (vector, event) in self.vectors.iter().enumerate() {
            if raised >> vector & 1 == 1 {
                signal(event.as_ref());
            }
        }
        self.card.quiet() < quiet
    }

    /// Asks the client to let go.
    pub fn ask_back(&self) {
        signal(self.request.as_ref());
    }

    /// Does what a message asks for; what its reply says behind the header, or its error.
    pub fn handle(
        &mut self,
        number: u16,
        body: &[u8],
        files: Vec<OwnedFd>,
    ) -> Result<Vec<u8>, Errno> {
        match number {
            command::VERSION => version(body),
            command::DEVICE_INFO => device_info(body),
            command::REGION_INFO => region_info(body),
            command::IRQ_INFO => irq_info(body),
            command::SET_IRQS => self.set_irqs(body, files),
            command::DMA_MAP => self.map(body, files),
            command::DMA_UNMAP => self.unmap(body),
            command::REGION_READ => self.read(body),
            command::REGION_WRITE => self.write(body),
            command::DEVICE_RESET => {
                self.reset();
                Ok(Vec::new())
            }
            _ => Err(Errno::NOTSUP),
        }
    }

    fn set_irqs(&mut self, body: &[u8], files: Vec<OwnedFd>) -> Result<Vec<u8>, Errno> {
        let (set, data) = parse::<SetIrqs>(body)?;
        let all = irq_count(set.index);
        let end = set.start.checked_add(set.count).filter(|end| *end <= all);
        let vectors = set.start as usize..end.ok_or(Errno::INVAL)? as usize;
        if set.flags & (irq::MASK | irq::UNMASK) != 0 {
            return Ok(Vec::new());
        }
        if set.flags & irq::TRIGGER == 0 {
            return Err(Errno::INVAL);
        }
        let slots = match set.index {
            irq::MSIX => &mut self.vectors[..],
            irq::ERROR => std::slice::from_mut(&mut self.error),
            irq::REQUEST => std::slice::from_mut(&mut self.request),
            _ if set.count == 0 => return Ok(Vec::new()),
            _ => return Err(Errno::INVAL),
        };
        if set.flags & irq::DATA_EVENTFD != 0 {
            if !files.is_empty() && files.len() != vectors.len() {
                return Err(Errno::INVAL);
            }
            let mut files = files.into_iter();
            slots[vectors].fill_with(|| files.next());
        } else if set.flags & irq::DATA_BOOL != 0 {
            let chosen = data.get(..vectors.len()).ok_or(Errno::INVAL)?;
            let chosen = slots[vectors].iter().zip(chosen);
            chosen
                .filter(|(_, on)| **on != 0)
                .for_each(|(event, _)| signal(event.as_ref()));
        } else if set.flags & irq::DATA_NONE == 0 {
            return Err(Errno::INVAL);
        } else if set.count == 0 {
            slots.fill_with(|| None);
        } else {
            slots[vectors]
                .iter()
                .for_each(|event| signal(event.as_ref()));
        }
        Ok(Vec::new())
    }

    fn map(&mut self, body: &[u8], files: Vec<OwnedFd>) -> Result<Vec<u8>, Errno> {
        let (map, _) = parse::<DmaMap>(body)?;
        let last = map.address.checked_add(map.size.saturating_sub(1));
        if map.size == 0 || last.is_none() || files.len() > 1 {
            return Err(Errno::INVAL);
        }
        if self.mappings.len() >= MAPPINGS {
            return Err(Errno::NOSPC);
        }
        let Some(file) = files.into_iter().next() else {
            // Memory without a file is reached by messages alone, which no simulated burst waits for: the
            // card finds nothing there.
            return Ok(Vec::new());
        };
        let memory = Mapping::from_file(file, map.offset, map.size).map_err(|error| {
            tracing::warn!(%error, "the client's memory is refused");
            Errno::INVAL
        })?;
        let writable = map.flags & dma::WRITE != 0;
        let regions = &mut self.card.memory_mut().regions;
        if !regions.map_at(map.address, Arc::new(memory), writable) {
            return Err(Errno::EXIST);
        }
        self.mappings.insert(map.address, map.size);
        Ok(Vec::new())
    }

    fn unmap(&mut self, body: &[u8]) -> Result<Vec<u8>, Errno> {
        let (unmap, _) = parse::<DmaUnmap>(body)?;
        // Both ends belong to the range: it may reach to the last address.
        let (first, last) = match unmap.flags & dma::UNMAP_ALL {
            0 => {
                let rest = unmap.size.checked_sub(1).ok_or(Errno::INVAL)?;
                let last = unmap.address.checked_add(rest);
                (unmap.address, last.ok_or(Errno::INVAL)?)
            }
            _ => (0, u64::MAX),
        };
        let end = |bus: u64, bytes: u64| bus.saturating_add(bytes - 1);
        let touched = |(bus, bytes): (&u64, &u64)| *bus <= last && first <= end(*bus, *bytes);
        let inside = |(bus, bytes): (&u64, &u64)| first <= *bus && end(*bus, *bytes) <= last;
        if self.mappings.iter().any(|m| touched(m) && !inside(m)) {
            // A mapping goes whole or not at all.
            return Err(Errno::INVAL);
        }
        let going = self.mappings.iter().filter(|m| inside(*m));
        let going: Vec<u64> = going.map(|(bus, _)| *bus).collect();
        for bus in going {
            self.mappings.remove(&bus);
            self.card.memory_mut().regions.unmap(bus);
        }
        Ok(unmap.as_bytes().to_vec())
    }

    fn read(&mut self, body: &[u8]) -> Result<Vec<u8>, Errno> {
        let (access, _) = parse::<Access>(body)?;
        let (offset, count) = (access.offset, access.count);
        check_access(&access)?;
        let mut reply = access.as_bytes().to_vec();
        match access.region {
            region::CONFIG => {
                reply.extend_from_slice(self.config.read(offset, count).ok_or(Errno::INVAL)?);
            }
            _ if !self.config.has_memory() => reply.resize(reply.len() + count as usize, NOTHING),
            bar if bar == u32::from(pci::BAR_MSIX) => {
                reply.extend_from_slice(&self.msix_bar[offset as usize..][..count as usize]);
            }
            _ => {
                // Whole registers, of which the bytes asked for are taken.
                let (first, skip) = (offset as u32 & !3, offset as usize & 3);
                let last = (offset as u32 + count).next_multiple_of(4);
                let mut bytes = Vec::new();
                for register in (first..last).step_by(4) {
                    let value = self.card.read32(register).map_err(|e| broken(&e))?;
                    bytes.extend_from_slice(&value.to_le_bytes());
                }
                reply.extend_from_slice(&bytes[skip..skip + count as usize]);
            }
        }
        Ok(reply)
    }

    fn write(&mut self, body: &[u8]) -> Result<Vec<u8>, Errno> {
        let (access, bytes) = parse::<Access>(body)?;
        check_access(&access)?;
        // A register is written whole or not at all.
        let whole = access.offset % 4 == 0 && access.count % 4 == 0;
        let registers = access.region == u32::from(pci::BAR_REGISTERS);
        if bytes.len() != access.count as usize || registers && !whole {
            return Err(Errno::INVAL);
        }
        match access.region {
            region::CONFIG => {
                let reset = self
                    .config
                    .write(access.offset, bytes)
                    .ok_or(Errno::INVAL)?;
                match reset {
                    true => self.reset(),
                    false => self.apply_command(),
                }
            }
            _ if !self.config.has_memory() => {}
            bar if bar == u32::from(pci::BAR_MSIX) => {
                self.msix_bar[access.offset as usize..][..bytes.len()].copy_from_slice(bytes);
            }
            _ => {
                for (register, value) in (access.offset as u32..).step_by(4).zip(bytes.chunks(4)) {
                    let value = value
                        .iter()
                        .rev()
                        .fold(0, |word, byte| word << 8 | u32::from(*byte));
                    self.card.write32(register, value).map_err(|e| broken(&e))?;
                }
            }
        }
        Ok(access.as_bytes().to_vec())
    }
}

/// The structure that a message begins with, and what follows it.
fn parse<T: FromBytes>(body: &[u8]) -> Result<(T, &[u8]), Errno> {
    T::read_from_prefix(body).map_err(|_| Errno::INVAL)
}

fn version(body: &[u8]) -> Result<Vec<u8>, Errno> {
    let (theirs, _) = parse::<Version>(body)?;
    if theirs.major != MAJOR {
        return Err(Errno::NOTSUP);
    }
    let ours = Version {
        major: MAJOR,
        minor: MINOR.min(theirs.minor),
    };
    Ok([ours.as_bytes(), CAPABILITIES.as_bytes()].concat())
}

fn device_info(body: &[u8]) -> Result<Vec<u8>, Errno> {
    parse::<DeviceInfo>(body)?;
    let info = DeviceInfo {
        argsz: size_of::<DeviceInfo>() as u32,
        flags: device::PCI | device::RESET,
        regions: region::COUNT,
        irqs: irq::COUNT,
    };
    Ok(info.as_bytes().to_vec())
}

/// Bytes of a region; 0 for one that the function does not have.
fn region_bytes(index: u32) -> u64 {
    match index {
        region::CONFIG => config::BYTES as u64,
        bar if bar == u32::from(pci::BAR_REGISTERS) => regs::SPACE.into(),
        bar if bar == u32::from(pci::BAR_MSIX) => pci::BAR_MSIX_BYTES,
        _ => 0,
    }
}

fn region_info(body: &[u8]) -> Result<Vec<u8>, Errno> {
    let (asked, _) = parse::<RegionInfo>(body)?;
    if asked.index >= region::COUNT {
        return Err(Errno::INVAL);
    }
    let size = region_bytes(asked.index);
    let info = RegionInfo {
        argsz: size_of::<RegionInfo>() as u32,
        flags: if size > 0 {
            region::READ | region::WRITE
        } else {
            0
        },
        index: asked.index,
        size,
        ..RegionInfo::default()
    };
    Ok(info.as_bytes().to_vec())
}

/// Vectors of an interrupt index. There is no INTx and no MSI.
fn irq_count(index: u32) -> u32 {
    match index {
        irq::MSIX => pci::MSIX_VECTORS.into(),
        irq::ERROR | irq::REQUEST => 1,
        _ => 0,
    }
}

fn irq_info(body: &[u8]) -> Result<Vec<u8>, Errno> {
    let (asked, _) = parse::<IrqInfo>(body)?;
    if asked.index >= irq::COUNT {
        return Err(Errno::INVAL);
    }
    let info = IrqInfo {
        argsz: size_of::<IrqInfo>() as u32,
        flags: irq::EVENTFD,
        index: asked.index,
        count: irq_count(asked.index),
    };
    Ok(info.as_bytes().to_vec())
}

/// Refuses what is beyond a region, or longer than any access to it.
fn check_access(access: &Access) -> Result<(), Errno> {
    let end = access.offset.checked_add(access.count.into());
    let inside = end.is_some_and(|end| end <= region_bytes(access.region));
    if !inside || access.count == 0 || access.count > ACCESS_BYTES {
        return Err(Errno::INVAL);
    }
    Ok(())
}

fn broken(error: &TransportError) -> Errno {
    tracing::error!(%error, "the card is broken");
    Errno::IO
}

fn signal(event: Option<&OwnedFd>) {
    if let Some(event) = event
        && let Err(error) = write(event, &1u64.to_ne_bytes())
    {
        tracing::debug!(%error, "an event file takes no signal");
    }
}
