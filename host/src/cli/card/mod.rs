//! `gatewei card`: cards themselves, apart from blocks.

mod bench;
mod list;
mod look;
mod serve;

use clap::{Args, Subcommand};

use super::{End, Failure};

/// Finds cards, looks at one, tests it, resets it, or serves a simulated one
#[derive(Args, Debug)]
#[command(after_help = "An address of a card is one of\n  \
    sim                       the simulated card in this process\n  \
    vfio:0000:03:00.0         a card in a slot, bound to vfio-pci (how: driver/README.md)\n  \
    vfio-user:/path/socket    a card that `gatewei card serve` serves\n  \
    loopback                  no card: what the driver itself costs
    sysfs:0000:03:00.0        the registers of a card in a slot, and nothing else\n  \
    xdma:0                    a card behind Xilinx's XDMA driver")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Arguments),
    List(list::Arguments),
    Info(look::Info),
    Selftest(look::Selftest),
    Reset(look::Reset),
    Serve(serve::Arguments),
}

/// Does what was asked for.
pub(super) fn card(arguments: &Arguments) -> Result<End, Failure> {
    match &arguments.command {
        Command::Bench(arguments) => bench::bench(arguments),
        Command::List(arguments) => list::list(arguments),
        Command::Info(arguments) => look::info(arguments),
        Command::Selftest(arguments) => look::selftest(arguments),
        Command::Reset(arguments) => look::reset(arguments),
        Command::Serve(arguments) => serve::serve(arguments),
    }
}
