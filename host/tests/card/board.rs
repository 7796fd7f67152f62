//! A board without PCIe: a real block's first transactions through the same driver, over a serial line that is
//! simulated bit by bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewei::card::CardExecutor;
use gatewei::{Block, block};
use gatewei_abi::serial::BAUD;
use gatewei_driver::Card;
use gatewei_driver::transport::Address;
use gatewei_sim::serial::{Noise, SerialBoard, SerialServer};

use super::{common, equal};

/// A block with short transactions, and how many of them.
const BLOCK: &str = "22188088";
const TRANSACTIONS: usize = 10;

#[test]
fn a_board_at_a_serial_line_executes_a_real_block_s_first_transactions() {
    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let directories = block::find(&folder).expect("the folder has blocks");
    let directory = (directories.iter()).find(|path| path.ends_with(BLOCK));
    let mut block = Block::load(directory.expect("the block is there")).expect("it loads");
    block.transactions.truncate(TRANSACTIONS);
    block.tx_envs.truncate(TRANSACTIONS);

    let board = SerialBoard::new(Noise::default()).expect("the model fits");
    let mut server = SerialServer::new(board).expect("there is a pseudo-terminal");
    let address = Address::Uart(server.path().into(), BAUD);
    let stop = Arc::new(AtomicBool::new(false));
    let serving = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || server.run(&stop)
    });
    let transport = address.open().expect("the line opens");
    let card = Card::open(transport, address.options()).expect("the card opens");
    let mut executor = CardExecutor::new(card);
    let statistics = equal(&mut executor, &block);
    println!("{statistics:?}");
    assert!(statistics.fallbacks.is_empty(), "{statistics:?}");
    assert!(statistics.offloaded_share() >= 0.99, "{statistics:?}");
    drop(executor);
    stop.store(true, Ordering::Release);
    serving
        .join()
        .expect("it ends")
        .expect("the terminal lasts");
}
