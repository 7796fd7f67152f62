//! The driver against a card that misbehaves: every message ends in exactly one event, every fault has
//! a name, and the card can be used again where that is possible.

#[path = "faults/completions.rs"]
mod completions;
mod fake;
#[path = "faults/late.rs"]
mod late;
#[path = "faults/life.rs"]
mod life;
#[path = "faults/noise.rs"]
mod noise;
#[path = "faults/opening.rs"]
mod opening;
#[path = "faults/results.rs"]
mod results;
#[path = "faults/table.rs"]
mod table;

use fake::{Fake, Faults, drain, submit};
use gatewei_driver::{Card, Event, Fault, State, Ticket};

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
