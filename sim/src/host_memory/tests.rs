//! The model of host memory against what it promises, with a master made by hand.

use super::*;
use crate::axi::{BURST_INCR, SIZE_FULL};
use gatewei_driver::dma::DmaBuffer;

fn burst(id: u8, address: u64, beats: u8) -> Burst {
    Burst {
        id,
        address,
        len: beats - 1,
        size: SIZE_FULL,
        kind: BURST_INCR,
    }
}

/// What came back, by cycle.
#[derive(Default)]
struct Seen {
    reads: Vec<(u64, u8, [u8; 32], Response, bool)>,
    writes: Vec<(u64, u8, Response)>,
}

/// Offers each read, write and beat until it is taken, for `cycles` cycles.
fn drive(memory: &mut HostMemory, reads: &[Burst], writes: &[(Burst, u8)], cycles: u64) -> Seen {
    let mut seen = Seen::default();
    let (mut ar, mut aw) = (reads.iter().peekable(), writes.iter().peekable());
    let beats: Vec<WriteBeat> = writes
        .iter()
        .flat_map(|(burst, value)| {
            (0..burst.beats()).map(move |i| WriteBeat {
                data: [value + i as u8; 32],
                strobe: u32::MAX,
                last: i + 1 == burst.beats(),
            })
        })
        .collect();
    let mut w = beats.iter().peekable();
    for cycle in 0..cycles {
        let host = *memory.outputs();
        let card = Master {
            ar_valid: ar.peek().is_some(),
            ar: ar.peek().copied().copied().unwrap_or_default(),
            r_ready: true,
            aw_valid: aw.peek().is_some(),
            aw: aw.peek().map(|(burst, _)| *burst).unwrap_or_default(),
            w_valid: w.peek().is_some(),
            w: w.peek().copied().copied().unwrap_or_default(),
            b_ready: true,
        };
        if host.r_valid {
            seen.reads
                .push((cycle, host.r_id, host.r_data, host.r_response, host.r_last));
        }
        if host.b_valid {
            seen.writes.push((cycle, host.b_id, host.b_response));
        }
        if card.ar_valid && host.ar_ready {
            ar.next();
        }
        if card.aw_valid && host.aw_ready {
            aw.next();
        }
        if card.w_valid && host.w_ready {
            w.next();
        }
        memory.clock(&card);
    }
    seen
}

/// Memory of `bytes` bytes in which each beat is filled with its index.
fn numbered(memory: &mut HostMemory, bytes: usize) -> DmaBuffer {
    let buffer = memory.regions.map(bytes, 64).unwrap();
    let content: Vec<u8> = (0..bytes).map(|i| (i / 32) as u8).collect();
    buffer.copy_in(0, &content).unwrap();
    buffer
}

#[test]
fn a_read_takes_its_latency_then_a_beat_a_cycle() {
    for read_latency in [1, 7, 100] {
        let mut memory = HostMemory::new(Timing {
            read_latency,
            ..Timing::default()
        });
        let buffer = numbered(&mut memory, 1024);
        let seen = drive(&mut memory, &[burst(3, buffer.bus() + 64, 4)], &[], 200);
        let want: Vec<_> = (0..4u8)
            .map(|i| {
                let cycle = 1 + u64::from(read_latency) + u64::from(i);
                (cycle, 3, [2 + i; 32], Response::Okay, i == 3)
            })
            .collect();
        assert_eq!(seen.reads, want);
        assert_eq!((memory.violation(), memory.outstanding()), (None, (0, 0)));
    }
}

#[test]
fn a_write_reaches_memory_with_its_response() {
    let mut memory = HostMemory::new(Timing {
        write_latency: 50,
        ..Timing::default()
    });
    let buffer = numbered(&mut memory, 1024);
    let write = (burst(5, buffer.bus() + 32, 2), 0xa0);
    let seen = drive(&mut memory, &[], &[write], 40);
    assert!(seen.writes.is_empty());
    assert_eq!(buffer.load_unit(32), Ok(0x0101_0101_0101_0101), "too early");
    let seen = drive(&mut memory, &[], &[], 40);
    assert_eq!(seen.writes.len(), 1);
    assert_eq!((seen.writes[0].1, seen.writes[0].2), (5, Response::Okay));
    assert_eq!(buffer.load_unit(32), Ok(0xa0a0_a0a0_a0a0_a0a0));
    assert_eq!(buffer.load_unit(64 + 24), Ok(0xa1a1_a1a1_a1a1_a1a1));
    assert_eq!(buffer.load_unit(96), Ok(0x0303_0303_0303_0303));
}

#[test]
fn strobes_select_bytes() {
    let mut regions = Regions::default();
    let buffer = regions.map(64, 64).unwrap();
    assert!(regions.write(buffer.bus() + 32, &[0xff; 32], 0x8000_0101));
    let mut bytes = [0; 64];
    buffer.copy_out(0, &mut bytes).unwrap();
    let set: Vec<_> = (0..64).filter(|&i| bytes[i] != 0).collect();
    assert_eq!(set, [32, 40, 63]);
}

#[test]
fn what_is_not_mapped_answers_with_an_error() {
    let mut memory = HostMemory::new(Timing::default());
    let buffer = numbered(&mut memory, 96);
    let (bus, other) = (buffer.bus(), numbered(&mut memory, 64));
    // The last beat of the buffer, one behind it, and one at an address that was released.
    assert!(memory.regions.unmap(other.bus()) && !memory.regions.unmap(other.bus()));
    let reads = [
        burst(0, bus + 64, 2),
        burst(0, other.bus(), 1),
        burst(0, 0, 1),
        burst(0, u64::MAX - 31, 1),
    ];
    let writes = [(burst(1, bus + 64, 2), 9), (burst(1, bus, 1), 8)];
    let seen = drive(&mut memory, &reads, &writes, 400);
    let responses: Vec<_> = seen.reads.iter().map(|r| r.3).collect();
    let bad = Response::SlaveError;
    assert_eq!(responses, [Response::Okay, bad, bad, bad, bad]);
    let responses: Vec<_> = seen.writes.iter().map(|w| w.2).collect();
    assert_eq!(responses, [bad, Response::Okay]);
    assert_eq!(memory.violation(), None);
}

#[test]
fn ids_overtake_but_an_id_stays_in_order() {
    let (mut overtaken, mut interleaved) = (0, 0);
    for seed in 0..20 {
        let timing = Timing {
            jitter: 80,
            backpressure: 30,
            seed,
            ..Timing::default()
        };
        let mut memory = HostMemory::new(timing);
        let buffer = numbered(&mut memory, 4096);
        // Eight bursts of two beats on each of three ids; beat `n` is filled with `n`.
        let reads: Vec<_> = (0..24u8)
            .map(|n| burst(n % 3, buffer.bus() + u64::from(n) * 64, 2))
            .collect();
        let seen = drive(&mut memory, &reads, &[], 4_000);
        assert_eq!(seen.reads.len(), 48, "seed {seed}");
        let mut next = [0u8, 1, 2];
        let mut half = [false; 3];
        let (mut newest, mut before) = (0, 0);
        for (_, id, data, response, last) in seen.reads {
            let i = usize::from(id);
            assert_eq!((response, last), (Response::Okay, half[i]));
            assert_eq!(
                data[0],
                next[i] * 2 + u8::from(half[i]),
                "id {id} out of order"
            );
            overtaken += usize::from(next[i] < newest);
            interleaved += usize::from(before != id && half[usize::from(before)]);
            (newest, before) = (newest.max(next[i]), id);
            next[i] += if half[i] { 3 } else { 0 };
            half[i] = !half[i];
        }
        assert_eq!(
            (next, memory.violation(), memory.outstanding()),
            ([24, 25, 26], None, (0, 0))
        );
    }
    assert!(
        overtaken > 20 && interleaved > 20,
        "{overtaken} {interleaved}"
    );
}

#[test]
fn writes_of_one_id_take_effect_in_order() {
    for seed in 0..20 {
        let timing = Timing {
            jitter: 50,
            backpressure: 40,
            seed,
            ..Timing::default()
        };
        let mut memory = HostMemory::new(timing);
        let buffer = numbered(&mut memory, 64);
        let writes: Vec<_> = (0..10)
            .map(|n| (burst(2, buffer.bus(), 1), 0x10 + n))
            .collect();
        let seen = drive(&mut memory, &[], &writes, 3_000);
        assert_eq!(seen.writes.len(), 10);
        assert_eq!(
            buffer.load_unit(0),
            Ok(0x1919_1919_1919_1919),
            "seed {seed}"
        );
    }
}

#[test]
fn back_pressure_holds_every_channel_back_at_times() {
    let cycles = |backpressure| {
        let mut memory = HostMemory::new(Timing {
            backpressure,
            ..Timing::default()
        });
        let buffer = numbered(&mut memory, 4096);
        let reads: Vec<_> = (0..8)
            .map(|n| burst(0, buffer.bus() + n * 512, 16))
            .collect();
        let writes: Vec<_> = (0..8)
            .map(|n| (burst(1, buffer.bus() + n * 64, 2), 0))
            .collect();
        let seen = drive(&mut memory, &reads, &writes, 5_000);
        assert_eq!((seen.reads.len(), seen.writes.len()), (128, 8));
        (seen.reads[127].0, seen.writes[7].0)
    };
    let (free, held) = (cycles(0), cycles(70));
    assert!(held.0 > free.0 * 2 && held.1 > free.1, "{free:?} {held:?}");
    assert_eq!(held, cycles(70), "the same seed gives the same run");
}

#[test]
fn no_more_bursts_are_taken_than_allowed() {
    let mut memory = HostMemory::new(Timing {
        outstanding: 2,
        ..Timing::default()
    });
    let buffer = numbered(&mut memory, 4096);
    let reads: Vec<_> = (0..6).map(|n| burst(0, buffer.bus() + n * 32, 1)).collect();
    drive(&mut memory, &reads, &[], 50);
    assert_eq!(memory.outstanding().0, 2);
}

#[test]
fn a_response_stays_until_it_is_taken() {
    let mut memory = HostMemory::new(Timing {
        read_latency: 3,
        ..Timing::default()
    });
    let buffer = numbered(&mut memory, 64);
    drive(&mut memory, &[burst(7, buffer.bus() + 32, 1)], &[], 4);
    let mut offers = 0;
    for _ in 0..50 {
        if memory.outputs().r_valid {
            offers += 1;
            assert_eq!(
                (memory.outputs().r_id, memory.outputs().r_data),
                (7, [1; 32])
            );
        }
        memory.clock(&Master::default());
    }
    assert!(offers > 40);
    memory.clock(&Master {
        r_ready: true,
        ..Master::default()
    });
    assert!(!memory.outputs().r_valid);
}

#[test]
fn broken_rules_are_named() {
    let offer = |masters: &[Master]| {
        let mut memory = HostMemory::new(Timing {
            outstanding: 1,
            ..Timing::default()
        });
        for master in masters {
            memory.clock(master);
        }
        memory.violation().cloned()
    };
    let read = |burst| Master {
        ar_valid: true,
        ar: burst,
        ..Master::default()
    };
    let good = burst(0, 0x1000, 16);
    assert_eq!(offer(&[read(good)]), None);
    for bad in [
        burst(0, 0x1f00, 16),
        Burst { size: 4, ..good },
        Burst { kind: 0, ..good },
    ] {
        assert_eq!(
            offer(&[read(bad)]),
            Some(Violation::Shape {
                channel: "AR",
                burst: bad
            })
        );
    }
    // The second read waits for the first: it may not change nor go.
    let other = read(burst(0, 0x2000, 1));
    assert_eq!(offer(&[read(good), other, other]), None);
    for next in [read(good), Master::default()] {
        let violation = offer(&[read(good), other, next]);
        assert_eq!(violation, Some(Violation::Unstable { channel: "AR" }));
    }
    let write = |last| Master {
        aw_valid: true,
        aw: burst(1, 0x1000, 2),
        w_valid: true,
        w: WriteBeat {
            last,
            ..WriteBeat::default()
        },
        ..Master::default()
    };
    assert_eq!(offer(&[write(false)]), None);
    assert!(matches!(
        offer(&[write(true)]),
        Some(Violation::Last {
            beat: 0,
            found: true,
            ..
        })
    ));
}

#[test]
fn silent_memory_gives_nothing_and_a_reset_forgets() {
    let mut memory = HostMemory::new(Timing::default());
    let buffer = numbered(&mut memory, 64);
    memory.set_silent(true);
    let write = [(burst(1, buffer.bus(), 1), 0x55)];
    let seen = drive(&mut memory, &[burst(0, buffer.bus(), 1)], &write, 1_000);
    assert_eq!(
        (seen.reads.len(), seen.writes.len(), memory.outstanding()),
        (0, 0, (1, 1))
    );
    memory.reset();
    memory.set_silent(false);
    let seen = drive(&mut memory, &[], &[], 1_000);
    assert_eq!(
        (seen.reads.len(), seen.writes.len(), memory.outstanding()),
        (0, 0, (0, 0))
    );
    assert_eq!(buffer.load_unit(0), Ok(0));
}
