//! The hand-written Verilog: memories and the multiplier against plain Rust.

use gatewei_sim::model::{Model, PortId};
use gatewei_sim::random::Random;

/// Ports of a RAM.
fn ram_ports(model: &Model) -> [PortId; 5] {
    ["raddr", "rdata", "waddr", "wdata", "we"].map(|name| model.port(name).unwrap())
}

#[test]
fn ram_reads_the_word_that_stood_there_and_garbage_in_a_collision() {
    let mut model = Model::new("ram").unwrap();
    let [raddr, rdata, waddr, wdata, we] = ram_ports(&model);
    let mut words = vec![0u64; 1024];
    let mut random = Random::new(7);
    let mut collisions = 0;
    for step in 0..20_000 {
        let bits = random.bits();
        // Few addresses, so that reads meet writes; both ends of the range among them.
        let pick = |n: u64| if n & 8 == 0 { n & 7 } else { 1016 | n & 7 };
        let (read, write) = (pick(bits) as usize, pick(bits >> 8) as usize);
        let (value, writes) = (random.bits(), bits >> 16 & 1 == 1);
        model.set_u64(raddr, read as u64);
        model.set_u64(waddr, write as u64);
        model.set_u64(wdata, value);
        model.set_u64(we, writes.into());
        model.tick();
        let collides = writes && read == write;
        let want = if collides { !words[read] } else { words[read] };
        assert_eq!(model.get_u64(rdata), want, "step {step}, address {read}");
        collisions += usize::from(collides);
        if writes {
            words[write] = value;
        }
    }
    assert!(collisions > 100);
}

#[test]
fn row_ram_writes_the_bytes_that_are_enabled_and_reads_garbage_in_their_place() {
    let mut model = Model::new("row_ram").unwrap();
    let [raddr, rdata, waddr, wdata, we] = ram_ports(&model);
    let mut rows = vec![[0u8; 32]; 1024];
    let mut random = Random::new(8);
    let mut collisions = 0;
    for step in 0..20_000 {
        let bits = random.bits();
        let pick = |n: u64| if n & 8 == 0 { n & 7 } else { 1016 | n & 7 };
        let (read, write) = (pick(bits) as usize, pick(bits >> 8) as usize);
        let (value, enables) = (std::array::from_fn(|_| random.bits() as u8), bits >> 32);
        model.set_u64(raddr, read as u64);
        model.set_u64(waddr, write as u64);
        model.set_word(wdata, &value);
        model.set_u64(we, enables);
        model.tick();
        let enabled = |byte: usize| enables >> byte & 1 == 1;
        let mut want = rows[read];
        for byte in (0..32).filter(|&byte| enabled(byte)) {
            if read == write {
                want[byte] = !want[byte];
                collisions += 1;
            }
            rows[write][byte] = value[byte];
        }
        assert_eq!(model.get_word(rdata), want, "step {step}, row {read}");
    }
    assert!(collisions > 100);
}

/// The contents that the catalog gives both ROMs.
fn rom_word(address: u64) -> u64 {
    if address < 192 { address * address } else { 0 }
}

#[test]
fn rom_answers_one_clock_later() {
    let mut model = Model::new("rom").unwrap();
    let (addr, data) = (
        model.input("addr", 8).unwrap(),
        model.output("data", 40).unwrap(),
    );
    for address in 0..256 {
        model.set_u64(addr, address);
        model.tick();
        assert_eq!(model.get_u64(data), rom_word(address));
        // Another address changes nothing before the clock.
        model.set_u64(addr, address ^ 1);
        model.eval();
        assert_eq!(model.get_u64(data), rom_word(address));
    }
}

#[test]
fn lookup_rom_answers_at_once() {
    let mut model = Model::new("lookup_rom").unwrap();
    let (addr, data) = (
        model.input("addr", 8).unwrap(),
        model.output("data", 40).unwrap(),
    );
    for address in 0..256 {
        model.set_u64(addr, address);
        model.eval();
        assert_eq!(model.get_u64(data), rom_word(address));
    }
}

#[test]
fn products_are_exact() {
    let mut model = Model::new("mul").unwrap();
    let port = |name| model.port(name).unwrap();
    let (a, b, p) = (port("a"), port("b"), port("p"));
    let edges = [
        0,
        1,
        2,
        u64::MAX,
        u64::MAX - 1,
        1 << 63,
        (1 << 32) - 1,
        1 << 32,
        0x5555_5555_5555_5555,
    ];
    let mut random = Random::new(3);
    let mut pairs: Vec<(u64, u64)> = edges.iter().flat_map(|x| edges.map(|y| (*x, y))).collect();
    pairs.extend((0..5_000).map(|_| (random.bits(), random.bits())));
    for (x, y) in pairs {
        model.set_u64(a, x);
        model.set_u64(b, y);
        model.tick();
        let product = u128::from(x) * u128::from(y);
        assert_eq!(
            model.get(p),
            [product as u64, (product >> 64) as u64],
            "{x:#x} * {y:#x}"
        );
    }
}
