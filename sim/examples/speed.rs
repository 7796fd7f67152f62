//! Simulated cycles per second of the card, busy and idle: `cargo run --release -p gatewei-sim --example speed`.

use std::time::{Duration, Instant};

use gatewei_abi::message::{Account, Message, code_image, header};
use gatewei_abi::opcode::Fork;
use gatewei_abi::{BEAT, word};
use gatewei_driver::{Card, Code};
use gatewei_sim::{Options, SimCard};

/// Wall time of a measurement.
const TIME: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (name, lanes, trace, busy) in [
        ("one lane, idle", 1, false, false),
        ("one lane, busy", 1, false, true),
        ("one lane, busy, traced", 1, true, true),
        ("two lanes, busy", 2, false, true),
    ] {
        let sim = SimCard::new(Options {
            lanes,
            trace,
            ..Options::default()
        })?;
        let mut card = Card::open(sim, gatewei_driver::Options::default())?;
        for lane in 0..u16::from(if busy { lanes } else { 0 }) {
            endless(&mut card, lane)?;
        }
        card.flush();
        let (began, first) = (Instant::now(), card.transport().cycles());
        while began.elapsed() < TIME {
            card.transport_mut().run(2_000)?;
            if trace {
                card.transport_mut().set_trace(true);
            }
        }
        let cycles = card.transport().cycles() - first;
        let rate = cycles as f64 / began.elapsed().as_secs_f64();
        let retired = card.lane_counters(0).map_or(0, |c| c.retired);
        println!(
            "{name:<24} {:>8.0} k cycles/s {retired:>10} opcodes",
            rate / 1e3
        );
    }
    Ok(())
}

/// A loop over arithmetic and memory with more gas than the measurement uses.
fn endless(card: &mut Card<SimCard>, lane: u16) -> Result<(), Box<dyn std::error::Error>> {
    // JUMPDEST, memory[0] = memory[0] * 3 + 1, JUMP
    let code = [
        0x5b, 0x60, 1, 0x60, 3, 0x5f, 0x51, 0x02, 0x01, 0x5f, 0x52, 0x5f, 0x56,
    ];
    let mut env = [[0; BEAT]; header::WORDS];
    env[header::ADDRESS] = word(1);
    let accounts = [Account {
        address: env[header::ADDRESS],
        warm: true,
        ..Account::default()
    }];
    let message = Message {
        env,
        fork: Fork::Osaka,
        flags: 0,
        gas: 1 << 40,
        code: 0,
        code_tag: 0,
        spill: 0,
        code_bytes: code.len(),
        calldata: &[],
        blobs: &[],
        precompiles: 0,
        accounts: &accounts,
    };
    let image = || code_image(&code, |at| at == 0);
    card.submit(
        lane,
        message,
        Code {
            key: word(1),
            image: &image,
        },
        &[],
    )?;
    Ok(())
}
