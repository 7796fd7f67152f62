//! `gatewei card info`, `selftest` and `reset`: one card.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use gatewei_abi::board;
use gatewei_driver::discovery::Sysfs;
use gatewei_driver::transport::{Address, Transport as _};
use gatewei_driver::{Caps, Check, Origin, Outcome, identify, origin};
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
    /// The manifest of a bitstream: fails unless it is what the card says of itself
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
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
    /// Entries of a lane's slot table.
    slots: u16,
    /// Name of the board, or its number where it has none.
    board: String,
    /// First 32 bits of the git commit that the bitstream was built from, in hexadecimal; `00000000` where nobody has
    /// said.
    commit: String,
    /// When that commit was made, seconds since 1970.
    built: u32,
    /// The checkout had changes that the commit has not.
    changed: bool,
    function: Option<Row>,
}

impl Identity {
    /// The fields of a manifest that the card has too, and in which the two differ: name, the card's, the manifest's.
    fn differences(&self, manifest: &toml::Table) -> Result<Vec<[String; 3]>, Failure> {
        let (own, manifest) = (serde_json::to_value(self)?, serde_json::to_value(manifest)?);
        let compared = [
            "board",
            "abi_version",
            "lanes",
            "keccak_engines",
            "clock_khz",
            "slots",
            "commit",
            "built",
            "changed",
        ];
        let differ = compared
            .iter()
            .filter(|name| own[**name] != manifest[**name]);
        let told = differ.map(|name| {
            [
                name.to_string(),
                own[name].to_string(),
                manifest[name].to_string(),
            ]
        });
        Ok(told.collect())
    }
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
        slots,
    } = identify(&mut transport)?;
    let Origin {
        board: number,
        changed,
        commit,
        built,
    } = origin(&mut transport)?;
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
        slots,
        board: board::name(number).map_or_else(|| number.to_string(), Into::into),
        commit: format!("{commit:08x}"),
        built,
        changed,
        function: function.as_ref().map(Row::new),
    };
    let mut out = io::stdout();
    let text = serde_json::to_string(&identity)?;
    if arguments.json {
        writeln!(out, "{text}")?;
    } else {
        lines(&mut out, "", &serde_json::from_str(&text)?)?;
    }
    let Some(path) = &arguments.manifest else {
        return Ok(End::Good);
    };
    let wrong = |error: String| Failure::new(format!("{}: {error}", path.display()));
    let manifest = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let manifest = manifest
        .parse()
        .map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    let differences = identity.differences(&manifest)?;
    for [name, card, manifest] in &differences {
        eprintln!("{name}: the card has {card}, the manifest {manifest}");
    }
    match differences.is_empty() {
        true => Ok(End::Good),
        false => Ok(End::Bad),
    }
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
    for Check { name, outcome } in gatewei_driver::selftest(transport, arguments.card.options()) {
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
