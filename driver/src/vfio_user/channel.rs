//! A connection that carries whole messages with their files.
//!
//! Nothing that the peer sends is believed: a message has a header, a size within bounds and at most so many
//! files, or the connection ends.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use zerocopy::{FromBytes, IntoBytes};

use super::wire::{Header, MESSAGE_BYTES, MESSAGE_FILES, flag};

/// Bytes of a header.
const HEADER: usize = size_of::<Header>();

/// A message as it came.
#[derive(Debug)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// What follows the header.
    pub body: Vec<u8>,
    /// Files that came with it.
    pub files: Vec<OwnedFd>,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer has closed it.
    #[error("the peer has closed the connection")]
    Closed,
    /// The peer is silent, or takes nothing.
    #[error("the peer does not {0} within {1:?}")]
    Late(&'static str, Duration),
    /// A header that no message of the protocol has.
    #[error("a message of {0} bytes; messages have 16 to {MESSAGE_BYTES}")]
    Size(u32),
    /// The system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<Errno> for ChannelError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::PIPE | Errno::CONNRESET => Self::Closed,
            _ => Self::System(error.into()),
        }
    }
}

/// A connection. Reading never blocks for longer than asked.
#[derive(Debug)]
pub struct Channel {
    stream: UnixStream,
    /// The message that is coming in: its bytes so far and its files.
    bytes: Vec<u8>,
    files: Vec<OwnedFd>,
}

impl Channel {
    /// Messages over `stream`.
    ///
    /// # Errors
    /// What making it non-blocking says.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            bytes: Vec::new(),
            files: Vec::new(),
        })
    }

    /// Sends a message: `parts` behind its header, and `files` with it.
    ///
    /// # Errors
    /// [`ChannelError`]; the connection is of no use then.
    pub fn send(
        &mut self,
        header: Header,
        parts: &[&[u8]],
        files: &[BorrowedFd<'_>],
        patience: Duration,
    ) -> Result<(), ChannelError> {
        let size = HEADER + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        let size = u32::try_from(size).map_err(|_| ChannelError::Size(u32::MAX))?;
        bytes.extend_from_slice(Header { size, ..header }.as_bytes());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        let deadline = Instant::now() + patience;
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MESSAGE_FILES))];
        let (mut sent, mut files) = (0, files);
        while sent < bytes.len() {
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
                return Err(ChannelError::System(io::ErrorKind::InvalidInput.into()));
            }
            let piece = [IoSlice::new(&bytes[sent..])];
            match sendmsg(&self.stream, &piece, &mut control, SendFlags::NOSIGNAL) {
                // The files travel with the first byte.
                Ok(more) => (sent, files) = (sent + more, &[]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.ready(PollFlags::OUT, deadline)? {
                        return Err(ChannelError::Late("take a message", patience));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next message, if all of it has come.
    ///
    /// # Errors
    /// [`ChannelError`]; the connection is of no use then.
    pub fn try_receive(&mut self) -> Result<Option<Message>, ChannelError> {
        loop {
            let wanted = self.wanted()?;
            if self.bytes.len() >= HEADER && self.bytes.len() == wanted {
                return Ok(Some(self.take()));
            }
            let have = self.bytes.len();
            self.bytes.resize(wanted, 0);
            let read = self.read(have);
            self.bytes.truncate(have + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(ChannelError::Closed),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next message, waited for.
    ///
    /// # Errors
    /// [`ChannelError`]; the connection is of no use then.
    pub fn receive(&mut self, patience: Duration) -> Result<Message, ChannelError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(message) = self.try_receive()? {
                return Ok(message);
            }
            if !self.ready(PollFlags::IN, deadline)? {
                return Err(ChannelError::Late("answer", patience));
            }
        }
    }

    /// Bytes that the message coming in has, as far as is known.
    fn wanted(&self) -> Result<usize, ChannelError> {
        let Ok((header, _)) = Header::read_from_prefix(&self.bytes) else {
            return Ok(HEADER);
        };
        let size = header.size as usize;
        if (HEADER..=MESSAGE_BYTES).contains(&size) {
            Ok(size)
        } else {
            Err(ChannelError::Size(header.size))
        }
    }

    /// Reads into `bytes[have..]`; never beyond this message, so that files are always its own.
    fn read(&mut self, have: usize) -> Result<usize, Errno> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MESSAGE_FILES))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut piece = [IoSliceMut::new(&mut self.bytes[have..])];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(&self.stream, &mut piece, &mut control, flags)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                // What is beyond the limit is closed again.
                let room = MESSAGE_FILES - self.files.len();
                self.files.extend(files.take(room));
            }
        }
        Ok(received.bytes)
    }

    fn take(&mut self) -> Message {
        let header = Header::read_from_prefix(&self.bytes);
        let header = header.map_or_else(|_| Header::default(), |(header, _)| header);
        let body = self.bytes.split_off(HEADER);
        self.bytes.clear();
        Message {
            header,
            body,
            files: std::mem::take(&mut self.files),
        }
    }

    /// Waits until the stream is ready, or over; false at the deadline.
    fn ready(&self, what: PollFlags, deadline: Instant) -> Result<bool, ChannelError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&self.stream, what)];
        match poll(&mut fds, Some(&timespec(left))) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// A time to wait, as `poll` takes it.
pub fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

/// Header of a reply to a command.
pub const fn reply_to(command: &Header) -> Header {
    Header {
        flags: flag::REPLY,
        size: 0,
        error: 0,
        ..*command
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn pair() -> (Channel, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Channel::new(ours).unwrap(), theirs)
    }

    #[test]
    fn messages_arrive_whole_with_their_own_files() {
        let (mut to, stream) = pair();
        let mut from = Channel::new(stream).unwrap();
        let file = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).unwrap();
        let header = |id| Header {
            id,
            command: 8,
            ..Header::default()
        };
        to.send(header(1), &[b"plain"], &[], PATIENCE).unwrap();
        let both = [file.as_fd(), file.as_fd()];
        to.send(header(2), &[b"with", b" files"], &both, PATIENCE)
            .unwrap();
        to.send(header(3), &[], &[], PATIENCE).unwrap();
        for (id, body, files) in [(1, &b"plain"[..], 0), (2, b"with files", 2), (3, b"", 0)] {
            let message = from.receive(PATIENCE).unwrap();
            assert_eq!((message.header.id, &message.body[..]), (id, body));
            assert_eq!(message.files.len(), files, "{id}");
        }
        assert!(from.try_receive().unwrap().is_none());
    }

    #[test]
    fn a_message_that_trickles_in_is_put_together() {
        let (mut channel, mut peer) = pair();
        let header = Header {
            id: 9,
            size: 18,
            ..Header::default()
        };
        let bytes = [header.as_bytes(), b"ab"].concat();
        for byte in &bytes[..17] {
            peer.write_all(&[*byte]).unwrap();
            assert!(channel.try_receive().unwrap().is_none());
        }
        peer.write_all(&bytes[17..]).unwrap();
        let message = channel.try_receive().unwrap().unwrap();
        assert_eq!((message.header, &message.body[..]), (header, &b"ab"[..]));
    }

    #[test]
    fn sizes_silence_and_ends_have_their_errors() {
        for size in [0, 15, MESSAGE_BYTES as u32 + 1, u32::MAX] {
            let (mut channel, mut peer) = pair();
            let header = Header {
                size,
                ..Header::default()
            };
            peer.write_all(header.as_bytes()).unwrap();
            let refused = channel.try_receive();
            assert!(matches!(refused, Err(ChannelError::Size(s)) if s == size));
        }
        let (mut channel, mut peer) = pair();
        let late = channel.receive(PATIENCE);
        assert!(
            matches!(late, Err(ChannelError::Late("answer", _))),
            "{late:?}"
        );
        peer.write_all(&[1; 7]).unwrap();
        drop(peer);
        assert!(matches!(
            channel.receive(PATIENCE),
            Err(ChannelError::Closed)
        ));
        let (mut channel, _peer) = pair();
        let body = vec![0; 1 << 20];
        let full = channel.send(Header::default(), &[&body], &[], PATIENCE);
        assert!(matches!(full, Err(ChannelError::Late("take a message", _))));
    }
}
