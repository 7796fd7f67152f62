//! The lane's byte memory and mover against plain Rust.

use gatewei_sim::model::Model;
use gatewei_sim::random::Random;

/// 32 random bytes.
fn random_word(random: &mut Random) -> [u8; 32] {
    std::array::from_fn(|_| random.bits() as u8)
}

#[test]
fn byte_ram_reads_and_writes_any_32_bytes() {
    let mut model = Model::new("byte_ram").unwrap();
    let port = |name| model.port(name).unwrap();
    let (raddr, rnext, rdata, we, waddr, wnext, wdata, wcount) = (
        port("raddr"),
        port("rnext"),
        port("rdata"),
        port("we"),
        port("waddr"),
        port("wnext"),
        port("wdata"),
        port("wcount"),
    );
    let mut bytes = vec![0u8; 1 << 16];
    let mut random = Random::new(11);
    for step in 0..60_000u64 {
        let bits = random.bits();
        // Windows around the ends of a few frames, so that reads meet writes.
        let pick = |n: u64| ((n & 3) << 12 | ((n >> 2 & 127) + 4096 - 64) & 4095) as usize;
        let (read, write) = (pick(bits), pick(bits >> 16));
        let (read_next, write_next) = (bits >> 50 & 3, bits >> 52 & 3);
        let at = |address: usize, next: u64, i: usize| match (address & 4095) + i {
            inside @ 0..4096 => (address & !4095) + inside,
            behind => ((next as usize) << 12) + behind - 4096,
        };
        let count = (bits >> 32) as usize % 33;
        let (value, writes) = (random_word(&mut random), bits >> 48 & 3 != 0);
        let mut big_endian = value;
        big_endian.reverse();
        model.set_u64(raddr, read as u64);
        model.set_u64(rnext, read_next);
        model.set_u64(waddr, write as u64);
        model.set_u64(wnext, write_next);
        model.set_u64(we, writes.into());
        model.set_u64(wcount, count as u64);
        model.set_word(wdata, &big_endian);
        model.tick();
        let want: [u8; 32] = std::array::from_fn(|i| {
            // A byte that is being written reads as garbage.
            let byte = at(read, read_next, 31 - i);
            let hit = writes && (0..count).any(|k| at(write, write_next, k) == byte);
            if hit { !bytes[byte] } else { bytes[byte] }
        });
        assert_eq!(model.get_word(rdata), want, "step {step}, address {read}");
        if writes {
            for (i, byte) in value.iter().take(count).enumerate() {
                bytes[at(write, write_next, i)] = *byte;
            }
        }
    }
}

/// One move: the first `most` chunks (source, destination, bytes, last) that the mover presents. Where there are more, a
/// reset ends it.
fn chunks(
    model: &mut Model,
    move_: Move,
    random: &mut Random,
    most: usize,
) -> Vec<(u32, u32, u32, bool)> {
    let port = |model: &Model, name| model.port(name).unwrap();
    for (name, value) in [
        ("start", 1),
        ("back", move_.back.into()),
        ("empty", move_.empty.into()),
        ("streams", move_.streams.into()),
        ("from", move_.from.into()),
        ("to", move_.to.into()),
        ("length", move_.length.into()),
    ] {
        let id = port(model, name);
        model.set_u64(id, value);
    }
    model.tick();
    let start = port(model, "start");
    model.set_u64(start, 0);
    let ids = [
        "busy",
        "valid",
        "at",
        "to_addr",
        "bytes",
        "last",
        "read_addr",
    ]
    .map(|n| port(model, n));
    let (src_valid, dst_ready) = (port(model, "src_valid"), port(model, "dst_ready"));
    let mut out = Vec::new();
    let mut presented = None;
    for _ in 0..100_000 {
        let bits = random.bits();
        let (source, ready) = (bits & 3 != 0, bits & 12 != 0);
        model.set_u64(src_valid, source.into());
        model.set_u64(dst_ready, ready.into());
        model.eval();
        let [busy, valid, at, to, bytes, last, read] = ids.map(|id| model.get_u64(id) as u32);
        if busy == 0 {
            return out;
        }
        if out.len() == most {
            let reset = port(model, "reset");
            model.set_u64(reset, 1);
            model.tick();
            model.set_u64(reset, 0);
            model.eval();
            assert_eq!(model.get_u64(ids[0]), 0, "busy behind a reset");
            return out;
        }
        if valid == 1 && ready {
            // A RAM answers a cycle after its address, and a page is found so late: both stood in the cycle before.
            assert!(move_.streams || presented == Some((at, to)));
            out.push((at, to, bytes, last == 1));
        }
        presented = Some((read, to));
        model.tick();
    }
    panic!("the mover never rests");
}

#[derive(Clone, Copy, Debug)]
struct Move {
    from: u32,
    to: u32,
    length: u32,
    back: bool,
    empty: bool,
    streams: bool,
}

#[test]
fn mover_covers_every_byte_once_in_order() {
    let mut model = Model::new("mover").unwrap();
    let mut random = Random::new(5);
    let mut lengths: Vec<u32> = (0..=100).chain([127, 128, 129, 4096, 65_535]).collect();
    // As long as a length can be: these are not seen to their ends.
    lengths.extend((0..200).map(|i| random.bits() as u32 >> (i % 32)));
    let most = 2_100;
    for length in lengths {
        for (back, empty, streams) in [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (false, false, true),
        ] {
            let (from, to) = (random.bits() as u32, random.bits() as u32);
            let move_ = Move {
                from,
                to,
                length,
                back,
                empty,
                streams,
            };
            // What cannot be seen to its end is looked at for some chunks alone.
            let number = length.div_ceil(32) as usize;
            let most = if number > most { 20 } else { most };
            let got = chunks(&mut model, move_, &mut random, most);
            let chunk = |i: usize| {
                let at = 32 * if back { number - 1 - i } else { i } as u32;
                let place = |begin: u32| begin.wrapping_add(at);
                (place(from), place(to), 32.min(length - at), i + 1 == number)
            };
            let mut want: Vec<_> = (0..number.min(most)).map(chunk).collect();
            if want.is_empty() && empty {
                want.push((from, to, 0, true));
            }
            assert_eq!(got, want, "{move_:?}");
        }
    }
}
