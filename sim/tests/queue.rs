//! Registers, queue engine and DMA together (the card without its lanes) under a host and lanes that do
//! everything they may.

mod axi;
mod lite;
mod shell;

use gatewei_abi::command::{Submission, kind, op};
use gatewei_abi::layout::{LANE_QUEUE, SLOTS};
use gatewei_abi::regs::{self, Access, card, lane, queue};
use gatewei_abi::status::Trap;
use gatewei_abi::{ABI_VERSION, MAGIC};
use gatewei_sim::host_memory::Timing;
use gatewei_sim::model::ModelError;
use lite::{Registers, writable};
use shell::{Asks, Bench, LANES, NOWHERE, PAIRS, STRAY_TAG};

const DONE: (u8, u8) = (kind::DONE, shell::DONE_CODE);
const CANCELLED: (u8, u8) = (kind::TRAP, Trap::Cancelled as u8);
const NO_ROOM: (u8, u8) = (kind::TRAP, Trap::Queue as u8);

fn timing(latency: u32, jitter: u32, backpressure: u8, seed: u64) -> Timing {
    Timing {
        read_latency: latency,
        write_latency: latency,
        jitter,
        backpressure,
        seed,
        ..Timing::default()
    }
}

fn exec(bench: &Bench, command: u32, lane: u16) -> Submission {
    Submission {
        op: op::EXEC,
        lane,
        command,
        address: bench.messages.of(command).bus(),
        result: bench.results.of(command).bus(),
        capacity: command ^ 0x5555_5555,
        ..Submission::default()
    }
}

/// The shell's registers are those of its register file: identity, what is written, and what lanes count.
#[test]
fn registers_stand_behind_the_bus() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(0, 0, 0, 17))?;
    let caps = LANES as u32 | 1 << 8 | (LANE_QUEUE as u32) << 16 | (PAIRS as u32) << 24;
    for (register, value) in [
        (card::MAGIC, MAGIC),
        (card::VERSION, ABI_VERSION),
        (card::CAPS, caps),
        (card::SLOTS, SLOTS as u32),
    ] {
        assert_eq!(bench.read(regs::CARD + register), value, "{register:#x}");
    }
    // Every register that is written, with any bytes at a time. The doorbells and CONTROL move the queues.
    let mut table: Vec<(u32, u32, u32)> = vec![(regs::CARD + card::SCRATCH, u32::MAX, 0)];
    for pair in 0..PAIRS as u32 {
        let plain = queue::TABLE.iter().filter(|r| r.access == Access::Rw);
        table.extend(plain.map(|r| (regs::queue_base(pair) + r.offset, writable("queue", r), 0)));
    }
    for _ in 0..2_000 {
        let at = bench.random.below(table.len() as u64) as usize;
        let (value, strobe) = (bench.random.bits() as u32, bench.random.below(16) as u8);
        let bytes = (0..4).filter(|i| strobe >> i & 1 == 1);
        let mask = bytes.fold(0, |mask, i| mask | 0xff << (8 * i)) & table[at].1;
        table[at].2 = table[at].2 & !mask | value & mask;
        let delays = [0, 3, 1].map(|most| bench.random.below(1 + most) as u32);
        bench.write_with(table[at].0, value, strobe, delays);
        let (address, _, expected) = table[bench.random.below(table.len() as u64) as usize];
        assert_eq!(bench.read(address), expected, "{address:#x}");
    }
    // What lanes tell, for more cycles each time.
    let told = [
        ("stall_keccak", lane::STALL_KECCAK),
        ("stall_dma", lane::STALL_DMA),
        ("stall_arith", lane::STALL_ARITH),
        ("retire", lane::RETIRED),
    ];
    let mut counts = [[0; 4]; LANES];
    let mut pcs = [0; LANES];
    for round in 0..18 {
        let cycles = 1u32 << round;
        for i in 0..LANES {
            let pc = bench.random.bits() as u32;
            bench.set(&format!("retire_pc_{i}"), pc.into());
            for ((name, _), count) in told.iter().zip(&mut counts[i]) {
                let level = bench.random.percent(60);
                bench.set(&format!("{name}_{i}"), level.into());
                *count += if level { cycles } else { 0 };
                if level && *name == "retire" {
                    pcs[i] = pc;
                }
            }
        }
        (0..cycles).for_each(|_| bench.tick());
        for i in 0..LANES {
            for (name, _) in told {
                bench.set(&format!("{name}_{i}"), 0);
            }
        }
        for i in 0..LANES {
            let base = regs::lane_base(i as u32);
            assert_eq!(bench.read(base + lane::PC), pcs[i]);
            for ((name, register), count) in told.into_iter().zip(counts[i]) {
                assert_eq!(bench.read(base + register), count, "{name} of {i}");
            }
            // Its messages have not begun.
            for register in [lane::BUSY, lane::STALL_HOST, lane::MESSAGES, lane::STATUS] {
                assert_eq!(bench.read(base + register), 0, "{register:#x} of {i}");
            }
        }
    }
    Ok(())
}

/// Everything at once: executions, requests and their answers, cancels, nonsense; rings of all sizes; hosts
/// that poll often and seldom; memories of every temper.
#[test]
fn random_commands() -> Result<(), ModelError> {
    let tempers = [
        timing(0, 0, 0, 1),
        timing(2, 5, 30, 2),
        timing(30, 60, 50, 3),
        timing(100, 0, 0, 4),
    ];
    for (round, timing) in tempers.into_iter().enumerate() {
        for log_size in [1, 2, 5] {
            let mut bench = Bench::new(timing)?;
            bench.start(log_size);
            bench.failing_answers = 10;
            let vector = bench.random.bits() as u16;
            bench.irq(vector);
            let mut next = 0u32;
            let mut expected_drops = 0;
            for _ in 0..600 {
                bench.patience = [1, 20, 300][bench.random.below(3) as usize];
                for _ in 0..bench.random.below(6) {
                    let lane = bench.random.below(LANES as u64) as u16;
                    let submission = match bench.random.below(10) {
                        0..=5 => {
                            next += 1;
                            // A pair that the card does not have is the first.
                            let pair = [0, 2 + next % 14][(next & 1) as usize];
                            let id = next | pair << 12 | (bench.random.bits() as u32) << 16;
                            bench.expect(id, lane);
                            exec(&bench, id, lane)
                        }
                        6..=7 => {
                            let Some((id, lane)) = bench.any_running() else {
                                continue;
                            };
                            bench.cancelled(id);
                            Submission {
                                op: op::CANCEL,
                                lane,
                                command: id,
                                ..Submission::default()
                            }
                        }
                        // Nobody awaits this answer: lanes ask with other tags.
                        8 => {
                            expected_drops += 1;
                            Submission {
                                op: op::REPLY,
                                lane,
                                tag: STRAY_TAG as u32,
                                ..Submission::default()
                            }
                        }
                        _ => {
                            expected_drops += 1;
                            let random = bench.random.bits();
                            let (op, lane) = match random % 3 {
                                0 => (op::CANCEL + 1 + (random >> 8) as u8 % 250, lane),
                                1 => (0, lane),
                                _ => (
                                    op::EXEC + (random >> 8) as u8 % 3,
                                    LANES as u16 + (random >> 16) as u16 % 1000,
                                ),
                            };
                            Submission {
                                op,
                                lane,
                                ..Submission::default()
                            }
                        }
                    };
                    bench.submit(submission);
                }
                for _ in 0..bench.random.below(200) {
                    bench.cycle();
                }
            }
            bench.finish();
            let what = format!("temper {round}, 2^{log_size} entries");
            let counts = bench.outcomes();
            assert!(counts[&DONE] > 100, "{what}: {counts:?}");
            assert!(counts.contains_key(&CANCELLED), "{what}: {counts:?}");
            assert!(bench.answered > 20, "{what}: {} answers", bench.answered);
            // An answer to a message that was cancelled meanwhile is dropped, too.
            let drops = bench.read(regs::CARD + card::DROPPED);
            assert_eq!(
                drops,
                expected_drops + bench.late_answers,
                "{what}: DROPPED"
            );
            let messages: u32 = (0..LANES as u32)
                .map(|i| bench.read(regs::lane_base(i) + lane::MESSAGES))
                .sum();
            assert_eq!(messages, bench.lane_completions(), "{what}: MESSAGES");
            assert_eq!(
                u32::from(bench.ring.submitted),
                bench.read(regs::QUEUES + queue::SQ_HEAD),
                "{what}"
            );
            assert_eq!(
                u32::from(bench.ring.consumed),
                bench.read(regs::QUEUES + queue::CQ_TAIL),
                "{what}"
            );
            assert_eq!(
                bench.ring.interrupts,
                u32::from(bench.ring.consumed),
                "{what}: one interrupt each"
            );
            assert_eq!(bench.read(regs::QUEUES + queue::ERROR), 0, "{what}");
        }
    }
    Ok(())
}

/// More commands than a lane's queue holds trap; the lane's own ones do not.
#[test]
fn a_full_lane_queue_traps() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(3, 0, 0, 7))?;
    bench.start(5);
    bench.lanes[0].stuck = true;
    for id in 0..20 {
        bench.expect(id, 0);
        bench.submit(exec(&bench, id, 0));
    }
    for _ in 0..2000 {
        bench.cycle();
    }
    assert_eq!(
        bench.read(regs::lane_base(0) + lane::STATUS) >> 8,
        LANE_QUEUE as u32
    );
    assert_eq!(bench.outcomes()[&NO_ROOM], 20 - LANE_QUEUE);
    // The other lane is not held up.
    bench.expect(100, 1);
    bench.submit(exec(&bench, 100, 1));
    for _ in 0..500 {
        bench.cycle();
    }
    assert_eq!(bench.outcomes().get(&DONE), Some(&1));
    bench.lanes[0].stuck = false;
    bench.finish();
    assert_eq!(bench.outcomes()[&DONE], 1 + LANE_QUEUE);
    assert_eq!(bench.outcomes()[&NO_ROOM], 20 - LANE_QUEUE);
    Ok(())
}

/// A waiting message that is cancelled completes as such, in its turn, and never reaches the lane; answers
/// pass the messages that wait.
#[test]
fn cancel_and_reply_pass_the_queue() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(3, 0, 0, 8))?;
    bench.start(5);
    bench.lanes[0].asks = Asks::Once;
    bench.hold_answers = true;
    for id in 0..=LANE_QUEUE as u32 {
        bench.expect(id, 0);
        bench.submit(exec(&bench, id, 0));
        for _ in 0..100 {
            bench.cycle();
        }
    }
    // One runs and asks, four wait.
    assert_eq!(
        bench.read(regs::lane_base(0) + lane::STATUS),
        (LANE_QUEUE as u32) << 8 | 3
    );
    for id in [2, 4] {
        bench.cancelled(id);
        bench.submit(Submission {
            op: op::CANCEL,
            command: id,
            ..Submission::default()
        });
    }
    for _ in 0..500 {
        bench.cycle();
    }
    assert!(
        bench.outcomes().is_empty(),
        "cancelled messages wait for their turn"
    );
    bench.hold_answers = false;
    bench.finish();
    assert_eq!(bench.outcomes()[&CANCELLED], 2);
    assert_eq!(bench.outcomes()[&DONE], LANE_QUEUE - 1);
    // A cancelled message completes when it comes to the front: while the one before it runs.
    assert_eq!(bench.order, [0, 2, 1, 4, 3]);
    assert_eq!(bench.lanes[0].started, [0, 1, 3]);
    assert_eq!(bench.read(regs::CARD + card::DROPPED), 0);
    Ok(())
}

/// Over 2^16 submissions and completions through a ring of two entries: indices and phases wrap.
#[test]
fn indices_wrap() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(0, 0, 0, 9))?;
    bench.start(1);
    bench.lanes[0].stuck = true;
    bench.lanes[0].asks = Asks::Never;
    let commands = 0x1_0000 + 100;
    for n in 0..commands {
        let id = bench.ring.id(n);
        bench.expect(id, 0);
        bench.submit(exec(&bench, id, 0));
    }
    while bench.order.len() < commands as usize - LANE_QUEUE {
        bench.cycle();
    }
    bench.lanes[0].stuck = false;
    bench.finish();
    assert_eq!(bench.outcomes()[&NO_ROOM], commands as usize - LANE_QUEUE);
    assert_eq!(bench.read(regs::QUEUES + queue::SQ_HEAD), commands & 0xffff);
    assert_eq!(bench.read(regs::QUEUES + queue::CQ_TAIL), commands & 0xffff);
    Ok(())
}

/// The completion ring is never overrun: with a host that does not consume, the card stops at its size.
#[test]
fn a_full_completion_ring_waits() -> Result<(), ModelError> {
    for log_size in [1, 3] {
        let mut bench = Bench::new(timing(2, 3, 20, 10))?;
        bench.start(log_size);
        bench.deaf = true;
        bench
            .lanes
            .iter_mut()
            .for_each(|lane| lane.asks = Asks::Never);
        // As many as both lanes hold.
        for id in 0..2 * LANE_QUEUE as u32 {
            bench.expect(id, (id % 2) as u16);
            bench.submit(exec(&bench, id, (id % 2) as u16));
            for _ in 0..200 {
                bench.cycle();
            }
        }
        assert_eq!(bench.read(regs::QUEUES + queue::CQ_TAIL), 1 << log_size);
        bench.deaf = false;
        bench.finish();
        assert_eq!(bench.outcomes()[&DONE], 2 * LANE_QUEUE);
    }
    Ok(())
}

/// A ring that cannot be read or written latches its error, stops the queue, and a reset clears it.
#[test]
fn ring_errors_are_latched() -> Result<(), ModelError> {
    for (register, error) in [(queue::SQ_BASE_HI, 1), (queue::CQ_BASE_HI, 2)] {
        let mut bench = Bench::new(timing(2, 0, 0, 11))?;
        bench.start(3);
        let good = bench.read(regs::QUEUES + register);
        bench.write(regs::QUEUES + register, NOWHERE);
        bench.expect(1, 0);
        bench.submit(exec(&bench, 1, 0));
        for _ in 0..500 {
            bench.cycle();
        }
        assert_eq!(bench.read(regs::QUEUES + queue::ERROR), error);
        assert_eq!(bench.read(regs::CARD + card::STATUS), 1 | 1 << 2);
        assert_eq!(
            bench.read(regs::QUEUES + queue::SQ_HEAD),
            u32::from(error == 2)
        );
        assert_eq!(bench.read(regs::QUEUES + queue::CQ_TAIL), 0);
        bench.write(regs::QUEUES + register, good);
        bench.reset_card();
        assert_eq!(bench.read(regs::QUEUES + queue::ERROR), 0);
        bench.expect(2, 0);
        bench.submit(exec(&bench, 2, 0));
        bench.finish();
        assert_eq!(bench.outcomes()[&DONE], 1);
    }
    Ok(())
}

/// `CONTROL`'s reset at any moment: the bus comes to rest, and the card then works as new.
#[test]
fn reset_at_any_moment() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(5, 10, 30, 12))?;
    let mut next = 0;
    for _ in 0..200 {
        bench.start(3);
        for _ in 0..bench.random.below(12) {
            next += 1;
            let lane = bench.random.below(LANES as u64) as u16;
            bench.expect(next, lane);
            bench.submit(exec(&bench, next, lane));
        }
        for _ in 0..bench.random.below(150) {
            bench.cycle();
        }
        bench.reset_card();
    }
    bench.start(3);
    next += 1;
    bench.expect(next, 1);
    bench.submit(exec(&bench, next, 1));
    bench.finish();
    assert_eq!(bench.order.last(), Some(&next));
    Ok(())
}

/// Nothing is fetched before the queues are enabled, and interrupts come only where they are.
#[test]
fn disabled_means_still() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(2, 0, 0, 13))?;
    bench.start(3);
    bench.write(regs::CARD + card::CONTROL, 0);
    bench.expect(1, 0);
    bench.submit(exec(&bench, 1, 0));
    for _ in 0..300 {
        bench.cycle();
    }
    assert_eq!(bench.read(regs::QUEUES + queue::SQ_HEAD), 0);
    bench.write(regs::CARD + card::CONTROL, regs::CONTROL_ENABLE);
    bench.finish();
    assert_eq!(bench.outcomes()[&DONE], 1);
    assert_eq!(bench.ring.interrupts, 0);
    Ok(())
}

/// Two pairs at once, over the same lanes: each gets the completions of its own commands, and its own interrupts, and
/// one that does not look after its rings does not hold up the other.
#[test]
fn queue_pairs_do_not_meet() -> Result<(), ModelError> {
    let tempers = [timing(0, 0, 0, 14), timing(30, 60, 50, 15)];
    for (round, timing) in tempers.into_iter().enumerate() {
        let mut bench = Bench::new(timing)?;
        for vector in [3, 9] {
            bench.start(2);
            bench.irq(vector);
            bench.turn();
        }
        let mut next = 0;
        for _ in 0..400 {
            bench.patience = [1, 20, 300][bench.random.below(3) as usize];
            for _ in 0..bench.random.below(6) {
                let lane = bench.random.below(LANES as u64) as u16;
                next += 1;
                let id = bench.ring.id(next);
                bench.expect(id, lane);
                bench.submit(exec(&bench, id, lane));
                if bench.random.percent(50) {
                    bench.turn();
                }
            }
            for _ in 0..bench.random.below(200) {
                bench.cycle();
            }
        }
        bench.finish();
        assert_eq!(bench.order.len(), next as usize, "temper {round}");
        assert_eq!(bench.read(regs::CARD + card::DROPPED), 0, "temper {round}");
        for _ in 0..2 {
            let (consumed, interrupts) = (bench.ring.consumed, bench.ring.interrupts);
            assert!(consumed > 300, "temper {round}: {consumed} completions");
            // Two in neighbouring cycles may share one, where the other pair's goes first.
            let most = u32::from(consumed);
            assert!(
                (most * 9 / 10..=most).contains(&interrupts),
                "temper {round}: {interrupts} interrupts for {most}"
            );
            let (head, tail) = (bench.ring.at(queue::SQ_HEAD), bench.ring.at(queue::CQ_TAIL));
            assert_eq!(bench.read(head), bench.ring.submitted.into());
            assert_eq!(bench.read(tail), consumed.into());
            bench.turn();
        }

        // A ring that cannot be read stops its pair alone.
        let at = bench.ring.at(queue::SQ_BASE_HI);
        bench.write(at, NOWHERE);
        let id = bench.ring.id(next + 1);
        bench.submit(exec(&bench, id, 0));
        for _ in 0..500 {
            bench.cycle();
        }
        let (mine, other) = (bench.ring.at(queue::ERROR), bench.other.at(queue::ERROR));
        assert_eq!((bench.read(mine), bench.read(other)), (1, 0));
        bench.turn();
        let id = bench.ring.id(next + 2);
        bench.expect(id, 0);
        bench.submit(exec(&bench, id, 0));
        for _ in 0..2_000 {
            bench.cycle();
        }
        assert_eq!(bench.order.last(), Some(&id), "temper {round}");
    }
    Ok(())
}

/// Interrupts for so many completions, or after so many cycles.
#[test]
fn completions_share_interrupts() -> Result<(), ModelError> {
    let mut bench = Bench::new(timing(3, 0, 0, 16))?;
    bench.start(5);
    bench.irq(5);
    bench.write(bench.ring.at(queue::COALESCE), 4 << 16 | 1_000);
    bench
        .lanes
        .iter_mut()
        .for_each(|lane| lane.asks = Asks::Never);
    let mut id = 0;
    let mut send = |bench: &mut Bench, count: u32| {
        for _ in 0..count {
            id += 1;
            bench.expect(id, (id % 2) as u16);
            bench.submit(exec(bench, id, (id % 2) as u16));
        }
        while bench.order.len() < id as usize {
            bench.cycle();
        }
        (0..10).for_each(|_| bench.cycle());
    };
    send(&mut bench, 8);
    assert_eq!(bench.ring.interrupts, 2, "one for four");
    send(&mut bench, 3);
    assert_eq!(bench.ring.interrupts, 2, "three await a fourth");
    (0..700).for_each(|_| bench.cycle());
    assert_eq!(bench.ring.interrupts, 2, "and are not late yet");
    (0..400).for_each(|_| bench.cycle());
    assert_eq!(bench.ring.interrupts, 3, "they share one");
    (0..3_000).for_each(|_| bench.cycle());
    assert_eq!(bench.ring.interrupts, 3, "there is no news");
    // Without a time, each has its own.
    bench.write(bench.ring.at(queue::COALESCE), 4 << 16);
    send(&mut bench, 3);
    assert_eq!(bench.ring.interrupts, 6);
    Ok(())
}
