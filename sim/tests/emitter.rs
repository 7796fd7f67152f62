//! The emitter's probe blocks: the Verilog means what the Rust source means.

use std::collections::VecDeque;

use gatewei_sim::{model::Model, random::Random};

/// Every expression of the probe for one pair of inputs, by output: plain Rust arithmetic.
fn widths(a: u8, b: u8) -> [(&'static str, u64); 20] {
    let sum = a.wrapping_add(b);
    let bit = b & 7;
    let replaced = (a & !(1 << bit)) | (b >> 7) << bit;
    [
        ("wide_not", u64::from(!a)),
        ("wide_sum", u64::from(sum)),
        ("wraps", u64::from(a == 255)),
        ("precedence", u64::from(a & b == b)),
        ("half_sum", u64::from(sum >> 1)),
        ("wrapped_less", u64::from(a.wrapping_sub(3) < b)),
        ("narrow_sum", u64::from(sum & 15)),
        ("middle_of_sum", u64::from(sum >> 2 & 15)),
        // The amount is a sum of two bits: it wraps at 4.
        ("shift_by_sum", u64::from(a << (((b & 3) + 3) & 3))),
        ("computed_bit", u64::from(a >> bit & 1)),
        ("computed_slice", u64::from(a >> bit & 15)),
        ("all_of_sum", u64::from(sum == 255)),
        ("signed_less", u64::from((a as i8) < b as i8)),
        ("replaced", u64::from(replaced)),
        ("plus_flag", u64::from(a.wrapping_add(b & 1))),
        ("product", u64::from(a) * u64::from(b)),
        ("counted", u64::from(a.count_ones())),
        ("past_top", u64::from(a >> 5)),
        ("a", u64::from(a)),
        ("b", u64::from(b)),
    ]
}

#[test]
fn widths_follow_rust_for_all_inputs() {
    let mut model = Model::new("widths").unwrap();
    let outputs = widths(0, 0).map(|(name, _)| model.port(name).unwrap());
    let (a_in, b_in) = (model.input("a", 8).unwrap(), model.input("b", 8).unwrap());
    for a in 0..=255u8 {
        for b in 0..=255u8 {
            model.set_u64(a_in, a.into());
            model.set_u64(b_in, b.into());
            model.eval();
            for (port, (name, expected)) in outputs.iter().zip(widths(a, b)) {
                assert_eq!(
                    model.get_u64(*port),
                    expected,
                    "{name} of a={a:#04x} b={b:#04x}"
                );
            }
        }
    }
}

#[test]
fn every_output_of_the_width_probe_is_compared() {
    let model = Model::new("widths").unwrap();
    let known = widths(0, 0).map(|(name, _)| name);
    for (name, _, _) in model.ports() {
        assert!(known.contains(&name), "{name} is not compared");
    }
}

#[test]
fn handshakes_lose_and_reorder_nothing() {
    let mut model = Model::new("handshake").unwrap();
    let input = |name, width| model.input(name, width).unwrap();
    let (reset, in_valid, in_data, out_ready) = (
        input("reset", 1),
        input("in_valid", 1),
        input("in_data", 16),
        input("out_ready", 1),
    );
    let output = |name, width| model.output(name, width).unwrap();
    let (in_ready, out_valid, out_data, taken) = (
        output("in_ready", 1),
        output("out_valid", 1),
        output("out_data", 16),
        output("taken_count", 8),
    );
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
    let mut random = Random::new(1);
    let mut inside = VecDeque::new();
    let mut count = 0u64;
    for cycle in 0..20_000 {
        let bits = random.bits();
        let item = bits >> 16 & 0xffff;
        // The last quarter only drains.
        let offered = bits & 1 == 1 && cycle < 15_000;
        model.set_u64(in_valid, offered.into());
        model.set_u64(in_data, item);
        model.set_u64(out_ready, bits >> 1 & 1);
        model.eval();
        if model.get_u64(out_valid) & (bits >> 1 & 1) == 1 {
            // The probe drops bit 4, `last`.
            let expected = inside.pop_front().map(|i: u64| i & !0x10);
            assert_eq!(Some(model.get_u64(out_data)), expected, "cycle {cycle}");
            count += 1;
        }
        if offered && model.get_u64(in_ready) == 1 {
            inside.push_back(item);
        }
        assert!(
            inside.len() <= 2,
            "cycle {cycle}: more inside than there are places"
        );
        model.tick();
        assert_eq!(model.get_u64(taken), count & 255, "cycle {cycle}");
    }
    assert!(
        count > 3_000 && inside.is_empty(),
        "{count} came out, {} stayed",
        inside.len()
    );
}
