//! The command line tool: `gatewei run`, `card`, `statetest`, `workload` and `demo`.

mod cli;

use std::process::ExitCode;

/// For every executor. What one thread allocates another one frees here, and a general-purpose
/// allocator that locks for that costs the engine half of what its threads gain.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
