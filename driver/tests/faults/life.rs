//! Cards that stop, leave, or do not come out of a reset.

use super::fake::{Fake, Step, code, drain, message, number, open, options, stop, submit};
use super::{faults, works};
use gatewei_driver::transport::Wait;
use gatewei_driver::{Event, Fault, Options, State, SubmitError};

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

/// Whether the card is held in reset.
fn in_reset(fake: &Fake) -> bool {
    use gatewei_driver::transport::Transport;
    let control = fake.clone().read32(gatewei_abi::regs::card::CONTROL);
    control.unwrap() == 2
}

#[test]
fn dropping_a_card_leaves_it_in_reset() {
    let fake = Fake::new(1, |_, _| vec![Step::Hang]);
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    assert!(!in_reset(&fake));
    drop(card);
    assert!(in_reset(&fake));
}

#[test]
fn a_panic_leaves_the_card_in_reset() {
    let fake = Fake::new(1, |_, _| vec![Step::Hang]);
    let owner = fake.clone();
    let ended = std::thread::spawn(move || {
        let mut card = open(&owner, options());
        submit(&mut card, 0, 0);
        panic!("the owner's own mistake, with a message in flight");
    });
    assert!(ended.join().is_err());
    assert!(in_reset(&fake));
}
