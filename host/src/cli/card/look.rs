//! `gatewei card info`, `selftest` and `reset`: one card.

use std::io::{self, Write as _};

use clap::Args;
use gatewei_driver::discovery::Sysfs;
use gatewei_driver::transport::{Address, Transport as _};
use gatewei_driver::{Caps, Check, Outcome, identify};
use serde::Serialize;

use super::list::Row;
use super::{End, Failure};
use crate::cli::executors;

/// Tells what a card is
///
/// Opens the card, so that it must not be in use, and reads its registers. Nothing is reset.
#[derive(Args, Debug)]
pub(super) struct Info {
    /// The card's address
    #[arg(value_name = "CARD")]
    card: Address,
    /// A JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// What a card is, as JSON has it.
#[derive(Debug, Serialize)]
struct Identity {
    card: String,
    abi_version: u32,
    lanes: u16,
    queue_pairs: u16,
    keccak_engines: u8,
    messages_per_lane: u16,
    clock_khz: u32,
    function: Option<Row>,
}

/// Tells.
pub(super) fn info(arguments: &Info) -> Result<End, Failure> {
    let mut transport = executors::transport(&arguments.card)?;
    let Caps {
        lanes,
        pairs,
        keccak_engines,
        credits,
        clock_khz,
    } = identify(&mut transport)?;
    let function = arguments.card.function();
    let function = function.and_then(|address| Sysfs::default().function(address));
    let identity = Identity {
        card: transport.name(),
        abi_version: gatewei_abi::ABI_VERSION,
        lanes,
        queue_pairs: pairs,
        keccak_engines,
        messages_per_lane: credits,
        clock_khz,
        function: function.as_ref().map(Row::new),
    };
    let mut out = io::stdout();
    let text = serde_json::to_string(&identity)?;
    if arguments.json {
        writeln!(out, "{text}")?;
        return Ok(End::Good);
    }
    lines(&mut out, "", &serde_json::from_str(&text)?)?;
    Ok(End::Good)
}

/// A line for each field; those of inner objects behind their name.
fn lines(out: &mut impl io::Write, prefix: &str, value: &serde_json::Value) -> io::Result<()> {
    let serde_json::Value::Object(fields) = value else {
        return Ok(());
    };
    for (name, field) in fields {
        match field {
            serde_json::Value::Object(_) => lines(out, &format!("{prefix}{name}."), field)?,
            serde_json::Value::String(text) => writeln!(out, "{prefix}{name}: {text}")?,
            serde_json::Value::Null => {}
            other => writeln!(out, "{prefix}{name}: {other}")?,
        }
    }
    Ok(())
}

/// Tests a card from its registers up to its lanes
///
/// Resets the card, and runs messages with a known result on every lane. Exit status 1 if a check fails.
#[derive(Args, Debug)]
pub(super) struct Selftest {
    /// The card's address
    #[arg(value_name = "CARD")]
    card: Address,
    /// One JSON object a check instead of lines
    #[arg(long)]
    json: bool,
}

/// A check, as JSON has it.
#[derive(Debug, Serialize)]
struct CheckRow<'a> {
    check: &'static str,
    outcome: &'static str,
    detail: &'a str,
}

/// Tests.
pub(super) fn selftest(arguments: &Selftest) -> Result<End, Failure> {
    let transport = executors::transport(&arguments.card)?;
    let mut end = End::Good;
    let mut out = io::stdout();
    for Check { name, outcome } in gatewei_driver::selftest(transport) {
        let (outcome, detail) = match &outcome {
            Outcome::Passed(seen) => ("passed", seen),
            Outcome::Failed(why) => ("failed", why),
            Outcome::Absent(why) => ("absent", why),
        };
        if outcome == "failed" {
            end = End::Bad;
        }
        if arguments.json {
            let row = CheckRow {
                check: name,
                outcome,
                detail,
            };
            writeln!(out, "{}", serde_json::to_string(&row)?)?;
        } else {
            writeln!(out, "{outcome:6}  {name:10}  {detail}")?;
        }
    }
    Ok(end)
}

/// Resets a card's whole function
///
/// Function level reset: registers and lanes are as after power-up. The card must not be in use.
#[derive(Args, Debug)]
pub(super) struct Reset {
    /// The card's address
    #[arg(value_name = "CARD")]
    card: Address,
}

/// Resets, and looks whether the card is back.
pub(super) fn reset(arguments: &Reset) -> Result<End, Failure> {
    let mut transport = executors::transport(&arguments.card)?;
    transport.reset()?;
    identify(&mut transport)?;
    writeln!(io::stdout(), "{}: reset, and back", transport.name())?;
    Ok(End::Good)
}
