//! The serial link: its blocks against software, and the board's top under the driver, on a line that loses bytes.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatewei_abi::message::{Slot, Unfit};
use gatewei_abi::status::Trap;
use gatewei_abi::{serial, word};
use gatewei_driver::serial::{Decoder, encode};
use gatewei_driver::transport::{Address, Transport, Wait};
use gatewei_driver::{Card, Event, Outcome, SubmitError, selftest};
use gatewei_sim::model::Model;
use gatewei_sim::random::Random;
use gatewei_sim::serial::{Noise, SerialBoard, SerialServer};

use common::{done, frame, submit, try_submit};

/// How long a message may take on a line that is simulated bit by bit; a model that counts is slower by far.
const PATIENCE: Duration = Duration::from_secs(if cfg!(feature = "coverage") { 600 } else { 60 });

#[test]
fn the_frame_check_is_that_of_software() {
    let mut model = Model::new("frame_check").unwrap();
    let sum = model.input("sum", 32).unwrap();
    let octet = model.input("octet", 8).unwrap();
    let after = model.output("after", 32).unwrap();
    let mut random = Random::new(1);
    for _ in 0..10_000 {
        let (register, byte) = (random.bits() as u32, random.bits() as u8);
        model.set_u64(sum, register.into());
        model.set_u64(octet, byte.into());
        model.eval();
        let expected = serial::check(register, byte);
        assert_eq!(
            model.get_u64(after),
            expected.into(),
            "{register:#x} {byte:#x}"
        );
    }
}

/// Random bytes with many flags and escapes among them.
fn bytes(random: &mut Random, most: u64) -> Vec<u8> {
    let count = 2 + random.below(most);
    let byte = |random: &mut Random| match random.below(4) {
        0 => serial::FLAG,
        1 => serial::ESCAPE,
        _ => random.bits() as u8,
    };
    (0..count).map(|_| byte(random)).collect()
}

#[test]
fn what_is_framed_decodes() {
    let mut model = Model::new("enframe").unwrap();
    let [reset, valid, last, line_ready] =
        ["reset", "valid", "last", "line_ready"].map(|name| model.input(name, 1).unwrap());
    let octet = model.input("octet", 8).unwrap();
    let [ready, line_valid] = ["ready", "line_valid"].map(|name| model.output(name, 1).unwrap());
    let line_octet = model.output("line_octet", 8).unwrap();
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
    let (mut random, mut decoder) = (Random::new(2), Decoder::default());
    for _ in 0..300 {
        let sent = bytes(&mut random, 40);
        let (mut at, mut line, mut found) = (0, Vec::new(), None);
        for _ in 0..2_000 {
            model.set_u64(valid, (at < sent.len() && random.percent(80)).into());
            model.set_u64(octet, sent.get(at).copied().unwrap_or(0).into());
            model.set_u64(last, (at + 1 == sent.len()).into());
            model.set_u64(line_ready, random.percent(60).into());
            model.eval();
            if model.get_u64(line_valid) & model.get_u64(line_ready) != 0 {
                let octet = model.get_u64(line_octet) as u8;
                line.push(octet);
                found = found.or(decoder.push(octet));
            }
            at += usize::from(model.get_u64(ready) != 0);
            model.tick();
            if found.is_some() {
                break;
            }
        }
        assert_eq!(found.as_ref(), Some(&sent));
        let mut expected = Vec::new();
        encode(&sent, &mut expected);
        assert_eq!(line, expected);
    }
    assert_eq!(decoder.dropped(), 0);
}

#[test]
fn what_is_encoded_unframes_and_what_is_damaged_does_not() {
    let mut model = Model::new("deframe").unwrap();
    let [reset, line_valid] = ["reset", "line_valid"].map(|name| model.input(name, 1).unwrap());
    let line_octet = model.input("line_octet", 8).unwrap();
    let [valid, over, good] = ["valid", "over", "good"].map(|name| model.output(name, 1).unwrap());
    let octet = model.output("octet", 8).unwrap();
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
    let mut random = Random::new(3);
    let (mut whole, mut lost) = (0, 0);
    for _ in 0..1_000 {
        let sent = bytes(&mut random, 40);
        let mut line = Vec::new();
        encode(&sent, &mut line);
        let damage = random.percent(30).then(|| {
            // Not the flags at the ends: without them this frame and its neighbours are another case.
            let at = 1 + random.below(line.len() as u64 - 2) as usize;
            line[at] ^= 1 << random.below(8);
        });
        let (mut frame, mut frames) = (Vec::new(), Vec::new());
        for byte in line {
            while random.percent(30) {
                model.set_u64(line_valid, 0);
                model.tick();
            }
            model.set_u64(line_valid, 1);
            model.set_u64(line_octet, byte.into());
            model.eval();
            if model.get_u64(valid) != 0 {
                frame.push(model.get_u64(octet) as u8);
            }
            if model.get_u64(over) != 0 {
                let frame = std::mem::take(&mut frame);
                if model.get_u64(good) != 0 {
                    frames.push(frame);
                }
            }
            model.tick();
        }
        match damage {
            None => {
                whole += 1;
                assert_eq!(frames.len(), 1);
                let (body, check) = frames[0].split_at(sent.len());
                assert_eq!((body, check.len()), (&sent[..], serial::CHECK_BYTES));
            }
            Some(()) => {
                lost += 1;
                assert!(frames.is_empty(), "{sent:x?} {frames:x?}");
            }
        }
    }
    assert!(whole > 500 && lost > 200);
}

#[test]
fn a_line_of_another_clock_is_read() {
    let mut model = Model::new("uart_receive").unwrap();
    let [reset, line] = ["reset", "line"].map(|name| model.input(name, 1).unwrap());
    let valid = model.output("valid", 1).unwrap();
    let octet = model.output("octet", 8).unwrap();
    let mut random = Random::new(4);
    // The block has 4 cycles a bit; with so few a line may be off by 2 %.
    for rate in [3.92, 4.0, 4.08] {
        model.set_u64(line, 1);
        model.set_u64(reset, 1);
        model.tick();
        model.set_u64(reset, 0);
        let (mut time, mut now) = (0.0f64, 0u64);
        for _ in 0..2_000 {
            let byte = random.bits() as u8;
            let bits = u16::from(byte) << 1 | 0x200;
            let mut found = None;
            let mut until = |level: bool, end: f64, model: &mut Model| {
                while (now as f64) < end {
                    model.set_u64(line, level.into());
                    model.tick();
                    now += 1;
                    if model.get_u64(valid) != 0 {
                        found = Some(model.get_u64(octet) as u8);
                    }
                }
            };
            for bit in 0..10 {
                time += rate;
                until(bits >> bit & 1 == 1, time, &mut model);
            }
            // The synchroniser is late by some cycles.
            time += 4.0 + random.below(8) as f64 / 3.0;
            until(true, time, &mut model);
            assert_eq!(found, Some(byte), "at {rate} cycles a bit");
        }
    }
}

#[test]
fn what_is_sent_is_on_the_line() {
    let mut model = Model::new("uart_send").unwrap();
    let [reset, valid] = ["reset", "valid"].map(|name| model.input(name, 1).unwrap());
    let octet = model.input("octet", 8).unwrap();
    let [ready, line] = ["ready", "line"].map(|name| model.output(name, 1).unwrap());
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
    let mut random = Random::new(5);
    for _ in 0..500 {
        let byte = random.bits() as u8;
        model.set_u64(octet, byte.into());
        model.set_u64(valid, 1);
        model.eval();
        assert_eq!((model.get_u64(ready), model.get_u64(line)), (1, 1));
        model.tick();
        model.set_u64(valid, 0);
        let mut levels = Vec::new();
        while model.get_u64(ready) == 0 {
            levels.push(model.get_u64(line));
            model.tick();
        }
        // The line's register is one cycle late.
        levels.push(model.get_u64(line));
        let bits = u64::from(byte) << 1 | 0x200;
        let expected: Vec<u64> = (0..40).map(|cycle| bits >> (cycle / 4) & 1).collect();
        assert_eq!(levels[1..], expected[..levels.len() - 1]);
        assert_eq!(levels.len(), 41);
        model.tick();
    }
}

/// A board that is served until it is dropped.
struct Served {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<SerialServer>>,
    address: Address,
}

impl Served {
    fn new(noise: Noise) -> Self {
        let mut server = SerialServer::new(SerialBoard::new(noise).unwrap()).unwrap();
        let address = Address::Uart(server.path().into(), serial::BAUD);
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            server.run(&stops).unwrap();
            server
        });
        Self {
            stop,
            thread: Some(thread),
            address,
        }
    }

    fn transport(&self) -> Box<dyn Transport> {
        self.address.open().unwrap()
    }

    fn open(&self) -> Card<Box<dyn Transport>> {
        Card::open(self.transport(), self.address.options()).unwrap()
    }
}

impl Served {
    /// Ends it; the bytes that were damaged on the line.
    fn end(mut self) -> u64 {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("it ends well").board().damaged()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Adds up 32 storage slots that the message has, and what calldata holds; gives the sum back.
fn program() -> common::Frame {
    let mut code = vec![0x5f, 0x35];
    for slot in 0..32u8 {
        code.extend([0x60, slot, 0x54, 0x01]);
    }
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    common::Frame {
        calldata: vec![0x11; 32],
        slots: (0..32u64)
            .map(|slot| Slot {
                key: word(slot),
                value: word(7 * slot),
            })
            .collect(),
        ..frame(&code)
    }
}

fn check<T: Transport>(card: &mut Card<T>) {
    submit(card, 0, &program());
    let (began, mut events) = (Instant::now(), Vec::new());
    while events.is_empty() {
        assert!(began.elapsed() < PATIENCE, "no event; {card:?}");
        card.poll(&mut events);
        card.wait(Wait::default());
    }
    let result = done(events.remove(0));
    let mut expected = [0x11; 32];
    let sum: u64 = (0..32u64).map(|slot| 7 * slot).sum();
    let low = u64::from_be_bytes([0x11; 8]) + sum;
    expected[24..].copy_from_slice(&low.to_be_bytes());
    assert_eq!(result.output, expected);
}

#[test]
fn the_board_runs_messages_and_comes_back_from_resets() {
    let served = Served::new(Noise::default());
    {
        let mut card = served.open();
        let second = served.address.open().err().unwrap().to_string();
        assert!(second.contains("one owner"), "{second}");
        check(&mut card);
    }
    // Another client finds the card as the first has left it.
    for check in selftest(served.transport(), served.address.options()) {
        assert!(matches!(check.outcome, Outcome::Passed(_)), "{check:?}");
    }
    check(&mut served.open());
}

#[test]
fn a_small_slot_table_refuses_what_it_cannot_hold() {
    let served = Served::new(Noise::default());
    let mut card = served.open();
    let places = card.caps().slots;
    assert_eq!(places, 512, "the boards with a serial line");
    // As many slots as the table has places: the account has no room.
    let slot = |slot: u16| Slot {
        key: word(slot.into()),
        value: word(1),
    };
    let crowded = common::Frame {
        slots: (0..places).map(slot).collect(),
        ..frame(&[0x00])
    };
    let refused = try_submit(&mut card, 0, &crowded);
    assert!(
        matches!(refused, Err(SubmitError::Unfit(Unfit::Slots(_)))),
        "{refused:?}"
    );
    // 600 transient slots: PUSH2 600 JUMPDEST DUP1 DUP1 TSTORE PUSH1 1 SWAP1 SUB DUP1 PUSH1 3 JUMPI.
    let counts = [
        0x61, 0x02, 0x58, 0x5b, 0x80, 0x80, 0x5d, 0x60, 0x01, 0x90, 0x03, 0x80, 0x60, 0x03, 0x57,
    ];
    match common::run(&mut card, &frame(&counts), common::silent) {
        Event::Trap { trap, .. } => assert_eq!(trap, Trap::Slots),
        other => panic!("{other:?}"),
    }
    check(&mut card);
}

#[test]
fn a_line_that_loses_bytes_costs_time_alone() {
    // One byte in 2,500: most frames with a message in them are asked for again.
    let noise = Noise {
        per_million: 400,
        seed: 9,
    };
    let served = Served::new(noise);
    let mut card = served.open();
    for _ in 0..4 {
        check(&mut card);
    }
    drop(card);
    let damaged = served.end();
    assert!(damaged > 0, "no byte was damaged: this has shown nothing");
}
