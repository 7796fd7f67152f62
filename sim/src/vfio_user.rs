//! The simulated card as a PCI function that other processes use: a vfio-user server.
//!
//! ```text
//! gatewei run --card vfio-user:PATH ──╮
//! QEMU -device vfio-user-pci ─────────┼─▶ socket ─▶ Server ─▶ Function ─▶ SimCard
//!                                     ╯   messages   clients  PCI          Verilog
//! ```
//!
//! One thread: messages are answered between two short runs of the card's clock, and the clock rests while
//! the card has nothing to do. One client owns the card; others are refused as long as it stays. A client
//! that breaks the protocol, or goes, leaves a card that is reset.

mod config;
mod function;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gatewei_driver::vfio_user::channel::{Channel, ChannelError, Message, reply_to, timespec};
use gatewei_driver::vfio_user::wire::{command, flag};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::card::SimCard;

pub use function::Function;

/// Cycles between two looks at the socket.
const SLICE: u64 = 16;
/// Cycles of quiet after which the clock rests. Memory is some hundred cycles away.
const QUIET: u64 = 1_000;
/// Sleep while nothing happens: how soon a stop is noticed.
const SLEEP: Duration = Duration::from_millis(100);
/// How long a client may take for a reply from the socket.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a client may take to let go of a card that stops being served.
const FAREWELL: Duration = Duration::from_secs(1);
/// Connections at once. All but one wait to be refused.
const CONNECTIONS: usize = 16;
/// Messages of a connection that are answered before the clock runs on.
const MESSAGES: usize = 32;

/// Why a card cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody serves this socket already.
    #[error("{} is served by another process; choose another path", .0.display())]
    Served(PathBuf),
    /// Something else is there.
    #[error("{} exists and is no socket; choose another path, or remove it", .0.display())]
    Occupied(PathBuf),
    /// The system refuses.
    #[error("socket {}: {error}", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

/// A connection, and whether it owns the card.
struct Connection {
    channel: Channel,
    owner: bool,
}

/// A card that is served at a socket.
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
    function: Function,
    connections: Vec<Connection>,
}

impl Server {
    /// Binds the socket. One that a dead server has left is replaced.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn bind(path: &Path, card: SimCard) -> Result<Self, ServeError> {
        let system = |error| ServeError::System {
            path: path.into(),
            error,
        };
        if let Ok(found) = std::fs::symlink_metadata(path) {
            if !found.file_type().is_socket() {
                return Err(ServeError::Occupied(path.into()));
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path).map_err(system)?;
                }
                _ => return Err(ServeError::Served(path.into())),
            }
        }
        let listener = UnixListener::bind(path).map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
        Ok(Self {
            path: path.into(),
            listener,
            function: Function::new(card),
            connections: Vec::new(),
        })
    }

    /// Serves until `stop` is set. A client that owns the card then is asked to let go.
    ///
    /// # Errors
    /// [`ServeError::System`] where the socket itself fails; clients cannot cause it.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), ServeError> {
        let mut farewell: Option<Instant> = None;
        loop {
            let works = self.function.run(SLICE, QUIET);
            self.sleep(if works { Duration::ZERO } else { SLEEP })
                .map_err(|error| ServeError::System {
                    path: self.path.clone(),
                    error,
                })?;
            self.accept();
            self.answer();
            if stop.load(Ordering::Relaxed) {
                let owned = self.connections.iter().any(|c| c.owner);
                let since = *farewell.get_or_insert_with(|| {
                    self.function.ask_back();
                    Instant::now()
                });
                if !owned || since.elapsed() > FAREWELL {
                    return Ok(());
                }
            }
        }
    }

    /// The function, for what its owner wants to do with the card beside.
    pub const fn function(&mut self) -> &mut Function {
        &mut self.function
    }

    /// Waits for something to do.
    fn sleep(&self, time: Duration) -> io::Result<()> {
        let listener = PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN);
        let mut fds = vec![listener];
        let channels = self.connections.iter().map(|c| c.channel.as_fd());
        fds.extend(channels.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut fds, Some(&timespec(time))) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.connections.len() >= CONNECTIONS {
                // The longest silent one makes room.
                let idle = self.connections.iter().position(|c| !c.owner);
                idle.map(|idle| self.connections.remove(idle));
            }
            if let Ok(channel) = Channel::new(stream) {
                let owner = false;
                self.connections.push(Connection { channel, owner });
            }
        }
    }

    /// Answers what has come, and lets go of connections that are over.
    fn answer(&mut self) {
        let mut connections = std::mem::take(&mut self.connections);
        let mut owned = connections.iter().any(|c| c.owner);
        connections.retain_mut(|connection| {
            let end = match self.serve(connection, &mut owned) {
                Ok(()) => return true,
                Err(end) => end,
            };
            if connection.owner {
                tracing::info!(%end, "the client has left the card");
                self.function.leave();
                owned = false;
            } else {
                tracing::debug!(%end, "a connection is over");
            }
            false
        });
        self.connections = connections;
    }

    /// Answers the messages of a connection; the error says why it is over.
    fn serve(&mut self, connection: &mut Connection, owned: &mut bool) -> Result<(), ChannelError> {
        for _ in 0..MESSAGES {
            let Some(message) = connection.channel.try_receive()? else {
                break;
            };
            let Message {
                header,
                body,
                files,
            } = message;
            if header.flags & flag::KIND != 0 {
                // A reply, to nothing that was asked.
                continue;
            }
            let answer = match (connection.owner, header.command == command::VERSION) {
                (true, false) => self.function.handle(header.command, &body, files),
                (false, true) if *owned => Err(Errno::BUSY),
                (false, true) => self.function.handle(header.command, &body, files),
                (true, true) | (false, false) => Err(Errno::INVAL),
            };
            if !connection.owner && answer.is_ok() {
                tracing::info!("a client owns the card");
                (connection.owner, *owned) = (true, true);
            }
            if header.flags & flag::NO_REPLY == 0 {
                let mut reply = reply_to(&header);
                if let Err(error) = &answer {
                    reply.flags |= flag::ERROR;
                    reply.error = error.raw_os_error() as u32;
                }
                let body = answer.unwrap_or_default();
                connection.channel.send(reply, &[&body], &[], PATIENCE)?;
            } else if let Err(error) = answer {
                tracing::warn!(%error, command = header.command, "a message without a reply failed");
            }
            if !connection.owner {
                return Err(ChannelError::Closed);
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    /// Takes the socket away.
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket is gone already");
        }
    }
}
