//! A vfio-user server that says anything at all.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatewei_driver::transport::{Transport, VfioUser, Wait};
use gatewei_driver::vfio_user::channel::Channel;
use gatewei_driver::vfio_user::wire::MESSAGE_BYTES;

/// Any bytes, as messages that come in, and as all that a server ever says to our client.
pub fn vfio_user(data: &[u8]) {
    messages(data);
    client(data);
}

/// The framing: whole messages within bounds, then an end.
fn messages(data: &[u8]) {
    let Ok((ours, mut theirs)) = UnixStream::pair() else {
        return;
    };
    // Small enough for the socket's buffer.
    if theirs.write_all(data).is_err() {
        return;
    }
    drop(theirs);
    let Ok(mut channel) = Channel::new(ours) else {
        return;
    };
    let mut bytes = 0;
    while let Ok(Some(message)) = channel.try_receive() {
        assert!(message.body.len() < MESSAGE_BYTES);
        bytes += message.body.len() + 16;
        assert!(bytes <= data.len(), "more than was sent");
    }
}

/// The client: connects, and uses what it thinks is a card.
fn client(data: &[u8]) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("gatewei-fuzz-{}-{count}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let Ok(listener) = UnixListener::bind(&path) else {
        return;
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let _ = stream.write_all(data);
            let _ = stream.shutdown(Shutdown::Write);
            // Whatever the client says is heard, and ignored.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        if let Ok(mut card) = VfioUser::connect_within(&path, Duration::from_secs(1)) {
            let _ = card.read32(0);
            let _ = card.write32(0x10, 1);
            let buffer = card.dma(4096, 64);
            let _ = card.wait(Wait {
                time: Duration::ZERO,
                ..Wait::default()
            });
            let _ = card.reset();
            if let Ok(buffer) = buffer {
                let _ = card.release(buffer);
            }
        }
    });
    let _ = std::fs::remove_file(&path);
}
