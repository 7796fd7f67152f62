//! Messages for the simulated card, through the driver.
#![allow(dead_code, reason = "each test file uses its part")]

use gatewei_abi::message::{Account, Message, Slot, code_image, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::{BEAT, Word, word};
use gatewei_driver::result::FrameResult;
use gatewei_driver::transport::{Transport, Wait};
use gatewei_driver::{Card, Code, Event, SubmitError, Ticket};
use gatewei_sim::{Options, SimCard};

/// Rounds of [`Card::wait`] after which a test gives up.
const PATIENCE: usize = 2_000;

/// A frame to run.
#[derive(Clone, Default)]
pub struct Frame {
    pub code: Vec<u8>,
    pub calldata: Vec<u8>,
    pub gas: u64,
    pub slots: Vec<Slot>,
}

/// A frame of `code` with plenty of gas.
pub fn frame(code: &[u8]) -> Frame {
    Frame {
        code: code.to_vec(),
        gas: 1_000_000,
        ..Frame::default()
    }
}

/// A card with default deadlines and rings.
pub fn open(options: Options) -> Card<SimCard> {
    let card = SimCard::new(options).expect("the model fits");
    Card::open(card, gatewei_driver::Options::default()).expect("the card opens")
}

/// Puts a frame in flight.
pub fn submit<T: Transport>(card: &mut Card<T>, lane: u16, frame: &Frame) -> Ticket {
    try_submit(card, lane, frame).expect("the card takes it")
}

/// Puts a frame in flight if the card takes it.
pub fn try_submit<T: Transport>(
    card: &mut Card<T>,
    lane: u16,
    frame: &Frame,
) -> Result<Ticket, SubmitError> {
    let mut env = [[0; BEAT]; header::WORDS];
    for (index, item) in env.iter_mut().enumerate().skip(header::ADDRESS) {
        *item = word(0x1000 + index as u64);
    }
    let accounts = [Account {
        address: env[header::ADDRESS],
        warm: true,
        slots_cold: frame.slots.clone(),
        ..Account::default()
    }];
    let message = Message {
        env,
        fork: Fork::Osaka,
        flags: 0,
        gas: frame.gas,
        code: 0,
        code_tag: 0,
        spill: 0,
        code_bytes: frame.code.len(),
        calldata: &frame.calldata,
        blobs: &[],
        precompiles: 0,
        accounts: &accounts,
    };
    let image = || code_image(&frame.code, |at| is_jumpdest(&frame.code, at));
    // Equal keys must be equal code: a key made of the code's bytes will do here.
    let mut key = word(frame.code.len() as u64 + 1);
    for (i, byte) in frame.code.iter().enumerate() {
        key[8 + i % 24] = key[8 + i % 24].rotate_left(3) ^ byte;
    }
    card.submit(lane, message, Code { key, image: &image }, &[])
}

/// Whether `code[at]` is a JUMPDEST and no PUSH operand.
pub fn is_jumpdest(code: &[u8], at: usize) -> bool {
    let mut pc = 0;
    while pc < at {
        let push = code[pc].wrapping_sub(0x5f);
        pc += 1 + if (1..=32).contains(&push) {
            push as usize
        } else {
            0
        };
    }
    pc == at && code.get(at) == Some(&0x5b)
}

/// The next event; answers no request.
pub fn event<T: Transport>(card: &mut Card<T>) -> Event {
    let mut events = Vec::new();
    for _ in 0..PATIENCE {
        card.poll(&mut events);
        if !events.is_empty() {
            assert_eq!(events.len(), 1, "one message, one event: {events:?}");
            return events.remove(0);
        }
        card.wait(Wait::default());
    }
    panic!("no event; {card:?}");
}

/// All events until nothing is in flight.
pub fn drain<T: Transport>(card: &mut Card<T>) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..PATIENCE {
        card.poll(&mut events);
        if card.in_flight() == 0 {
            return events;
        }
        card.wait(Wait::default());
    }
    panic!("messages stay in flight; {card:?} {events:?}");
}

/// The result of a message that ends.
pub fn done(event: Event) -> FrameResult {
    match event {
        Event::Done { result, .. } => *result,
        other => panic!("not done: {other:?}"),
    }
}

/// Runs a frame on lane 0 and answers each request by `answer`.
pub fn run<T: Transport>(
    card: &mut Card<T>,
    frame: &Frame,
    mut answer: impl FnMut(u8, &Word) -> Option<Word>,
) -> Event {
    let ticket = submit(card, 0, frame);
    loop {
        match event(card) {
            Event::Request {
                ticket: of,
                kind,
                key,
                ..
            } => {
                assert_eq!(of, ticket);
                let value = answer(kind, &key);
                card.reply(ticket, value);
            }
            other => return other,
        }
    }
}

/// No answer to anything: for frames that ask nothing.
pub fn silent(kind: u8, key: &Word) -> Option<Word> {
    panic!("unexpected request {kind} for {key:x?}")
}

/// RETURN of the word on the stack's top: PUSH0 MSTORE PUSH1 32 PUSH0 RETURN.
pub const RETURN_TOP: [u8; 6] = [0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
