//! The card's side of a bridge: reads and writes at its `s_axi_*` ports, each channel with a will of its own.

use std::collections::VecDeque;

use gatewei_sim::axi::BEAT;
use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

/// A read, and what has come of it: beats with their responses.
#[derive(Clone, Debug)]
pub struct Read {
    pub id: u8,
    pub address: u64,
    pub beats: usize,
    pub got: Vec<([u8; BEAT], u64)>,
}

/// A write: beats with their strobes.
#[derive(Clone, Debug)]
pub struct Write {
    pub id: u8,
    pub address: u64,
    pub beats: Vec<([u8; BEAT], u32)>,
}

/// The ports, and what is on its way.
pub struct Requester {
    ar: [PortId; 4],
    ar_ready: PortId,
    r: [PortId; 5],
    r_ready: PortId,
    aw: [PortId; 3],
    aw_len: Option<PortId>,
    aw_ready: PortId,
    w: [PortId; 4],
    w_ready: PortId,
    b: [PortId; 3],
    b_ready: PortId,
    asks: VecDeque<Read>,
    reading: Vec<Read>,
    writes: VecDeque<Write>,
    /// Beats whose address has been taken, or may still wait: address and data go apart.
    beats: VecDeque<([u8; BEAT], u32, bool)>,
    /// Reads that have ended.
    pub read: Vec<Read>,
    /// Responses of writes: id, response.
    pub written: Vec<(u8, u64)>,
    random: Random,
    /// Percent of cycles in which a channel holds back.
    pub idle: u8,
    held: [bool; 3],
}

impl Requester {
    pub fn new(model: &Model, seed: u64, idle: u8) -> Self {
        let input = |name: &str, width| model.input(&format!("s_axi_{name}"), width).unwrap();
        let output = |name: &str, width| model.output(&format!("s_axi_{name}"), width).unwrap();
        Self {
            ar: [
                input("arvalid", 1),
                input("arid", 4),
                input("araddr", 64),
                input("arlen", 8),
            ],
            ar_ready: output("arready", 1),
            r: [
                output("rvalid", 1),
                output("rid", 4),
                output("rdata", 256),
                output("rresp", 2),
                output("rlast", 1),
            ],
            r_ready: input("rready", 1),
            aw: [input("awvalid", 1), input("awid", 4), input("awaddr", 64)],
            aw_len: model.input("s_axi_awlen", 8).ok(),
            aw_ready: output("awready", 1),
            w: [
                input("wvalid", 1),
                input("wdata", 256),
                input("wstrb", 32),
                input("wlast", 1),
            ],
            w_ready: output("wready", 1),
            b: [output("bvalid", 1), output("bid", 4), output("bresp", 2)],
            b_ready: input("bready", 1),
            asks: VecDeque::new(),
            reading: Vec::new(),
            writes: VecDeque::new(),
            beats: VecDeque::new(),
            read: Vec::new(),
            written: Vec::new(),
            random: Random::new(seed),
            idle,
            held: [false; 3],
        }
    }

    /// A read that is wanted; its id must have none on its way.
    pub fn ask(&mut self, id: u8, address: u64, beats: usize) {
        let got = Vec::new();
        self.asks.push_back(Read {
            id,
            address,
            beats,
            got,
        });
    }

    /// A write that is wanted.
    pub fn write(&mut self, write: Write) {
        let last = write.beats.len() - 1;
        let beats = write.beats.iter().enumerate();
        self.beats
            .extend(beats.map(|(i, (data, strobe))| (*data, *strobe, i == last)));
        self.writes.push_back(write);
    }

    /// Reads and writes that have not ended.
    pub fn busy(&self) -> bool {
        !(self.asks.is_empty()
            && self.reading.is_empty()
            && self.writes.is_empty()
            && self.beats.is_empty())
    }

    /// Drives the block's inputs; an offer that was not taken stays.
    pub fn drive(&mut self, model: &mut Model) {
        let mut offers = |channel: usize, there: bool| {
            let offered = there && (self.held[channel] || !self.random.percent(self.idle));
            self.held[channel] = offered;
            offered
        };
        let reads = offers(0, !self.asks.is_empty());
        let addresses = offers(1, !self.writes.is_empty());
        let data = offers(2, !self.beats.is_empty());
        model.set_u64(self.ar[0], reads.into());
        if let Some(read) = self.asks.front() {
            model.set_u64(self.ar[1], read.id.into());
            model.set_u64(self.ar[2], read.address);
            model.set_u64(self.ar[3], read.beats as u64 - 1);
        }
        model.set_u64(self.aw[0], addresses.into());
        if let Some(write) = self.writes.front() {
            model.set_u64(self.aw[1], write.id.into());
            model.set_u64(self.aw[2], write.address);
            if let Some(len) = self.aw_len {
                model.set_u64(len, write.beats.len() as u64 - 1);
            }
        }
        model.set_u64(self.w[0], data.into());
        if let Some((beat, strobe, last)) = self.beats.front() {
            model.set_word(self.w[1], beat);
            model.set_u64(self.w[2], (*strobe).into());
            model.set_u64(self.w[3], (*last).into());
        }
        model.set_u64(self.r_ready, (!self.random.percent(self.idle)).into());
        model.set_u64(self.b_ready, (!self.random.percent(self.idle)).into());
    }

    /// Takes what the settled block gives, at the clock's edge.
    pub fn sample(&mut self, model: &Model) {
        let both = |a, b| model.get_u64(a) & model.get_u64(b) != 0;
        if both(self.ar[0], self.ar_ready) {
            self.held[0] = false;
            self.reading.extend(self.asks.pop_front());
        }
        if both(self.aw[0], self.aw_ready) {
            self.held[1] = false;
            self.writes.pop_front();
        }
        if both(self.w[0], self.w_ready) {
            self.held[2] = false;
            self.beats.pop_front();
        }
        if both(self.r[0], self.r_ready) {
            let id = model.get_u64(self.r[1]) as u8;
            let at = self.reading.iter().position(|read| read.id == id);
            let at = at.unwrap_or_else(|| panic!("a beat for {id}, which awaits none"));
            let read = &mut self.reading[at];
            read.got
                .push((model.get_word(self.r[2]), model.get_u64(self.r[3])));
            let last = model.get_u64(self.r[4]) != 0;
            assert_eq!(last, read.got.len() == read.beats, "RLAST of {read:?}");
            if last {
                let read = self.reading.swap_remove(at);
                self.read.push(read);
            }
        }
        if both(self.b[0], self.b_ready) {
            self.written
                .push((model.get_u64(self.b[1]) as u8, model.get_u64(self.b[2])));
        }
    }
}
