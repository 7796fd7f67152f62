//! `gatewei trace`: one program, opcode by opcode, on revm and on the card.

use std::io::{self, Write};

use alloy_primitives::{Bytes, U256};
use clap::Args;
use gatewei::{
    Fork,
    card::{Place, lockstep::Program, trace::Step},
};

use super::{End, Failure, executors::Card};

/// Runs bytecode opcode by opcode, on revm and on the card side by side
///
/// The code is that of a contract that is called once. Each line shows the machine before an opcode: gas left, words on
/// the stack, words of memory, topmost word. Where the card differs, its line follows; the command then ends with 1.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei trace --code 6001600201\n  \
    gatewei trace --code 5f545f5260205ff3 --storage 0=42 --fork Shanghai --gas 30000\n\n\
    A build without the simulated card shows revm's side alone.")]
pub(super) struct Arguments {
    /// Bytecode, in hexadecimal
    #[arg(long, value_name = "HEX")]
    code: Bytes,
    /// Calldata, in hexadecimal
    #[arg(long, value_name = "HEX", default_value = "")]
    calldata: Bytes,
    /// Rules: London to Osaka
    #[arg(long, value_name = "F", default_value = "Osaka")]
    fork: Fork,
    /// Gas of the frame [default: about 16 million]
    #[arg(long, value_name = "N")]
    gas: Option<u64>,
    /// Value of the call, wei
    #[arg(long, value_name = "WEI", default_value = "0")]
    value: U256,
    /// A storage slot of the contract; may be given many times
    #[arg(long, value_name = "KEY=VALUE", value_parser = slot)]
    storage: Vec<(U256, U256)>,
    /// A slot of the access list: it starts warm; may be given many times
    #[arg(long, value_name = "KEY")]
    warm: Vec<U256>,
    /// Run the code as init code of a creation
    #[arg(long)]
    create: bool,
    /// Which card
    #[arg(long, value_name = "ADDRESS", default_value_t = Card::Sim)]
    card: Card,
}

fn slot(text: &str) -> Result<(U256, U256), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let number = |text: &str| text.parse().map_err(|error| format!("`{text}`: {error}"));
    Ok((number(key)?, number(value)?))
}

/// What the card made of the program.
struct OnCard {
    steps: Vec<Step>,
    place: String,
    differs: Option<String>,
}

/// Runs and shows.
pub(super) fn trace(arguments: &Arguments) -> Result<End, Failure> {
    let program = Program {
        calldata: arguments.calldata.clone(),
        gas: arguments.gas,
        value: arguments.value,
        storage: arguments.storage.clone(),
        warm: arguments.warm.clone(),
        create: arguments.create,
        ..Program::new(arguments.fork.spec(), arguments.code.clone())
    };
    let (record, end) = program.on_revm()?;
    let steps = &record.steps;
    let card = on_card(&program, &arguments.card)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{:>6} {:>5}  opcode", "", "pc")?;
    let card_steps = card.as_ref().map_or(&[][..], |card| &card.steps);
    for index in 0..steps.len().max(card_steps.len()) {
        let (revm, other) = (steps.get(index), card_steps.get(index));
        if let Some(step) = revm {
            writeln!(out, "{index:>6} {step}")?;
        }
        if let (Some(step), true) = (other, revm != other) {
            writeln!(out, "  card {step}")?;
        }
    }
    writeln!(out, "{}\n{}", end.outcome, end.state.trim_end())?;
    let Some(card) = card else {
        writeln!(out, "this build has no simulated card: revm's side alone")?;
        return Ok(End::Good);
    };
    match card.differs {
        None => {
            writeln!(out, "card: {}, the same", card.place)?;
            Ok(End::Good)
        }
        Some(difference) => {
            writeln!(out, "card: {}\n{difference}", card.place)?;
            Ok(End::Bad)
        }
    }
}

fn place(place: Place) -> String {
    match place {
        Place::Card => "ran to the end".into(),
        Place::Cpu(reason) => format!("gave back ({reason})"),
        Place::Nowhere => "had nothing to run".into(),
    }
}

#[cfg(feature = "sim")]
fn on_card(program: &Program, card: &Card) -> Result<Option<OnCard>, Failure> {
    if *card != Card::Sim {
        return Err(Failure::new(format!(
            "{card} does not tell what its lanes retire; the simulated card does: --card sim"
        )));
    }
    let mut runner = gatewei::card::sim::open(Default::default(), Default::default())?;
    let (steps, where_, _, _) = program.on_card(&mut runner)?;
    let differs = program
        .compare(&mut runner)
        .err()
        .map(|divergence| divergence.to_string());
    Ok(Some(OnCard {
        steps,
        place: place(where_),
        differs,
    }))
}

#[cfg(not(feature = "sim"))]
fn on_card(_: &Program, _: &Card) -> Result<Option<OnCard>, Failure> {
    let _ = place;
    Ok(None)
}
