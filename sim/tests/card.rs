//! The card in Verilator through the driver's own queues.

mod common;

use std::time::Duration;

use common::{Frame, RETURN_TOP, done, drain, event, frame, open, run, silent, submit};
use gatewei_abi::command::request;
use gatewei_abi::message::Slot;
use gatewei_abi::regs::{self, card};
use gatewei_abi::result::{kind, slot};
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{ABI_VERSION, MAGIC, Word, word};
use gatewei_driver::result::{FrameResult, SlotRecord};
use gatewei_driver::transport::{Transport, TransportError};
use gatewei_driver::{Card, Event, Fault, State};
use gatewei_sim::trace::Step;
use gatewei_sim::{Options, Pause, SimCard};

#[test]
fn registers_identify_the_card_and_its_clock_runs() {
    for lanes in [1, 2] {
        let mut sim = SimCard::new(Options {
            lanes,
            ..Options::default()
        })
        .unwrap();
        let mut read = |register| sim.read32(regs::CARD + register).unwrap();
        assert_eq!(read(card::MAGIC), MAGIC);
        assert_eq!(read(card::VERSION), ABI_VERSION);
        assert_eq!(read(card::CAPS) & 0xff, u32::from(lanes));
        assert_eq!(read(card::CLOCK_KHZ), 100_000);
        let (first, second) = (read(card::CYCLES_LO), read(card::CYCLES_LO));
        assert!(second > first && second - first < 20, "{first} {second}");
        for value in [0xffff_fffe, 0, 0x1234_5678] {
            sim.write32(card::SCRATCH, value).unwrap();
            assert_eq!(sim.read32(card::SCRATCH).unwrap(), value);
        }
        assert_eq!(sim.read32(0xffc).unwrap(), 0, "no register there");
        assert!(matches!(sim.read32(2), Err(TransportError::Offset(2))));
        assert!(matches!(
            sim.write32(regs::SPACE, 0),
            Err(TransportError::Offset(_))
        ));
    }
    assert!(
        SimCard::new(Options {
            lanes: 9,
            ..Options::default()
        })
        .is_err()
    );
}

#[test]
fn a_function_reset_restores_the_registers() {
    let mut sim = SimCard::new(Options::default()).unwrap();
    sim.write32(card::SCRATCH, 77).unwrap();
    sim.run(1_000).unwrap();
    assert!(sim.read32(card::CYCLES_LO).unwrap() > 1_000);
    sim.reset().unwrap();
    assert_eq!(sim.read32(card::SCRATCH).unwrap(), 0);
    assert!(sim.read32(card::CYCLES_LO).unwrap() < 100);
}

#[test]
fn stop_comes_back_with_all_gas() {
    let mut card = open(Options::default());
    let result = done(run(&mut card, &frame(&[0x00]), silent));
    assert_eq!(result.status, Status::Stop);
    assert_eq!((result.gas_left, result.refund), (1_000_000, 0));
    assert_eq!(
        (
            result.output.len(),
            result.logs.len(),
            storage(&result).len()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (
            result.cost.retired,
            result.cost.requests,
            result.cost.wait_cycles
        ),
        (1, 0, 0)
    );
    // At least the message's and the code's way through memory.
    assert!(result.cost.cycles > 200, "{:?}", result.cost);
    assert!(card.transport().interrupts() >= 1);
}

/// The records of storage slots, without those of accounts and their fields.
fn storage(result: &FrameResult) -> Vec<SlotRecord> {
    let slots = result.slots.iter().copied();
    slots.filter(|s| s.kind() == kind::STORAGE).collect()
}

/// 2 + 3, returned.
fn sum() -> Frame {
    frame(&[&[0x60, 2, 0x60, 3, 0x01][..], &RETURN_TOP].concat())
}

#[test]
fn the_trace_is_what_an_inspector_sees() {
    let mut card = open(Options {
        trace: true,
        ..Options::default()
    });
    let ticket = submit(&mut card, 0, &sum());
    let result = done(event(&mut card));
    assert_eq!(
        (result.status, &result.output[..31]),
        (Status::Return, &[0; 31][..])
    );
    assert_eq!((result.output.len(), result.output[31]), (32, 5));
    assert_eq!((result.gas_left, result.memory_words), (999_978, 1));
    let step = |pc, opcode, gas, depth, top, memory_words| Step {
        pc,
        opcode,
        gas,
        depth,
        top: word(top),
        memory_words,
        frame: 0,
    };
    let reference = [
        step(0, 0x60, 1_000_000, 0, 0, 0),
        step(2, 0x60, 999_997, 1, 2, 0),
        step(4, 0x01, 999_994, 2, 3, 0),
        step(5, 0x5f, 999_991, 1, 5, 0),
        step(6, 0x52, 999_989, 2, 0, 0),
        step(7, 0x60, 999_983, 0, 0, 1),
        step(9, 0x5f, 999_980, 1, 32, 1),
        step(10, 0xf3, 999_978, 2, 0, 1),
    ];
    let steps = card.transport_mut().take_steps(ticket.command());
    assert_eq!(steps, reference);
    assert!(
        card.transport_mut().take_steps(ticket.command()).is_empty(),
        "taken once"
    );
}

/// SLOAD of slot 7, returned.
fn load() -> Frame {
    frame(&[&[0x60, 7, 0x54][..], &RETURN_TOP].concat())
}

#[test]
fn a_storage_miss_is_asked_and_the_lane_goes_on() {
    let mut card = open(Options::default());
    let mut waits = Vec::new();
    for delay in [0, 5_000] {
        let ticket = submit(&mut card, 0, &load());
        match event(&mut card) {
            Event::Request {
                ticket: of,
                kind,
                key,
                ..
            } => {
                assert_eq!((of, kind, key), (ticket, request::STORAGE, word(7)));
            }
            other => panic!("no request: {other:?}"),
        }
        card.transport_mut().run(delay).unwrap();
        card.reply(ticket, Some(word(0x1234)));
        let result = done(event(&mut card));
        assert_eq!(result.output[30..], [0x12, 0x34]);
        let slots = storage(&result);
        assert_eq!(slots.len(), 1);
        assert_eq!((slots[0].key, slots[0].value), (word(7), word(0x1234)));
        assert!(slots[0].is(slot::USED | slot::WARM | slot::KNOWN));
        assert!(!slots[0].is(slot::WRITTEN));
        assert_eq!(result.cost.requests, 1);
        waits.push(result.cost.wait_cycles);
    }
    assert!(
        waits[0] > 100,
        "the question and the answer cross the bus: {waits:?}"
    );
    let longer = waits[1] - waits[0];
    assert!((4_900..5_300).contains(&longer), "{waits:?}");
}

#[test]
fn a_predicted_slot_is_not_asked() {
    let mut card = open(Options::default());
    let mut frame = load();
    frame.slots = vec![
        Slot {
            key: word(6),
            value: word(1),
        },
        Slot {
            key: word(7),
            value: word(0xabcd),
        },
    ];
    let result = done(run(&mut card, &frame, silent));
    assert_eq!(result.output[30..], [0xab, 0xcd]);
    let used: Vec<_> = storage(&result).iter().map(|s| s.is(slot::USED)).collect();
    assert_eq!(used, [false, true], "a prediction is not a read");
}

#[test]
fn a_host_that_cannot_answer_gets_the_message_back() {
    let mut card = open(Options::default());
    match run(&mut card, &load(), |_, _| None) {
        Event::Trap { trap, .. } => assert_eq!(trap, Trap::Host),
        other => panic!("{other:?}"),
    }
    done(run(&mut card, &sum(), silent));
}

#[test]
fn a_trap_names_the_opcode() {
    let mut card = open(Options::default());
    // Three words, then CREATE: the creator's balance and nonce are told, the contract's address is not.
    let code = [&[0x5f; 3][..], &[0xf0]].concat();
    let answer = |kind, _: &Word| (kind != request::CREATE).then(|| word(0));
    match run(&mut card, &frame(&code), answer) {
        Event::Trap {
            trap,
            opcode,
            pc,
            cost,
            ..
        } => {
            assert_eq!((trap, opcode, pc), (Trap::Host, 0xf0, 3));
            assert!(cost.cycles > 0);
        }
        other => panic!("{other:?}"),
    }
}

/// JUMPDEST PUSH0 JUMP, for ever as far as its gas goes.
fn endless() -> Frame {
    Frame {
        gas: 1 << 40,
        ..frame(&[0x5b, 0x5f, 0x56])
    }
}

#[test]
fn a_cancelled_message_leaves_the_lane_to_the_next() {
    let mut card = open(Options::default());
    // Running.
    let ticket = submit(&mut card, 0, &endless());
    card.flush();
    card.transport_mut().run(3_000).unwrap();
    card.cancel(ticket);
    assert!(matches!(event(&mut card), Event::Cancelled { ticket: of } if of == ticket));
    // Awaiting an answer, with another one queued behind it.
    let (first, second) = (submit(&mut card, 0, &load()), submit(&mut card, 0, &sum()));
    assert!(matches!(event(&mut card), Event::Request { ticket, .. } if ticket == first));
    card.cancel(first);
    assert!(matches!(event(&mut card), Event::Cancelled { ticket } if ticket == first));
    assert!(matches!(event(&mut card), Event::Done { ticket, .. } if ticket == second));
    // Queued behind one that runs.
    let (first, second) = (
        submit(&mut card, 0, &endless()),
        submit(&mut card, 0, &sum()),
    );
    card.flush();
    card.transport_mut().run(3_000).unwrap();
    card.cancel(second);
    card.cancel(first);
    for event in drain(&mut card) {
        assert!(matches!(event, Event::Cancelled { .. }), "{event:?}");
    }
    assert_eq!(done(run(&mut card, &sum(), silent)).output[31], 5);
    assert_eq!(card.counters().resets, 0);
}

#[test]
fn rings_of_two_entries_wrap_many_times() {
    let sim = SimCard::new(Options::default()).unwrap();
    let options = gatewei_driver::Options {
        ring_log2: 1,
        ..Default::default()
    };
    let mut card = Card::open(sim, options).unwrap();
    let (mut sent, mut ended) = (0u8, 0u8);
    let mut order = Vec::new();
    while ended < 40 {
        while sent < 40 && card.credit(0) > 0 {
            let code = [&[0x60, sent][..], &RETURN_TOP].concat();
            order.push(submit(&mut card, 0, &frame(&code)));
            sent += 1;
        }
        let mut events = Vec::new();
        card.wait(Default::default());
        card.poll(&mut events);
        for event in events {
            match event {
                Event::Done { ticket, result } => {
                    assert_eq!(ticket, order[usize::from(ended)], "a lane keeps its order");
                    assert_eq!(result.output[31], ended);
                    ended += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let counters = card.counters();
    assert_eq!((counters.submitted, counters.completions), (40, 40));
    assert_eq!(
        (counters.stale, counters.out_of_range, counters.bad_heads),
        (0, 0, 0)
    );
    assert_eq!(card.transport_mut().read32(card::DROPPED).unwrap(), 0);
}

/// Storage, memory, Keccak, a log, calldata: every way in and out of the lane.
fn mixed() -> Frame {
    let code = [
        // memory[0..] = calldata, 600 bytes
        0x61, 0x02, 0x58, 0x5f, 0x5f, 0x37,
        // sstore(1, sload(2) + keccak256(memory[0..600]))
        0x61, 0x02, 0x58, 0x5f, 0x20, 0x60, 2, 0x54, 0x01, 0x60, 1, 0x55,
        // log2(memory[3..603], 0xaa, 0xbb)
        0x60, 0xaa, 0x60, 0xbb, 0x61, 0x02, 0x58, 0x60, 3, 0xa2,
        // memory[64] = sload(1); return memory[0..600]
        0x60, 1, 0x54, 0x60, 64, 0x52, 0x61, 0x02, 0x58, 0x5f, 0xf3,
    ];
    let calldata = (0..600u32).map(|i| (i * 7 + 1) as u8).collect();
    Frame {
        calldata,
        ..frame(&code)
    }
}

#[test]
fn memory_that_delays_reorders_and_holds_back_changes_no_result() {
    let answer = |_: u8, key: &[u8; 32]| Some(word(0x100 + u64::from(key[0])));
    let ideal = done(run(&mut open(Options::default()), &mixed(), answer));
    assert_eq!(
        (ideal.status, ideal.logs.len(), storage(&ideal).len()),
        (Status::Return, 1, 2)
    );
    assert_eq!(ideal.logs[0].data.len(), 600);
    assert_eq!(ideal.output[..64], mixed().calldata[..64]);
    let mut cycles = Vec::new();
    for seed in 0..8 {
        let options = Options {
            read_latency: 1 + 30 * (seed as u32 % 4),
            write_latency: 1 + 50 * (seed as u32 % 3),
            jitter: 40 * (seed as u32 % 3),
            backpressure: [0, 20, 50, 80][seed as usize % 4],
            seed,
            ..Options::default()
        };
        let mut card = open(options);
        let mut result = done(run(&mut card, &mixed(), answer));
        cycles.push(result.cost.cycles);
        result.cost = ideal.cost;
        assert_eq!(result, ideal, "{options:?}");
    }
    cycles.dedup();
    assert!(
        cycles.len() > 4,
        "the options must change the timing: {cycles:?}"
    );
}

#[test]
fn two_lanes_share_the_card() {
    for seed in 0..4 {
        let mut card = open(Options {
            lanes: 2,
            jitter: 60,
            backpressure: 30,
            seed,
            ..Options::default()
        });
        let mut frames = Vec::new();
        for n in 0..4u8 {
            for lane in 0..2u16 {
                let value = 2 * n + lane as u8;
                let code = [
                    &[0x60, value, 0x5f, 0x52, 0x60, 32, 0x5f, 0x20][..],
                    &RETURN_TOP,
                ]
                .concat();
                frames.push((submit(&mut card, lane, &frame(&code)), lane, value));
            }
        }
        let mut outputs = std::collections::HashMap::new();
        for event in drain(&mut card) {
            match event {
                Event::Done { ticket, result } => {
                    assert!(outputs.insert(ticket, result.output).is_none())
                }
                other => panic!("{other:?}"),
            }
        }
        let distinct: std::collections::HashSet<_> = outputs.values().collect();
        assert_eq!((outputs.len(), distinct.len()), (8, 8), "seed {seed}");
        for (ticket, _, value) in &frames {
            // The other lane, alone, gives the same digest.
            let mut alone = open(Options::default());
            let code = [
                &[0x60, *value, 0x5f, 0x52, 0x60, 32, 0x5f, 0x20][..],
                &RETURN_TOP,
            ]
            .concat();
            assert_eq!(
                done(run(&mut alone, &frame(&code), silent)).output,
                outputs[ticket]
            );
        }
        for lane in 0..2 {
            let counters = card.lane_counters(lane).unwrap();
            assert_eq!((counters.messages, counters.retired), (4, 4 * 11));
        }
    }
}

/// Deadlines that a test can wait for.
fn strict() -> gatewei_driver::Options {
    let mut options = gatewei_driver::Options::default();
    options.deadlines.stall_cycles = 20_000;
    options.deadlines.heartbeat = Duration::from_millis(300);
    options.deadlines.interval = Duration::ZERO;
    options
}

#[test]
fn a_lane_without_memory_ends_by_deadline_and_the_card_recovers() {
    let sim = SimCard::new(Options::default()).unwrap();
    let mut card = Card::open(sim, strict()).unwrap();
    done(run(&mut card, &sum(), silent));
    card.transport_mut().set_pause(Some(Pause::Memory));
    let ticket = submit(&mut card, 0, &sum());
    match event(&mut card) {
        Event::Fault { ticket: of, fault } => assert_eq!((of, fault), (ticket, Fault::Deadline)),
        other => panic!("{other:?}"),
    }
    card.transport_mut().set_pause(None);
    assert_eq!((card.state(), card.in_flight()), (State::Ready, 0));
    assert_eq!(done(run(&mut card, &sum(), silent)).output[31], 5);
}

#[test]
fn an_endless_message_ends_by_its_gas_deadline() {
    let sim = SimCard::new(Options::default()).unwrap();
    let mut options = strict();
    options.deadlines.base_cycles = 5_000;
    options.deadlines.cycles_per_gas = 0;
    let mut card = Card::open(sim, options).unwrap();
    let ticket = submit(&mut card, 0, &endless());
    match event(&mut card) {
        Event::Fault { ticket: of, fault } => assert_eq!((of, fault), (ticket, Fault::Deadline)),
        other => panic!("{other:?}"),
    }
    assert_eq!(card.counters().resets, 0, "the lane obeys the cancel");
    assert_eq!(card.state(), State::Ready);
}

#[test]
fn a_clock_that_stops_is_a_hung_card() {
    let sim = SimCard::new(Options {
        pause: Some((4_000, Pause::Clock)),
        ..Options::default()
    })
    .unwrap();
    let mut card = Card::open(sim, strict()).unwrap();
    let ticket = submit(&mut card, 0, &endless());
    match event(&mut card) {
        Event::Fault { ticket: of, fault } => assert_eq!((of, fault), (ticket, Fault::Hung)),
        other => panic!("{other:?}"),
    }
    assert_eq!(card.state(), State::Dead(Fault::Hung));
}

#[test]
fn a_card_that_leaves_the_bus_is_gone() {
    let sim = SimCard::new(Options::default()).unwrap();
    let mut card = Card::open(sim, strict()).unwrap();
    submit(&mut card, 0, &endless());
    card.wait(Default::default());
    card.transport_mut().set_pause(Some(Pause::Gone));
    assert!(matches!(
        event(&mut card),
        Event::Fault {
            fault: Fault::Gone,
            ..
        }
    ));
    assert_eq!(card.state(), State::Dead(Fault::Gone));
}
