//! The DMA between random requesters and simulated host memory of every temper.

mod axi;

use axi::Axi;
use gatewei_abi::BEAT;
use gatewei_abi::layout::PAGE_BYTES;
use gatewei_driver::dma::DmaBuffer;
use gatewei_sim::host_memory::{HostMemory, Timing};
use gatewei_sim::model::{Model, ModelError, PortId};
use gatewei_sim::random::Random;

const LANES: usize = 2;
const PAIRS: usize = 2;
/// Lanes, then queue pairs.
const REQUESTERS: usize = LANES + PAIRS;
/// AXI id of the first queue pair.
const QUEUE_ID: usize = 15;
/// Bytes of the memory that is read, and of each lane's and the queue's memory that is written.
const BYTES: usize = 1 << 14;
/// An address where nothing is mapped.
const NOWHERE: u64 = 0x5000_0000;
/// Cycles after which a request that is not served is lost.
const PATIENCE: u32 = 5000;

type Beat = [u8; BEAT];

/// A read of a requester: what it asked for and what came.
#[derive(Clone, Copy, Debug)]
struct Read {
    address: u64,
    beats: u8,
    taken: bool,
    got: u8,
    waits: u32,
}

#[derive(Default)]
struct Requester {
    read: Option<Read>,
    ready: bool,
    write: Option<(u64, Beat, Beat)>,
    waits: u32,
    /// Writes taken, in order, with what memory must hold once they are done.
    done: Vec<(u64, Beat)>,
    /// A write to nowhere was taken since the last clear.
    failed: bool,
    outstanding: u32,
    served: [u64; 2],
}

struct Ports {
    rd: [PortId; 4],
    rdat: [PortId; 2],
    wr: [PortId; 4],
    idle: Option<[PortId; 3]>,
}

/// What only queue pairs have.
struct QueuePorts {
    high: PortId,
    done: [PortId; 2],
}

struct Bench {
    model: Model,
    axi: Axi,
    memory: HostMemory,
    source: DmaBuffer,
    targets: Vec<DmaBuffer>,
    ports: Vec<Ports>,
    who: Vec<Requester>,
    data: PortId,
    error: PortId,
    queues: Vec<QueuePorts>,
    flush: PortId,
    outstanding: PortId,
    /// Bursts from before a flush may still be on their way.
    stale: bool,
    random: Random,
    /// Percent of cycles in which an idle requester asks, and of requests that go nowhere.
    appetite: u8,
    astray: u8,
}

impl Bench {
    fn new(timing: Timing) -> Result<Self, ModelError> {
        let mut model = Model::new("dma")?;
        let mut memory = HostMemory::new(timing);
        let mut random = Random::new(timing.seed);
        let source = memory.regions.map(BYTES, 4096).expect("memory");
        let content: Vec<u8> = (0..BYTES).map(|_| random.bits() as u8).collect();
        source.copy_in(0, &content).expect("in bounds");
        let targets = (0..REQUESTERS)
            .map(|_| memory.regions.map(BYTES, 4096).expect("memory"))
            .collect();
        let mut ports = Vec::new();
        for i in 0..REQUESTERS {
            let name = |n: &str| match i.checked_sub(LANES) {
                Some(pair) => format!("queue_{n}_{pair}"),
                None => format!("lane_{n}_{i}"),
            };
            ports.push(Ports {
                rd: [
                    model.input(&name("rd_valid"), 1)?,
                    model.output(&name("rd_ready"), 1)?,
                    model.input(&name("rd_addr"), 64)?,
                    model.input(&name("rd_beats"), 8)?,
                ],
                rdat: [
                    model.output(&name("rdat_valid"), 1)?,
                    model.input(&name("rdat_ready"), 1)?,
                ],
                wr: [
                    model.input(&name("wr_valid"), 1)?,
                    model.output(&name("wr_ready"), 1)?,
                    model.input(&name("wr_addr"), 64)?,
                    if i < LANES {
                        model.input(&name("wr_data"), 256)?
                    } else {
                        model.input(&name("wr_low"), 256)?
                    },
                ],
                idle: if i < LANES {
                    Some([
                        model.output(&name("wr_idle"), 1)?,
                        model.output(&name("wr_error"), 1)?,
                        model.input(&name("wr_clear"), 1)?,
                    ])
                } else {
                    None
                },
            });
        }
        let reset = model.input("reset", 1)?;
        model.set_u64(reset, 1);
        model.tick();
        model.set_u64(reset, 0);
        Ok(Self {
            axi: Axi::new(&model)?,
            data: model.output("rdat_data", 256)?,
            error: model.output("rdat_error", 1)?,
            queues: (0..PAIRS)
                .map(|pair| {
                    Ok(QueuePorts {
                        high: model.input(&format!("queue_wr_high_{pair}"), 256)?,
                        done: [
                            model.output(&format!("queue_wr_done_{pair}"), 1)?,
                            model.output(&format!("queue_wr_failed_{pair}"), 1)?,
                        ],
                    })
                })
                .collect::<Result<_, ModelError>>()?,
            flush: model.input("flush", 1)?,
            outstanding: model.output("outstanding", 1)?,
            who: (0..REQUESTERS).map(|_| Requester::default()).collect(),
            model,
            memory,
            source,
            targets,
            ports,
            stale: false,
            random,
            appetite: 50,
            astray: 0,
        })
    }

    fn beat(&mut self) -> Beat {
        std::array::from_fn(|_| self.random.bits() as u8)
    }

    /// New requests, at random. A lane's burst is a page at most and stays in it; the queue's are two beats.
    fn ask(&mut self) {
        for i in 0..REQUESTERS {
            if self.who[i].read.is_none() && self.random.percent(self.appetite) {
                let beats = if i < LANES {
                    1 << self.random.below(8)
                } else {
                    2
                };
                let page = self.random.below((BYTES / PAGE_BYTES) as u64) * PAGE_BYTES as u64;
                let first = match i {
                    LANES.. => 2 * self.random.below(64),
                    _ => self.random.below(129 - u64::from(beats)),
                };
                let base = if self.random.percent(self.astray) {
                    NOWHERE
                } else {
                    self.source.bus()
                };
                let address = base + page + first * BEAT as u64;
                self.who[i].read = Some(Read {
                    address,
                    beats,
                    taken: false,
                    got: 0,
                    waits: 0,
                });
            }
            if self.who[i].write.is_none() && self.random.percent(self.appetite) {
                let units = if i < LANES { 1 } else { 2 };
                let at = self.random.below(64 / units) * units * BEAT as u64;
                let base = if self.random.percent(self.astray) {
                    NOWHERE
                } else {
                    self.targets[i].bus()
                };
                let (low, high) = (self.beat(), self.beat());
                self.who[i].write = Some((base + at, low, high));
            }
            self.who[i].ready = self.random.percent(70);
        }
    }

    fn drive(&mut self, flush: bool) {
        self.axi.drive(&mut self.model, &self.memory);
        self.model.set_u64(self.flush, flush.into());
        for (i, (ports, who)) in self.ports.iter().zip(&self.who).enumerate() {
            let read = who.read.filter(|r| !r.taken);
            self.model.set_u64(ports.rd[0], read.is_some().into());
            self.model
                .set_u64(ports.rd[2], read.map_or(0, |r| r.address));
            self.model
                .set_u64(ports.rd[3], read.map_or(0, |r| r.beats).into());
            self.model.set_u64(ports.rdat[1], who.ready.into());
            let (address, low, high) = who.write.unwrap_or_default();
            self.model.set_u64(ports.wr[0], who.write.is_some().into());
            self.model.set_u64(ports.wr[2], address);
            self.model.set_word(ports.wr[3], &low);
            if i >= LANES {
                self.model.set_word(self.queues[i - LANES].high, &high);
            }
        }
        self.model.eval();
    }

    /// One cycle of traffic. `flush`: the requesters are in reset.
    fn cycle(&mut self, flush: bool) {
        if flush {
            for who in &mut self.who {
                *who = Requester {
                    ready: false,
                    served: who.served,
                    ..Default::default()
                };
            }
        }
        // A clear, where nothing is outstanding, as a lane clears at the start of a message.
        let clear: Vec<bool> = (0..LANES)
            .map(|i| {
                self.who[i].outstanding == 0
                    && self.who[i].write.is_none()
                    && self.random.percent(10)
            })
            .collect();
        for (i, clear) in clear.iter().enumerate() {
            let [_, _, port] = self.ports[i].idle.expect("a lane");
            self.model.set_u64(port, (*clear).into());
        }
        self.drive(flush);
        self.stale = (self.stale || flush) && self.model.get_u64(self.outstanding) == 1;
        for i in 0..REQUESTERS {
            self.check(i, flush);
        }
        // Responses: the memory offers one in this cycle and the DMA always takes it.
        let host = *self.memory.outputs();
        self.axi.clock(&self.model, &mut self.memory);
        self.model.tick();
        for (i, clear) in clear.iter().enumerate() {
            if *clear && !flush {
                self.who[i].failed = false;
            }
        }
        if host.b_valid && !flush {
            let id = usize::from(host.b_id);
            let i = if id < LANES {
                id
            } else {
                LANES + QUEUE_ID - id
            };
            // A response of a write from before a flush belongs to nobody.
            self.who[i].outstanding = self.who[i].outstanding.saturating_sub(1);
        }
    }

    fn check(&mut self, i: usize, flush: bool) {
        let get = |port| self.model.get_u64(port) == 1;
        let (rd_ready, rdat_valid) = (get(self.ports[i].rd[1]), get(self.ports[i].rdat[0]));
        let wr_ready = get(self.ports[i].wr[1]);
        if flush {
            assert!(
                !rd_ready && !rdat_valid && !wr_ready,
                "requester {i} served while flushed"
            );
            return;
        }
        let (failed, idle) = match self.ports[i].idle {
            Some([idle, error, _]) => (get(error), Some(get(idle))),
            None => (get(self.queues[i - LANES].done[1]), None),
        };
        let who = &mut self.who[i];

        // Reads: the beats asked for, in order, to nobody else.
        if let Some(read) = &mut who.read {
            read.waits += 1;
            assert!(
                read.waits < PATIENCE,
                "requester {i}: {read:?} is never served"
            );
        }
        if rdat_valid {
            let read = who
                .read
                .as_mut()
                .filter(|r| r.taken)
                .expect("a beat that was asked for");
            let address = read.address + u64::from(read.got) * BEAT as u64;
            let data = self.model.get_word(self.data);
            let error = self.model.get_u64(self.error) == 1;
            assert_eq!(
                error,
                read.address < self.source.bus(),
                "requester {i}: {read:?}"
            );
            if !error {
                let mut expected = [0; BEAT];
                let offset = (address - self.source.bus()) as usize;
                self.source
                    .copy_out(offset, &mut expected)
                    .expect("in bounds");
                assert_eq!(data, expected, "requester {i}: {read:?}");
            }
            if who.ready {
                read.got += 1;
                if read.got == read.beats {
                    who.read = None;
                    who.served[0] += 1;
                }
            }
        } else if rd_ready {
            let read = who
                .read
                .as_mut()
                .filter(|r| !r.taken)
                .expect("a request to take");
            read.taken = true;
        }

        // What is idle is in memory; a failed write is told of.
        if let Some(idle) = idle {
            assert!(
                !idle || who.outstanding == 0,
                "requester {i}: idle with writes outstanding"
            );
            if !self.stale {
                assert_eq!(idle, who.outstanding == 0, "requester {i}: wr_idle");
            }
            if idle {
                assert_eq!(failed, who.failed, "requester {i}: wr_error");
                for (address, data) in std::mem::take(&mut who.done) {
                    let mut found = [0; BEAT];
                    let offset = (address - self.targets[i].bus()) as usize;
                    self.targets[i]
                        .copy_out(offset, &mut found)
                        .expect("in bounds");
                    assert_eq!(found, data, "requester {i}: write of {address:#x}");
                }
            }
        }
        if who.write.is_some() {
            who.waits += 1;
            assert!(who.waits < PATIENCE, "requester {i}: write is never taken");
        }
        if wr_ready {
            let (address, low, high) = who.write.take().expect("a write to take");
            who.waits = 0;
            who.outstanding += 1;
            who.served[1] += 1;
            if address < self.targets[i].bus() {
                who.failed = true;
            } else {
                // Later writes to the same place win.
                let halves = if i < LANES { 1 } else { 2 };
                for (k, data) in [low, high].into_iter().take(halves).enumerate() {
                    let address = address + (k * BEAT) as u64;
                    who.done.retain(|(a, _)| *a != address);
                    who.done.push((address, data));
                }
            }
        }
    }

    /// Lets everything outstanding come back, without new requests.
    fn drain(&mut self) {
        for _ in 0..PATIENCE {
            self.who.iter_mut().for_each(|w| w.ready = true);
            self.cycle(false);
            let busy = self.model.get_u64(self.outstanding) == 1;
            let open = self
                .who
                .iter()
                .any(|w| w.read.is_some() || w.write.is_some());
            if !busy && !open {
                assert_eq!(self.memory.outstanding(), (0, 0), "the DMA forgot a burst");
                return;
            }
        }
        panic!("the DMA does not come to rest");
    }

    /// The queue's writes, which have no `wr_idle`: in memory now.
    fn check_queue_writes(&mut self) {
        for i in LANES..REQUESTERS {
            let target = &self.targets[i];
            for (address, data) in std::mem::take(&mut self.who[i].done) {
                let mut found = [0; BEAT];
                target
                    .copy_out((address - target.bus()) as usize, &mut found)
                    .expect("in bounds");
                assert_eq!(found, data, "write of {address:#x} of requester {i}");
            }
        }
    }
}

/// Memories from ideal to nasty.
fn timings() -> impl Iterator<Item = Timing> {
    let of = |latency, jitter, backpressure, outstanding, seed| Timing {
        read_latency: latency,
        write_latency: latency,
        jitter,
        backpressure,
        outstanding,
        seed,
    };
    [
        of(0, 0, 0, 32, 1),
        of(0, 0, 50, 1, 2),
        of(1, 3, 30, 2, 3),
        of(20, 40, 0, 32, 4),
        of(20, 40, 70, 4, 5),
        of(100, 0, 10, 32, 6),
    ]
    .into_iter()
}

#[test]
fn traffic_of_all_requesters() -> Result<(), ModelError> {
    for timing in timings() {
        let mut bench = Bench::new(timing)?;
        for round in 0..20 {
            bench.appetite = [5, 30, 100][round % 3];
            for _ in 0..1000 {
                bench.ask();
                bench.cycle(false);
            }
            bench.drain();
            bench.check_queue_writes();
        }
        for who in &bench.who {
            assert!(
                who.served.iter().all(|n| *n > 50),
                "{timing:?}: {:?}",
                who.served
            );
        }
    }
    Ok(())
}

#[test]
fn errors_reach_their_requester() -> Result<(), ModelError> {
    for timing in timings() {
        let mut bench = Bench::new(timing)?;
        bench.astray = 30;
        let (mut sent, mut told) = ([0; PAIRS], [0; PAIRS]);
        for asks in [10_000, PATIENCE] {
            for _ in 0..asks {
                if asks == 10_000 {
                    bench.ask();
                } else {
                    bench.who.iter_mut().for_each(|w| w.ready = true);
                }
                // The pairs' writes are told of one by one, each pair's in their order.
                let before: Vec<_> = (LANES..REQUESTERS)
                    .map(|i| {
                        let who = &bench.who[i];
                        let astray = who.write.is_some_and(|(a, ..)| a < bench.targets[i].bus());
                        (who.served[1], astray)
                    })
                    .collect();
                bench.cycle(false);
                // Sampled after the edge: the offer of the coming cycle.
                bench.axi.drive(&mut bench.model, &bench.memory);
                bench.model.eval();
                for (pair, (served, astray)) in before.into_iter().enumerate() {
                    let taken = bench.who[LANES + pair].served[1] > served;
                    sent[pair] += u32::from(taken && astray);
                    let done = bench.queues[pair].done;
                    let done = done.map(|p| bench.model.get_u64(p) == 1);
                    told[pair] += u32::from(done == [true, true]);
                }
            }
        }
        bench.drain();
        assert!(sent.iter().all(|n| *n > 20), "{timing:?}: {sent:?}");
        assert_eq!(sent, told, "{timing:?}");
    }
    Ok(())
}

/// Requesters that always ask get equal shares of what their kind gets.
#[test]
fn lanes_share_fairly() -> Result<(), ModelError> {
    let mut bench = Bench::new(Timing {
        read_latency: 5,
        write_latency: 5,
        ..Timing::default()
    })?;
    bench.appetite = 100;
    for _ in 0..20_000 {
        bench.ask();
        bench.cycle(false);
    }
    for (first, second) in [(0, 1), (LANES, LANES + 1)] {
        let [a, b] = [bench.who[first].served, bench.who[second].served];
        for k in 0..2 {
            let (a, b) = (a[k] as f64, b[k] as f64);
            assert!(
                (a / b - 1.0).abs() < 0.05,
                "{first} and {second}: {a} and {b}"
            );
        }
    }
    Ok(())
}

/// A reset in the middle of anything neither wedges the bus nor leaks a beat into what comes after.
#[test]
fn reset_in_mid_burst() -> Result<(), ModelError> {
    for timing in timings() {
        let mut bench = Bench::new(timing)?;
        let mut interrupted = 0;
        for _ in 0..150 {
            bench.appetite = 80;
            for _ in 0..bench.random.below(200) {
                bench.ask();
                bench.cycle(false);
            }
            interrupted += u32::from(bench.memory.outstanding() != (0, 0));
            // Short and long resets: after a short one the old bursts are still on their way.
            let cycles = if bench.random.percent(50) {
                1
            } else {
                bench.random.below(400) + 1
            };
            for _ in 0..cycles {
                bench.cycle(true);
            }
        }
        for _ in 0..500 {
            bench.ask();
            bench.cycle(false);
        }
        bench.drain();
        bench.check_queue_writes();
        assert!(interrupted > 20, "{timing:?}: no reset hit a burst");
    }
    Ok(())
}

/// The second beat of a burst whose requester was reset changes nothing in memory.
#[test]
fn a_reset_never_writes_garbage() -> Result<(), ModelError> {
    for wait in 0..40 {
        let mut bench = Bench::new(Timing {
            backpressure: 60,
            seed: wait,
            ..Timing::default()
        })?;
        let who = LANES + wait as usize / 10 % PAIRS;
        let address = bench.targets[who].bus();
        let (low, high) = (bench.beat(), bench.beat());
        bench.who[who].write = Some((address, low, high));
        for _ in 0..wait % 10 {
            bench.cycle(false);
        }
        for _ in 0..300 {
            bench.cycle(true);
        }
        let mut found = [0; BEAT];
        bench.targets[who]
            .copy_out(BEAT, &mut found)
            .expect("in bounds");
        assert!(
            found == [0; BEAT] || found == high,
            "the second beat is torn"
        );
        assert_eq!(bench.model.get_u64(bench.outstanding), 0);
    }
    Ok(())
}
