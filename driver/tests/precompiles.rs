//! Calls of precompiled contracts through the result buffer.

mod fake;

use fake::{Fake, Step, drain, open, options, stop, submit};
use gatewei_abi::command::precompile::{answer, call};
use gatewei_abi::command::request;
use gatewei_abi::status::Trap;
use gatewei_abi::{Word, word};
use gatewei_driver::transport::Wait;
use gatewei_driver::{Card, Event, Ticket};

/// The key of a call of contract 9 with 12,345 gas.
fn key(offset: u32, bytes: u32) -> Word {
    let mut key = Word::default();
    let mut put = |at: usize, field: &[u8]| key[at..at + field.len()].copy_from_slice(field);
    put(call::GAS, &12_345u64.to_le_bytes());
    put(call::BYTES, &bytes.to_le_bytes());
    put(call::OFFSET, &offset.to_le_bytes());
    put(call::ADDRESS, &9u32.to_le_bytes());
    key
}

fn field(word: &Word, at: usize) -> u32 {
    u32::from_le_bytes(word[at..at + 4].try_into().expect("four bytes"))
}

/// A card whose lane calls a contract and then stops, up to the request.
fn asked() -> (Fake, Card<Fake>, Ticket) {
    let fake = Fake::new(1, |_, _| {
        vec![Step::Ask(request::PRECOMPILE, key(128, 5)), stop(0)]
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 0);
    let mut events = Vec::new();
    card.wait(Wait::default());
    card.poll(&mut events);
    let [Event::Request { kind, key: of, .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((kind, of), (request::PRECOMPILE, key(128, 5)));
    (fake, card, ticket)
}

/// Bytes of the result buffer, and its bus address.
fn buffer(fake: &Fake) -> (u32, u64) {
    let exec = fake.inside().fetched[0];
    (exec.capacity, exec.result)
}

/// Whether the host answered, and what.
fn answered(fake: &Fake, card: &mut Card<Fake>) -> (bool, Word) {
    card.wait(Wait::default());
    let reply = *fake.inside().answers.last().expect("a reply");
    (reply.failed == 0, reply.value)
}

#[test]
fn input_comes_out_of_the_buffer_and_output_goes_behind_it() {
    for (offset, bytes, place) in [(128, 5, 160), (128, 64, 192), (133, 0, 160), (160, 0, 160)] {
        let (fake, mut card, ticket) = asked();
        let (_, result) = buffer(&fake);
        let input: Vec<u8> = (1..=bytes as u8).collect();
        fake.inside().write(result + u64::from(offset), &input);
        let call = card.precompile_call(ticket, &key(offset, bytes));
        let call = call.expect("it is in the buffer");
        assert_eq!((call.address, call.gas, &call.input), (9, 12_345, &input));
        card.reply_precompile(ticket, &call, Some((77, b"an output")));
        let (ok, value) = answered(&fake, &mut card);
        assert!(ok);
        assert_eq!(field(&value, answer::GAS), 77);
        assert_eq!(field(&value, answer::BYTES), 9);
        assert_eq!(field(&value, answer::OFFSET), place);
        assert_eq!(field(&value, answer::OK), 1);
        let output = fake.inside().read(result + u64::from(place), 9);
        assert_eq!(output, b"an output");
        assert!(matches!(drain(&mut card, 5)[..], [Event::Done { .. }]));
    }
}

#[test]
fn a_contract_that_fails_is_an_answer() {
    let (fake, mut card, ticket) = asked();
    let call = card.precompile_call(ticket, &key(128, 5)).expect("a call");
    card.reply_precompile(ticket, &call, None);
    assert_eq!(answered(&fake, &mut card), (true, word(0)));
    assert!(matches!(drain(&mut card, 5)[..], [Event::Done { .. }]));
}

#[test]
fn input_beyond_the_buffer_is_no_call() {
    let (fake, mut card, ticket) = asked();
    let (capacity, _) = buffer(&fake);
    let beyond = [
        (capacity, 1),
        (capacity - 4, 5),
        (0, capacity + 1),
        (u32::MAX, 0),
        (0, u32::MAX),
        (u32::MAX, u32::MAX),
    ];
    for (offset, bytes) in beyond {
        let call = card.precompile_call(ticket, &key(offset, bytes));
        assert_eq!(call, None, "{bytes} bytes at {offset}");
    }
    // All of it is.
    let call = card.precompile_call(ticket, &key(0, capacity));
    assert_eq!(call.expect("a call").input.len(), capacity as usize);
}

#[test]
fn output_without_room_sends_the_message_back() {
    for (room, output, fits) in [(32, 32, true), (32, 33, false), (0, 0, true), (0, 1, false)] {
        let (fake, mut card, ticket) = asked();
        let (capacity, _) = buffer(&fake);
        let call = card.precompile_call(ticket, &key(capacity - room, 0));
        let call = call.expect("a call");
        card.reply_precompile(ticket, &call, Some((1, &vec![7; output])));
        assert_eq!(answered(&fake, &mut card).0, fits, "{output} into {room}");
        let events = drain(&mut card, 5);
        let done = matches!(events[..], [Event::Done { .. }]);
        let trapped = matches!(
            events[..],
            [Event::Trap {
                trap: Trap::Host,
                ..
            }]
        );
        assert_eq!((done, trapped), (fits, !fits), "{events:?}");
    }
}

#[test]
fn a_message_that_has_left_calls_nothing() {
    let (_, mut card, ticket) = asked();
    let call = card.precompile_call(ticket, &key(128, 5)).expect("a call");
    card.cancel(ticket);
    drain(&mut card, 10);
    assert_eq!(card.precompile_call(ticket, &key(128, 5)), None);
    card.reply_precompile(ticket, &call, None);
    assert_eq!(card.in_flight(), 0);
}
