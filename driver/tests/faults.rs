//! The driver against a card that misbehaves: every message ends in exactly one event, every fault has
//! a name, and the card can be used again where that is possible.

mod fake;

use fake::{
    Fake, Faults, Step, code, drain, message, number, open, options, plain_result, stop, submit,
};
use gatewei_abi::command::{Completion, kind, request};
use gatewei_abi::result::Header;
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::word;
use gatewei_driver::result::Malformed;
use gatewei_driver::transport::Wait;
use gatewei_driver::{Card, Event, Fault, OpenError, Options, State, SubmitError, Ticket};
use zerocopy::IntoBytes;

fn faults(events: &[Event]) -> Vec<(Ticket, Fault)> {
    let fault = |event: &Event| match event {
        Event::Fault { ticket, fault } => (*ticket, *fault),
        other => panic!("{other:?}"),
    };
    events.iter().map(fault).collect()
}

/// The card still works.
fn works(card: &mut Card<Fake>, fake: &Fake) {
    fake.inside().faults = Faults::default();
    assert_eq!(card.state(), State::Ready);
    let ticket = submit(card, 0, 0);
    let events = drain(card, 20);
    assert!(
        matches!(events[..], [Event::Done { ticket: t, .. }] if t == ticket),
        "{events:?}"
    );
}

#[test]
fn a_stranger_is_refused_with_both_values() {
    type Change = fn(&mut fake::Inside);
    let changes: [(Change, [&str; 2]); 4] = [
        (|c| c.magic = 0xdead_beef, ["0xdeadbeef", "0x67776569"]),
        (|c| c.version = 999, ["999", "version"]),
        (|c| c.caps = 0, ["0 lanes", "0 queue pairs"]),
        (|c| c.faults.gone = true, ["0xffffffff", "no gatewei card"]),
    ];
    for (change, needles) in changes {
        let fake = Fake::new(1, |_, _| vec![]);
        change(&mut fake.inside());
        let error = Card::open(fake, options())
            .expect_err("refused")
            .to_string();
        assert!(
            needles.iter().all(|needle| error.contains(needle)),
            "{error}"
        );
    }
    let options = Options {
        ring_log2: 13,
        ..options()
    };
    let error = Card::open(Fake::new(1, |_, _| vec![]), options).expect_err("too deep");
    assert!(matches!(error, OpenError::RingSize(13)));
}

#[test]
fn completions_for_nobody_are_counted_and_dropped() {
    let fake = Fake::new(1, |_, _| vec![stop(5)]);
    let mut card = open(&fake, options());
    let old = submit(&mut card, 0, 0).command();
    drain(&mut card, 5);
    let new = submit(&mut card, 0, 1);
    for command in [old, 0x7fff, 3, old ^ 0x8000_0000] {
        let stray = Completion {
            command,
            kind: kind::DONE,
            code: 1,
            ..Completion::default()
        };
        fake.inside().complete(stray);
    }
    let events = drain(&mut card, 5);
    assert!(
        matches!(events[..], [Event::Done { ticket, .. }] if ticket == new),
        "{events:?}"
    );
    assert_eq!(
        (card.counters().stale, card.counters().out_of_range),
        (3, 1)
    );
}

#[test]
fn a_completion_that_comes_twice_counts_once() {
    let fake = Fake::new(1, |_, _| {
        vec![Step::Ask(request::STORAGE, word(1)), stop(5)]
    });
    fake.inside().faults.twice = true;
    let mut card = open(&fake, options());
    let mut done = 0;
    for n in 0..200 {
        let ticket = submit(&mut card, 0, n);
        let mut events = Vec::new();
        card.wait(Wait::default());
        card.poll(&mut events);
        assert!(matches!(events[..], [Event::Request { .. }]), "{events:?}");
        card.reply(ticket, Some(word(0)));
        done += drain(&mut card, 5).len();
    }
    assert_eq!(
        (done, card.counters().stale, card.counters().bad_requests),
        (200, 200, 200)
    );
}

#[test]
fn a_completion_of_another_lane_resets_the_card() {
    let fake = Fake::new(2, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Hang],
    });
    let mut card = open(&fake, options());
    let culprit = submit(&mut card, 0, 0);
    let other = submit(&mut card, 1, 1);
    fake.inside().faults.lane = Some(1);
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        [(culprit, Fault::BadCompletion), (other, Fault::Reset)]
    );
    assert_eq!(card.counters().resets, 1);
    works(&mut card, &fake);
}

#[test]
fn undefined_codes_are_faults_of_their_message_and_reset_the_card() {
    for (kind, code) in [
        (kind::DONE, 0),
        (kind::DONE, 99),
        (kind::TRAP, 0),
        (kind::TRAP, 200),
    ] {
        let fake = Fake::new(1, move |_, message| match (number(message), kind) {
            (0, _) => vec![stop(0)],
            (_, kind::DONE) => vec![Step::Done(code, plain_result(0))],
            _ => vec![Step::Trap(code, 0)],
        });
        let mut card = open(&fake, options());
        let ticket = submit(&mut card, 0, 1);
        assert_eq!(
            faults(&drain(&mut card, 5)),
            [(ticket, Fault::BadCompletion)]
        );
        assert_eq!(card.counters().resets, 1);
        works(&mut card, &fake);
    }
}

#[test]
fn an_undefined_kind_resets_the_card() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Hang],
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    card.wait(Wait::default());
    let stray = Completion {
        command: ticket.command(),
        kind: 9,
        ..Completion::default()
    };
    fake.inside().complete(stray);
    assert_eq!(
        faults(&drain(&mut card, 5)),
        [(ticket, Fault::BadCompletion)]
    );
    works(&mut card, &fake);
}

#[test]
fn malformed_results_are_named() {
    type Change = fn(&mut Header);
    let changes: [(Change, Malformed); 11] = [
        (|h| h.gas_left = 1_001, Malformed::Gas),
        (|h| h.refund = -1, Malformed::Refund),
        (|h| h.logs_end = 0, Malformed::Overlap),
        (|h| h.logs_end = u32::MAX, Malformed::Logs),
        (|h| h.logs = 1, Malformed::Logs),
        (|h| h.logs_end += 32, Malformed::Logs),
        (
            |h| (h.output_offset, h.output_bytes) = (0, 1),
            Malformed::Overlap,
        ),
        (|h| h.output_bytes = u32::MAX, Malformed::Output),
        (
            |h| (h.output_offset, h.output_bytes) = (u32::MAX, 1),
            Malformed::Output,
        ),
        (|h| h.slots = u32::MAX, Malformed::Slots),
        (|h| (h.slots_offset, h.slots) = (32, 1), Malformed::Overlap),
    ];
    for (change, why) in changes {
        let fake = Fake::new(1, move |_, message| {
            let mut header = zerocopy::FromBytes::read_from_bytes(&plain_result(0)[..]).unwrap();
            if number(message) == 1 {
                change(&mut header);
            }
            vec![Step::Done(Status::Stop as u8, header.as_bytes().to_vec())]
        });
        let mut card = open(&fake, options());
        let ticket = submit(&mut card, 0, 1);
        assert_eq!(
            faults(&drain(&mut card, 5)),
            [(ticket, Fault::BadResult(why))]
        );
        assert_eq!(Fault::BadResult(why).name(), "malformed_result");
        works(&mut card, &fake);
    }
}

#[test]
fn a_result_that_was_never_written_is_malformed() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Done(Status::Stop as u8, vec![])],
    });
    let mut card = open(&fake, options());
    works(&mut card, &fake);
    let ticket = submit(&mut card, 0, 1);
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        [(ticket, Fault::BadResult(Malformed::Overlap))]
    );
}

#[test]
fn a_log_with_five_topics_is_malformed() {
    let fake = Fake::new(1, |_, _| {
        let mut bytes = plain_result(0);
        let head = gatewei_abi::result::LogHead {
            topics: 5,
            ..Default::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.resize(bytes.len() + 6 * 32, 0);
        let end = bytes.len() as u32;
        let mut header: Header = zerocopy::FromBytes::read_from_bytes(&bytes[..128]).unwrap();
        (header.logs, header.logs_end) = (1, end);
        bytes[..128].copy_from_slice(header.as_bytes());
        vec![Step::Done(Status::Stop as u8, bytes)]
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        [(ticket, Fault::BadResult(Malformed::Topics))]
    );
}

#[test]
fn a_slot_without_an_account_is_malformed() {
    use gatewei_abi::result::{SlotHead, kind, slot};
    // (kind, account) of a slot behind an account and a field.
    let cases = [
        (kind::STORAGE, 3, Malformed::Account),
        (kind::FIELD, 1, Malformed::Account),
        (kind::TRANSIENT, u32::MAX, Malformed::Account),
        (4, 0, Malformed::Kind),
    ];
    let fake = Fake::new(1, move |_, message| {
        let (last, account, _) = cases[number(message) as usize];
        let mut bytes = plain_result(0);
        for (kind, account) in [(kind::ACCOUNT, 77), (kind::FIELD, 0), (last, account)] {
            let head = SlotHead {
                flags: kind << slot::KIND,
                account,
                ..SlotHead::default()
            };
            bytes.extend_from_slice(head.as_bytes());
            bytes.resize(bytes.len() + 64, 0);
        }
        let mut header: Header = zerocopy::FromBytes::read_from_bytes(&bytes[..128]).unwrap();
        header.slots = 3;
        bytes[..128].copy_from_slice(header.as_bytes());
        vec![Step::Done(Status::Stop as u8, bytes)]
    });
    let mut card = open(&fake, options());
    for (n, (_, _, why)) in (0..).zip(cases) {
        let ticket = submit(&mut card, 0, n);
        let events = drain(&mut card, 5);
        assert_eq!(faults(&events), [(ticket, Fault::BadResult(why))]);
    }
}

#[test]
fn an_impossible_head_is_counted() {
    let fake = Fake::new(1, |_, _| vec![stop(0)]);
    let mut card = open(&fake, options());
    for head in [9, 0x1_0000, u32::MAX] {
        fake.inside().faults.head = Some(head);
        submit(&mut card, 0, 0);
        assert!(matches!(drain(&mut card, 5)[..], [Event::Done { .. }]));
    }
    assert_eq!(card.counters().bad_heads, 3);
    works(&mut card, &fake);
}

#[test]
fn a_request_of_an_undefined_kind_is_refused() {
    let fake = Fake::new(1, |_, _| vec![Step::Ask(200, word(0)), stop(0)]);
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    let events = drain(&mut card, 10);
    assert!(
        matches!(
            events[..],
            [Event::Trap {
                trap: Trap::Host,
                ..
            }]
        ),
        "{events:?}"
    );
    assert_eq!(card.counters().bad_requests, 1);
}

#[test]
fn more_requests_than_gas_can_pay_for_are_a_fault() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Ask(request::STORAGE, word(1)); 1_000_000],
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    let mut events = Vec::new();
    while card.in_flight() > 0 {
        card.wait(Wait::default());
        card.poll(&mut events);
        if matches!(events.last(), Some(Event::Request { .. })) {
            events.pop();
            card.reply(ticket, Some(word(0)));
        }
    }
    assert_eq!(faults(&events), [(ticket, Fault::BadCompletion)]);
    works(&mut card, &fake);
}

#[test]
fn a_late_message_is_cancelled_and_its_neighbours_live() {
    for late in [Step::Hang, Step::Spin] {
        let fake = Fake::new(2, move |_, message| match number(message) {
            0 => vec![stop(0)],
            _ => vec![late.clone()],
        });
        let mut card = open(&fake, options());
        let first = submit(&mut card, 0, 1);
        let second = submit(&mut card, 0, 0);
        let other = submit(&mut card, 1, 0);
        let events = drain(&mut card, 100);
        assert!(matches!(events[0], Event::Done { ticket, .. } if ticket == other));
        assert_eq!(faults(&events[1..2]), [(first, Fault::Deadline)]);
        assert!(matches!(events[2], Event::Done { ticket, .. } if ticket == second));
        assert_eq!(card.counters().resets, 0);
        works(&mut card, &fake);
    }
}

#[test]
fn a_lane_that_cannot_be_told_to_stop_is_reset() {
    let fake = Fake::new(2, |_, message| match number(message) {
        0 => vec![stop(0)],
        1 => vec![Step::Hang],
        _ => vec![Step::Spin],
    });
    fake.inside().faults.stubborn = true;
    let mut card = open(&fake, options());
    let late = submit(&mut card, 0, 1);
    let behind = submit(&mut card, 0, 0);
    let other = card.submit(1, message(2, 1 << 40), code(), &[]).unwrap();
    let events = drain(&mut card, 100);
    let mut lost = faults(&events);
    lost.sort_by_key(|(ticket, _)| ticket.command());
    assert_eq!(
        lost,
        [
            (late, Fault::Deadline),
            (behind, Fault::Reset),
            (other, Fault::Reset)
        ]
    );
    assert_eq!(card.counters().resets, 1);
    works(&mut card, &fake);
    // What the lanes still had to say about the life before is for nobody.
    let stray = Completion {
        command: late.command(),
        kind: kind::DONE,
        ..Completion::default()
    };
    fake.inside().complete(stray);
    works(&mut card, &fake);
    assert_eq!(card.counters().stale, 1);
}

#[test]
fn waiting_for_the_host_is_nobodys_deadline() {
    let fake = Fake::new(1, |_, _| {
        vec![Step::Ask(request::STORAGE, word(1)), stop(0)]
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 0);
    let mut events = Vec::new();
    for _ in 0..1_000 {
        card.wait(Wait::default());
        card.poll(&mut events);
    }
    assert!(matches!(events[..], [Event::Request { .. }]), "{events:?}");
    card.reply(ticket, Some(word(2)));
    assert!(matches!(drain(&mut card, 10)[..], [Event::Done { .. }]));
}

#[test]
fn a_cancelled_message_says_so_once_whatever_the_card_does() {
    // Cancelled before it was fetched, while it waits for an answer, and too late.
    for rounds in 0..4 {
        let fake = Fake::new(1, |_, message| match number(message) {
            0 => vec![stop(0)],
            _ => vec![Step::Ask(request::STORAGE, word(1)), stop(0)],
        });
        let mut card = open(&fake, options());
        let ticket = submit(&mut card, 0, 1);
        let mut events = Vec::new();
        for round in 0..rounds {
            card.wait(Wait::default());
            if round == 0 {
                card.poll(&mut events);
                card.reply(ticket, Some(word(0)));
            }
        }
        card.cancel(ticket);
        card.cancel(ticket);
        let events = drain(&mut card, 10);
        assert!(matches!(events[..], [Event::Cancelled { ticket: t }] if t == ticket));
        works(&mut card, &fake);
    }
}

#[test]
fn a_cancelled_message_that_does_not_go_is_reset_away() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Ask(request::STORAGE, word(1)), Step::Hang],
    });
    fake.inside().faults.stubborn = true;
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    card.wait(Wait::default());
    card.poll(&mut Vec::new());
    card.cancel(ticket);
    let events = drain(&mut card, 100);
    assert!(
        matches!(events[..], [Event::Cancelled { ticket: t }] if t == ticket),
        "{events:?}"
    );
    assert_eq!(card.counters().resets, 1);
    works(&mut card, &fake);
}

#[test]
fn a_heartbeat_that_stands_still_is_a_dead_card() {
    let fake = Fake::new(1, |_, _| vec![Step::Hang]);
    let mut card = open(&fake, options());
    let tickets = [submit(&mut card, 0, 0), submit(&mut card, 0, 1)];
    fake.inside().faults.frozen = true;
    let events = drain(&mut card, usize::MAX);
    assert_eq!(faults(&events), tickets.map(|ticket| (ticket, Fault::Hung)));
    assert_eq!(card.state(), State::Dead(Fault::Hung));
    let refused = card.submit(0, message(0, 0), code(), &[]);
    assert!(
        matches!(refused, Err(SubmitError::Dead(Fault::Hung))),
        "{refused:?}"
    );
    let mut events = Vec::new();
    card.poll(&mut events);
    card.wait(Wait::default());
    card.cancel(tickets[0]);
    assert!(events.is_empty());
}

#[test]
fn a_card_that_reads_all_ones_is_gone_for_good() {
    let fake = Fake::new(1, |_, _| vec![Step::Hang]);
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 0);
    card.wait(Wait::default());
    fake.inside().faults.gone = true;
    assert_eq!(faults(&drain(&mut card, 5)), [(ticket, Fault::Gone)]);
    fake.inside().faults.gone = false;
    assert_eq!(card.state(), State::Dead(Fault::Gone));
    assert!(
        card.submit(0, message(0, 0), code(), &[]).is_err(),
        "it came back, but it is not the same"
    );
}

#[test]
fn a_counter_may_read_all_ones() {
    let fake = Fake::new(1, |_, _| vec![Step::Work, stop(0)]);
    fake.inside().cycles = u64::from(u32::MAX) - 4_000;
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    card.wait(Wait {
        cycles: 4_000,
        ..Wait::default()
    });
    assert_eq!(fake.inside().cycles as u32, u32::MAX);
    assert!(matches!(drain(&mut card, 5)[..], [Event::Done { .. }]));
}

#[test]
fn a_card_that_fails_each_time_is_given_up() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Hang],
    });
    fake.inside().faults.stubborn = true;
    let options = Options {
        patience: 2,
        ..options()
    };
    let mut card = open(&fake, options);
    for round in 0..2 {
        for _ in 0..2 {
            submit(&mut card, 0, 1);
            drain(&mut card, 200);
        }
        if round == 0 {
            submit(&mut card, 0, 0);
            assert!(
                matches!(drain(&mut card, 20)[..], [Event::Done { .. }]),
                "it has made up for it"
            );
        }
    }
    assert_eq!(card.state(), State::Ready);
    let ticket = submit(&mut card, 0, 1);
    assert_eq!(faults(&drain(&mut card, 200)), [(ticket, Fault::Deadline)]);
    assert_eq!(card.state(), State::Dead(Fault::Deadline));
}

#[test]
fn a_queue_error_resets_the_card() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Hang],
    });
    let mut card = open(&fake, options());
    let tickets = [submit(&mut card, 0, 1), submit(&mut card, 0, 2)];
    fake.inside().faults.queue_error = true;
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        tickets.map(|ticket| (ticket, Fault::Queue))
    );
    works(&mut card, &fake);
}

#[test]
fn a_reset_that_does_not_take_becomes_a_function_reset() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Hang],
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    (fake.inside().faults.busy, fake.inside().faults.stubborn) = (true, true);
    assert_eq!(
        faults(&drain(&mut card, usize::MAX)),
        [(ticket, Fault::Deadline)]
    );
    assert_eq!(fake.inside().resets, 1);
    works(&mut card, &fake);
}

#[test]
fn dropping_a_card_leaves_it_in_reset() {
    let fake = Fake::new(1, |_, _| vec![Step::Hang]);
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    drop(card);
    let mut again = fake.clone();
    use gatewei_driver::transport::Transport;
    assert_eq!(again.read32(gatewei_abi::regs::card::CONTROL).unwrap(), 2);
}

/// Noise on the completion ring: whatever it says, every message ends in one event and the card ends
/// usable or dead.
#[test]
fn noise_never_loses_a_message() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for _ in 0..300 {
        let fake = Fake::new(2, |_, message| match number(message) % 4 {
            0 => vec![stop(1)],
            1 => vec![Step::Work, Step::Work, stop(2)],
            2 => vec![Step::Ask(request::STORAGE, word(9)), stop(3)],
            _ => vec![Step::Hang],
        });
        let mut card = open(
            &fake,
            Options {
                ring_log2: 1 + random(4) as u32,
                ..options()
            },
        );
        fake.inside().faults.noisy = true;
        let mut open_tickets = std::collections::HashSet::new();
        let mut events = Vec::new();
        for round in 0..400 {
            let lane = random(2) as u16;
            if round < 60 && card.credit(lane) > 0 {
                open_tickets.insert(submit(&mut card, lane, random(1 << 20)));
            }
            if random(8) == 0 && round < 60 {
                let command = (random(3) << 16 | random(12)) as u32;
                let (kind, code) = (random(5) as u8, random(30) as u8);
                let lane = random(3) as u16;
                let key = word(random(u64::MAX));
                let noise = Completion {
                    command,
                    kind,
                    code,
                    lane,
                    key,
                    ..Completion::default()
                };
                let mut inside = fake.inside();
                if !inside.fetched.is_empty() && inside.room() {
                    inside.complete(noise);
                }
            }
            if random(10) == 0 {
                open_tickets
                    .iter()
                    .next()
                    .into_iter()
                    .for_each(|ticket| card.cancel(*ticket));
            }
            card.wait(Wait {
                cycles: random(5_000),
                ..Wait::default()
            });
            card.poll(&mut events);
            for event in events.drain(..) {
                match event {
                    Event::Request { ticket, .. } => card.reply(ticket, Some(word(1))),
                    Event::Done { ticket, .. }
                    | Event::Trap { ticket, .. }
                    | Event::Cancelled { ticket }
                    | Event::Fault { ticket, .. } => {
                        assert!(open_tickets.remove(&ticket), "a second end");
                    }
                }
            }
        }
        assert!(
            open_tickets.is_empty(),
            "{open_tickets:?} never ended: {card:?}"
        );
        assert_eq!((card.state(), card.in_flight()), (State::Ready, 0));
    }
}
