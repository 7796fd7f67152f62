//! Messages and results for the fake card, and its owner's calls.

use gatewei_abi::message::{Message, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::result::{HEADER_BYTES, Header};
use gatewei_abi::status::Status;
use gatewei_abi::{Word, word};
use gatewei_driver::transport::Wait;
use gatewei_driver::{Card, Code, Deadlines, Event, Options, Ticket};
use zerocopy::IntoBytes;

use super::{Fake, Step};

/// Deadlines for tests: 10,000 cycles, 10 per gas, a stall of 20,000; heartbeat 30 ms.
pub fn options() -> Options {
    Options {
        deadlines: Deadlines {
            base_cycles: 10_000,
            cycles_per_gas: 10,
            stall_cycles: 20_000,
            heartbeat: std::time::Duration::from_millis(30),
            interval: std::time::Duration::ZERO,
        },
        patience: u32::MAX,
        ..Options::default()
    }
}

/// A result without effects but `gas_left`.
pub fn plain_result(gas_left: u64) -> Vec<u8> {
    let end = HEADER_BYTES as u32;
    let header = Header {
        gas_left,
        retired: 7,
        cycles: 70,
        logs_end: end,
        slots_offset: end,
        output_offset: end,
        ..Header::default()
    };
    header.as_bytes().to_vec()
}

/// A step that ends the frame with STOP and `gas_left`.
pub fn stop(gas_left: u64) -> Step {
    Step::Done(Status::Stop as u8, plain_result(gas_left))
}

/// A message whose CALLVALUE is `number`.
pub fn message(number: u64, gas: u64) -> Message<'static> {
    let mut env = [Word::default(); header::WORDS];
    env[header::CALLVALUE] = word(number);
    Message {
        env,
        fork: Fork::Osaka,
        flags: 0,
        gas,
        code: 0,
        code_tag: 0,
        spill: 0,
        code_bytes: 1,
        calldata: &[],
        blobs: &[],
        precompiles: 17,
        accounts: &[],
    }
}

/// The number of a [`message`].
pub fn number(message: &[u8]) -> u64 {
    let at = header::CALLVALUE * 32;
    u64::from_le_bytes(message[at..at + 8].try_into().unwrap())
}

/// The code of every message.
pub fn code() -> Code<'static> {
    Code {
        key: word(1),
        image: &|| vec![0; 64],
    }
}

/// An open card.
pub fn open(fake: &Fake, options: Options) -> Card<Fake> {
    Card::open(fake.clone(), options).expect("the card opens")
}

/// Submits message `number`.
pub fn submit(card: &mut Card<Fake>, lane: u16, number: u64) -> Ticket {
    card.submit(lane, message(number, 1_000), code(), &[])
        .expect("the card takes the message")
}

/// Polls and waits until nothing is in flight, for at most `rounds` rounds.
pub fn drain(card: &mut Card<Fake>, rounds: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..rounds {
        card.poll(&mut events);
        if card.in_flight() == 0 {
            return events;
        }
        card.wait(Wait::default());
    }
    panic!("still in flight after {rounds} rounds: {card:?}");
}
