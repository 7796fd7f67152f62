//! Builds a block from a pool of transactions, under a time budget; then executes several at once, through a queue.
//!
//! ```sh
//! cargo run --release --example build -- blocks/mixed      # made by `gatewei workload mixed --out blocks/mixed`
//! ```

use std::{env, error::Error, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use gatewei::{
    Block, Engine,
    building::{Limits, build},
    engine::Queue,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give a block directory")?;
    let mut pool = Block::load(Path::new(&folder))?;
    // Half of the gas of the block that it was.
    pool.environment.block_env.gas_limit = pool.header.gas_used / 2;
    let built = build(&pool, Limits::within(Duration::from_millis(100)))?;
    println!(
        "{} in, {} left out, the first because: {}",
        built.included.len(),
        built.dropped.len(),
        built
            .dropped
            .first()
            .map_or("-".to_owned(), |dropped| dropped.reason.to_string()),
    );
    // A queue holds so many blocks; who brings more waits.
    let depth = NonZeroUsize::new(2).ok_or("a depth")?;
    let queue = Queue::new(Engine::builder().build(), depth)?;
    let block = Arc::new(Block::load(Path::new(&folder))?);
    let tickets = [queue.submit(block.clone())?, queue.submit(block)?];
    for ticket in tickets {
        let outcome = ticket.wait().ok_or("the queue has ended")??;
        println!("{} gas", outcome.result.gas_used);
    }
    Ok(())
}
