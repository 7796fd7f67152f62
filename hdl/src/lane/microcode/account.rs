//! Accounts: what their opcodes ask for, and what a call needs of them.

use super::asm::{Assembler, entry, step};
use super::storage::cold;
use super::word::*;

/// The routines.
pub fn routines(a: &mut Assembler) {
    // Called with an address in T: charges a cold access, and makes the account's entry the current one, known
    // and warm, and the one that `Peer` keys are about.
    a.routine(
        "account",
        [
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotUsed, "account_hot"),
            step().branch(Cond::AccountWarm, "account_warm"),
        ],
    );
    cold(a, Price::AccountCold);
    a.routine(
        "account_mark",
        [step().slot(SlotCmd::Put).slot_mode(SlotMode::Warm)],
    );
    a.routine("account_hot", [step().act(Act::Peer).ret()]);
    a.routine(
        "account_warm",
        [
            step().call_unless(Cond::SlotKnown, "ask"),
            // RIPEMD-160 is always warm, and what is remembered of it would take back its touch, which stays.
            step().branch(Cond::Ripemd, "account_mark"),
            step().call(Cond::InnerCold, "journal"),
            step().goto("account_mark"),
        ],
    );
    // Called after a key of a field was chosen: makes it the current entry, known and used.
    a.routine(
        "field",
        [
            step().slot(SlotCmd::Find),
            step().wait(Cond::SlotReady),
            step().call_unless(Cond::SlotKnown, "ask"),
            step().slot(SlotCmd::Put).slot_mode(SlotMode::Use).ret(),
        ],
    );

    a.routine(
        "balance",
        [
            entry(),
            step().source(Source::Address).latch(Latch::T),
            step().call(Cond::True, "account"),
            step()
                .slot_key(SlotKey::PeerBalance)
                .call(Cond::True, "field"),
        ],
    );
    a.routine(
        "slot_value",
        [step()
            .source(Source::SlotPresent)
            .stack(StackOp::Unary)
            .finish()],
    );
    a.routine(
        "selfbalance",
        [
            entry(),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step()
                .source(Source::SlotPresent)
                .stack(StackOp::Push)
                .finish(),
        ],
    );
    a.routine(
        "extcodesize",
        [
            entry(),
            step().source(Source::Address).latch(Latch::T),
            step().call(Cond::True, "account"),
            step()
                .source(Source::SlotCodeBytes)
                .stack(StackOp::Unary)
                .finish(),
        ],
    );
    a.routine(
        "extcodehash",
        [
            entry(),
            step().source(Source::Address).latch(Latch::T),
            step().call(Cond::True, "account"),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UCreated, "hash_created"),
            step().branch(Cond::UAlive, "hash"),
            step()
                .slot_key(SlotKey::PeerBalance)
                .call(Cond::True, "field"),
            step().branch(Cond::PresentZero, "zero"),
        ],
    );
    a.routine(
        "hash",
        [
            step().slot_key(SlotKey::PeerHash).call(Cond::True, "field"),
            step().goto("slot_value"),
        ],
    );
    // The table would remember it, and where frames revert another code may come to the address.
    a.routine(
        "hash_created",
        [
            step()
                .source(Source::U)
                .post(Post::CodeHash)
                .wait(Cond::CompletionReady),
            step().goto("answer_value"),
        ],
    );
    // Once the address is in T, the other operands stand as CODECOPY's do.
    a.routine(
        "extcodecopy",
        [
            entry(),
            step()
                .source(Source::Address)
                .latch(Latch::T)
                .stack(StackOp::Pop),
            step(),
            step().branch(Cond::LengthBig, "halt_invalid_operand"),
            step().gas(GasOp::CopyWords),
            step().unit(Unit::ExpandCopy),
            step().call(Cond::ExpandSlow, "grow"),
            step().call(Cond::True, "account"),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UDelegated, "trap_delegation"),
            // Its code is the open one meanwhile.
            step().save(Space::Record, INPUT, Source::FrameInput),
            step().act(Act::LoadCode),
            step().act(Act::CodeOpen),
            step().wait(Cond::CodeOpen).pointers(Pointers::Copy),
            step().mover(Move::CodeMemory),
            step().wait(Cond::MoverIdle),
            step().point(Space::Record, INPUT),
            step().load(Space::Record, INPUT).latch(Latch::U),
            step().act(Act::LoadInput),
            step().act(Act::CodeOpen),
            step().wait(Cond::CodeOpen),
            step().goto("copy_end"),
        ],
    );
}
