//! Every fault of the table in `driver/README.md` that can be injected on the way to a card: the block's
//! result is right, nothing hangs, what happened has a name and a count, and a card that recovers is used
//! again.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gatewei::card::CardExecutor;
use gatewei::{Block, Checks, Executor, Outcome, Sequential, Verify, digest};
use gatewei_driver::inject::{Injected, Injection, Injector};
use gatewei_driver::transport::Transport;
use gatewei_driver::{Card, Counters, Fault, Options, State};

use super::soft;

/// Longest time of a block with a fault: deadlines are some ten milliseconds here, and a debugger is slow.
const LONGEST: Duration = Duration::from_secs(30);

/// What becomes of a block and its card.
enum Expect {
    /// All runs on the card; only time is lost.
    Delay,
    /// Something is counted, and all runs on the card.
    Counted(fn(&Counters) -> u64),
    /// Transactions end on the CPU for the first reason, and perhaps for the others; the card recovers.
    Fallback(&'static [&'static str]),
    /// So do all that are left, and the card is out of use.
    Dead(Fault),
    /// The result is right, or it is not the header's.
    Checked,
}

type Faulty<T> = CardExecutor<Injector<T>>;

/// An executor on a card behind a script of faults.
fn executor<T: Transport>(card: T, script: &[Injection], options: Options) -> Faulty<T> {
    let card = Card::open(Injector::new(card, script), options).expect("the card opens");
    CardExecutor::new(card)
}

/// A block of which most transactions run a frame.
pub static BLOCK: LazyLock<Block> = LazyLock::new(|| super::generated("erc20-independent", TXS));

/// Transactions of [`BLOCK`]: no other test writes a block of this size to its folder.
const TXS: usize = 40;

/// Where [`BLOCK`] lies.
#[cfg(feature = "sim")]
pub fn folder() -> std::path::PathBuf {
    super::folder("erc20-independent", TXS)
}

/// Executes a block in time.
fn execute<T: Transport>(executor: &mut Faulty<T>, block: &Block) -> Outcome {
    let began = Instant::now();
    let outcome = executor.execute(block).expect("the block is valid");
    assert!(
        began.elapsed() < LONGEST,
        "it hung for {:?}",
        began.elapsed()
    );
    outcome
}

fn suffers(script: &[Injection], expect: &Expect) {
    for ring_log2 in [8, 1] {
        let options = Options {
            ring_log2,
            patience: 3,
            ..soft::fake::options()
        };
        suffers_on(soft::card(2).0, script, expect, options);
    }
}

fn suffers_on<T: Transport>(card: T, script: &[Injection], expect: &Expect, options: Options) {
    let block = &*BLOCK;
    let want = Sequential.execute(block).expect("it runs");
    let mut executor = executor(card, script, options);
    let got = execute(&mut executor, block);
    let card = executor.runner().card();
    let (statistics, counters, state) = (&got.statistics.card, card.counters(), card.state());
    let struck = card.transport().struck();
    let what = format!(
        "{script:?}, rings of 2^{}: {statistics:?} {counters:?}",
        options.ring_log2
    );
    assert!(struck > 0, "{what}: it never struck");
    let (checks, _) = Checks::new(block, &got);
    let right = digest(&want) == digest(&got) && want.state == got.state;
    match expect {
        // The header showed it: the block was executed again on the CPU.
        Expect::Checked => assert!(right && checks.hold(), "{what}: wrong, and nobody notices"),
        _ => assert!(
            right && checks.hold() && statistics.wrong.is_none(),
            "{what}: wrong"
        ),
    }
    match expect {
        Expect::Delay => assert!(statistics.fallbacks.is_empty(), "{what}"),
        Expect::Counted(count) => {
            assert!(
                statistics.fallbacks.is_empty() && count(&counters) > 0,
                "{what}"
            );
        }
        Expect::Fallback(reasons) => {
            let known = |reason: &String| reasons.contains(&reason.as_str());
            assert!(statistics.fallbacks.keys().all(known), "{what}");
            // What was lost may have been about to run anew in any case: then only the driver counts it.
            let lost = counters.lost.iter().any(|(name, _)| name == reasons[0]);
            assert!(
                lost || statistics.fallbacks.contains_key(reasons[0]),
                "{what}"
            );
        }
        Expect::Dead(fault) => {
            assert_eq!(state, State::Dead(*fault), "{what}");
            assert!(statistics.fallbacks[fault.name()] > 0, "{what}");
        }
        Expect::Checked => {}
    }
    assert_eq!(
        executor.quarantine().is_some(),
        statistics.wrong.is_some(),
        "{what}"
    );
    executor.release();
    // The script is over. A card that lives runs the next block.
    if matches!(expect, Expect::Dead(_)) {
        let got = execute(&mut executor, block);
        assert_eq!(digest(&want), digest(&got), "{what}: on the CPU");
        assert_eq!(got.statistics.card.txs, 0, "{what}");
        return;
    }
    assert_eq!(state, State::Ready, "{what}");
    let got = execute(&mut executor, block);
    assert_eq!(digest(&want), digest(&got), "{what}: afterwards");
    assert!(got.statistics.card.fallbacks.is_empty(), "{what}: {got:?}");
    assert_eq!(got.statistics.card.offloaded_share(), 1.0, "{what}");
}

/// What may happen to messages beside the one that a fault hits.
macro_rules! cases {
    ($( $test:ident => $what:ident after $after:literal $(times $times:literal)?
        $(with $other:ident after $later:literal)?, $expect:expr; )*) => {
        /// What has a test here.
        const CASES: &[(&str, Injected)] = &[$( (stringify!($test), Injected::$what), )*];
        $(
            #[test]
            fn $test() {
                #[allow(unused_mut, reason = "most strike once")]
                let mut first = Injection::once(Injected::$what, $after);
                $( first.times = $times; )?
                let script = [first $(, Injection::once(Injected::$other, $later))?];
                suffers(&script, &$expect);
            }
        )*
    };
}

const LOST: Expect = Expect::Fallback(&["deadline", "card_reset"]);
const RESTARTED: Expect = Expect::Fallback(&["bad_completion", "card_reset"]);
const MALFORMED: Expect = Expect::Fallback(&["malformed_result", "card_reset"]);
const DMA: Expect = Expect::Fallback(&["dma_error"]);
const NO_MEMORY: Expect = Expect::Fallback(&["no_dma_memory"]);

cases! {
    hang => Hang after 25, LOST;
    lost_completion => Swallowed after 25, LOST;
    slow_completion => Slow after 25, Expect::Delay;
    late_after_cancel => LateAfterCancel after 25, Expect::Counted(|counters| counters.expired);
    late_after_reset => LateAfterReset after 25, LOST;
    command_out_of_range => OutOfRange after 25, LOST;
    duplicate => Duplicate after 25, Expect::Counted(|counters| counters.stale);
    stale_generation => StaleGeneration after 25, LOST;
    wrong_lane => WrongLane after 25, RESTARTED;
    bad_head => BadHead after 25, Expect::Counted(|counters| counters.bad_heads);
    length_beyond_the_buffer => BeyondBuffer after 25, MALFORMED;
    reserved_status => ReservedStatus after 25, RESTARTED;
    stale_phase => StalePhase after 25, LOST;
    torn_completion => Torn after 25, LOST;
    torn_result => TornResult after 25, Expect::Fallback(&["unknown_read"]);
    completion_queue_overflow => Overflow after 25, LOST;
    completion_before_doorbell => BeforeDoorbell after 25, RESTARTED;
    queue_full => SlowFetch after 2, Expect::Delay;
    interrupt_lost => LostInterrupt after 3, Expect::Delay;
    interrupt_spurious => Spurious after 3, Expect::Delay;
    interrupts_coalesced => Coalesced after 3, Expect::Delay;
    interrupt_early => EarlyInterrupt after 3, Expect::Delay;
    interrupt_storm => Storm after 3, Expect::Delay;
    dma_unmapped => Unmapped after 25, DMA;
    dma_unmapped_writing => UnmappedResult after 25, DMA;
    dma_crossing => Crossing after 25, DMA;
    iova_overflow => Overflowing after 25, DMA;
    msi_window => MsiWindow after 25, DMA;
    locked_memory => LockedMemory after 24, NO_MEMORY;
    mapping_limit => MappingLimit after 24, NO_MEMORY;
    all_ones => AllOnes after 50, Expect::Dead(Fault::Gone);
    all_ones_once => AllOnesOnce after 10, Expect::Fallback(&["queue_error"]);
    hot_unplug => Unplugged after 50, Expect::Dead(Fault::Gone);
    card_self_reset => SelfReset after 25, Expect::Fallback(&["card_restarted"]);
    flr_stall => FlrStall after 1 with ReservedStatus after 25, Expect::Dead(Fault::Transport);
    error_reply => AccessFails after 50, Expect::Fallback(&["transport"]);
    flipped_gas => FlippedGas after 25, Expect::Checked;
    flipped_result => FlippedResult after 25, Expect::Checked;
    flipped_request => FlippedKey after 10 times 20, Expect::Fallback(&["unknown_read"]);
    flipped_message => FlippedMessage after 25, Expect::Checked;
}

#[test]
fn every_fault_that_can_be_injected_has_a_test() {
    for fault in Injected::ALL {
        let cases = CASES.iter().filter(|(_, what)| what == fault);
        assert_eq!(cases.count(), 1, "{fault:?}");
    }
}

/// Results that cannot be written, because their memory is mapped for reading alone.
#[test]
fn dma_read_only() {
    let block = &*BLOCK;
    let want = Sequential.execute(block).expect("it runs");
    let (fake, _) = soft::card(2);
    let mut executor = executor(fake.clone(), &[], soft::fake::options());
    fake.inside().faults.read_only = true;
    let got = execute(&mut executor, block);
    assert_eq!(digest(&want), digest(&got));
    let fallbacks = &got.statistics.card.fallbacks;
    assert!(
        fallbacks["dma_error"] > 10 && fallbacks.len() == 1,
        "{fallbacks:?}"
    );
    fake.inside().faults.read_only = false;
    let got = execute(&mut executor, block);
    assert!(got.statistics.card.fallbacks.is_empty());
}

/// Bits flipped in a quarter of all results, completions' keys and messages: a block is right, or its header says
/// that it is not; and the card survives it.
#[test]
fn many_flipped_bits() {
    let block = &*BLOCK;
    let want = Sequential.execute(block).expect("it runs");
    let kinds = [
        Injected::FlippedResult,
        Injected::FlippedKey,
        Injected::FlippedGas,
        Injected::FlippedMessage,
    ];
    let (mut right, mut unmasked, mut refused) = (0, 0, 0);
    for seed in 0..60u64 {
        let what = kinds[seed as usize % 4];
        let script: Vec<_> = (0..10)
            .map(|n| Injection::once(what, 4 * n + seed / 4 % 4))
            .collect();
        let options = Options {
            patience: u32::MAX,
            ..soft::fake::options()
        };
        let mut executor = executor(soft::card(2).0, &script, options);
        let got = execute(&mut executor, block);
        let same = digest(&want) == digest(&got) && want.state == got.state;
        assert!(
            same && Checks::new(block, &got).0.hold(),
            "{what:?} {seed}: wrong, and nobody notices"
        );
        let statistics = &got.statistics.card;
        right += u32::from(statistics.wrong.is_none());
        unmasked += u32::from(statistics.wrong.is_some());
        let others = statistics.fallbacks.iter();
        let others = others.filter(|(reason, _)| *reason != "wrong_result");
        refused += others.map(|(_, count)| count).sum::<u64>();
        assert_eq!(executor.runner().card().state(), State::Ready);
    }
    println!("{right} right, {unmasked} unmasked by the header, {refused} frames refused");
    assert!(right > 0 && unmasked > 0 && refused > 0);
}

/// The same where there is no header to tell: `--verify` computes each of the card's results again.
#[test]
fn flipped_bits_without_a_header() {
    let block = super::wrong::unsealed(BLOCK.clone());
    let want = Sequential.execute(&block).expect("it runs");
    let (mut found, mut right) = (0, 0);
    for what in [
        Injected::FlippedGas,
        Injected::FlippedResult,
        Injected::FlippedKey,
        Injected::FlippedMessage,
    ] {
        for after in [3, 11, 25] {
            let script = [Injection::once(what, after)];
            let mut executor = executor(soft::card(2).0, &script, soft::fake::options());
            executor.control().set_verify(Verify::All);
            let got = execute(&mut executor, &block);
            let card = executor.runner().card();
            assert!(
                card.transport().struck() > 0,
                "{what:?} {after}: it never struck"
            );
            assert_eq!(card.state(), State::Ready, "{what:?} {after}");
            let same = digest(&want) == digest(&got) && want.state == got.state;
            assert!(same, "{what:?} {after}: wrong, and nobody notices");
            let statistics = &got.statistics.card;
            match &statistics.wrong {
                Some(wrong) => {
                    assert!(wrong.transaction.is_some(), "{wrong}");
                    assert!(statistics.fallbacks["wrong_result"] > 0);
                    assert!(executor.quarantine().is_some());
                    found += 1;
                }
                // The bit said nothing, or the result was malformed.
                None => right += 1,
            }
            // Trusted again, it is right again.
            executor.release();
            let got = execute(&mut executor, &block);
            assert_eq!(digest(&want), digest(&got), "{what:?} {after}: afterwards");
            assert_eq!(got.statistics.card.offloaded_share(), 1.0);
        }
    }
    println!("{found} found by verification, {right} right");
    assert!(found >= 3, "{found} found by verification, {right} right");
}

/// What the software card cannot show: the Verilog's own way with accesses that fail, and its resets.
#[cfg(feature = "sim")]
#[test]
fn faults_on_the_simulated_card() {
    let simulated = || {
        gatewei_sim::SimCard::new(gatewei_sim::Options {
            lanes: 2,
            ..Default::default()
        })
        .expect("there is a card of two lanes")
    };
    let mut options = Options::default();
    options.deadlines.base_cycles = 100_000;
    options.deadlines.cycles_per_gas = 2;
    options.deadlines.stall_cycles = 50_000;
    for (what, expect) in [
        (Injected::Swallowed, LOST),
        (Injected::SelfReset, Expect::Fallback(&["card_restarted"])),
        (Injected::ReservedStatus, RESTARTED),
        (Injected::Unmapped, DMA),
        (Injected::UnmappedResult, DMA),
        (Injected::Crossing, DMA),
        (Injected::Overflowing, DMA),
        (Injected::MsiWindow, DMA),
    ] {
        suffers_on(simulated(), &[Injection::once(what, 25)], &expect, options);
    }
}
