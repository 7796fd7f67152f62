//! What a core that `litepcie_gen` makes does at its user side, as `litepcie/frontend/axi.py` of release 2024.12 has
//! it: one read and one write at a time, no byte strobes, no errors, writes that are answered before they have arrived,
//! and no answer where the host gives no data.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;

use gatewei_hdl::link::SETTLE_CYCLES;
use gatewei_sim::axi::{BEAT, BOUNDARY};
use gatewei_sim::host_memory::Regions;
use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

/// Bytes of the core's beats.
const HALF: usize = BEAT / 2;

/// The core's AXI4 slave, with host memory behind it.
pub struct Core {
    ar: [PortId; 3],
    ar_ready: PortId,
    r: [PortId; 3],
    r_ready: PortId,
    aw: [PortId; 3],
    aw_ready: PortId,
    w: [PortId; 3],
    w_ready: PortId,
    b: [PortId; 2],
    b_ready: PortId,
    irqs: PortId,
    pub memory: Regions,
    now: u64,
    random: Random,
    /// Percent of cycles in which a channel holds back.
    pub idle: u8,
    /// Beats of the read in progress, and when they begin to come; none is an address without memory.
    reading: VecDeque<Option<[u8; HALF]>>,
    ready_at: u64,
    /// Address of the write in progress, and beats of it.
    writing: Option<(u64, Vec<[u8; HALF]>)>,
    answering: bool,
    /// Writes that are answered and have not arrived: when they do, address, beat.
    posted: VecDeque<(u64, u64, [u8; BEAT])>,
    /// Vectors raised since they were last taken, a bit each.
    pub vectors: u64,
    /// The core takes and gives nothing: its link is down.
    pub silent: bool,
    offered: [Option<(u64, u64)>; 2],
}

impl Core {
    /// The core at a block's ports with this prefix.
    pub fn new(model: &Model, prefix: &str, seed: u64, idle: u8) -> Self {
        let input = |name: &str, width| model.input(&format!("{prefix}{name}"), width).unwrap();
        let output = |name: &str, width| model.output(&format!("{prefix}{name}"), width).unwrap();
        Self {
            ar: [
                output("arvalid", 1),
                output("araddr", 32),
                output("arlen", 8),
            ],
            ar_ready: input("arready", 1),
            r: [input("rvalid", 1), input("rdata", 128), input("rresp", 2)],
            r_ready: output("rready", 1),
            aw: [
                output("awvalid", 1),
                output("awaddr", 32),
                output("awlen", 8),
            ],
            aw_ready: input("awready", 1),
            w: [
                output("wvalid", 1),
                output("wdata", 128),
                output("wlast", 1),
            ],
            w_ready: input("wready", 1),
            b: [input("bvalid", 1), input("bresp", 2)],
            b_ready: output("bready", 1),
            irqs: model.output("msi_irqs", 16).unwrap(),
            memory: Regions::default(),
            now: 0,
            random: Random::new(seed),
            idle,
            reading: VecDeque::new(),
            ready_at: 0,
            writing: None,
            answering: false,
            posted: VecDeque::new(),
            vectors: 0,
            silent: false,
            offered: [None; 2],
        }
    }

    /// The core has been reset: what it had is lost, but not what has left it.
    pub fn reset(&mut self) {
        self.reading.clear();
        self.writing = None;
        self.answering = false;
        self.offered = [None; 2];
    }

    /// Whether nothing is on its way.
    pub fn is_quiet(&self) -> bool {
        self.reading.is_empty()
            && self.writing.is_none()
            && !self.answering
            && self.posted.is_empty()
    }

    pub fn drive(&mut self, model: &mut Model) {
        let mut goes = |there: bool| there && !self.silent && !self.random.percent(self.idle);
        let beat = self.reading.front().copied().flatten();
        let monitors = self.writing.is_some();
        model.set_u64(self.ar_ready, goes(self.reading.is_empty()).into());
        model.set_u64(
            self.r[0],
            goes(beat.is_some() && self.now >= self.ready_at).into(),
        );
        let beat = u128::from_le_bytes(beat.unwrap_or_default());
        model.set(self.r[1], &[beat as u64, (beat >> 64) as u64]);
        model.set_u64(self.r[2], 0);
        model.set_u64(self.aw_ready, goes(!monitors && !self.answering).into());
        model.set_u64(self.w_ready, goes(monitors).into());
        model.set_u64(self.b[0], goes(self.answering).into());
        model.set_u64(self.b[1], 0);
    }

    /// The clock's edge, with what the settled block drives.
    pub fn sample(&mut self, model: &Model) {
        let both = |a, b| model.get_u64(a) & model.get_u64(b) != 0;
        let stuck = self.silent || self.reading.front().is_some_and(Option::is_none);
        // A write that is not yet answered may be overtaken.
        let unanswered = usize::from(self.answering);
        let channels = [(&self.ar, self.ar_ready), (&self.aw, self.aw_ready)];
        for ((channel, ready), offered) in channels.into_iter().zip(&mut self.offered) {
            let offer = (model.get_u64(channel[0]) != 0)
                .then(|| (model.get_u64(channel[1]), model.get_u64(channel[2])));
            // Only a core that is stuck is left with an offer withdrawn.
            assert!(
                stuck || offered.is_none() || *offered == offer,
                "an unstable address"
            );
            *offered = offer.filter(|_| model.get_u64(ready) == 0);
        }
        if both(self.r[0], self.r_ready) {
            self.reading.pop_front();
        }
        if both(self.ar[0], self.ar_ready) {
            let (address, len) = (model.get_u64(self.ar[1]), model.get_u64(self.ar[2]));
            let bytes = (len + 1) * HALF as u64;
            assert!(address.is_multiple_of(BEAT as u64) && bytes.is_multiple_of(BEAT as u64));
            assert_eq!(
                address / BOUNDARY,
                (address + bytes - 1) / BOUNDARY,
                "across 4 KiB"
            );
            // The host may read at once what has arrived: writes on their way are not among it.
            for i in 0..bytes / BEAT as u64 {
                let beat = self.memory.read(address + i * BEAT as u64);
                let halves = [0, HALF].map(|at| {
                    beat.map(|beat| beat[at..at + HALF].try_into().expect("half a beat"))
                });
                self.reading.extend(halves);
            }
            self.ready_at = self.now + 20 + self.random.below(40);
        }
        if both(self.b[0], self.b_ready) {
            self.answering = false;
        }
        if both(self.w[0], self.w_ready) {
            let value = model.get(self.w[1]);
            let value = u128::from(value[0]) | u128::from(value[1]) << 64;
            let last = model.get_u64(self.w[2]) != 0;
            let (address, beats) = self.writing.as_mut().expect("it was ready for it");
            beats.push(value.to_le_bytes());
            assert_eq!(last, beats.len() == 2, "WLAST");
            if last {
                let beat = beats.concat().try_into().expect("a beat");
                // It arrives late, but before what SETTLE_CYCLES keep behind it.
                let due = self.now + self.random.below(SETTLE_CYCLES - 4);
                let due = due.max(self.posted.back().map_or(0, |(due, ..)| *due));
                self.posted.push_back((due, *address, beat));
                (self.writing, self.answering) = (None, true);
            }
        }
        if both(self.aw[0], self.aw_ready) {
            let (address, len) = (model.get_u64(self.aw[1]), model.get_u64(self.aw[2]));
            assert!(
                address.is_multiple_of(BEAT as u64) && len == 1,
                "{address:#x} {len}"
            );
            self.writing = Some((address, Vec::new()));
        }
        while self
            .posted
            .front()
            .is_some_and(|(due, ..)| *due <= self.now)
        {
            if let Some((_, address, beat)) = self.posted.pop_front() {
                // A write to nowhere is lost without a word.
                let _ = self.memory.write(address, &beat, u32::MAX);
            }
        }
        let irqs = model.get_u64(self.irqs);
        assert!(
            irqs == 0 || self.posted.len() <= unanswered,
            "an interrupt overtakes a write"
        );
        self.vectors |= irqs;
        self.now += 1;
    }
}
