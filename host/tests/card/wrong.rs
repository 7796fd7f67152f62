//! A card that computes wrongly: its result is never the block's where a header or a verification can tell.

use std::num::NonZeroUsize;

use gatewei::card::{CardExecutor, Offload};
use gatewei::{Block, Executor, Outcome, Sequential, Verify, first_difference};
use gatewei_driver::{Card, Options};

use super::soft::{Wrong, fake::Fake, wrong_card};
use super::{equal, generated, soft_executor};

fn executor(wrong: Wrong, from: usize) -> CardExecutor<Fake> {
    CardExecutor::new(Card::open(wrong_card(wrong, from), Options::default()).expect("it opens"))
}

/// A block as its builder has it: nothing to compare with.
pub fn unsealed(mut block: Block) -> Block {
    block.header.gas_used = 0;
    block
}

fn right(block: &Block) -> Outcome {
    Sequential.execute(block).expect("it runs")
}

#[test]
fn a_wrong_receipt_is_caught_by_the_header_and_the_card_isolated() {
    let (block, mut executor) = (generated("erc20-hot", 40), executor(Wrong::Gas, 3));
    let outcome = executor.execute(&block).expect("it runs");
    assert_eq!(first_difference(&right(&block), &outcome), None);
    let quarantine = executor.quarantine().expect("it is in quarantine").clone();
    assert_eq!(quarantine.block, block.number());
    let tx = quarantine.wrong.transaction.expect("it is named");
    assert!(
        (1..40).contains(&tx) && quarantine.wrong.difference.contains("gas used"),
        "{quarantine}"
    );
    assert_eq!(outcome.statistics.card.wrong, Some(quarantine.wrong));
    assert_eq!(
        (
            outcome.statistics.card.txs,
            outcome.statistics.card.offloaded_gas
        ),
        (0, 0)
    );
    assert!(outcome.statistics.card.fallbacks["wrong_result"] > 0);
    // From now on blocks do without it.
    let again = equal(&mut executor, &block);
    assert_eq!(again.fallbacks["quarantined"], 40);
    assert_eq!(again.txs, 0);
    assert!(executor.release().is_some() && executor.quarantine().is_none());
    equal(&mut executor, &block);
    assert!(executor.quarantine().is_some(), "it is as wrong as before");
}

#[test]
fn a_wrong_slot_is_caught_by_verification_with_its_transaction() {
    for block in [
        generated("erc20-hot", 40),
        unsealed(generated("erc20-hot", 40)),
    ] {
        let mut executor = executor(Wrong::Slot, 7);
        executor.control().set_verify(Verify::All);
        let outcome = executor.execute(&block).expect("it runs");
        assert_eq!(first_difference(&right(&block), &outcome), None);
        let card = &outcome.statistics.card;
        assert!(
            card.verified > 7 && card.fallbacks["wrong_result"] > 0,
            "{card:?}"
        );
        let wrong = card.wrong.as_ref().expect("it was found");
        assert!(
            wrong.transaction.is_some() && wrong.difference.contains("slot"),
            "{wrong}"
        );
        assert!(executor.quarantine().is_some());
    }
    // One in three is enough where everything is wrong.
    let mut executor = executor(Wrong::Slot, 0);
    executor
        .control()
        .set_verify("sample=3".parse().expect("it is one"));
    let block = unsealed(generated("erc20-hot", 40));
    let outcome = executor.execute(&block).expect("it runs");
    assert_eq!(first_difference(&right(&block), &outcome), None);
    assert!(executor.quarantine().is_some());
}

/// What `--verify none` leaves open, as its documentation says: a wrong state of which no receipt tells.
#[test]
fn a_wrong_slot_without_verification_is_for_the_state_root_to_tell() {
    let (block, mut executor) = (generated("erc20-hot", 40), executor(Wrong::Slot, 39));
    let outcome = executor.execute(&block).expect("it runs");
    if executor.quarantine().is_none() {
        assert!(first_difference(&right(&block), &outcome).is_some());
        let outcome = executor.suspect(&block, outcome).expect("it runs");
        assert_eq!(first_difference(&right(&block), &outcome), None);
    }
    assert!(executor.quarantine().is_some());
}

#[test]
fn a_right_card_passes_every_verification() {
    let mut executor = soft_executor(2);
    executor.control().set_verify(Verify::All);
    for kind in ["mixed", "amm-hot", "erc20-airdrop"] {
        let card = equal(&mut executor, &generated(kind, 60));
        assert_eq!((card.verified, card.wrong), (card.txs, None), "{kind}");
        assert!(card.verified > 0, "{kind}");
    }
}

#[test]
fn offloading_is_switched_while_the_executor_is_in_use() {
    let mut executor = soft_executor(2).with_threads(NonZeroUsize::new(2).expect("not zero"));
    let (control, block) = (executor.control(), generated("mixed", 60));
    control.set_offload(Offload::None);
    assert_eq!(equal(&mut executor, &block).txs, 0);
    control.set_offload(Offload::Auto);
    for _ in 0..5 {
        // A card in software is slow: few transactions go there, and all are accounted for.
        let card = equal(&mut executor, &block);
        assert!(card.txs + card.kept <= 60, "{card:?}");
    }
    control.set_offload(Offload::All);
    let toggle = std::thread::spawn({
        let control = control.clone();
        move || {
            for offload in [Offload::None, Offload::All, Offload::Auto]
                .iter()
                .cycle()
                .take(300)
            {
                control.set_offload(*offload);
                std::thread::yield_now();
            }
        }
    });
    for _ in 0..5 {
        equal(&mut executor, &block);
    }
    toggle.join().expect("it ends");
}
