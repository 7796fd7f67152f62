//! The register file against a model of the table in `gatewei_abi::regs`.

mod lite;

use std::collections::BTreeMap;

use gatewei_abi::layout::{LANE_QUEUE, SLOTS};
use gatewei_abi::regs::{self, Access, Register, card, lane, queue};
use gatewei_abi::{ABI_VERSION, MAGIC};
use gatewei_hdl::catalog::ORIGIN;
use gatewei_sim::model::{Model, ModelError, PortId};
use gatewei_sim::random::Random;
use lite::{Lite, Registers, writable};

/// Lanes of the block in the catalog, and what its identity says.
const LANES: usize = 2;
const PAIRS: usize = 2;
const ENGINES: u32 = 1;
const CLOCK_KHZ: u32 = 100_000;
/// The levels and pulses that a lane's counters count, with their registers.
const COUNTED: [(&str, u32); 7] = [
    ("busy", lane::BUSY),
    ("waiting", lane::STALL_HOST),
    ("stall_keccak", lane::STALL_KECCAK),
    ("stall_dma", lane::STALL_DMA),
    ("stall_arith", lane::STALL_ARITH),
    ("retire", lane::RETIRED),
    ("message", lane::MESSAGES),
];

struct LanePorts {
    counted: [PortId; COUNTED.len()],
    pc: PortId,
    id: PortId,
    queued: PortId,
}

struct PairPorts {
    sq_head: PortId,
    cq_tail: PortId,
    error: PortId,
}

struct Bench {
    model: Model,
    lite: Lite,
    lanes: Vec<LanePorts>,
    reset: PortId,
    dropped: PortId,
    dma: PortId,
    pairs: Vec<PairPorts>,
    ticks: u64,
}

impl Registers for Bench {
    fn lite(&self) -> Lite {
        self.lite
    }
    fn model(&mut self) -> &mut Model {
        &mut self.model
    }
    fn tick(&mut self) {
        self.ticks += 1;
        self.model.tick();
    }
}

impl Bench {
    fn new() -> Result<Self, ModelError> {
        let model = Model::new("regs")?;
        let lanes = (0..LANES).map(|i| {
            let input = |name: &str, width| model.input(&format!("lane_{name}_{i}"), width);
            let mut counted = Vec::new();
            for (name, _) in COUNTED {
                counted.push(input(name, 1)?);
            }
            Ok(LanePorts {
                counted: counted.try_into().expect("one port each"),
                pc: input("retire_pc", 32)?,
                id: input("running_id", 32)?,
                queued: input("queued", 8)?,
            })
        });
        let mut bench = Self {
            lanes: lanes.collect::<Result<_, ModelError>>()?,
            lite: Lite::new(&model)?,
            reset: model.input("reset", 1)?,
            dropped: model.input("dropped", 1)?,
            dma: model.input("dma_outstanding", 1)?,
            pairs: (0..PAIRS)
                .map(|p| {
                    Ok(PairPorts {
                        sq_head: model.input(&format!("sq_head_{p}"), 16)?,
                        cq_tail: model.input(&format!("cq_tail_{p}"), 16)?,
                        error: model.input(&format!("queue_error_{p}"), 2)?,
                    })
                })
                .collect::<Result<_, ModelError>>()?,
            ticks: 0,
            model,
        };
        bench.reset();
        Ok(bench)
    }

    fn reset(&mut self) {
        self.model.set_u64(self.reset, 1);
        self.tick();
        self.model.set_u64(self.reset, 0);
        self.ticks = 0;
    }

    fn output(&mut self, name: &str) -> u64 {
        let port = self.model.port(name).expect(name);
        self.model.eval();
        self.model.get_u64(port)
    }
}

/// Every register there is: its address, its block's name and its entry in the table.
fn all() -> Vec<(u32, &'static str, &'static Register)> {
    let mut out = Vec::new();
    out.extend(
        card::TABLE
            .iter()
            .map(|r| (regs::CARD + r.offset, "card", r)),
    );
    for p in 0..PAIRS as u32 {
        out.extend(
            queue::TABLE
                .iter()
                .map(|r| (regs::queue_base(p) + r.offset, "queue", r)),
        );
    }
    for i in 0..LANES as u32 {
        out.extend(
            lane::TABLE
                .iter()
                .map(|r| (regs::lane_base(i) + r.offset, "lane", r)),
        );
    }
    out
}

/// Every read-only register shows what the block was given; every register is in this match or writable.
#[test]
fn every_register_of_the_table_tells_its_state() -> Result<(), ModelError> {
    let mut bench = Bench::new()?;
    let mut random = Random::new(1);
    let mut expected: BTreeMap<u32, u32> = BTreeMap::new();

    // Lanes at random for a while; then only levels stay, which are read without counting further.
    let mut drops = 0;
    for _ in 0..3000 {
        for (i, ports) in bench.lanes.iter().enumerate() {
            let pc = random.bits() as u32;
            bench.model.set_u64(ports.pc, pc.into());
            for (k, (name, offset)) in COUNTED.into_iter().enumerate() {
                let level = random.percent(20 + 10 * k as u8);
                bench.model.set_u64(ports.counted[k], level.into());
                let base = regs::lane_base(i as u32);
                *expected.entry(base + offset).or_default() += u32::from(level);
                if name == "retire" && level {
                    expected.insert(base + lane::PC, pc);
                }
            }
        }
        let dropped = random.percent(30);
        drops += u32::from(dropped);
        bench.model.set_u64(bench.dropped, dropped.into());
        bench.tick();
    }
    bench.model.set_u64(bench.dropped, 0);
    for (i, ports) in bench.lanes.iter().enumerate() {
        for port in ports.counted {
            bench.model.set_u64(port, 0);
        }
        let (id, queued) = (
            random.bits() as u32,
            random.below(LANE_QUEUE as u64 + 1) as u32,
        );
        bench.model.set_u64(ports.id, id.into());
        bench.model.set_u64(ports.queued, queued.into());
        expected.insert(regs::lane_base(i as u32) + lane::COMMAND, id);
        expected.insert(regs::lane_base(i as u32) + lane::STATUS, queued << 8);
    }
    for (p, ports) in bench.pairs.iter().enumerate() {
        let (head, tail) = (0x8421 + p as u32, 0xfeed - p as u32);
        bench.model.set_u64(ports.sq_head, head.into());
        bench.model.set_u64(ports.cq_tail, tail.into());
        expected.insert(regs::queue_base(p as u32) + queue::SQ_HEAD, head);
        expected.insert(regs::queue_base(p as u32) + queue::CQ_TAIL, tail);
    }
    for (block, offset, value) in [
        (regs::CARD, card::MAGIC, MAGIC),
        (regs::CARD, card::VERSION, ABI_VERSION),
        (
            regs::CARD,
            card::CAPS,
            LANES as u32 | ENGINES << 8 | (LANE_QUEUE as u32) << 16 | (PAIRS as u32) << 24,
        ),
        (regs::CARD, card::CLOCK_KHZ, CLOCK_KHZ),
        (regs::CARD, card::SLOTS, SLOTS as u32),
        (
            regs::CARD,
            card::BOARD,
            u32::from(ORIGIN.board) | regs::BOARD_CHANGED,
        ),
        (regs::CARD, card::COMMIT, ORIGIN.commit),
        (regs::CARD, card::BUILT, ORIGIN.built),
        (regs::CARD, card::DROPPED, drops),
    ] {
        expected.insert(block + offset, value);
    }

    for (address, block, register) in all() {
        match (block, register.name) {
            ("card", "STATUS") => {
                // Bits: enabled, in reset, queue error, DMA outstanding.
                for bits in 0..16 {
                    bench.write(regs::CARD + card::CONTROL, bits & 3);
                    // Of either pair.
                    let error = bench.pairs[bits as usize & 1].error;
                    bench
                        .model
                        .set_u64(error, if bits & 4 != 0 { 2 } else { 0 });
                    bench.model.set_u64(bench.dma, (bits >> 3).into());
                    assert_eq!(bench.read(address), bits, "STATUS");
                    bench.model.set_u64(error, 0);
                }
                bench.write(regs::CARD + card::CONTROL, 0);
            }
            ("card", "CYCLES_LO") => {
                let start = bench.ticks;
                let first = bench.read(address);
                let cycles = bench.ticks - start;
                for _ in 0..random.below(100) {
                    bench.tick();
                }
                let start = bench.ticks - start;
                let second = bench.read(address);
                assert_eq!(
                    u64::from(second - first),
                    start,
                    "CYCLES_LO: a read took {cycles} cycles"
                );
            }
            // No simulation lasts 2^32 cycles.
            ("card", "CYCLES_HI") => assert_eq!(bench.read(address), 0),
            ("queue", "ERROR") => {
                let pair = (address - regs::QUEUES) / regs::QUEUE_STRIDE;
                for bits in 0..4 {
                    let error = bench.pairs[pair as usize].error;
                    bench.model.set_u64(error, bits);
                    assert_eq!(u64::from(bench.read(address)), bits, "ERROR");
                }
            }
            _ if register.access != Access::Ro => {
                let mask = writable(block, register);
                for value in [mask, 0, 0x5555_5555, random.bits() as u32] {
                    // CONTROL's reset would hold the doorbells at zero.
                    bench.write(address, value);
                    assert_eq!(
                        bench.read(address),
                        value & mask,
                        "{block}.{}",
                        register.name
                    );
                }
                if address == regs::CARD + card::CONTROL {
                    bench.write(address, 0);
                }
            }
            _ => {
                let Some(value) = expected.get(&address) else {
                    panic!("the bench does not know {block}.{}", register.name);
                };
                assert_eq!(bench.read(address), *value, "{block}.{}", register.name);
                assert_ne!(*value, 0, "{block}.{}: 0 says nothing", register.name);
            }
        }
    }

    // A lane's status bits.
    for bits in 0..4u64 {
        bench.model.set_u64(bench.lanes[1].counted[0], bits & 1);
        bench.model.set_u64(bench.lanes[1].counted[1], bits >> 1);
        let status = bench.read(regs::lane_base(1) + lane::STATUS);
        assert_eq!(u64::from(status & 3), bits, "lane STATUS");
    }
    Ok(())
}

/// Counters over so many cycles that most of their bits have changed, and random words from lanes and queues.
#[test]
fn counters_count_on() -> Result<(), ModelError> {
    let mut bench = Bench::new()?;
    let mut random = Random::new(5);
    let mut counts = [[0u32; COUNTED.len()]; LANES];
    let (mut pcs, mut drops) = ([0; LANES], 0);
    for round in 0..21 {
        // So many cycles with these levels, and none while registers are read.
        let cycles = 1u32 << round;
        let mut expected: Vec<(u32, u32)> = Vec::new();
        for (i, ports) in bench.lanes.iter().enumerate() {
            let base = regs::lane_base(i as u32);
            let [pc, id] = [(); 2].map(|()| random.bits() as u32);
            let queued = random.bits() as u8;
            bench.model.set_u64(ports.pc, pc.into());
            bench.model.set_u64(ports.id, id.into());
            bench.model.set_u64(ports.queued, queued.into());
            for ((port, (name, offset)), count) in
                ports.counted.iter().zip(COUNTED).zip(&mut counts[i])
            {
                let level = random.percent(60);
                bench.model.set_u64(*port, level.into());
                if level {
                    *count += cycles;
                    if name == "retire" {
                        pcs[i] = pc;
                    }
                }
                expected.push((base + offset, *count));
            }
            expected.extend([
                (base + lane::PC, pcs[i]),
                (base + lane::COMMAND, id),
                (base + lane::STATUS, u32::from(queued) << 8),
            ]);
        }
        for (p, ports) in bench.pairs.iter().enumerate() {
            let base = regs::queue_base(p as u32);
            let [head, tail] = [(); 2].map(|()| u32::from(random.bits() as u16));
            bench.model.set_u64(ports.sq_head, head.into());
            bench.model.set_u64(ports.cq_tail, tail.into());
            expected.extend([(base + queue::SQ_HEAD, head), (base + queue::CQ_TAIL, tail)]);
        }
        let dropped = random.percent(60);
        bench.model.set_u64(bench.dropped, dropped.into());
        drops += if dropped { cycles } else { 0 };
        expected.push((regs::CARD + card::DROPPED, drops));
        for _ in 0..cycles {
            bench.tick();
        }
        bench.model.set_u64(bench.dropped, 0);
        for ports in &bench.lanes {
            for port in ports.counted {
                bench.model.set_u64(port, 0);
            }
        }
        for (address, value) in expected {
            assert_eq!(bench.read(address), value, "{address:#x} in round {round}");
        }
        let before = bench.ticks;
        let heartbeat = bench.read(regs::CARD + card::CYCLES_LO);
        assert!(
            (before..=bench.ticks).contains(&u64::from(heartbeat)),
            "{heartbeat}"
        );
    }
    Ok(())
}

/// What is no register reads as zero and takes no write, unaligned addresses included.
#[test]
fn the_rest_of_the_space_is_empty() -> Result<(), ModelError> {
    let mut bench = Bench::new()?;
    let known: Vec<u32> = all().iter().map(|(address, ..)| *address).collect();
    for address in (0..regs::SPACE).filter(|a| !known.contains(a)) {
        bench.write(address, u32::MAX);
        assert_eq!(bench.read(address), 0, "{address:#x}");
    }
    for (address, block, register) in all() {
        if register.access != Access::Ro {
            assert_eq!(
                bench.read(address),
                0,
                "{block}.{} was written",
                register.name
            );
        }
    }
    Ok(())
}

/// Writes and reads of any kind, timing and byte strobe against a plain model.
#[test]
fn random_accesses() -> Result<(), ModelError> {
    let mut bench = Bench::new()?;
    let mut random = Random::new(2);
    let table: Vec<_> = all()
        .into_iter()
        .filter(|(_, _, r)| r.access != Access::Ro)
        .collect();
    let mut state: BTreeMap<u32, u32> = BTreeMap::new();
    let doorbells =
        [0, 1].map(|p| [queue::SQ_TAIL, queue::CQ_HEAD].map(|r| regs::queue_base(p) + r));
    let doorbells = doorbells.concat();
    for _ in 0..20_000 {
        let (address, block, register) = table[random.below(table.len() as u64) as usize];
        if random.percent(60) {
            let value = random.bits() as u32;
            let strobe = if random.percent(50) {
                0xf
            } else {
                random.below(16) as u8
            };
            let delays = [
                random.below(4) as u32,
                random.below(4) as u32,
                random.below(8) as u32,
            ];
            bench.write_with(address, value, strobe, delays);
            let bytes = (0..4)
                .filter(|i| strobe >> i & 1 == 1)
                .fold(0, |m, i| m | 0xff << (8 * i));
            let mask = bytes & writable(block, register);
            let held = state
                .get(&(regs::CARD + card::CONTROL))
                .is_some_and(|c| c & regs::CONTROL_RESET != 0);
            if !(held && doorbells.contains(&address)) {
                let old = state.entry(address).or_default();
                *old = *old & !mask | value & mask;
            }
            if address == regs::CARD + card::CONTROL && state[&address] & regs::CONTROL_RESET != 0 {
                state.extend(doorbells.iter().map(|d| (*d, 0)));
            }
        } else {
            let value = bench.read_with(address, random.below(5) as u32);
            assert_eq!(
                value,
                state.get(&address).copied().unwrap_or(0),
                "{block}.{}",
                register.name
            );
        }
        for _ in 0..random.below(3) {
            bench.tick();
        }
    }

    // What the queue engine is told is what the registers hold.
    for p in 0..PAIRS as u32 {
        let at = |offset| {
            let address = regs::queue_base(p) + offset;
            u64::from(state.get(&address).copied().unwrap_or(0))
        };
        for (name, value) in [
            (
                "sq_base",
                at(queue::SQ_BASE_HI) << 32 | at(queue::SQ_BASE_LO),
            ),
            (
                "cq_base",
                at(queue::CQ_BASE_HI) << 32 | at(queue::CQ_BASE_LO),
            ),
            ("size", at(queue::SIZE)),
            ("sq_tail", at(queue::SQ_TAIL)),
            ("cq_head", at(queue::CQ_HEAD)),
            ("irq_vector", at(queue::IRQ) & 0xffff),
            ("irq_enable", at(queue::IRQ) >> 31),
            ("irq_time", at(queue::COALESCE) & 0xffff),
            ("irq_count", at(queue::COALESCE) >> 16),
        ] {
            assert_eq!(bench.output(&format!("{name}_{p}")), value, "{name} of {p}");
        }
    }
    Ok(())
}

/// `CONTROL`'s reset zeroes the doorbells and leaves the rest; the power-on reset zeroes everything.
#[test]
fn resets() -> Result<(), ModelError> {
    let mut bench = Bench::new()?;
    let written: Vec<_> = all()
        .into_iter()
        .filter(|(_, block, r)| r.access != Access::Ro && (*block, r.name) != ("card", "CONTROL"))
        .map(|(address, block, r)| (address, r, writable(block, r)))
        .collect();
    for (address, _, mask) in &written {
        bench.write(*address, *mask);
    }
    bench.write(regs::CARD + card::CONTROL, regs::CONTROL_RESET);
    assert_eq!((bench.output("hold"), bench.output("enable")), (1, 0));
    bench.write(regs::CARD + card::CONTROL, regs::CONTROL_ENABLE);
    assert_eq!((bench.output("hold"), bench.output("enable")), (0, 1));
    for (address, register, mask) in &written {
        let left = if register.access == Access::Doorbell {
            0
        } else {
            *mask
        };
        assert_eq!(
            bench.read(*address),
            left,
            "{} after CONTROL's reset",
            register.name
        );
    }
    bench.reset();
    for (address, register, _) in &written {
        assert_eq!(bench.read(*address), 0, "{} after power-on", register.name);
    }
    assert_eq!(bench.read(regs::CARD + card::CONTROL), 0);
    Ok(())
}
