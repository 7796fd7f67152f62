//! The card in Verilator behind a socket: the driver's client, and clients that break the protocol.

mod common;

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{RETURN_TOP, done, frame, run, silent};
use gatewei_abi::regs::{self, card};
use gatewei_abi::{MAGIC, pci};
use gatewei_driver::dma::{HUGE_PAGE, Mapping};
use gatewei_driver::transport::{Transport as _, TransportError, VfioUser, Wait};
use gatewei_driver::vfio_user::channel::{Channel, Message};
use gatewei_driver::vfio_user::wire::{
    Access, CAPABILITIES, DmaMap, DmaUnmap, Header, RegionInfo, SetIrqs, Version, command, dma,
    flag, irq, region,
};
use gatewei_driver::{Card, Check, Outcome, selftest};
use gatewei_sim::vfio_user::{ServeError, Server};
use gatewei_sim::{Options, SimCard};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use zerocopy::{FromBytes, IntoBytes};

const PATIENCE: Duration = Duration::from_secs(10);

/// A card that is served until this is dropped.
struct Served {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn serve(name: &str) -> Served {
    let path = std::env::temp_dir().join(format!("gatewei-{name}-{}.sock", std::process::id()));
    let mut server = Server::bind(&path, SimCard::new(Options::default()).unwrap()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || server.run(&stopped).expect("the socket is fine"));
    Served {
        path,
        stop,
        thread: Some(thread),
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let end = self.thread.take().map(JoinHandle::join);
        assert!(
            std::thread::panicking() || matches!(end, Some(Ok(()))),
            "the server panicked"
        );
        assert!(!self.path.exists(), "its socket stays");
    }
}

/// Connects when the last client has left.
fn connect(path: &Path) -> VfioUser {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match VfioUser::connect(path) {
            Ok(card) => return card,
            Err(error) if Instant::now() > deadline => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn a_served_card_passes_the_self_test_and_runs_messages() {
    let served = serve("selftest");
    let checks = selftest(VfioUser::connect(&served.path).unwrap(), Default::default());
    let passed = |check: &Check| matches!(check.outcome, Outcome::Passed(_));
    assert!(
        checks.len() == 7 && checks.iter().all(passed),
        "{checks:#?}"
    );
    // The next owner finds a fresh card.
    let transport = connect(&served.path);
    let mut card = Card::open(transport, gatewei_driver::Options::default()).unwrap();
    let code = [&[0x60, 2, 0x60, 3, 0x01][..], &RETURN_TOP].concat();
    let result = done(run(&mut card, &frame(&code), silent));
    assert_eq!(
        (result.output.len(), result.output[31], result.gas_left),
        (32, 5, 999_978)
    );
}

#[test]
fn a_card_has_one_owner_and_survives_it() {
    let served = serve("owner");
    let mut first = VfioUser::connect(&served.path).unwrap();
    first.write32(card::SCRATCH, 77).unwrap();
    let second = VfioUser::connect(&served.path).unwrap_err().to_string();
    assert!(
        second.contains("busy") && second.contains("one user"),
        "{second}"
    );
    assert_eq!(
        first.read32(card::SCRATCH).unwrap(),
        77,
        "the first does not notice"
    );
    drop(first);
    // One that panics with messages' memory mapped leaves it like any other.
    let path = served.path.clone();
    let panicked = std::panic::catch_unwind(move || {
        let card = Card::open(connect(&path), gatewei_driver::Options::default()).unwrap();
        panic!("on purpose, with {card:?}");
    });
    assert!(panicked.is_err());
    assert_eq!(connect(&served.path).read32(card::SCRATCH).unwrap(), 0);
    let again = Server::bind(&served.path, SimCard::new(Options::default()).unwrap());
    assert!(matches!(again, Err(ServeError::Served(_))));
}

#[test]
fn a_server_that_stops_asks_its_client_to_let_go() {
    let served = serve("stop");
    let mut client = VfioUser::connect(&served.path).unwrap();
    served.stop.store(true, Ordering::Relaxed);
    let budget = Wait {
        time: PATIENCE,
        ..Wait::default()
    };
    let told = client.wait(budget).unwrap_err();
    assert!(
        matches!(&told, TransportError::Gone(why) if why.contains("wants")),
        "{told}"
    );
    drop(client);
}

#[test]
fn nobody_there_is_told_with_the_remedy() {
    let path = std::env::temp_dir().join(format!("gatewei-none-{}.sock", std::process::id()));
    let told = VfioUser::connect(&path).unwrap_err().to_string();
    assert!(told.contains("gatewei card serve --socket"), "{told}");
    // A socket that nobody serves any more is told apart, and served anew.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let told = VfioUser::connect(&path).unwrap_err().to_string();
    assert!(told.contains("any more"), "{told}");
    let card = || SimCard::new(Options::default()).unwrap();
    drop(Server::bind(&path, card()).unwrap());
    std::fs::write(&path, "a file").unwrap();
    assert!(matches!(
        Server::bind(&path, card()),
        Err(ServeError::Occupied(_))
    ));
    std::fs::remove_file(&path).unwrap();
}

/// A client that says what it likes.
struct Raw {
    channel: Channel,
    id: u16,
}

impl Raw {
    fn new(path: &Path) -> Self {
        let channel = Channel::new(UnixStream::connect(path).unwrap()).unwrap();
        Self { channel, id: 0 }
    }

    /// One that owns the card.
    fn owner(path: &Path) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut raw = Self::new(path);
            let version = Version { major: 0, minor: 0 };
            let hello = [version.as_bytes(), CAPABILITIES.as_bytes()].concat();
            match raw.ask(command::VERSION, &hello, &[]) {
                Ok(reply) => {
                    assert_eq!(reply[..4], [0; 4], "the client's minor version");
                    return raw;
                }
                Err(_) => assert!(Instant::now() < deadline),
            }
        }
    }

    /// Asks; the body of the reply, or its error number.
    fn ask(
        &mut self,
        number: u16,
        body: &[u8],
        files: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<Vec<u8>, u32> {
        self.id += 1;
        let header = Header {
            id: self.id,
            command: number,
            ..Header::default()
        };
        self.channel.send(header, &[body], files, PATIENCE).unwrap();
        let Message { header, body, .. } = self.channel.receive(PATIENCE).unwrap();
        assert_eq!((header.id, header.command), (self.id, number));
        match header.flags {
            flag::REPLY => Ok(body),
            flags if flags == flag::REPLY | flag::ERROR => Err(header.error),
            flags => panic!("flags {flags:#x}"),
        }
    }

    fn access(
        &mut self,
        number: u16,
        region: u32,
        offset: u64,
        count: u32,
        data: &[u8],
    ) -> Result<Vec<u8>, u32> {
        let access = Access {
            offset,
            region,
            count,
        };
        let reply = self.ask(number, &[access.as_bytes(), data].concat(), &[])?;
        assert_eq!(Access::read_from_prefix(&reply).unwrap().0, access);
        Ok(reply[size_of::<Access>()..].to_vec())
    }

    fn map(&mut self, address: u64, size: u64, file: Option<&Mapping>) -> Result<Vec<u8>, u32> {
        let map = DmaMap {
            argsz: 32,
            flags: dma::READ,
            offset: 0,
            address,
            size,
        };
        let files: Vec<_> = file.iter().map(|file| file.as_fd()).collect();
        self.ask(command::DMA_MAP, map.as_bytes(), &files)
    }
}

const EINVAL: u32 = 22;
const EEXIST: u32 = 17;
const ENOTSUP: u32 = 95;

#[test]
fn what_a_client_must_not_ask_is_an_error_and_no_more() {
    let served = serve("raw");
    let mut raw = Raw::owner(&served.path);
    // Bodies that are too short, commands that there are not.
    for number in [0, 6, 11, 12, 14, 16, u16::MAX] {
        assert_eq!(raw.ask(number, &[0; 64], &[]), Err(ENOTSUP), "{number}");
    }
    for number in [2, 3, 4, 5, 7, 8, 9, 10] {
        for bytes in [0, 1, 7] {
            assert_eq!(
                raw.ask(number, &vec![0; bytes], &[]),
                Err(EINVAL),
                "{number} {bytes}"
            );
        }
    }
    assert_eq!(
        raw.ask(command::VERSION, &[0; 64], &[]),
        Err(EINVAL),
        "twice"
    );
    // Regions.
    let bar = u32::from(pci::BAR_REGISTERS);
    let (read, write) = (command::REGION_READ, command::REGION_WRITE);
    for (region, offset, count) in [
        (bar, 4096, 4),
        (bar, 4094, 4),
        (bar, u64::MAX, 4),
        (bar, 0, 0),
        (bar, 0, u32::MAX),
        (1, 0, 4),
        (8, 0, 4),
        (9, 0, 4),
        (u32::MAX, 0, 4),
        (region::CONFIG, 256, 1),
    ] {
        assert_eq!(raw.access(read, region, offset, count, &[]), Err(EINVAL));
        assert_eq!(
            raw.access(write, region, offset, count, &[0; 4]),
            Err(EINVAL)
        );
    }
    assert_eq!(
        raw.access(write, bar, 2, 4, &[0; 4]),
        Err(EINVAL),
        "across registers"
    );
    assert_eq!(
        raw.access(write, bar, 0, 8, &[0; 4]),
        Err(EINVAL),
        "too few bytes"
    );
    for index in [9, u32::MAX] {
        let info = RegionInfo {
            index,
            ..RegionInfo::default()
        };
        assert_eq!(
            raw.ask(command::REGION_INFO, info.as_bytes(), &[]),
            Err(EINVAL)
        );
    }
    // Interrupts.
    for (index, start, count) in [
        (2, 16, 1),
        (2, u32::MAX, 2),
        (0, 0, 1),
        (5, 0, 1),
        (2, 0, 2),
    ] {
        let set = SetIrqs {
            argsz: 20,
            flags: irq::DATA_EVENTFD | irq::TRIGGER,
            index,
            start,
            count,
        };
        let event = rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).unwrap();
        let refused = raw.ask(command::SET_IRQS, set.as_bytes(), &[event.as_fd()]);
        assert_eq!(refused, Err(EINVAL), "{set:?}");
    }
    // Memory.
    let memory = Mapping::new(HUGE_PAGE).unwrap();
    let bytes = HUGE_PAGE as u64;
    assert_eq!(raw.map(1 << 32, bytes, Some(&memory)), Ok(Vec::new()));
    for (address, size, want) in [
        ((1 << 32) + bytes - 4096, 4096, EEXIST),
        ((1 << 32) - 4096, 8192, EEXIST),
        (u64::MAX - 4094, 4096, EINVAL),
        (0, 0, EINVAL),
        (0, 5, EINVAL),
        (0, bytes + 4096, EINVAL),
    ] {
        assert_eq!(
            raw.map(address, size, Some(&memory)),
            Err(want),
            "{address:#x} {size}"
        );
    }
    let short = memfd_create(c"short", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&short, 4096).unwrap();
    let map = DmaMap {
        size: 4096,
        ..DmaMap::default()
    };
    let refused = raw.ask(command::DMA_MAP, map.as_bytes(), &[short.as_fd()]);
    assert_eq!(refused, Err(EINVAL), "it can be cut short");
    assert_eq!(
        raw.map(0, 4096, None),
        Ok(Vec::new()),
        "memory without a file is not reached"
    );
    let mut unmap = |address, size| {
        let unmap = DmaUnmap {
            argsz: 24,
            flags: 0,
            address,
            size,
        };
        raw.ask(command::DMA_UNMAP, unmap.as_bytes(), &[]).map(drop)
    };
    assert_eq!(unmap(1 << 32, 4096), Err(EINVAL), "a part of a mapping");
    assert_eq!(
        unmap((1 << 32) + 4096, u64::MAX / 2),
        Err(EINVAL),
        "all but its first page"
    );
    assert_eq!(unmap(1 << 32, 0), Err(EINVAL));
    assert_eq!(unmap(u64::MAX, 2), Err(EINVAL));
    assert_eq!(
        unmap(1 << 63, 1 << 63),
        Ok(()),
        "nothing is there, up to the last address"
    );
    assert_eq!(unmap(0, 1 << 63), Ok(()), "everything");
    assert_eq!(
        raw.map(1 << 32, bytes, Some(&memory)),
        Ok(Vec::new()),
        "free again"
    );
    // Registers answer once memory accesses are enabled, at any size.
    assert_eq!(raw.access(read, bar, 0, 4, &[]), Ok(vec![0xff; 4]));
    raw.access(write, region::CONFIG, 4, 2, &[6, 0]).unwrap();
    let magic = MAGIC.to_le_bytes();
    assert_eq!(raw.access(read, bar, 0, 4, &[]), Ok(magic.to_vec()));
    assert_eq!(raw.access(read, bar, 1, 2, &[]), Ok(magic[1..3].to_vec()));
    assert_eq!(raw.access(read, bar, 0, 4096, &[]).unwrap()[..4], magic);
    // A function level reset through configuration space.
    let scratch = u64::from(regs::CARD + card::SCRATCH);
    raw.access(write, bar, scratch, 4, &[7; 4]).unwrap();
    raw.access(write, region::CONFIG, 0x48, 2, &[0x10, 0x80])
        .unwrap();
    raw.access(write, region::CONFIG, 4, 2, &[6, 0]).unwrap();
    assert_eq!(raw.access(read, bar, scratch, 4, &[]), Ok(vec![0; 4]));
}

#[test]
fn clients_that_break_the_protocol_cost_the_card_nothing() {
    let served = serve("broken");
    let header = |size: u32| {
        let header = Header {
            id: 1,
            command: command::VERSION,
            size,
            ..Header::default()
        };
        header.as_bytes().to_vec()
    };
    for bytes in [
        vec![],
        vec![1, 2, 3],
        header(3),
        header(u32::MAX),
        header(1 << 20),
        [header(24), vec![0xff; 8]].concat(),
        [header(16 + 5), vec![0; 5]].concat(),
        vec![0xff; 4096],
    ] {
        let mut stream = UnixStream::connect(&served.path).unwrap();
        // The server may have hung up already.
        let _ = stream.write_all(&bytes);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    // Silent ones do not keep others out.
    let silent: Vec<_> = (0..40)
        .map(|_| UnixStream::connect(&served.path).unwrap())
        .collect();
    let mut raw = Raw::owner(&served.path);
    // One that owns the card breaks the protocol: it goes, and the card is free.
    let bar = u32::from(pci::BAR_REGISTERS);
    raw.access(command::REGION_WRITE, region::CONFIG, 4, 2, &[6, 0])
        .unwrap();
    raw.access(
        command::REGION_WRITE,
        bar,
        u64::from(card::SCRATCH),
        4,
        &[1; 4],
    )
    .unwrap();
    let stream = raw.channel;
    rustix::io::write(stream.as_fd(), &header(7)).unwrap();
    assert_eq!(connect(&served.path).read32(card::SCRATCH).unwrap(), 0);
    drop(silent);
    // A header without its reply flag says no reply, and there is none.
    let mut raw = Raw::owner(&served.path);
    let quiet = Header {
        id: 9,
        command: command::DEVICE_RESET,
        flags: flag::NO_REPLY,
        ..Header::default()
    };
    raw.channel.send(quiet, &[], &[], PATIENCE).unwrap();
    assert!(raw.ask(command::DEVICE_RESET, &[], &[]).is_ok());
}
