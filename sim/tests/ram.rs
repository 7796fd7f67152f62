//! Every word of the RAM primitive.

use gatewei_sim::model::Model;

/// Words of the catalog's RAM.
const WORDS: u64 = 1024;

#[test]
fn every_address_holds_a_word_of_its_own() {
    let mut model = Model::new("ram").unwrap();
    let (raddr, rdata) = (
        model.input("raddr", 10).unwrap(),
        model.output("rdata", 64).unwrap(),
    );
    let (waddr, wdata, we) = (
        model.input("waddr", 10).unwrap(),
        model.input("wdata", 64).unwrap(),
        model.input("we", 1).unwrap(),
    );
    let word = |round: u64, at: u64| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round;
    for round in 0..3 {
        for step in 0..WORDS {
            // Upwards, downwards, by a stride that meets every address.
            let at = [step, WORDS - 1 - step, step * 389 % WORDS][round as usize];
            model.set_u64(waddr, at);
            model.set_u64(wdata, word(round, at));
            model.set_u64(we, 1);
            model.tick();
        }
        // Without the write enable nothing changes.
        model.set_u64(we, 0);
        model.set_u64(wdata, 0);
        for at in 0..WORDS {
            model.set_u64(waddr, at);
            model.set_u64(raddr, at);
            model.tick();
            assert_eq!(model.get_u64(rdata), word(round, at), "address {at}");
        }
    }
}
