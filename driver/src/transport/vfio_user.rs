//! A card that another process serves: a client of vfio-user.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::events::{Events, Vector};
use super::{Transport, TransportError, Wait, WaitOutcome, check_bar, check_offset};
use crate::dma::{Arena, DmaBuffer, Mapper, Mapping};
use crate::vfio_user::channel::{Channel, ChannelError, Message, reply_to};
use crate::vfio_user::wire::{
    Access, CAPABILITIES, DeviceInfo, DmaMap, DmaUnmap, Header, MAJOR, MINOR, RegionInfo, SetIrqs,
    Version, command, device, dma, flag, irq, region,
};
use gatewei_abi::pci;

/// How long the server may take for an answer. A simulated card answers in microseconds, but not on a
/// machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two tries to connect to a server whose queue is full.
const PAUSE: Duration = Duration::from_millis(10);
/// Bus addresses for DMA: above 4 GiB, so that both halves of address registers are used; 48 bits.
const BUS: std::ops::RangeInclusive<u64> = 0x1_0000_0000..=0xffff_ffff_ffff;
/// Most commands of the server's that are answered while an answer of its own is due.
const MOST_COMMANDS: u32 = 16;

/// A connection to a card's server.
pub struct VfioUser {
    link: Link,
    arena: Arena,
    events: Events,
}

impl std::fmt::Debug for VfioUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VfioUser({}, {:?})", self.link.name, self.arena)
    }
}

impl VfioUser {
    /// Connects to the server at a socket and sets the function up: versions, regions, interrupts.
    ///
    /// # Errors
    /// [`TransportError::Unavailable`] where nobody serves there or somebody else is served,
    /// [`TransportError::Bar`] for another device, and those of the connection.
    pub fn connect(path: &Path) -> Result<Self, TransportError> {
        Self::connect_within(path, PATIENCE)
    }

    /// The same; the server may take `patience` for each answer.
    ///
    /// # Errors
    /// As [`VfioUser::connect`].
    pub fn connect_within(path: &Path, patience: Duration) -> Result<Self, TransportError> {
        let name = format!("vfio-user {}", path.display());
        let unavailable = |reason: String| TransportError::Unavailable {
            name: name.clone(),
            reason,
        };
        let stream = dial(path, patience).map_err(unavailable)?;
        let channel = Channel::new(stream).map_err(|error| unavailable(error.to_string()))?;
        let events = Events::new().map_err(|error| unavailable(error.to_string()))?;
        let mut link = Link {
            name,
            channel,
            patience,
            id: 0,
            gone: None,
        };
        link.greet()?;
        link.set_up(&events)?;
        Ok(Self {
            link,
            arena: Arena::new(vec![BUS]),
            events,
        })
    }
}

/// Connects within `patience`; the error is a sentence.
fn dial(path: &Path, patience: Duration) -> Result<UnixStream, String> {
    let serve = format!("`gatewei card serve --socket {}`", path.display());
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    let socket = socket.map_err(|error| error.to_string())?;
    let address =
        SocketAddrUnix::new(path).map_err(|error| format!("the path of a socket: {error}"))?;
    let deadline = Instant::now() + patience;
    loop {
        return match connect(&socket, &address) {
            Ok(()) => Ok(UnixStream::from(socket)),
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => {
                std::thread::sleep(PAUSE);
                continue;
            }
            Err(Errno::NOENT) => Err(format!("there is no such socket; start a card with {serve}")),
            Err(Errno::CONNREFUSED) => Err(format!(
                "nobody serves this socket any more; start a card with {serve}"
            )),
            Err(Errno::ACCESS | Errno::PERM) => Err(
                "no permission to write to this socket; run as the user who serves the card, or change its mode"
                    .into(),
            ),
            Err(Errno::AGAIN) => Err(format!("its server accepts nobody within {patience:?}")),
            Err(error) => Err(error.to_string()),
        };
    }
}

/// The connection with its state.
struct Link {
    name: String,
    channel: Channel,
    patience: Duration,
    id: u16,
    /// Why the connection is of no use any more.
    gone: Option<String>,
}

impl Link {
    /// Sends a command and waits for its reply; what follows the reply's header.
    fn ask(
        &mut self,
        number: u16,
        parts: &[&[u8]],
        files: &[BorrowedFd<'_>],
    ) -> Result<Vec<u8>, TransportError> {
        if let Some(why) = &self.gone {
            return Err(TransportError::Gone(why.clone()));
        }
        match self.exchange(number, parts, files) {
            Ok(reply) if reply.header.flags & flag::ERROR == 0 => Ok(reply.body),
            Ok(reply) => {
                let error = std::io::Error::from_raw_os_error(reply.header.error as i32);
                Err(TransportError::Failed(format!(
                    "the card's server refuses command {number}: {error}"
                )))
            }
            Err(why) => {
                let why = why.to_string();
                tracing::error!(card = self.name, why, "the connection to the card is lost");
                self.gone = Some(why.clone());
                Err(TransportError::Gone(why))
            }
        }
    }

    fn exchange(
        &mut self,
        number: u16,
        parts: &[&[u8]],
        files: &[BorrowedFd<'_>],
    ) -> Result<Message, ChannelError> {
        self.id = self.id.wrapping_add(1);
        let header = Header {
            id: self.id,
            command: number,
            ..Header::default()
        };
        self.channel.send(header, parts, files, self.patience)?;
        for _ in 0..MOST_COMMANDS {
            let message = self.channel.receive(self.patience)?;
            let Header { id, command, .. } = message.header;
            if message.header.flags & flag::KIND == flag::REPLY {
                if (id, command) == (self.id, number) {
                    return Ok(message);
                }
                return Err(stray(format!(
                    "it answers command {command} with id {id}, asked was {number} with id {}",
                    self.id
                )));
            }
            // A server may ask for bytes of memory that it cannot map. This client's it can.
            let refusal = Header {
                flags: flag::REPLY | flag::ERROR,
                error: Errno::NOTSUP.raw_os_error() as u32,
                ..reply_to(&message.header)
            };
            self.channel.send(refusal, &[], &[], self.patience)?;
        }
        Err(stray("it asks instead of answering".into()))
    }

    /// As [`Link::ask`], for a reply that begins with `T`.
    fn ask_for<T: FromBytes>(
        &mut self,
        number: u16,
        body: &(impl IntoBytes + Immutable),
    ) -> Result<T, TransportError> {
        let reply = self.ask(number, &[body.as_bytes()], &[])?;
        self.first(number, &reply)
    }

    /// The structure that a reply begins with.
    fn first<T: FromBytes>(&mut self, number: u16, reply: &[u8]) -> Result<T, TransportError> {
        let Ok((value, _)) = T::read_from_prefix(reply) else {
            return Err(self.nonsense(format!(
                "its answer to command {number} has {} bytes",
                reply.len()
            )));
        };
        Ok(value)
    }

    /// The peer does not keep to the protocol: nothing more is said to it.
    fn nonsense(&mut self, what: String) -> TransportError {
        let why = stray(what).to_string();
        self.gone = Some(why.clone());
        TransportError::Gone(why)
    }

    /// Versions. A server that is busy with another client refuses here.
    fn greet(&mut self) -> Result<(), TransportError> {
        let ours = Version {
            major: MAJOR,
            minor: MINOR,
        };
        let parts = [ours.as_bytes(), CAPABILITIES.as_bytes()];
        let reply = self.ask(command::VERSION, &parts, &[]);
        let reply = reply.map_err(|error| TransportError::Unavailable {
            name: self.name.clone(),
            reason: format!("{error}; a card has one user at a time"),
        })?;
        let theirs: Version = self.first(command::VERSION, &reply)?;
        if theirs.major != MAJOR || theirs.minor > MINOR {
            return Err(TransportError::Unavailable {
                name: self.name.clone(),
                reason: format!(
                    "its server speaks vfio-user {}.{}, this driver {MAJOR}.{MINOR}",
                    theirs.major, theirs.minor
                ),
            });
        }
        Ok(())
    }

    /// Looks at the function, enables it, and gives it its event files.
    fn set_up(&mut self, events: &Events) -> Result<(), TransportError> {
        let info = DeviceInfo {
            argsz: size_of::<DeviceInfo>() as u32,
            ..DeviceInfo::default()
        };
        let info: DeviceInfo = self.ask_for(command::DEVICE_INFO, &info)?;
        if info.flags & device::PCI == 0 || info.regions <= region::CONFIG {
            return Err(self.nonsense("it serves no PCI function".into()));
        }
        let bar = RegionInfo {
            argsz: size_of::<RegionInfo>() as u32,
            index: pci::BAR_REGISTERS.into(),
            ..RegionInfo::default()
        };
        let bar: RegionInfo = self.ask_for(command::REGION_INFO, &bar)?;
        check_bar(&self.name, bar.size)?;
        self.enable()?;
        self.set_irqs(irq::MSIX, &[events.interrupt()])?;
        for (index, event) in [
            (irq::ERROR, events.error()),
            (irq::REQUEST, events.request()),
        ] {
            if info.irqs > index && self.set_irqs(index, &[event]).is_err() {
                tracing::debug!(card = self.name, index, "the server has no such interrupt");
            }
        }
        Ok(())
    }

    /// Memory accesses and bus mastering, in the command register.
    fn enable(&mut self) -> Result<(), TransportError> {
        self.write(region::CONFIG, 4, &6u16.to_le_bytes())
    }

    fn set_irqs(&mut self, index: u32, events: &[BorrowedFd<'_>]) -> Result<(), TransportError> {
        let set = SetIrqs {
            argsz: size_of::<SetIrqs>() as u32,
            flags: irq::DATA_EVENTFD | irq::TRIGGER,
            index,
            start: 0,
            count: events.len() as u32,
        };
        self.ask(command::SET_IRQS, &[set.as_bytes()], events)?;
        Ok(())
    }

    fn write(&mut self, region: u32, offset: u64, bytes: &[u8]) -> Result<(), TransportError> {
        let access = Access {
            offset,
            region,
            count: bytes.len() as u32,
        };
        self.ask(command::REGION_WRITE, &[access.as_bytes(), bytes], &[])?;
        Ok(())
    }

    fn read32(&mut self, region: u32, offset: u64) -> Result<u32, TransportError> {
        let access = Access {
            offset,
            region,
            count: 4,
        };
        let reply = self.ask(command::REGION_READ, &[access.as_bytes()], &[])?;
        let (echo, value): (Access, &[u8]) = Access::read_from_prefix(&reply).unwrap_or_default();
        match <[u8; 4]>::try_from(value) {
            Ok(value) if echo == access => Ok(u32::from_le_bytes(value)),
            _ => Err(self.nonsense(format!("it answers a read of {access:?} with {echo:?}"))),
        }
    }
}

fn stray(what: String) -> ChannelError {
    let what = format!("the card's server does not keep to vfio-user: {what}");
    ChannelError::System(std::io::Error::other(what))
}

impl Mapper for Link {
    fn map(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        let map = DmaMap {
            argsz: size_of::<DmaMap>() as u32,
            flags: dma::READ | dma::WRITE,
            offset: 0,
            address: bus,
            size: memory.len() as u64,
        };
        let done = self.ask(command::DMA_MAP, &[map.as_bytes()], &[memory.as_fd()]);
        done.map(drop).map_err(|error| error.to_string())
    }

    fn unmap(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        let unmap = DmaUnmap {
            argsz: size_of::<DmaUnmap>() as u32,
            flags: 0,
            address: bus,
            size: memory.len() as u64,
        };
        let done = self.ask(command::DMA_UNMAP, &[unmap.as_bytes()], &[]);
        done.map(drop).map_err(|error| error.to_string())
    }
}

impl Transport for VfioUser {
    fn name(&self) -> String {
        self.link.name.clone()
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        check_offset(offset)?;
        self.link.read32(pci::BAR_REGISTERS.into(), offset.into())
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        check_offset(offset)?;
        let bar = pci::BAR_REGISTERS.into();
        self.link.write(bar, offset.into(), &value.to_le_bytes())
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.arena.allocate(bytes, align, &mut self.link)
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.arena.release(&buffer, &mut self.link)
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        if let Some(why) = &self.link.gone {
            return Err(TransportError::Gone(why.clone()));
        }
        let server = self.link.channel.as_fd();
        let outcome = self.events.wait(Some(server), budget.time)?;
        if outcome == WaitOutcome::Elapsed {
            // Nothing is due from the server: what can be read now is its end, or nonsense.
            match self.link.channel.try_receive() {
                Ok(None) => {}
                Ok(Some(_)) => return Err(self.link.nonsense("it speaks unasked".into())),
                Err(error) => {
                    let why = error.to_string();
                    self.link.gone = Some(why.clone());
                    return Err(TransportError::Gone(why));
                }
            }
        }
        Ok(outcome)
    }

    fn vectors(&mut self, count: u16) -> Result<Option<Vec<Vector>>, TransportError> {
        let vectors = (0..count)
            .map(|_| Vector::new())
            .collect::<std::io::Result<Vec<_>>>();
        let vectors = vectors.map_err(|error| TransportError::Failed(error.to_string()))?;
        let events: Vec<_> = vectors.iter().map(AsFd::as_fd).collect();
        self.link.set_irqs(irq::MSIX, &events)?;
        Ok(Some(vectors))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.link.ask(command::DEVICE_RESET, &[], &[])?;
        self.link.enable()
    }
}
