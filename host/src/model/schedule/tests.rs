//! Schedules of graphs made by hand, against what they cannot beat and against what they must reach.

use std::num::NonZeroU16;

use proptest::prelude::*;

use super::super::Graph;
use super::{Code, Cost, Load, Run, Setting, schedule};
use crate::engine::Hint;

const CYCLES: u64 = 1_000;

/// A card on which nothing but lanes takes time.
fn ideal(lanes: u16) -> Setting {
    Setting {
        lanes: NonZeroU16::new(lanes).expect("some lanes"),
        credits: NonZeroU16::new(5).expect("some credits"),
        fetch: 0,
        ask: 0,
        complete: 0,
        gap: 0,
        host: 0,
    }
}

fn cost(cycles: u64) -> Cost {
    Cost {
        cycles,
        ..Cost::default()
    }
}

fn on_lane(cost: Cost) -> Load {
    Load {
        lane: Some(cost),
        ..Load::default()
    }
}

fn load(cycles: u64) -> Load {
    on_lane(cost(cycles))
}

fn run(transactions: usize, edges: &[(usize, usize)], setting: Setting) -> Run {
    run_loads(&vec![load(CYCLES); transactions], edges, setting)
}

fn run_loads(loads: &[Load], edges: &[(usize, usize)], setting: Setting) -> Run {
    let graph = Graph::of_edges(loads.len(), edges);
    let hints = vec![Hint::default(); loads.len()];
    let run = schedule(&graph, loads, &hints, setting).expect("it ends");
    let weight = |tx: usize| loads[tx].lane.map_or(0, |cost| cost.cycles);
    let work: u64 = (0..loads.len()).map(weight).sum();
    let lanes = u64::from(setting.lanes.get());
    assert!(
        run.makespan >= graph.critical_path(weight),
        "{run:?}: faster than its longest chain"
    );
    assert!(
        run.makespan * lanes >= work,
        "{run:?}: faster than all lanes"
    );
    assert!(
        run.busy >= work && run.busy <= run.makespan * lanes,
        "{run:?}"
    );
    run
}

#[test]
fn independent_messages_fill_all_lanes() {
    for lanes in [1, 2, 4] {
        let run = run(40, &[], ideal(lanes));
        assert_eq!(run.makespan, 40 * CYCLES / u64::from(lanes));
        assert_eq!((run.messages, run.stale, run.rejected), (40, 0, 0));
    }
}

#[test]
fn a_chain_is_no_faster_on_more_lanes() {
    let chain: Vec<_> = (1..20).map(|tx| (tx - 1, tx)).collect();
    for lanes in [1, 2, 4] {
        let run = run(20, &chain, ideal(lanes));
        assert!(run.makespan >= 20 * CYCLES, "{lanes} lanes: {run:?}");
        assert!(
            run.stale + run.rejected + run.blocked > 0,
            "nothing was run in vain: {run:?}"
        );
        assert!(run.wasted > 0, "{run:?}");
    }
}

#[test]
fn a_chain_of_one_sender_is_run_in_order() {
    let chain: Vec<_> = (1..20).map(|tx| (tx - 1, tx)).collect();
    let graph = Graph::of_edges(20, &chain);
    let hint = |tx: usize| Hint {
        after: tx.checked_sub(1),
        ..Hint::default()
    };
    let hints: Vec<_> = (0..20).map(hint).collect();
    let run = schedule(&graph, &[load(CYCLES); 20], &hints, ideal(4)).expect("it ends");
    assert_eq!((run.makespan, run.messages), (20 * CYCLES, 20));
    assert_eq!((run.stale, run.rejected, run.wasted), (0, 0, 0));
}

#[test]
fn a_diamond_waits_for_both_its_sides() {
    let diamond = [(0, 1), (0, 2), (1, 3), (2, 3)];
    let run = run(4, &diamond, ideal(4));
    assert!(run.makespan >= 3 * CYCLES, "{run:?}");
    assert!(run.makespan <= 6 * CYCLES, "{run:?}");
}

#[test]
fn requests_the_gap_and_the_host_take_their_time() {
    let mut setting = ideal(1);
    (setting.fetch, setting.ask, setting.complete, setting.gap) = (100, 20, 30, 2);
    // To the lane, the lane, to the host; the gap is between messages.
    assert_eq!(run(1, &[], setting).makespan, 100 + CYCLES + 30);
    assert_eq!(run(2, &[], setting).makespan, 100 + 2 * CYCLES + 2 + 30);
    let asks = on_lane(Cost {
        requests: 3,
        ..cost(CYCLES)
    });
    let run = run_loads(&[asks], &[], setting);
    assert_eq!(run.makespan, 100 + CYCLES + 3 * (20 + 100) + 30);
    setting.host = 50;
    let run = run_loads(&[asks], &[], setting);
    assert_eq!(
        run.makespan,
        50 + 100 + CYCLES + 3 * (20 + 50 + 100) + 30 + 50
    );
    assert_eq!(run.host, 5 * 50);
}

#[test]
fn a_link_serves_one_message_at_a_time() {
    let slow = on_lane(Cost {
        link: (300, 200),
        ..cost(100)
    });
    let run = run_loads(&[slow; 10], &[], ideal(4));
    assert!(run.makespan >= 10 * 500, "{run:?}");
    assert_eq!(run.link, 10 * 500);
}

#[test]
fn what_the_card_gives_back_runs_on_the_host() {
    let back = Load {
        given_back: true,
        host: 5_000,
        ..load(10)
    };
    let never = Load {
        host: 7_000,
        ..Load::default()
    };
    let run = run_loads(&[back, never], &[], ideal(1));
    assert_eq!((run.host, run.messages), (12_000, 1));
    assert!(run.makespan >= 12_000);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the graph and the card, the block ends, in no less time than its bounds.
    #[test]
    fn any_graph_ends(
        lanes in 1u16..6,
        cycles in prop::collection::vec(1u64..3_000, 1..40),
        edges in prop::collection::vec((0usize..40, 0usize..40), 0..60),
        (fetch, complete, host) in (0u64..200, 0u64..200, 0u64..50),
        requests in 0u64..4,
    ) {
        let count = cycles.len();
        let edges: Vec<_> = edges.into_iter().filter(|(_, to)| *to < count).collect();
        let loads: Vec<_> = cycles.into_iter().map(|cycles| on_lane(Cost { requests, ..cost(cycles) })).collect();
        let setting = Setting { fetch, ask: complete, complete, host, ..ideal(lanes) };
        run_loads(&loads, &edges, setting);
    }
}

#[test]
fn until_a_function_is_known_its_messages_take_what_they_take_unforeseen() {
    let known = |function| Load {
        cold: Some(cost(3 * CYCLES)),
        function,
        ..load(CYCLES)
    };
    let all = |function| {
        let graph = Graph::of_edges(20, &[]);
        let hints = [Hint::default(); 20];
        schedule(&graph, &[known(function); 20], &hints, ideal(1)).expect("it ends")
    };
    // Five are sent before the first has come home.
    assert_eq!(all(Some(0)).makespan, 5 * 3 * CYCLES + 15 * CYCLES);
    assert_eq!(all(None).makespan, 20 * CYCLES);
}

#[test]
fn what_is_known_by_then_is_not_loaded_again() {
    let pages = on_lane(Cost {
        pages: 400,
        ..cost(CYCLES)
    });
    let graph = Graph::of_edges(2, &[(0, 1)]);
    let run = schedule(&graph, &[pages; 2], &[Hint::default(); 2], ideal(1)).expect("it ends");
    // The second one is told what the first one is about to write, and is run again without its pages.
    assert_eq!(run.makespan, 3 * CYCLES - 400);
    assert_eq!((run.messages, run.stale, run.wasted), (3, 1, CYCLES));
}

#[test]
fn every_lane_loads_a_code_for_itself() {
    let message = |first| Load {
        code: Some(Code {
            name: 0,
            cycles: 400,
            first,
        }),
        ..on_lane(Cost {
            pages: if first { 400 } else { 0 },
            ..cost(if first { CYCLES + 400 } else { CYCLES })
        })
    };
    let loads = [
        message(true),
        message(false),
        message(false),
        message(false),
    ];
    assert_eq!(run_loads(&loads, &[], ideal(1)).makespan, 4 * CYCLES + 400);
    assert_eq!(run_loads(&loads, &[], ideal(2)).makespan, 2 * CYCLES + 400);
    assert_eq!(run_loads(&loads, &[], ideal(4)).makespan, CYCLES + 400);
}
