//! The lane's dynamic gas against the Yellow Paper's formulas (appendix G) in plain Rust.

use gatewei_abi::message::price::{ACCOUNT_COLD, CALL_VALUE, NEW_ACCOUNT};
use gatewei_sim::model::Model;
use gatewei_sim::random::Random;

#[test]
fn every_operation_costs_what_the_yellow_paper_says() {
    let mut model = Model::new("gas_cost").unwrap();
    let [
        op,
        price,
        schedule,
        length,
        exponent,
        topics,
        expansion,
        granted,
        cost,
    ] = [
        "op",
        "price",
        "schedule",
        "length",
        "exponent",
        "topics",
        "expansion",
        "granted",
        "cost",
    ]
    .map(|name| model.port(name).unwrap());
    let mut random = Random::new(12);
    for step in 0..40_000u64 {
        let bits = random.bits();
        // Lengths of every size, around words and up to the end of 64 bits.
        let bytes = match bits & 3 {
            0 => random.below(100),
            1 => u64::MAX - random.below(100),
            _ => random.bits() >> (bits >> 2 & 63),
        };
        let used = random.below(33) as usize;
        let word: [u8; 32] = std::array::from_fn(|i| match i + 1 {
            n if n < used => random.bits() as u8,
            n if n == used => random.bits() as u8 | 1,
            _ => 0,
        });
        let fields: [u32; 8] = std::array::from_fn(|_| random.bits() as u32 >> (bits >> 8 & 31));
        let mut packed = [0; 32];
        for (chunk, field) in packed.chunks_exact_mut(4).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        let (kind, chosen) = (1 + random.below(9), random.below(9));
        // Codes have their limits.
        let bytes = match kind {
            8 | 9 => bytes & 0xf_ffff,
            _ => bytes,
        };
        let (count, grown, given) = (random.below(5), random.bits(), random.bits());
        model.set_u64(op, kind);
        model.set_u64(price, chosen);
        model.set_word(schedule, &packed);
        model.set_u64(length, bytes);
        model.set_word(exponent, &word);
        model.set_u64(topics, count);
        model.set_u64(expansion, grown);
        model.set_u64(granted, given);
        model.eval();
        let words = u128::from(bytes).div_ceil(32);
        let want = match kind {
            // In the order in which the lane declares its operations.
            1 => grown.into(),
            2 => 3 * words,
            3 => 6 * words,
            4 => 8 * u128::from(bytes) + 375 * u128::from(count),
            5 => u128::from(fields[7]) * used as u128,
            6 => match chosen {
                6 => ACCOUNT_COLD.into(),
                7 => CALL_VALUE.into(),
                8 => NEW_ACCOUNT.into(),
                _ => fields[chosen as usize].into(),
            },
            7 => given.into(),
            8 => 2 * words,
            _ => 200 * u128::from(bytes),
        };
        let got = model.get_u64(cost);
        // It may saturate early, far beyond what any gas limit covers.
        let beyond = got == u64::MAX && want >= 1 << 59;
        assert!(
            beyond || u128::from(got) == want,
            "step {step}: operation {kind}, {bytes} bytes: {got} for {want}"
        );
    }
}
