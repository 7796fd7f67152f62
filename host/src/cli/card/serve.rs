//! `gatewei card serve`: the simulated card as a PCI function, or as a board at a serial line, that other processes
//! use.

use std::path::PathBuf;

use clap::Args;

use super::{End, Failure};

/// Serves the simulated card to other processes
///
/// With --socket as a PCI function (vfio-user): a client is `gatewei run --card vfio-user:PATH`, or QEMU with -device '{"driver":"vfio-user-pci","socket":{"type":
/// "unix","path":"PATH"}}'. With --serial as a board without PCIe, at a pseudo-terminal whose path is printed: a client is
/// `gatewei run --card uart:PATH`. One client at a time. Ends with SIGINT or SIGTERM.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Where the socket is made; one that a dead server has left is replaced
    #[arg(long, value_name = "PATH", required_unless_present = "serial")]
    socket: Option<PathBuf>,
    /// As a board at a serial line, simulated bit by bit
    #[arg(long, conflicts_with_all = ["socket", "lanes"])]
    serial: bool,
    /// Lanes of the card: 1 or 2
    #[arg(long, value_name = "N", default_value_t = 1)]
    lanes: u8,
}

/// Serves.
#[cfg(feature = "sim")]
pub(super) fn serve(arguments: &Arguments) -> Result<End, Failure> {
    use std::io::Write as _;
    use std::sync::{Arc, atomic::AtomicBool};

    use gatewei_sim::serial::{Noise, SerialBoard, SerialServer};
    use gatewei_sim::{Options, SimCard, vfio_user::Server};
    use signal_hook::{consts, flag};

    let stop = Arc::new(AtomicBool::new(false));
    for signal in [consts::SIGINT, consts::SIGTERM] {
        flag::register(signal, stop.clone())?;
    }
    let Some(socket) = &arguments.socket else {
        let mut server = SerialServer::new(SerialBoard::new(Noise::default())?)?;
        eprintln!("serving a board at a serial line; SIGINT or SIGTERM ends it. Its address:");
        writeln!(std::io::stdout(), "uart:{}", server.path().display())?;
        server.run(&stop)?;
        return Ok(End::Good);
    };
    let card = SimCard::new(Options {
        lanes: arguments.lanes,
        ..Options::default()
    })?;
    let mut server = Server::bind(socket, card)?;
    eprintln!(
        "serving a card of {} lanes at {} (vfio-user); SIGINT or SIGTERM ends it",
        arguments.lanes,
        socket.display()
    );
    server.run(&stop)?;
    Ok(End::Good)
}

/// Says why it cannot.
#[cfg(not(feature = "sim"))]
pub(super) fn serve(arguments: &Arguments) -> Result<End, Failure> {
    let Arguments {
        socket: _,
        serial: _,
        lanes: _,
    } = arguments;
    Err(Failure::new(crate::cli::executors::WITHOUT_CARD))
}
