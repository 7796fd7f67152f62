//! What one thread sees of multi-version memory while another one writes.

use std::sync::Arc;

use alloy_primitives::U256;

use crate::{
    engine::{
        mv_memory::{MvMemory, SlotView},
        sync::Mutex,
        write_set::{Final, Locations, Writes},
    },
    explore,
    programs::CONTRACT,
};

const KEY: U256 = U256::ZERO;
/// Of the transaction that writes, and of the one that reads.
const WRITER: usize = 1;
const READER: usize = 2;

fn writes(value: u64) -> Writes {
    Writes {
        accounts: Vec::new(),
        slots: vec![((CONTRACT, KEY), U256::from(value))],
    }
}

fn read(memory: &MvMemory) -> SlotView {
    memory.slot(CONTRACT, KEY, READER)
}

/// A value is written again as `rewrite` has it, while another thread reads: it sees the old value, then that it is about to
/// change, then the new one, and nothing else.
fn written_again(rewrite: fn(&MvMemory, &Locations)) {
    explore(3, move || {
        let memory = Arc::new(MvMemory::new());
        let written = memory.publish(WRITER, &writes(1), &Locations::default());
        let other = memory.clone();
        let writer = loom::thread::spawn(move || {
            other.estimate(WRITER, &written);
            rewrite(&other, &written);
        });
        let mut last = 0;
        for _ in 0..3 {
            let seen = match read(&memory) {
                SlotView::Value(value) if value == U256::from(1) => 0,
                SlotView::Estimate(WRITER) => 1,
                SlotView::Value(value) if value == U256::from(2) => 2,
                other => panic!("never written: {other:?}"),
            };
            assert!(last <= seen, "back in time");
            last = seen;
        }
        writer.join().expect("it comes to an end");
        assert_eq!(read(&memory), SlotView::Value(U256::from(2)));
    });
}

#[test]
fn what_is_written_again_is_never_missing() {
    written_again(|memory, written| {
        memory.publish(WRITER, &writes(2), written);
    });
}

#[test]
#[should_panic(expected = "never written: Base")]
fn a_value_that_is_withdrawn_too_early_is_found() {
    written_again(|memory, written| {
        let nothing = memory.publish(WRITER, &Writes::default(), written);
        memory.publish(WRITER, &writes(2), &nothing);
    });
}

/// One thread commits and says so, another one hears it and reads.
fn committed(catch_up: bool) {
    explore(3, move || {
        let memory = Arc::new(MvMemory::new());
        let withdrawn = memory.publish(WRITER, &writes(1), &Locations::default());
        let said = Arc::new(Mutex::new(false));
        let other = (memory.clone(), said.clone());
        let committer = loom::thread::spawn(move || {
            let (memory, said) = other;
            memory.settle(Final::Writes {
                version: WRITER,
                writes: writes(2),
                withdrawn,
            });
            *said.lock() = true;
        });
        let heard = *said.lock();
        if catch_up {
            memory.catch_up();
        }
        if heard {
            assert_eq!(read(&memory), SlotView::Value(U256::from(2)), "old");
        }
        committer.join().expect("it comes to an end");
    });
}

#[test]
fn what_is_committed_is_seen_by_who_heard_of_it() {
    committed(true);
}

#[test]
#[should_panic(expected = "old")]
fn a_reader_that_does_not_catch_up_is_found() {
    committed(false);
}
