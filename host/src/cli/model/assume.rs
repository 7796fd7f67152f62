//! What the user assumes, over what a part or a board says.

use clap::Args;
use gatewei::model::{Assumptions, Board, Known, Part, Power, parts};

use super::super::Failure;

/// What is modelled where nobody says otherwise.
const PART: &str = "ecp5-85-6";
/// Longest round trip, µs: what is further away is no card.
const LONGEST_US: f64 = 1_000.0;
/// The host's work for a message, an answer or a result, µs.
const HOST_US: f64 = 1.0;
/// What a core draws that is busy, with its part of the package.
const CPU_WATTS: f64 = 10.0;

#[derive(Args, Debug)]
pub(super) struct Chosen {
    /// FPGA: ecp5-85-6, ecp5-85-8, xc7a200t, xcu55c or vu47p [default: ecp5-85-6]
    #[arg(long, value_name = "NAME", conflicts_with = "board")]
    part: Option<String>,
    /// Board: a folder of bitstreams/, or the path of a board.toml; where its bitstream was built, with that one's clock
    #[arg(long, value_name = "NAME|FILE")]
    board: Option<String>,
    /// Clock of the lanes [default: the board's, or the part's]
    #[arg(long, value_name = "MHZ", value_parser = positive)]
    mhz: Option<f64>,
    /// From a lane's question to the answer at the card, without the host's work: a write and a read of host memory
    #[arg(long, value_name = "US", value_parser = positive)]
    request_us: Option<f64>,
    /// The host's work for a message, an answer or a result
    #[arg(long, value_name = "US", value_parser = number, default_value_t = HOST_US)]
    host_us: f64,
    /// Million bytes a second of the link, each way
    #[arg(long, value_name = "MB/S", value_parser = positive)]
    link_mb: Option<f64>,
    /// What the card draws, whatever its lanes do [default: something always, and something for each lane and MHz]
    #[arg(long, value_name = "W", value_parser = positive)]
    watts: Option<f64>,
    /// What a busy core draws, with its part of the package [default: as RAPL says, where it may be read, else 10]
    #[arg(long, value_name = "W", value_parser = positive)]
    cpu_watts: Option<f64>,
}

fn number(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..1e9).contains(&number) => Ok(number),
        _ => Err("a number from 0 on".into()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match number(text)? {
        number if number > 0.0 => Ok(number),
        _ => Err("a number above 0".into()),
    }
}

/// A card to be modelled.
pub(super) struct Assumed {
    /// What it is.
    pub title: String,
    /// Its FPGA.
    pub part: Part,
    /// Lanes that its board is built with.
    pub lanes: Option<Known<u16>>,
    pub assumptions: Assumptions,
}

impl Chosen {
    /// What a busy core draws.
    pub(super) fn cpu_watts(&self) -> (Option<f64>, Known<f64>) {
        let assumed = Known::assumed(CPU_WATTS, "a busy core with its part of the package");
        (self.cpu_watts, assumed)
    }

    /// All that is assumed.
    pub(super) fn assume(&self) -> Result<Assumed, Failure> {
        let (title, mut part, lanes) = match &self.board {
            Some(name) => {
                let board = Board::load(name)?;
                (board.title, board.part, Some(board.lanes))
            }
            None => {
                let part = find(self.part.as_deref().unwrap_or(PART))?;
                (part.title.to_owned(), part, None)
            }
        };
        if let Some(mhz) = self.mhz {
            part.mhz = Known::chosen(mhz, "--mhz");
        }
        if let Some(mb) = self.link_mb {
            part.link.bytes_per_s = Known::chosen(mb * 1e6, "--link-mb");
        }
        if let Some(us) = self.request_us {
            if us > LONGEST_US {
                return Err(Failure::new(format!(
                    "--request-us: {us} µs is no card's; at most {LONGEST_US}"
                )));
            }
            part.link.round_trip_us = Known::chosen(us, "--request-us");
        }
        if let Some(watts) = self.watts {
            part.power = Known::chosen(Power::fixed(watts), "--watts");
        }
        Ok(Assumed {
            title,
            assumptions: Assumptions {
                mhz: part.mhz.clone(),
                link: part.link.clone(),
                host_us: if self.host_us == HOST_US {
                    Known::assumed(HOST_US, "beginning or ending a transaction, and its copies")
                } else {
                    Known::chosen(self.host_us, "--host-us")
                },
                power: part.power.clone(),
                cpu_mgas_per_s: 0.0,
            },
            part,
            lanes,
        })
    }
}

fn find(name: &str) -> Result<Part, Failure> {
    let known = parts();
    let names: Vec<_> = known.iter().map(|part| part.name).collect();
    let unknown = || {
        Failure::new(format!(
            "there is no part `{name}`: there are {}",
            names.join(", ")
        ))
    };
    let part = known.iter().find(|part| part.name == name);
    part.cloned().ok_or_else(unknown)
}
