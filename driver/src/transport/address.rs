//! Where a card is: the address that a user writes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gatewei_abi::serial::BAUD;

use super::{Loopback, SysfsBar, Transport, TransportError, Uart, Vfio, VfioUser, Xdma};
use crate::{Deadlines, Options};

/// Address of a PCI function: `0000:03:00.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    /// Segment, also called domain.
    pub segment: u16,
    /// Bus.
    pub bus: u8,
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            segment,
            bus,
            device,
            function,
        } = self;
        write!(f, "{segment:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

impl FromStr for PciAddress {
    type Err = AddressError;

    /// Reads `SSSS:BB:DD.F`, or `BB:DD.F` in segment 0, in hexadecimal.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parse = || {
            let (front, function) = text.rsplit_once('.')?;
            let mut parts = front.rsplit(':');
            let (device, bus) = (hex(parts.next()?, 2)?, hex(parts.next()?, 2)?);
            let segment = parts.next().map_or(Some(0), |part| hex(part, 4))?;
            let function = hex(function, 1)?;
            let fits = parts.next().is_none() && device < 32 && function < 8;
            fits.then_some(Self {
                segment,
                bus: bus as u8,
                device: device as u8,
                function: function as u8,
            })
        };
        parse().ok_or_else(|| AddressError(text.into()))
    }
}

/// A number of up to `digits` hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u16> {
    let plain = text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

/// Something that is no address of a card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address of a card: write sim, vfio:0000:03:00.0, vfio-user:/path/of/socket, sysfs:0000:03:00.0 \
     (registers only), xdma:0 or uart:/dev/ttyUSB0"
)]
pub struct AddressError(String);

/// How much more time a card has that gets its pages over a serial line.
const SERIAL_SLOWNESS: u64 = 256;

/// Where a card is, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `sim`: the simulated card in this process.
    Sim,
    /// `vfio-user:PATH`: a card that a process serves on a socket.
    VfioUser(PathBuf),
    /// `vfio:SSSS:BB:DD.F`: a card in a slot, through the kernel's `vfio-pci`.
    Vfio(PciAddress),
    /// `sysfs:SSSS:BB:DD.F`: the registers of a card in a slot, and nothing else.
    Sysfs(PciAddress),
    /// `loopback`: no card, but a thread that ends every message at once: what the driver itself costs.
    Loopback,
    /// `xdma:N`: a card behind Xilinx's XDMA driver.
    Xdma(u32),
    /// `uart:PATH` or `uart:PATH@BAUD`: a board at a serial line.
    Uart(PathBuf, u32),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim => f.write_str("sim"),
            Self::Loopback => f.write_str("loopback"),
            Self::VfioUser(path) => write!(f, "vfio-user:{}", path.display()),
            Self::Vfio(function) => write!(f, "vfio:{function}"),
            Self::Sysfs(function) => write!(f, "sysfs:{function}"),
            Self::Xdma(number) => write!(f, "xdma:{number}"),
            Self::Uart(path, BAUD) => write!(f, "uart:{}", path.display()),
            Self::Uart(path, baud) => write!(f, "uart:{}@{baud}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.into());
        if text == "sim" {
            return Ok(Self::Sim);
        }
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "vfio-user" if !rest.is_empty() => Ok(Self::VfioUser(rest.into())),
            "vfio" => rest.parse().map(Self::Vfio).map_err(|_| wrong()),
            "sysfs" => rest.parse().map(Self::Sysfs).map_err(|_| wrong()),
            "xdma" => rest.parse().map(Self::Xdma).map_err(|_| wrong()),
            "uart" if !rest.is_empty() => match rest.rsplit_once('@') {
                None => Ok(Self::Uart(rest.into(), BAUD)),
                Some((path, baud)) if !path.is_empty() => {
                    let baud = baud.parse().map_err(|_| wrong())?;
                    Ok(Self::Uart(path.into(), baud))
                }
                Some(_) => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl Address {
    /// The PCI function, where the address names one.
    pub const fn function(&self) -> Option<PciAddress> {
        match self {
            Self::Vfio(function) | Self::Sysfs(function) => Some(*function),
            Self::Sim | Self::Loopback | Self::VfioUser(_) | Self::Xdma(_) | Self::Uart(..) => None,
        }
    }

    /// Options that suit the way: a serial line is some thousand times slower than a bus, and cycles pass while it
    /// carries a page.
    pub fn options(&self) -> Options {
        let mut options = Options::default();
        if let Self::Uart(..) = self {
            let usual = Deadlines::default();
            options.deadlines = Deadlines {
                base_cycles: usual.base_cycles * SERIAL_SLOWNESS,
                cycles_per_gas: usual.cycles_per_gas * SERIAL_SLOWNESS,
                stall_cycles: usual.stall_cycles * SERIAL_SLOWNESS,
                interval: usual.interval * 50,
                ..usual
            };
        }
        options
    }

    /// Opens the way to the card. [`Address::Sim`] is the caller's: the driver has no simulation.
    ///
    /// # Errors
    /// [`TransportError`], with what is in the way and its remedy.
    pub fn open(&self) -> Result<Box<dyn Transport>, TransportError> {
        let (sys, dev) = (Path::new("/sys"), Path::new("/dev"));
        Ok(match self {
            Self::Sim => {
                return Err(TransportError::Unavailable {
                    name: "sim".into(),
                    reason: "the simulated card is not the driver's to open; report this".into(),
                });
            }
            Self::Loopback => Box::new(Loopback::new()?),
            Self::VfioUser(path) => Box::new(VfioUser::connect(path)?),
            Self::Vfio(function) => Box::new(Vfio::open(*function)?),
            Self::Sysfs(function) => Box::new(SysfsBar::open(sys, *function)?),
            Self::Xdma(number) => Box::new(Xdma::open(dev, *number)?),
            Self::Uart(path, baud) => Box::new(Uart::open(path, *baud)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_they_are_written() {
        for text in [
            "sim",
            "loopback",
            "vfio-user:/run/card.sock",
            "vfio-user:rel:ative",
            "vfio:0000:03:00.0",
            "vfio:ffff:ff:1f.7",
            "sysfs:0001:0a:1f.1",
            "xdma:3",
            "uart:/dev/ttyUSB0",
            "uart:/dev/serial/by-id/a@b@115200",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let short: Address = "vfio:3:0.1".parse().unwrap();
        assert_eq!(short.to_string(), "vfio:0000:03:00.1");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_forms_that_are() {
        for text in [
            "",
            "card",
            "sim:1",
            "vfio-user:",
            "vfio:",
            "vfio:03:00",
            "vfio:0000:03:20.0",
            "vfio:0000:03:00.8",
            "vfio:1:2:3:4.0",
            "vfio:0000:+3:00.0",
            "sysfs:00000:03:00.0",
            "xdma:x",
            "uart:",
            "uart:@9600",
            "uart:/dev/ttyUSB0@fast",
            "pci:0000:03:00.0",
        ] {
            let refused = text.parse::<Address>().unwrap_err().to_string();
            assert!(refused.contains("vfio:0000:03:00.0"), "{text}: {refused}");
        }
    }
}
