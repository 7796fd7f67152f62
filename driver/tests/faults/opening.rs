//! Cards that are refused.

use super::fake::{Fake, options};
use gatewei_abi::pci;
use gatewei_driver::inject::{Injected, Injection, Injector};
use gatewei_driver::transport::SysfsBar;
use gatewei_driver::{Card, OpenError, Options};

#[test]
fn a_stranger_is_refused_with_both_values() {
    type Change = fn(&mut super::fake::Inside);
    let changes: [(Change, [&str; 2]); 6] = [
        (|c| c.magic = 0xdead_beef, ["0xdeadbeef", "0x67776569"]),
        (|c| c.version = 999, ["999", "version"]),
        (|c| c.caps = 0, ["0 lanes", "0 queue pairs"]),
        (|c| c.slots = 0, ["1 lanes", "0 slots"]),
        (|c| c.slots = 4_096, ["1 lanes", "4096 slots"]),
        (|c| c.faults.gone = true, ["0xffffffff", "no gatewei card"]),
    ];
    for (change, needles) in changes {
        let fake = Fake::new(1, |_, _| vec![]);
        change(&mut fake.inside());
        let error = Card::open(fake, options())
            .expect_err("refused")
            .to_string();
        assert!(
            needles.iter().all(|needle| error.contains(needle)),
            "{error}"
        );
    }
    let options = Options {
        ring_log2: 13,
        ..options()
    };
    let error = Card::open(Fake::new(1, |_, _| vec![]), options).expect_err("too deep");
    assert!(matches!(error, OpenError::RingSize(13)));
}

#[test]
fn a_card_without_memory_is_refused_with_the_remedy() {
    for (what, remedy) in [
        (Injected::LockedMemory, "ulimit -l"),
        (Injected::MappingLimit, "dma_entry_limit"),
    ] {
        for after in [0, 1, 5, 12] {
            let fake = Fake::new(1, |_, _| vec![]);
            let card = Injector::new(fake, &[Injection::once(what, after)]);
            let error = Card::open(card, options())
                .expect_err("refused")
                .to_string();
            assert!(error.contains(remedy), "{error}");
        }
    }
}

#[test]
fn a_small_bar_is_refused_with_both_sizes() {
    let sys = std::env::temp_dir().join(format!("gatewei-small-bar-{}", std::process::id()));
    let function = sys.join("bus/pci/devices/0000:03:00.0");
    std::fs::create_dir_all(&function).expect("a folder");
    std::fs::write(
        function.join(format!("resource{}", pci::BAR_REGISTERS)),
        [0; 64],
    )
    .expect("a file");
    let address = "0000:03:00.0".parse().expect("an address");
    let error = SysfsBar::open(&sys, address)
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("64 bytes") && error.contains("4096"),
        "{error}"
    );
    std::fs::remove_dir_all(sys).expect("it goes");
}
