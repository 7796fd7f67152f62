//! Whole blocks with first frames on a card, against sequential revm.
//!
//! With the feature `sim` the card is the Verilog, else a card in software; the scheduling, the split
//! handler, the messages and the driver are the same.

#[cfg(feature = "sim")]
#[path = "card/board.rs"]
mod board;
mod common;
#[path = "card/faults.rs"]
mod faults;
#[cfg(feature = "sim")]
#[path = "card/link.rs"]
mod link;
mod random;
mod soft;
#[path = "card/wrong.rs"]
mod wrong;

use std::path::PathBuf;

use gatewei::card::CardExecutor;
use gatewei::{Block, CardStatistics, Executor, Prediction, Sequential, block, digest};
use gatewei_driver::transport::Transport;
use gatewei_driver::{Card, Options};
use gatewei_workloads::{KINDS, Params, generate, write};
use revm::database::BundleState;

/// A card of this many lanes, as this build has it.
#[cfg(not(feature = "sim"))]
fn executor(lanes: u8) -> CardExecutor<impl Transport> {
    soft_executor(lanes)
}

#[cfg(feature = "sim")]
fn executor(lanes: u8) -> CardExecutor<impl Transport> {
    let simulation = gatewei_sim::Options {
        lanes,
        ..Default::default()
    };
    gatewei::card::sim::executor(simulation, Options::default()).expect("the card opens")
}

fn soft_executor(lanes: u8) -> CardExecutor<soft::fake::Fake> {
    let (fake, _) = soft::card(lanes);
    CardExecutor::new(Card::open(fake, Options::default()).expect("the card opens"))
}

/// Where a generated block lies.
fn folder(kind: &str, txs: usize) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{kind}-{txs}"))
}

/// A generated block, in a folder of the build.
fn generated(kind: &str, txs: usize) -> Block {
    let params = Params {
        txs,
        seed: 11,
        ..Params::default()
    };
    let folder = folder(kind, txs);
    write(&generate(kind, &params).expect("it is generated"), &folder).expect("it is written");
    Block::load(&folder).expect("it loads")
}

/// Names the first account or code in which two states differ, where a whole state would be unreadable.
fn same_state(want: &BundleState, got: &BundleState) {
    for address in want.state.keys().chain(got.state.keys()) {
        let accounts = [want, got].map(|state| state.state.get(address));
        assert_eq!(accounts[0], accounts[1], "{address}");
    }
    for hash in want.contracts.keys().chain(got.contracts.keys()) {
        let codes = [want, got].map(|state| state.contracts.get(hash));
        assert_eq!(codes[0], codes[1], "{hash}");
    }
}

/// Runs a block on sequential revm and on the card; the results must be equal.
fn equal<T: Transport>(executor: &mut CardExecutor<T>, block: &Block) -> CardStatistics {
    let want = Sequential.execute(block).expect("it runs");
    let got = executor.execute(block).expect("it runs on the card");
    assert_eq!(digest(&want), digest(&got), "block {}", block.number());
    same_state(&want.state, &got.state);
    assert_eq!(want.state, got.state, "block {}", block.number());
    got.statistics.card
}

#[test]
fn generated_blocks_are_the_same_on_the_card() {
    for lanes in [1, 2] {
        let mut executor = executor(lanes);
        for kind in KINDS {
            let statistics = equal(&mut executor, &generated(kind.name, 60));
            let share = statistics.offloaded_share();
            println!("{} on {lanes} lanes: {share:.3} {statistics:?}", kind.name);
            if kind.name != "transfers" {
                assert!(share >= 0.99, "{}: {statistics:?}", kind.name);
            }
            assert!(statistics.fallbacks.is_empty(), "{statistics:?}");
        }
    }
}

/// A thread for each queue pair, all on one block.
fn on_all_pairs<T: Transport>(transport: T) {
    let mut cards = gatewei_driver::share(transport, Options::default(), 2)
        .expect("the card opens")
        .into_iter();
    let first = cards.next().expect("it has a queue pair");
    let mut executor = CardExecutor::new(first).with_pairs(cards);
    assert_eq!(executor.others().len(), 1);
    for kind in ["erc20-independent", "erc20-hot", "mixed"] {
        let statistics = equal(&mut executor, &generated(kind, 60));
        assert!(statistics.fallbacks.is_empty(), "{statistics:?}");
        assert!(statistics.offloaded_share() >= 0.99, "{statistics:?}");
    }
    let first = executor.runner().card().counters().submitted;
    let second = executor.others()[0].card().counters().submitted;
    println!("{first} and {second} messages");
    assert!(first > 20 && second > 20, "{first} and {second} messages");
}

#[test]
fn queue_pairs_share_a_block() {
    let (fake, _) = soft::card(4);
    fake.inside().caps = u32::from_le_bytes([4, 1, 4, 2]);
    on_all_pairs(fake);
    #[cfg(feature = "sim")]
    on_all_pairs(
        gatewei_sim::SimCard::new(gatewei_sim::Options {
            lanes: 2,
            ..Default::default()
        })
        .expect("there is a card of two lanes"),
    );
}

/// What a card in software leaves to the CPU beside forks that are not covered.
const LEFT_BY_SOFTWARE: [&str; 5] = [
    "fork",
    "delegation",
    "opcode:CREATE",
    "opcode:CREATE2",
    "opcode:SELFDESTRUCT",
];

/// All real blocks. Every transaction completes on the card, but for these reasons.
fn real_blocks<T: Transport>(mut executor: CardExecutor<T>, left: &[&str]) {
    let prediction = real_blocks_with(&mut executor, left, false);
    // Of the slots that frames use, this many are foreseen. The blocks are far apart, and half of the slots lie in accounts
    // that no transaction of the block has used before.
    assert!(8 * prediction.hits > 3 * prediction.used, "{prediction:?}");
    assert!(prediction.sent < 2 * prediction.used, "{prediction:?}");
}

/// The same with or without their access lists. With them, every block finds a card that has learned nothing.
fn real_blocks_with<T: Transport>(
    executor: &mut CardExecutor<T>,
    left: &[&str],
    with_list: bool,
) -> Prediction {
    let Some(folder) = common::data("mainnet") else {
        return Prediction::default();
    };
    let mut all = CardStatistics::default();
    for directory in block::find(&folder).expect("the folder has blocks") {
        let mut block = Block::load(&directory).expect("a real block loads");
        if with_list {
            block.load_access_list().expect("it has a list");
        }
        if with_list {
            executor.runner().forget();
        }
        all.add(&equal(executor, &block));
    }
    println!("offloaded {:.3}, {all:?}", all.offloaded_share());
    let traffic = executor.runner().card_mut().take_traffic();
    let medians = [traffic.sent.median(), traffic.received.median()];
    println!(
        "{} messages, median bytes {medians:?}",
        traffic.sent.count()
    );
    assert!(
        medians.iter().all(|bytes| *bytes <= 3 << 10),
        "{medians:?} bytes a message"
    );
    assert!(all.txs > 1_000, "{all:?}");
    let expected = |reason: &String| left.contains(&reason.as_str());
    assert!(all.fallbacks.keys().all(expected), "{:?}", all.fallbacks);
    all.prediction
}

#[test]
fn real_blocks_with_access_lists_are_foreseen() {
    let prediction = real_blocks_with(&mut soft_executor(2), &LEFT_BY_SOFTWARE, true);
    // Most of the rest are only read, and the list does not tell by whom.
    assert!(
        100 * prediction.hits > 85 * prediction.used,
        "{prediction:?}"
    );
    assert!(prediction.sent < 2 * prediction.used, "{prediction:?}");
}

/// Blocks in which everything conflicts with everything, with several transactions in flight: what lanes are told
/// goes stale, balances are added to from many sides, accounts are created and destroyed under them.
fn random_blocks<T: Transport>(lanes: [u8; 2], executor: impl Fn(u8) -> CardExecutor<T>) {
    let mut all = CardStatistics::default();
    for lanes in lanes {
        let mut executor = executor(lanes);
        for seed in 0..60 {
            let fork = random::FORKS[3 + seed as usize % 3];
            all.add(&equal_or_invalid(
                &mut executor,
                &random::block(seed, fork, 30),
            ));
        }
    }
    println!("{all:?}");
    assert!(all.offloaded_gas > 1_000_000, "{all:?}");
    for reason in ["unknown_read", "malformed_result", "host_failed"] {
        assert!(!all.fallbacks.contains_key(reason), "{all:?}");
    }
}

#[test]
fn random_blocks_are_the_same_on_a_card_in_software() {
    random_blocks([1, 3], soft_executor);
}

#[cfg(feature = "sim")]
#[test]
fn random_blocks_are_the_same_on_the_simulated_card() {
    random_blocks([1, 2], executor);
}

/// As [`equal`], for a block that may be invalid.
fn equal_or_invalid<T: Transport>(executor: &mut CardExecutor<T>, block: &Block) -> CardStatistics {
    match Sequential.execute(block) {
        Ok(_) => equal(executor, block),
        Err(want) => {
            let got = executor.execute(block).expect_err("it is invalid");
            assert_eq!(want, got);
            CardStatistics::default()
        }
    }
}

#[test]
fn real_blocks_are_the_same_on_a_card_in_software() {
    real_blocks(soft_executor(2), &LEFT_BY_SOFTWARE);
}

#[cfg(feature = "sim")]
#[test]
fn real_blocks_are_the_same_on_the_simulated_card() {
    real_blocks(executor(1), &["fork"]);
}

/// A card that stops in the middle of a block: the block ends on the CPU, with the same result.
#[cfg(feature = "sim")]
mod broken {
    use super::*;
    use gatewei_driver::Deadlines;
    use gatewei_sim::Pause;
    use std::time::Duration;

    fn run(pause: Pause) -> (CardStatistics, gatewei_driver::State) {
        let simulation = gatewei_sim::Options {
            pause: Some((60_000, pause)),
            ..Default::default()
        };
        let deadlines = Deadlines {
            base_cycles: 100_000,
            cycles_per_gas: 1,
            stall_cycles: 50_000,
            heartbeat: Duration::from_millis(300),
            ..Deadlines::default()
        };
        let options = Options {
            deadlines,
            ..Options::default()
        };
        let mut executor =
            gatewei::card::sim::executor(simulation, options).expect("the card opens");
        let statistics = equal(&mut executor, &generated("erc20-independent", 60));
        (statistics, executor.runner().card().state())
    }

    #[test]
    fn a_clock_that_stands_still() {
        let (statistics, state) = run(Pause::Clock);
        let hung = gatewei_driver::Fault::Hung;
        assert_eq!(state, gatewei_driver::State::Dead(hung), "{statistics:?}");
        assert!(
            statistics.fallbacks[hung.name()] > 0 && statistics.txs > 0,
            "{statistics:?}"
        );
    }

    #[test]
    fn memory_that_never_answers() {
        let (statistics, _) = run(Pause::Memory);
        let late = gatewei_driver::Fault::Deadline.name();
        assert!(
            statistics.fallbacks[late] > 0 && statistics.txs > 0,
            "{statistics:?}"
        );
    }

    #[test]
    fn a_card_that_leaves_the_bus() {
        let (statistics, state) = run(Pause::Gone);
        let gone = gatewei_driver::Fault::Gone;
        assert_eq!(state, gatewei_driver::State::Dead(gone), "{statistics:?}");
        assert!(
            statistics.fallbacks[gone.name()] > 0 && statistics.txs > 0,
            "{statistics:?}"
        );
    }
}

/// The same card as a PCI function behind a socket: what a guest, and a card in a slot, give the driver.
#[cfg(feature = "sim")]
#[test]
fn a_real_block_is_the_same_on_a_card_behind_a_socket() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use gatewei_driver::transport::VfioUser;
    use gatewei_sim::{SimCard, vfio_user::Server};

    let Some(folder) = common::data("mainnet") else {
        return;
    };
    let path = std::env::temp_dir().join(format!("gatewei-block-{}.sock", std::process::id()));
    let card = SimCard::new(gatewei_sim::Options::default()).expect("the model fits");
    let mut server = Server::bind(&path, card).expect("the socket is free");
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let serving = std::thread::spawn(move || server.run(&stopped));

    let transport = VfioUser::connect(&path).expect("the card is served");
    let card = Card::open(transport, Options::default()).expect("the card opens");
    let block = Block::load(&folder.join("22188088")).expect("a real block loads");
    let statistics = equal(&mut CardExecutor::new(card), &block);
    assert!(statistics.txs >= 15, "{statistics:?}");
    assert!(statistics.fallbacks.is_empty(), "{statistics:?}");

    stop.store(true, Ordering::Relaxed);
    let served = serving.join().expect("the server does not panic");
    served.expect("the socket is fine");
}
