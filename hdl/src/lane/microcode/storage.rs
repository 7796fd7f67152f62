//! Slots, and everything else that the host may be asked for.

use super::asm::{Assembler, entry, step};
use super::word::*;

/// The routines.
pub fn routines(a: &mut Assembler) {
    a.routine(
        "sload",
        [
            entry().slot(SlotCmd::Find),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotWarm, "sload_warm"),
            // As revm: without the gas for a cold access nothing is loaded.
            step().price(GasOp::Charge, Price::SloadCold),
        ],
    );
    a.routine(
        "sload_warm",
        [
            step().call_unless(Cond::SlotKnown, "ask_slot"),
            step().slot(SlotCmd::Put).slot_mode(SlotMode::Touch),
            step().wait(Cond::SlotReady),
            step()
                .source(Source::SlotPresent)
                .stack(StackOp::Unary)
                .finish(),
        ],
    );

    a.routine(
        "sstore",
        [
            entry(),
            step().branch(Cond::GasAtStipend, "halt_sentry"),
            step()
                .price(GasOp::Charge, Price::SstoreBase)
                .slot(SlotCmd::Find),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotWarm, "sstore_warm"),
            step().price(GasOp::Charge, Price::SstoreCold),
        ],
    );
    a.routine(
        "sstore_warm",
        [
            step().call_unless(Cond::SlotKnown, "ask_slot"),
            // The access stands even if the rest cannot be paid.
            step().slot(SlotCmd::Put).slot_mode(SlotMode::Touch),
            step().wait(Cond::SlotReady),
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
            step()
                .slot(SlotCmd::Put)
                .slot_mode(SlotMode::Store)
                .stack(StackOp::None),
            step().wait(Cond::SlotReady).stack(StackOp::Pop2),
            step().finish(),
        ],
    );

    // Called with the slot either unknown to the table or without a value.
    a.routine(
        "ask_slot",
        [
            step()
                .source(Source::Top)
                .post(Post::Storage)
                .wait(Cond::CompletionReady),
            step()
                .wait(Cond::Reply)
                .source(Source::Reply)
                .latch(Latch::U),
            step().branch(Cond::Cancelled, "trap_cancelled"),
            step().branch(Cond::ReplyFailed, "trap_host"),
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
            entry().slot(SlotCmd::Find).slot_mode(SlotMode::Transient),
            step().wait(Cond::SlotReady),
            step()
                .source(Source::SlotPresent)
                .stack(StackOp::Unary)
                .finish_if(Cond::SlotHit, "zero"),
        ],
    );
    a.routine(
        "tstore",
        [
            entry().slot(SlotCmd::Find).slot_mode(SlotMode::Transient),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotHit, "tstore_put"),
            step().branch(Cond::SlotFull, "trap_slots"),
            step()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::Transient)
                .goto("tstore_end"),
        ],
    );
    a.routine(
        "tstore_put",
        [step().slot(SlotCmd::Put).slot_mode(SlotMode::Transient)],
    );
    a.routine(
        "tstore_end",
        [
            step().wait(Cond::SlotReady).stack(StackOp::Pop2),
            step().finish(),
        ],
    );

    a.routine(
        "selfbalance",
        [entry()
            .source(Source::Env)
            .stack(StackOp::Push)
            .act(Act::BalanceUsed)
            .finish_if(Cond::BalanceKnown, "ask_balance")],
    );
    a.routine(
        "ask_balance",
        [
            step().post(Post::Balance).wait(Cond::CompletionReady),
            step()
                .wait(Cond::Reply)
                .source(Source::Reply)
                .latch(Latch::U),
            step().branch(Cond::Cancelled, "trap_cancelled"),
            step().branch(Cond::ReplyFailed, "trap_host"),
            step()
                .source(Source::U)
                .act(Act::BalanceFill)
                .stack(StackOp::Push)
                .finish(),
        ],
    );

    a.routine(
        "blockhash",
        [
            entry().source(Source::Env).latch(Latch::T),
            step()
                .alu(AluMode::TSubTop)
                .source(Source::Alu)
                .latch(Latch::U),
            step().alu(AluMode::TLtTop).branch(Cond::AluTrue, "zero"),
            step().branch(Cond::UZero, "zero"),
            step().branch(Cond::UAbove256, "zero"),
            step()
                .source(Source::Top)
                .post(Post::BlockHash)
                .wait(Cond::CompletionReady),
            step()
                .wait(Cond::Reply)
                .source(Source::Reply)
                .latch(Latch::U),
            step().branch(Cond::Cancelled, "trap_cancelled"),
            step().branch(Cond::ReplyFailed, "trap_host"),
            step().source(Source::U).stack(StackOp::Unary).finish(),
        ],
    );
}
