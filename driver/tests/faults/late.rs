//! Messages that take too long, and messages that are taken back.

use super::fake::{Fake, Step, code, drain, message, number, open, options, stop, submit};
use super::{faults, works};
use gatewei_abi::command::{Completion, kind, request};
use gatewei_abi::word;
use gatewei_driver::transport::Wait;
use gatewei_driver::{Event, Fault};

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
