//! Executes a block directory on all threads and checks it against its header.
//!
//! ```sh
//! cargo run --release --example execute -- mainnet/24628607
//! ```

use std::{env, error::Error, path::Path};

use gatewei::{Block, Checks, Engine};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give a block directory")?;
    let mut block = Block::load(Path::new(&folder))?;
    // The list of what was accessed (EIP-7928) is a by-product.
    block.list_accesses = true;
    let outcome = Engine::builder().build().execute(&block)?;
    let (checks, mismatches) = Checks::new(&block, &outcome);
    for mismatch in &mismatches {
        println!("{mismatch:?}");
    }
    println!(
        "block {}: {} transactions, {} gas, {} accounts accessed, {} executed again: {}",
        block.number(),
        outcome.result.receipts.len(),
        outcome.result.gas_used,
        outcome.access_list.as_ref().map_or(0, Vec::len),
        outcome.statistics.reexecutions,
        if checks.hold() {
            "as its header says"
        } else {
            "NOT as its header says"
        },
    );
    Ok(())
}
