//! The model of a card against whole simulated cards.
#![cfg(feature = "sim")]

use std::num::NonZeroU16;
use std::path::PathBuf;

use gatewei::card::sim;
use gatewei::model::{Assumptions, Known, Link, LinkKind, Power, Profile, Profiler, figures};
use gatewei::{Block, Executor, Sequential, digest};
use gatewei_workloads::{Params, generate, write};

/// Lanes of the cards that this build has.
const LANES: &[u8] = if cfg!(feature = "lanes4") {
    &[1, 2, 4]
} else {
    &[1, 2]
};
/// The model is as near as this.
const TOLERANCE: f64 = 0.10;
/// Clock of the simulated card's surroundings: its memory is 1 µs away at this clock.
const MHZ: f64 = 100.0;

fn generated(kind: &str, txs: usize) -> Block {
    let params = Params {
        txs,
        seed: 5,
        ..Params::default()
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("model-{kind}-{txs}"));
    write(&generate(kind, &params).expect("it is generated"), &folder).expect("it is written");
    Block::load(&folder).expect("it loads")
}

/// The simulated card's surroundings: memory 100 cycles away, and a host that takes no time.
fn surroundings() -> Assumptions {
    Assumptions {
        mhz: Known::assumed(MHZ, "the simulation's"),
        link: Link {
            kind: LinkKind::Bus,
            // A beat a cycle, as the simulated bus has it.
            bytes_per_s: Known::assumed(MHZ * 1e6 * 32.0, "the simulation's"),
            round_trip_us: Known::assumed(2.0, "the simulation's"),
        },
        host_us: Known::assumed(0.0, "a clocked card stands still while its host works"),
        power: Known::assumed(Power::fixed(1.0), "not looked at"),
        cpu_mgas_per_s: 0.0,
    }
}

fn profiled(block: &Block) -> Profile {
    let latency = surroundings().latency_cycles();
    let simulation = gatewei_sim::Options {
        read_latency: latency,
        write_latency: latency,
        ..Default::default()
    };
    let runner = sim::open(simulation, Default::default()).expect("the card opens");
    Profiler::new(runner).profile(block).expect("it runs")
}

/// Cycles that a whole card takes, from the first submission to the last result: its clock runs in between only while
/// its host waits for it or rings.
fn simulated(block: &Block, lanes: u8) -> u64 {
    let simulation = gatewei_sim::Options {
        lanes,
        ..Default::default()
    };
    let mut executor = sim::executor(simulation, Default::default()).expect("the card opens");
    let cycles = |executor: &mut gatewei::card::CardExecutor<gatewei_sim::SimCard>| {
        executor.runner().card().transport().cycles()
    };
    let before = cycles(&mut executor);
    let got = executor.execute(block).expect("it runs on the card");
    let after = cycles(&mut executor);
    let want = Sequential.execute(block).expect("it runs");
    assert_eq!(digest(&want), digest(&got));
    println!(
        "    {} messages, {} results rejected",
        executor.runner().card().counters().submitted,
        got.statistics.reexecutions
    );
    after - before
}

/// Compares; returns the lines that are too far off.
fn compare(kind: &str, txs: usize) -> Vec<String> {
    let block = generated(kind, txs);
    let profile = profiled(&block);
    let mut off = Vec::new();
    for &lanes in LANES {
        let simulated = simulated(&block, lanes);
        let figures = figures(
            &profile,
            &surroundings(),
            NonZeroU16::new(lanes.into()).expect("some lanes"),
        )
        .expect("it ends");
        let modelled = figures.run.makespan;
        let error = modelled as f64 / simulated as f64 - 1.0;
        let line = format!(
            "{kind:<18} {lanes} lanes: {simulated:>8} cycles simulated, {modelled:>8} modelled, {:+.1} %",
            error * 100.0
        );
        println!("{line}    {:?}", figures.run);
        if error.abs() > TOLERANCE {
            off.push(line);
        }
    }
    off
}

fn near(kinds: &[(&str, usize)]) {
    let off: Vec<String> = kinds
        .iter()
        .flat_map(|(kind, txs)| compare(kind, *txs))
        .collect();
    assert!(off.is_empty(), "{off:#?}");
}

#[test]
fn the_model_is_near_the_whole_card_where_messages_are_independent() {
    near(&[("erc20-independent", 120), ("amm-pools", 60)]);
}

#[test]
fn the_model_is_near_the_whole_card_where_messages_conflict() {
    near(&[("erc20-hot", 120), ("amm-hot", 60), ("mixed", 150)]);
}
