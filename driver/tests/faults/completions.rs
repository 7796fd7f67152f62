//! Completions that make no sense.

use super::fake::{Fake, Step, drain, number, open, options, plain_result, stop, submit};
use super::{faults, works};
use gatewei_abi::command::{Completion, kind, request};
use gatewei_abi::status::Trap;
use gatewei_abi::word;
use gatewei_driver::transport::Wait;
use gatewei_driver::{Event, Fault};

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
