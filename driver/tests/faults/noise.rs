//! Everything at once.

use super::fake::{Fake, Step, number, open, options, stop, submit};
use gatewei_abi::command::{Completion, request};
use gatewei_abi::word;
use gatewei_driver::transport::Wait;
use gatewei_driver::{Event, Options, State};

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
