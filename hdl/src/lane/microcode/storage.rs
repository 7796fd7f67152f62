//! Slots, and everything else that the host may be asked for.

use super::asm::{Assembler, entry, step};
use super::word::*;

/// Charges the first access of the current entry; what comes next marks it warm.
pub(super) fn cold(a: &mut Assembler, price: Price) {
    // As revm: without the gas for a cold access nothing is loaded.
    a.then(
        step()
            .price(GasOp::Charge, price)
            .call_unless(Cond::SlotKnown, "ask"),
    );
    a.then(step().call(Cond::InnerCold, "journal"));
}

/// The routines.
pub fn routines(a: &mut Assembler) {
    a.routine(
        "sload",
        [
            entry().slot(SlotCmd::Find).slot_key(SlotKey::Storage),
            step(),
            step()
                .source(Source::SlotPresent)
                .stack(StackOp::Unary)
                .chain_if(Cond::SlotHot, "sload_slow"),
        ],
    );
    a.routine(
        "sload_slow",
        [
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotWarm, "sload_warm"),
        ],
    );
    cold(a, Price::SloadCold);
    a.routine(
        "sload_mark",
        [step()
            .slot(SlotCmd::Put)
            .slot_mode(SlotMode::Warm)
            .source(Source::SlotPresent)
            .stack(StackOp::Unary)
            .chain()],
    );
    a.routine(
        "sload_warm",
        [
            step().call_unless(Cond::SlotKnown, "ask"),
            step().goto("sload_mark"),
        ],
    );

    a.routine(
        "sstore",
        [
            // Nothing is looked for before the last check that may end the frame: its end reads the table.
            entry(),
            step().branch(Cond::GasAtStipend, "halt_sentry"),
            step()
                .price(GasOp::Charge, Price::SstoreBase)
                .slot(SlotCmd::Find)
                .slot_key(SlotKey::Storage),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotUsed, "sstore_price"),
            step().branch(Cond::SlotWarm, "sstore_warm"),
        ],
    );
    cold(a, Price::SstoreCold);
    // The access stands even if the rest cannot be paid.
    a.routine(
        "sstore_mark",
        [step()
            .slot(SlotCmd::Put)
            .slot_mode(SlotMode::Warm)
            .goto("sstore_price")],
    );
    a.routine(
        "sstore_warm",
        [
            step().call_unless(Cond::SlotKnown, "ask"),
            step().goto("sstore_mark"),
        ],
    );
    a.routine(
        "sstore_price",
        [
            step().branch(Cond::NewIsPresent, "sstore_write"),
            step().branch_unless(Cond::PresentIsOriginal, "sstore_dirty"),
            step().branch(Cond::OriginalZero, "sstore_set"),
            step().price(GasOp::Charge, Price::SstoreReset),
            step().branch_unless(Cond::NewZero, "sstore_write"),
            step()
                .price(GasOp::Refund, Price::Clear)
                .goto("sstore_write"),
        ],
    );
    a.routine(
        "sstore_set",
        [
            step().price(GasOp::Charge, Price::SstoreSet),
            step().goto("sstore_write"),
        ],
    );
    // The slot was changed before: EIP-3529 settles by refunds.
    a.routine(
        "sstore_dirty",
        [
            step().branch(Cond::OriginalZero, "sstore_restore"),
            step().branch(Cond::PresentZero, "sstore_unclear"),
            step().branch_unless(Cond::NewZero, "sstore_restore"),
            step()
                .price(GasOp::Refund, Price::Clear)
                .goto("sstore_restore"),
        ],
    );
    a.routine(
        "sstore_unclear",
        [step().price(GasOp::Unrefund, Price::Clear)],
    );
    a.routine(
        "sstore_restore",
        [
            step().branch_unless(Cond::NewIsOriginal, "sstore_write"),
            step().branch(Cond::OriginalZero, "sstore_unset"),
            step()
                .price(GasOp::Refund, Price::SstoreReset)
                .goto("sstore_write"),
        ],
    );
    a.routine(
        "sstore_unset",
        [step().price(GasOp::Refund, Price::SstoreSet)],
    );
    a.routine(
        "sstore_write",
        [
            step().call(Cond::Inner, "journal"),
            step()
                .slot(SlotCmd::Put)
                .slot_mode(SlotMode::Store)
                .stack(StackOp::Pop2)
                .chain(),
        ],
    );

    // Called when a request has been made: its answer, in U.
    a.routine(
        "answer",
        [
            step()
                .wait(Cond::Reply)
                .source(Source::Reply)
                .latch(Latch::U),
            step().branch(Cond::Cancelled, "trap_cancelled"),
            step().branch(Cond::ReplyFailed, "trap_host"),
            step().ret(),
        ],
    );
    // Called with what was looked for either unknown to the table or without a value.
    a.routine(
        "ask",
        [
            step().post(Post::Slot).wait(Cond::CompletionReady),
            step().call(Cond::True, "answer"),
            step().branch(Cond::SlotHit, "ask_fill"),
            step().branch(Cond::SlotFull, "trap_slots"),
            step()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::Answer)
                .goto("ask_end"),
        ],
    );
    a.routine(
        "ask_fill",
        [step().slot(SlotCmd::Put).slot_mode(SlotMode::Answer)],
    );
    a.routine("ask_end", [step().wait(Cond::SlotReady), step().ret()]);

    a.routine(
        "tload",
        [
            entry().slot(SlotCmd::Find).slot_key(SlotKey::Transient),
            step().wait(Cond::SlotReady),
            step()
                .source(Source::SlotPresent)
                .stack(StackOp::Unary)
                .chain_if(Cond::SlotHit, "zero"),
        ],
    );
    a.routine(
        "tstore",
        [
            entry().slot(SlotCmd::Find).slot_key(SlotKey::Transient),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotHit, "sstore_write"),
            step().branch(Cond::SlotFull, "trap_slots"),
            step()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::Zero)
                .goto("sstore_write"),
        ],
    );

    a.routine(
        "blockhash",
        [
            entry().source(Source::Env).latch(Latch::T),
            step()
                .alu(AluMode::TopSubT)
                .source(Source::Alu)
                .latch(Latch::U),
            step().branch_unless(Cond::Recent, "zero"),
            step()
                .source(Source::Top)
                .post(Post::BlockHash)
                .wait(Cond::CompletionReady),
        ],
    );
    a.routine(
        "answer_value",
        [
            step().call(Cond::True, "answer"),
            step().source(Source::U).stack(StackOp::Unary).chain(),
        ],
    );
}
