//! The command line tool: `gatewei run`, `statetest`, `workload` and `demo`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
