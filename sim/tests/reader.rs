//! The lane's reader: any number of beats from anywhere becomes bursts that AXI4 allows.

use gatewei_abi::layout::BURST_BEATS;
use gatewei_sim::model::Model;
use gatewei_sim::random::Random;

#[test]
fn bursts_cover_the_range_in_order_and_cross_no_page() {
    let mut model = Model::new("reader").unwrap();
    let [
        reset,
        seek,
        address,
        start,
        beats,
        took,
        valid,
        ready,
        at,
        count,
    ] = [
        "reset", "seek", "address", "start", "beats", "took", "rd_valid", "rd_ready", "rd_addr",
        "rd_beats",
    ]
    .map(|name| model.port(name).unwrap());
    model.set_u64(reset, 1);
    model.tick();
    model.set_u64(reset, 0);
    let mut random = Random::new(9);
    let mut next = 0;
    let lengths = [0, 1, 15, 16, 17, 127, 128, 129, 1_000, 1_536, 2_044];
    for (step, length) in lengths.into_iter().cycle().take(200).enumerate() {
        // Every other read goes on where the last one ended.
        model.set_u64(seek, (step % 2 == 0).into());
        if step % 2 == 0 {
            next = random.bits() >> 8 << 6;
            model.set_u64(address, next);
        }
        model.set_u64(start, 1);
        model.set_u64(beats, length);
        model.tick();
        model.set_u64(seek, 0);
        model.set_u64(start, 0);
        let (mut asked, mut came) = (0, 0);
        for _ in 0..20_000 {
            let (takes, comes) = (random.percent(50), came < asked && random.percent(70));
            model.set_u64(ready, takes.into());
            model.set_u64(took, comes.into());
            model.eval();
            if model.get_u64(valid) == 1 && takes {
                let burst = model.get_u64(count);
                assert_eq!(model.get_u64(at), next, "step {step}");
                assert!((1..=BURST_BEATS as u64).contains(&burst), "step {step}");
                assert_eq!(next >> 12, (next + 32 * burst - 1) >> 12, "step {step}");
                (next, asked) = (next + 32 * burst, asked + burst);
            }
            came += u64::from(comes);
            model.tick();
            if came == length {
                break;
            }
        }
        assert_eq!((asked, came), (length, length), "step {step}");
        model.set_u64(took, 0);
        model.eval();
        assert_eq!(model.get_u64(valid), 0, "step {step}: nothing is left");
    }
}
