//! Interrupts as event files: the card's own, and what the system says of the card.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::{Errno, read};

use super::{TransportError, WaitOutcome};
use crate::vfio_user::channel::timespec;

/// Event files that a peer or the kernel signals.
#[derive(Debug)]
pub(super) struct Events {
    /// The card's interrupt.
    interrupt: OwnedFd,
    /// An uncorrectable error on the function's link.
    error: OwnedFd,
    /// The system wants the function back.
    request: OwnedFd,
}

impl Events {
    pub(super) fn new() -> std::io::Result<Self> {
        let new = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        Ok(Self {
            interrupt: new()?,
            error: new()?,
            request: new()?,
        })
    }

    /// To be signalled by the card.
    pub(super) fn interrupt(&self) -> BorrowedFd<'_> {
        self.interrupt.as_fd()
    }

    /// To be signalled upon an error of the function.
    pub(super) fn error(&self) -> BorrowedFd<'_> {
        self.error.as_fd()
    }

    /// To be signalled when the function is wanted back.
    pub(super) fn request(&self) -> BorrowedFd<'_> {
        self.request.as_fd()
    }

    /// Sleeps for an interrupt, for at most `time`, or until there is something to read at `other`.
    pub(super) fn wait(
        &self,
        other: Option<BorrowedFd<'_>>,
        time: Duration,
    ) -> Result<WaitOutcome, TransportError> {
        let watched = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = vec![
            watched(self.interrupt()),
            watched(self.error()),
            watched(self.request()),
        ];
        fds.extend(other.map(watched));
        match poll(&mut fds, Some(&timespec(time))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(TransportError::Failed(format!("poll: {error}"))),
        }
        let seen: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if seen[2] && drain(&self.request) {
            return Err(TransportError::Gone(
                "the system wants the function back: it is being unplugged, or taken from its driver".into(),
            ));
        }
        if seen[1] && drain(&self.error) {
            return Err(TransportError::Failed(
                "the function reports an uncorrectable PCIe error".into(),
            ));
        }
        Ok(match seen[0] && drain(&self.interrupt) {
            true => WaitOutcome::Interrupt,
            false => WaitOutcome::Elapsed,
        })
    }
}

/// One of a card's interrupt vectors, as an event of its own: see [`Transport::vectors`](super::Transport::vectors).
#[derive(Clone, Debug)]
pub struct Vector(Arc<OwnedFd>);

impl Vector {
    pub(super) fn new() -> std::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(event)))
    }

    /// Sleeps for the interrupt, for at most `time`.
    pub(crate) fn wait(&self, time: Duration) -> Result<WaitOutcome, TransportError> {
        let mut fds = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(time))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(TransportError::Failed(format!("poll: {error}"))),
        }
        Ok(match drain(&self.0) {
            true => WaitOutcome::Interrupt,
            false => WaitOutcome::Elapsed,
        })
    }
}

impl AsFd for Vector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Takes what was signalled; false where it was nothing.
fn drain(event: &OwnedFd) -> bool {
    let mut count = [0; 8];
    matches!(read(event, &mut count), Ok(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_do_not_wake_each_other() {
        let [first, second] = [Vector::new().unwrap(), Vector::new().unwrap()];
        let time = Duration::from_millis(1);
        rustix::io::write(&second, &1u64.to_ne_bytes()).unwrap();
        assert_eq!(first.wait(time).unwrap(), WaitOutcome::Elapsed);
        assert_eq!(second.wait(time).unwrap(), WaitOutcome::Interrupt);
        assert_eq!(second.wait(time).unwrap(), WaitOutcome::Elapsed);
    }

    #[test]
    fn interrupts_end_a_wait_and_the_systems_events_are_errors() {
        let events = Events::new().unwrap();
        let wait = || events.wait(None, Duration::from_millis(1));
        let signal = |fd| rustix::io::write(fd, &1u64.to_ne_bytes()).unwrap();
        assert_eq!(wait().unwrap(), WaitOutcome::Elapsed);
        signal(events.interrupt());
        signal(events.interrupt());
        assert_eq!(wait().unwrap(), WaitOutcome::Interrupt, "coalesced");
        assert_eq!(wait().unwrap(), WaitOutcome::Elapsed);
        signal(events.error());
        assert!(matches!(wait(), Err(TransportError::Failed(_))));
        signal(events.request());
        assert!(matches!(wait(), Err(TransportError::Gone(_))));
        assert_eq!(wait().unwrap(), WaitOutcome::Elapsed, "each told once");
    }
}
