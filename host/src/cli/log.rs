//! What happens inside, for those who want to see it: events of the crates, on stderr.

use std::io::{self, IsTerminal as _};

use clap::Args;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time;

use super::Failure;

/// What to tell.
#[derive(Args, Clone, Debug)]
pub(super) struct Arguments {
    /// Tell more of what happens inside, on stderr: -v what the card does, -vv also why frames fall back, -vvv all
    ///
    /// Without it only errors of the card are told.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Log")]
    verbose: u8,
    /// Tell what passes this filter of `tracing`, such as gatewei_driver=debug
    #[arg(
        long,
        value_name = "FILTER",
        global = true,
        conflicts_with = "verbose",
        help_heading = "Log"
    )]
    log: Option<String>,
}

/// Begins to tell.
pub(super) fn start(arguments: &Arguments) -> Result<(), Failure> {
    let filter = match &arguments.log {
        Some(filter) => filter.clone(),
        None => {
            let level = ["error", "info", "debug", "trace"][usize::from(arguments.verbose.min(3))];
            format!("error,gatewei={level},gatewei_driver={level},gatewei_sim={level}")
        }
    };
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        Failure::new(format!("--log {filter}: {error}; try gatewei_driver=debug"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(time::uptime())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
