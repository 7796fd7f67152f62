//! `gatewei card bench`: what the link to a card does.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use gatewei::card::CardExecutor;
use gatewei::{Block, Executor as _, block};
use gatewei_driver::transport::{Address, Transport as _};
use gatewei_driver::{Bench, Card, Traffic};
use serde::Serialize;

use super::{End, Failure};
use crate::cli::executors;

/// Measures the link to a card
///
/// Sends messages that do nothing, one at a time and in batches, then executes BLOCKS and tells what their
/// transactions moved. Times of a simulated card are those of the simulation; its cycles are a card's.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    gatewei card bench loopback             the driver's own cost: no link is faster\n  \
    gatewei card bench vfio:0000:03:00.0    a card in a slot\n  \
    gatewei card bench sim mainnet          what real blocks move")]
pub(super) struct Arguments {
    /// The card's address
    #[arg(value_name = "CARD")]
    card: Address,
    /// Block directories, or folders of them
    #[arg(value_name = "BLOCKS")]
    blocks: Vec<PathBuf>,
    /// Messages each way of sending; fewer where that takes seconds
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    messages: usize,
    /// A JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Figures, as JSON has them.
#[derive(Debug, Serialize)]
struct Row {
    card: String,
    /// Messages that went alone, from submission to completion, polled.
    single: u64,
    latency_p50_us: f64,
    latency_p99_us: f64,
    /// Card's cycles of a message that does nothing.
    cycles: u64,
    batched: u64,
    batch: usize,
    commands_per_second: f64,
    doorbells_per_command: f64,
    bytes_to_card: u64,
    bytes_from_card: u64,
    blocks: Option<Moved>,
}

/// What blocks moved: of messages that ended on the card, without codes.
#[derive(Debug, Serialize)]
struct Moved {
    messages: u64,
    doorbells_per_message: f64,
    to_card_median: u64,
    to_card_p99: u64,
    from_card_median: u64,
    from_card_p99: u64,
    code_bytes: u64,
}

impl Moved {
    fn new(traffic: &Traffic) -> Self {
        let Traffic {
            doorbells,
            sent,
            received,
            code_bytes,
        } = traffic;
        Self {
            messages: sent.count(),
            doorbells_per_message: *doorbells as f64 / sent.count().max(1) as f64,
            to_card_median: sent.median(),
            to_card_p99: sent.percentile(99),
            from_card_median: received.median(),
            from_card_p99: received.percentile(99),
            code_bytes: *code_bytes,
        }
    }
}

/// Measures.
pub(super) fn bench(arguments: &Arguments) -> Result<End, Failure> {
    let transport = executors::transport(&arguments.card)?;
    let name = transport.name();
    let mut card = Card::open(transport, arguments.card.options())?;
    let figures = gatewei_driver::bench(&mut card, arguments.messages)?;
    let mut directories = Vec::new();
    for path in &arguments.blocks {
        directories.extend(block::find(path)?);
    }
    let mut executor = CardExecutor::new(card);
    executor.runner().card_mut().take_traffic();
    for directory in &directories {
        executor.execute(&Block::load(directory)?)?;
    }
    let traffic = executor.runner().card_mut().take_traffic();
    let blocks = (!directories.is_empty()).then(|| Moved::new(&traffic));
    tell(&row(name, &figures, blocks), arguments.json)?;
    Ok(End::Good)
}

fn row(card: String, figures: &Bench, blocks: Option<Moved>) -> Row {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    Row {
        card,
        single: figures.latencies.len() as u64,
        latency_p50_us: micros(figures.latency(50)),
        latency_p99_us: micros(figures.latency(99)),
        cycles: figures.cycles,
        batched: figures.batched,
        batch: figures.batch,
        commands_per_second: figures.rate().round(),
        doorbells_per_command: figures.doorbells(),
        bytes_to_card: figures.traffic.sent.median(),
        bytes_from_card: figures.traffic.received.median(),
        blocks,
    }
}

fn tell(row: &Row, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string(row)?)?;
        return Ok(());
    }
    writeln!(out, "{}", row.card)?;
    writeln!(
        out,
        "  alone    {} messages: p50 {:.2} µs, p99 {:.2} µs, {} cycles each",
        row.single, row.latency_p50_us, row.latency_p99_us, row.cycles
    )?;
    writeln!(
        out,
        "  batches  {} messages by {}: {} a second, {:.3} doorbells each, {} bytes to the card, {} from it",
        row.batched,
        row.batch,
        row.commands_per_second,
        row.doorbells_per_command,
        row.bytes_to_card,
        row.bytes_from_card
    )?;
    if let Some(moved) = &row.blocks {
        writeln!(
            out,
            "  blocks   {} messages: {:.2} doorbells each; bytes to the card: median {}, p99 {}; from it: median {}, \
             p99 {}; codes apart: {}",
            moved.messages,
            moved.doorbells_per_message,
            moved.to_card_median,
            moved.to_card_p99,
            moved.from_card_median,
            moved.from_card_p99,
            moved.code_bytes
        )?;
    }
    Ok(())
}
