//! The kernel's VFIO calls, each with its error.
//!
//! Numbers and flags are `vfio-bindings`'; structures with data behind them are words in a buffer, so that
//! their length is never guessed.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use vfio_bindings::bindings::vfio::{
    VFIO_BASE, VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE, VFIO_IOMMU_INFO_CAPS,
    VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE, VFIO_TYPE,
    vfio_device_info, vfio_group_status, vfio_iommu_type1_dma_map, vfio_iommu_type1_dma_unmap,
    vfio_irq_info, vfio_region_info,
};

/// Bytes of the largest answer about an IOMMU that is read.
const IOMMU_INFO_BYTES: usize = 4096;
/// Words of a `vfio_irq_set` in front of its event files.
const IRQ_SET_WORDS: usize = 5;

/// `_IO(VFIO_TYPE, VFIO_BASE + number)`.
const fn request(number: u32) -> libc::Ioctl {
    (((VFIO_TYPE as u32) << 8) | (VFIO_BASE + number)) as libc::Ioctl
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// A call whose argument is a number.
fn with_number(file: &File, number: u32, argument: u64) -> io::Result<libc::c_int> {
    // SAFETY: the calls that are made through this take a number, no pointer.
    check(unsafe { libc::ioctl(file.as_raw_fd(), request(number), argument) })
}

/// A call whose argument is a structure of the kernel's.
///
/// # Safety
/// `T` is the structure of call `number`, and what it points to or says of its length is true.
unsafe fn with<T>(file: &File, number: u32, argument: &mut T) -> io::Result<libc::c_int> {
    let argument: *mut T = argument;
    // SAFETY: the caller vouches for the structure; it lives and is ours alone during the call.
    check(unsafe { libc::ioctl(file.as_raw_fd(), request(number), argument) })
}

/// Version of the kernel's interface.
pub(super) fn api_version(container: &File) -> io::Result<libc::c_int> {
    with_number(container, 0, 0)
}

/// Whether the container can have this kind of IOMMU.
pub(super) fn has_extension(container: &File, kind: u32) -> io::Result<bool> {
    Ok(with_number(container, 1, kind.into())? > 0)
}

/// Gives the container its kind of IOMMU.
pub(super) fn set_iommu(container: &File, kind: u32) -> io::Result<()> {
    with_number(container, 2, kind.into()).map(drop)
}

/// Flags of a group.
pub(super) fn group_flags(group: &File) -> io::Result<u32> {
    let mut status = vfio_group_status {
        argsz: size_of::<vfio_group_status>() as u32,
        flags: 0,
    };
    // SAFETY: the structure of this call.
    unsafe { with(group, 3, &mut status) }?;
    Ok(status.flags)
}

/// Puts a group into a container.
pub(super) fn set_container(group: &File, container: &File) -> io::Result<()> {
    let mut descriptor = container.as_raw_fd();
    // SAFETY: the call reads one descriptor.
    unsafe { with(group, 4, &mut descriptor) }.map(drop)
}

/// Opens a function of a group by its name.
pub(super) fn device(group: &File, name: &CStr) -> io::Result<File> {
    // SAFETY: the call reads a string that ends with a zero.
    let device = unsafe { libc::ioctl(group.as_raw_fd(), request(6), name.as_ptr()) };
    let device = check(device)?;
    // SAFETY: the call has opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(device) }.into())
}

/// Flags of a function.
pub(super) fn device_flags(device: &File) -> io::Result<u32> {
    // SAFETY: a structure of integers, for which zeros are values.
    let mut info: vfio_device_info = unsafe { std::mem::zeroed() };
    info.argsz = size_of::<vfio_device_info>() as u32;
    // SAFETY: the structure of this call, with its length.
    unsafe { with(device, 7, &mut info) }?;
    Ok(info.flags)
}

/// A region of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) flags: u32,
    pub(super) size: u64,
    /// Where it lies in the device's file.
    pub(super) offset: u64,
}

/// Looks at region `index`.
pub(super) fn region(device: &File, index: u32) -> io::Result<Region> {
    let mut info = vfio_region_info {
        argsz: size_of::<vfio_region_info>() as u32,
        index,
        ..Default::default()
    };
    // SAFETY: the structure of this call, with its length.
    unsafe { with(device, 8, &mut info) }?;
    Ok(Region {
        flags: info.flags,
        size: info.size,
        offset: info.offset,
    })
}

/// Vectors of interrupt `index`.
pub(super) fn irq_count(device: &File, index: u32) -> io::Result<u32> {
    let mut info = vfio_irq_info {
        argsz: size_of::<vfio_irq_info>() as u32,
        index,
        ..Default::default()
    };
    // SAFETY: the structure of this call, with its length.
    unsafe { with(device, 9, &mut info) }?;
    Ok(info.count)
}

/// Most vectors of an interrupt index that are used.
const VECTORS: usize = gatewei_abi::pci::MSIX_VECTORS as usize;

/// Signals `events` for the first vectors of interrupt `index`; switches the index off where there are none.
pub(super) fn set_irqs(device: &File, index: u32, events: &[BorrowedFd<'_>]) -> io::Result<()> {
    let data = match events {
        [] => VFIO_IRQ_SET_DATA_NONE,
        _ => VFIO_IRQ_SET_DATA_EVENTFD,
    };
    let count = events.len() as u32;
    let bytes = 4 * (IRQ_SET_WORDS as u32 + count);
    let flags = data | VFIO_IRQ_SET_ACTION_TRIGGER;
    if events.len() > VECTORS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = [0; IRQ_SET_WORDS + VECTORS];
    set[..IRQ_SET_WORDS].copy_from_slice(&[bytes, flags, index, 0, count]);
    for (word, event) in set[IRQ_SET_WORDS..].iter_mut().zip(events) {
        *word = event.as_raw_fd() as u32;
    }
    // SAFETY: the words of a `vfio_irq_set` with its length, and the event files that it announces.
    unsafe { with(device, 10, &mut set) }.map(drop)
}

/// Resets the function. Takes as long as the function does.
pub(super) fn reset(device: &File) -> io::Result<()> {
    with_number(device, 11, 0).map(drop)
}

/// What an IOMMU allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Iommu {
    /// Bus addresses that may be mapped; empty where the kernel does not say.
    pub(super) windows: Vec<RangeInclusive<u64>>,
    /// Mappings that are left, where the kernel says.
    pub(super) mappings: Option<u32>,
}

/// Asks what the container's IOMMU allows.
pub(super) fn iommu(container: &File) -> io::Result<Iommu> {
    let mut info = [0u32; IOMMU_INFO_BYTES / 4];
    info[0] = IOMMU_INFO_BYTES as u32;
    // SAFETY: room for a `vfio_iommu_type1_info` and what may follow it, with the length of both.
    unsafe { with(container, 12, &mut info) }?;
    Ok(parse_iommu(&info))
}

/// Reads flags, and the list of capabilities at its offset: each with an identity, a version and the offset
/// of the next. Offsets only rise, so that the list ends.
fn parse_iommu(info: &[u32]) -> Iommu {
    let mut iommu = Iommu::default();
    let word = |byte: usize| info.get(byte / 4).copied();
    let quad = |byte: usize| Some(u64::from(word(byte)?) | u64::from(word(byte + 4)?) << 32);
    let flags = word(4).unwrap_or(0);
    // struct vfio_iommu_type1_info { argsz, flags, u64 pgsizes, cap_offset }
    let mut at = match flags & VFIO_IOMMU_INFO_CAPS {
        0 => 0,
        _ => word(16).unwrap_or(0) as usize,
    };
    let mut behind = 0;
    while at > behind && at.is_multiple_of(4) {
        let (Some(id), Some(next)) = (word(at), word(at + 4)) else {
            break;
        };
        match id & 0xffff {
            VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE => {
                let count = word(at + 8).unwrap_or(0) as usize;
                let ranges = (0..count.min(info.len())).map_while(|i| {
                    let range = at + 16 + 16 * i;
                    Some(quad(range)?..=quad(range + 8)?)
                });
                iommu.windows = ranges.collect();
            }
            VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL => iommu.mappings = word(at + 8),
            _ => {}
        }
        (behind, at) = (at, next as usize);
    }
    iommu
}

/// Maps this process's memory for the function.
pub(super) fn map(container: &File, address: u64, bus: u64, bytes: u64) -> io::Result<()> {
    let mut map = vfio_iommu_type1_dma_map {
        argsz: size_of::<vfio_iommu_type1_dma_map>() as u32,
        flags: VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        vaddr: address,
        iova: bus,
        size: bytes,
    };
    // SAFETY: the structure of this call. The kernel pins the pages; the caller keeps them mapped.
    unsafe { with(container, 13, &mut map) }.map(drop)
}

/// Unmaps what was mapped at a bus address.
pub(super) fn unmap(container: &File, bus: u64, bytes: u64) -> io::Result<()> {
    // SAFETY: a structure of integers, for which zeros are values.
    let mut unmap: vfio_iommu_type1_dma_unmap = unsafe { std::mem::zeroed() };
    unmap.argsz = size_of::<vfio_iommu_type1_dma_unmap>() as u32;
    (unmap.iova, unmap.size) = (bus, bytes);
    // SAFETY: the structure of this call, with its length.
    unsafe { with(container, 14, &mut unmap) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `argsz, flags, pgsizes (2), cap_offset`, padding, then capabilities from byte 24 on.
    fn info(capabilities: &[u32]) -> Vec<u32> {
        let mut info = vec![0, VFIO_IOMMU_INFO_CAPS, 0x1000, 0, 24, 0];
        info.extend_from_slice(capabilities);
        info
    }

    #[test]
    fn windows_and_mappings_are_read() {
        let ranges = [
            1 | 1 << 16,
            24 + 48,
            2,
            0,
            0,
            0,
            0xfedf_ffff,
            0,
            0xfef0_0000,
            0,
            !0,
            0x7f,
        ];
        let available = [3 | 1 << 16, 0, 65_535];
        let read = parse_iommu(&info(&[&ranges[..], &available].concat()));
        let windows = vec![0..=0xfedf_ffff, 0xfef0_0000..=0x7f_ffff_ffff];
        assert_eq!((read.windows, read.mappings), (windows, Some(65_535)));
        let none = parse_iommu(&[0, 0, 0, 0, 24]);
        assert!(none.windows.is_empty() && none.mappings.is_none());
    }

    #[test]
    fn a_list_that_runs_in_circles_or_out_of_the_answer_ends() {
        for next in [24, 20, 25, 4096, u32::MAX] {
            let read = parse_iommu(&info(&[3 | 1 << 16, next, 7]));
            assert_eq!(read.mappings, Some(7), "{next}");
        }
        let long = parse_iommu(&info(&[1 | 1 << 16, 0, u32::MAX, 0, 5, 0, 6, 0]));
        assert_eq!(long.windows, [5..=6]);
    }
}
