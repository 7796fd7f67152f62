//! Assumptions and figures, for people and for programs.

use std::fmt::Write as _;
use std::num::NonZeroU16;

use gatewei::model::{Figures, Known, LinkKind, Place, Run, Spent};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::{
    measure::ratio,
    table::{Align, Table, percent, rate, thousands, time},
};
use super::assume::Assumed;
use super::measure::{Cpu, Measured};

/// All blocks on a card of so many lanes, one block after the other.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub lanes: u16,
    /// The part has lookup tables for so many.
    pub fits: bool,
    pub cycles: u64,
    pub seconds: f64,
    pub mgas_per_s: f64,
    /// Mean time of a block, in seconds, and the longest.
    pub latency: f64,
    pub longest: f64,
    pub utilisation: f64,
    pub wasted: f64,
    pub host: f64,
    pub down_bytes_per_s: f64,
    pub up_bytes_per_s: f64,
    pub link: f64,
    pub watts: f64,
    pub mgas_per_joule: f64,
    pub messages: u64,
    pub stale: u64,
    pub rejected: u64,
    pub blocked: u64,
}

impl Row {
    pub(super) fn new(
        assumed: &Assumed,
        measured: &Measured,
        lanes: NonZeroU16,
        figures: Vec<Figures>,
    ) -> Self {
        let seconds: f64 = figures.iter().map(|figures| figures.seconds).sum();
        let sum = |of: fn(&Run) -> u64| figures.iter().map(|figures| of(&figures.run)).sum::<u64>();
        // Weighted by time, as for one long block.
        let mean = |of: fn(&Figures) -> f64| {
            let weighted = figures.iter().map(|figures| of(figures) * figures.seconds);
            ratio(weighted.sum(), seconds)
        };
        let watts = mean(|figures| figures.watts);
        let mgas_per_s = ratio(measured.gas as f64 / 1e6, seconds);
        Self {
            lanes: lanes.get(),
            fits: u32::from(lanes.get()) <= assumed.part.lanes(),
            cycles: sum(|run| run.makespan),
            seconds,
            mgas_per_s,
            latency: seconds / figures.len().max(1) as f64,
            longest: figures
                .iter()
                .map(|figures| figures.seconds)
                .fold(0.0, f64::max),
            utilisation: mean(|figures| figures.utilisation),
            wasted: ratio(sum(|run| run.wasted) as f64, sum(|run| run.busy) as f64),
            host: mean(|figures| figures.host),
            down_bytes_per_s: mean(|figures| figures.down_bytes_per_s),
            up_bytes_per_s: mean(|figures| figures.up_bytes_per_s),
            link: mean(|figures| figures.link),
            watts,
            mgas_per_joule: ratio(mgas_per_s, watts),
            messages: sum(|run| run.messages),
            stale: sum(|run| run.stale),
            rejected: sum(|run| run.rejected),
            blocked: sum(|run| run.blocked),
        }
    }
}

/// A line of what is assumed: name, value for people, value for programs, source.
struct Line {
    name: &'static str,
    text: String,
    value: Value,
    source: String,
    kind: &'static str,
}

fn line<T>(name: &'static str, known: &Known<T>, text: String, value: impl Into<Value>) -> Line {
    Line {
        name,
        text,
        value: value.into(),
        source: known.source.to_string(),
        kind: known.source.kind(),
    }
}

fn lines(assumed: &Assumed, cpu: &Cpu) -> Vec<Line> {
    let (part, assumptions) = (&assumed.part, &assumed.assumptions);
    let (mhz, link) = (&assumptions.mhz, &assumptions.link);
    let power = assumptions.power.value;
    let watts = match power.lane_mhz {
        0.0 => format!("{} W", power.idle),
        lane => format!("{} W, and {} mW a lane and MHz", power.idle, lane * 1e3),
    };
    let way = match link.kind {
        LinkKind::Bus => "each way",
        LinkKind::Serial => "on a line, one access after the other",
    };
    let rate = link.bytes_per_s.value / 1e6;
    let mut lines = vec![
        line("clock", mhz, format!("{} MHz", mhz.value), mhz.value),
        line(
            "link",
            &link.bytes_per_s,
            format!("{rate} MB/s {way}"),
            link.bytes_per_s.value,
        ),
        line(
            "request",
            &link.round_trip_us,
            format!(
                "{} µs there and back: memory {} cycles away",
                link.round_trip_us.value,
                assumptions.latency_cycles()
            ),
            link.round_trip_us.value,
        ),
        line(
            "host",
            &assumptions.host_us,
            format!(
                "{} µs a message, answer or result, one thread",
                assumptions.host_us.value
            ),
            assumptions.host_us.value,
        ),
        line(
            "watts",
            &assumptions.power,
            watts,
            json!([power.idle, power.lane_mhz]),
        ),
        line(
            "lookup tables",
            &part.luts,
            thousands(part.luts.value.into()),
            part.luts.value,
        ),
        line(
            "of a lane",
            &part.lane_luts,
            format!(
                "{}: {} lanes fit at most",
                thousands(part.lane_luts.value.into()),
                part.lanes()
            ),
            part.lane_luts.value,
        ),
        line(
            "CPU's watts",
            &cpu.watts,
            format!("{:.1} W", cpu.watts.value),
            cpu.watts.value,
        ),
    ];
    if let Some(lanes) = &assumed.lanes {
        lines.push(line(
            "lanes built",
            lanes,
            lanes.value.to_string(),
            lanes.value,
        ));
    }
    lines
}

/// Sums of the profile.
#[derive(Serialize)]
struct Sums {
    on_card: usize,
    on_cpu: usize,
    cycles: u64,
    execution_cycles: u64,
    loading_cycles: u64,
    page_cycles: u64,
    wait_cycles: u64,
    requests: u64,
    /// The longest chain of messages that need each other, in cycles of their lanes, over all blocks.
    critical_path_cycles: u64,
}

fn sums(measured: &Measured) -> Sums {
    let profiles = &measured.profiles;
    let all = || profiles.iter().flat_map(|profile| &profile.messages);
    let sum = |of: fn(&Spent) -> u64| all().map(|message| of(&message.spent)).sum::<u64>();
    let count = |place| all().filter(|message| message.place == place).count();
    let critical = profiles.iter().map(|profile| {
        let weight = |tx: usize| {
            let message = profile.messages.get(tx);
            message.map_or(0, |message| message.spent.cycles)
        };
        profile.graph.critical_path(weight)
    });
    Sums {
        on_card: count(Place::Card),
        on_cpu: count(Place::Cpu),
        cycles: sum(|spent| spent.cycles),
        execution_cycles: sum(Spent::execution_cycles),
        loading_cycles: sum(|spent| spent.loading_cycles),
        page_cycles: sum(|spent| spent.page_cycles),
        wait_cycles: sum(|spent| spent.wait_cycles),
        requests: sum(|spent| spent.requests),
        critical_path_cycles: critical.sum(),
    }
}

/// For people.
pub(super) fn text(assumed: &Assumed, measured: &Measured, rows: &[Row], cpu: &Cpu) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut out, assumed, measured, rows, cpu);
    out
}

fn write_text(
    out: &mut String,
    assumed: &Assumed,
    measured: &Measured,
    rows: &[Row],
    cpu: &Cpu,
) -> std::fmt::Result {
    writeln!(
        out,
        "{}: {}, {} transactions, {} gas\n",
        assumed.title,
        measured.what,
        measured.txs,
        thousands(measured.gas)
    )?;
    let mut table = Table::new(&[
        ("taken as", Align::Left),
        ("value", Align::Left),
        ("source", Align::Left),
    ]);
    for line in lines(assumed, cpu) {
        table.row([line.name.to_owned(), line.text, line.source]);
    }
    writeln!(out, "{table}")?;
    let sums = sums(measured);
    writeln!(
        out,
        "simulated cycles: {} of {} messages, of them {} executing, {} loading, {} for pages, {} waiting for {} requests;\n\
         {} for the longest chain that needs itself in order; {} transactions on the CPU\n",
        thousands(sums.cycles),
        sums.on_card,
        thousands(sums.execution_cycles),
        thousands(sums.loading_cycles),
        thousands(sums.page_cycles),
        thousands(sums.wait_cycles),
        thousands(sums.requests),
        thousands(sums.critical_path_cycles),
        sums.on_cpu
    )?;
    let mut table = Table::new(&[
        ("", Align::Left),
        ("lanes", Align::Right),
        ("Mgas/s", Align::Right),
        ("a block", Align::Right),
        ("lanes busy", Align::Right),
        ("in vain", Align::Right),
        ("host busy", Align::Right),
        ("MB/s to", Align::Right),
        ("from", Align::Right),
        ("of the link", Align::Right),
        ("W", Align::Right),
        ("Mgas/J", Align::Right),
        ("", Align::Left),
    ]);
    for row in rows {
        table.row([
            "modelled".to_owned(),
            row.lanes.to_string(),
            rate(row.mgas_per_s),
            time(row.latency),
            percent(row.utilisation),
            percent(row.wasted),
            percent(row.host),
            rate(row.down_bytes_per_s / 1e6),
            rate(row.up_bytes_per_s / 1e6),
            percent(row.link),
            rate(row.watts),
            format!("{:.2}", row.mgas_per_joule),
            if row.fits { "" } else { "does not fit" }.to_owned(),
        ]);
    }
    let dash = || "-".to_owned();
    table.row([
        "measured".to_owned(),
        "CPU".to_owned(),
        rate(cpu.mgas_per_s()),
        time(cpu.latency()),
        dash(),
        dash(),
        dash(),
        dash(),
        dash(),
        dash(),
        rate(cpu.watts.value),
        format!("{:.2}", cpu.mgas_per_joule()),
        "sequential revm, one core".to_owned(),
    ]);
    write!(out, "{table}")
}

/// For programs.
pub(super) fn json(assumed: &Assumed, measured: &Measured, rows: &[Row], cpu: &Cpu) -> Value {
    let lines = lines(assumed, cpu).into_iter().map(|line| {
        let Line {
            name,
            value,
            source,
            kind,
            ..
        } = line;
        json!({ "name": name, "value": value, "source": source, "kind": kind })
    });
    json!({
        "card": assumed.title,
        "part": assumed.part.name,
        "blocks": measured.profiles.len(),
        "txs": measured.txs,
        "gas_used": measured.gas,
        "assumptions": lines.collect::<Vec<_>>(),
        "simulated": sums(measured),
        "modelled": rows,
        "measured": {
            "executor": "sequential",
            "seconds": cpu.seconds,
            "latency": cpu.latency(),
            "mgas_per_s": cpu.mgas_per_s(),
            "watts": cpu.watts.value,
            "mgas_per_joule": cpu.mgas_per_joule(),
        },
    })
}
