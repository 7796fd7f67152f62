//! `gatewei card serve`: the simulated card as a PCI function that other processes use.

use std::path::PathBuf;

use clap::Args;

use super::{End, Failure};

/// Serves the simulated card on a socket, as a PCI function (vfio-user)
///
/// A client is `gatewei run --card vfio-user:PATH`, or QEMU with -device '{"driver":"vfio-user-pci","socket":{"type":
/// "unix","path":"PATH"}}'. One client at a time. Ends with SIGINT or SIGTERM; the client is asked to let go first.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Where the socket is made; one that a dead server has left is replaced
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Lanes of the card: 1 or 2
    #[arg(long, value_name = "N", default_value_t = 1)]
    lanes: u8,
}

/// Serves.
#[cfg(feature = "sim")]
pub(super) fn serve(arguments: &Arguments) -> Result<End, Failure> {
    use std::sync::{Arc, atomic::AtomicBool};

    use gatewei_sim::{Options, SimCard, vfio_user::Server};
    use signal_hook::{consts, flag};

    let stop = Arc::new(AtomicBool::new(false));
    for signal in [consts::SIGINT, consts::SIGTERM] {
        flag::register(signal, stop.clone())?;
    }
    let card = SimCard::new(Options {
        lanes: arguments.lanes,
        ..Options::default()
    })?;
    let mut server = Server::bind(&arguments.socket, card)?;
    eprintln!(
        "serving a card of {} lanes at {} (vfio-user); SIGINT or SIGTERM ends it",
        arguments.lanes,
        arguments.socket.display()
    );
    server.run(&stop)?;
    Ok(End::Good)
}

/// Says why it cannot.
#[cfg(not(feature = "sim"))]
pub(super) fn serve(arguments: &Arguments) -> Result<End, Failure> {
    let Arguments {
        socket: _,
        lanes: _,
    } = arguments;
    Err(Failure::new(crate::cli::executors::WITHOUT_CARD))
}
