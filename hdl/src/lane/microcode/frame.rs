//! Taking a message, and ending it.

use gatewei_abi::status::{Status, Trap};

use super::asm::{Assembler, step};
use super::word::*;

/// The routines. `idle` stands at address 0, where reset begins.
pub fn routines(a: &mut Assembler) {
    a.routine(
        "idle",
        [
            step()
                .wait(Cond::Command)
                .act(Act::Accept)
                .stack(StackOp::Clear)
                .slot(SlotCmd::Clear),
            // The header's words are needed before anything else is read.
            step().act(Act::ReadHeader).pointers(Pointers::Header),
            step().mover(Move::BeatEnv),
            step().source(Source::Beat).wait(Cond::MoverIdle),
            step().branch(Cond::DmaError, "trap_dma"),
            step().branch(Cond::BadMessage, "trap_message"),
            step().branch(Cond::CodeLong, "trap_code"),
            step().branch(Cond::CalldataLong, "trap_calldata"),
            step().act(Act::ReadRest).pointers(Pointers::Blobs),
            step().mover(Move::BeatEnv),
            step().source(Source::Beat).wait(Cond::MoverIdle),
            step().wait(Cond::SlotReady).act(Act::FirstAccount),
        ],
    );
    // An account: its head in U.
    a.routine(
        "load_account",
        [
            step().branch(Cond::AccountsDone, "load_calldata"),
            step().take().source(Source::Beat).latch(Latch::U),
            step().source(Source::UAddress).latch(Latch::T),
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step()
                .take()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::MessageAccount),
            step()
                .act(Act::Peer)
                .branch_unless(Cond::UBalance, "load_warm_start"),
            step().slot(SlotCmd::Find).slot_key(SlotKey::PeerBalance),
            step().wait(Cond::SlotReady),
            step()
                .take()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::MessageCold),
        ],
    );
    for (start, label, next, count, mode) in [
        (
            "load_warm_start",
            "load_warm",
            "load_cold_start",
            Count::Warm,
            SlotMode::MessageWarm,
        ),
        (
            "load_cold_start",
            "load_cold",
            "load_named_start",
            Count::Cold,
            SlotMode::MessageCold,
        ),
    ] {
        a.routine(
            start,
            [
                step().count(count).slot_key(SlotKey::Message),
                step().branch(Cond::CountZero, next),
            ],
        );
        a.routine(
            label,
            [
                step().take().source(Source::Beat).latch(Latch::T),
                step().slot(SlotCmd::Find),
                step().wait(Cond::SlotReady),
                step()
                    .take()
                    .slot(SlotCmd::Add)
                    .slot_mode(mode)
                    .count(Count::Down),
                step().branch_unless(Cond::CountZero, label),
            ],
        );
    }
    a.routine(
        "load_named_start",
        [
            step().count(Count::Named),
            step().branch(Cond::CountZero, "load_account_end"),
        ],
    );
    a.routine(
        "load_named",
        [
            step().take().source(Source::Beat).latch(Latch::T),
            step().slot(SlotCmd::Find),
            step().wait(Cond::SlotReady),
            step()
                .slot(SlotCmd::Add)
                .slot_mode(SlotMode::MessageNamed)
                .count(Count::Down),
            step().branch_unless(Cond::CountZero, "load_named"),
        ],
    );
    a.routine(
        "load_account_end",
        [step().act(Act::AccountDone).goto("load_account")],
    );
    // What is left of a message that is not what it says.
    a.routine(
        "drain",
        [
            step().branch(Cond::Dry, "trap_message"),
            step().drain(),
            step().goto("drain"),
        ],
    );
    a.routine(
        "load_calldata",
        [
            step().branch(Cond::StateOdd, "drain"),
            step().act(Act::FirstFrame),
            step().pointers(Pointers::Calldata).act(Act::CodeOpen),
            step().mover(Move::BeatCalldata),
            step().wait(Cond::MoverIdle).pointers(Pointers::CalldataPad),
            step().mover(Move::ZeroCalldata),
            step().wait(Cond::MoverIdle),
            step().branch(Cond::DmaError, "trap_dma"),
            step().branch_unless(Cond::CodeMissing, "start"),
            step()
                .source(Source::CodeTag)
                .post(Post::Code)
                .wait(Cond::CompletionReady),
            step().call(Cond::True, "answer"),
            step().act(Act::CodeAddress),
        ],
    );
    a.routine(
        "start",
        [step().wait(Cond::CodeOpen), step().act(Act::Start).finish()],
    );
    a.routine("fetch", [step().dispatch()]);

    // The end: slots, then the header, then the completion.
    a.routine(
        "halt",
        [
            step().branch(Cond::Inner, "inner_halt"),
            step().act(Act::MarkOutput),
        ],
    );
    a.routine(
        "finish",
        [
            step().pointers(Pointers::SlotRecords).count(Count::Zero),
            step().branch(Cond::NoRoom, "trap_result"),
            step().act(Act::MarkSlots),
            step().slot(SlotCmd::Read).branch(Cond::CountEnd, "header"),
        ],
    );
    a.routine(
        "slots",
        [
            step().wait(Cond::SlotReady),
            step().emit(Source::SlotHead),
            step().emit(Source::SlotKey),
            step().emit(Source::SlotPresent).count(Count::Up),
            step()
                .slot(SlotCmd::Read)
                .branch_unless(Cond::CountEnd, "slots"),
        ],
    );
    a.routine(
        "header",
        [
            step().act(Act::Rewind),
            step().emit(Source::Header0),
            step().emit(Source::Header1),
            step().emit(Source::Header2),
            step().emit(Source::Zero),
            step().wait(Cond::WriteIdle),
            step().branch(Cond::DmaError, "trap_dma"),
            step()
                .post(Post::Done)
                .wait(Cond::CompletionReady)
                .act(Act::Release),
            step().goto("idle"),
        ],
    );
    a.routine(
        "trap",
        [
            step().act(Act::Rewind),
            step().emit(Source::Header0),
            step().emit(Source::Header1),
            step().emit(Source::Header2),
            step().emit(Source::Zero),
            step().wait(Cond::WriteIdle),
            step()
                .post(Post::Trap)
                .wait(Cond::CompletionReady)
                .act(Act::Release),
            step().goto("idle"),
        ],
    );
    for (label, reason) in [
        ("trap_memory", Trap::Memory),
        ("trap_slots", Trap::Slots),
        ("trap_result", Trap::Result),
        ("trap_code", Trap::Code),
        ("trap_calldata", Trap::Calldata),
        ("trap_message", Trap::Message),
        ("trap_host", Trap::Host),
        ("trap_cancelled", Trap::Cancelled),
        ("trap_dma", Trap::Dma),
        ("trap_stack", Trap::Stack),
        ("trap_delegation", Trap::Delegation),
        ("trap_journal", Trap::Journal),
    ] {
        a.routine(
            label,
            [step().code(Act::TrapReason, reason as u8).goto("trap")],
        );
    }
    for (label, status) in [
        ("halt_invalid_operand", Status::InvalidOperand),
        ("halt_memory", Status::MemoryOutOfGas),
        ("halt_sentry", Status::ReentrancySentry),
        ("halt_underflow", Status::StackUnderflow),
        ("halt_offset", Status::OutOfOffset),
        ("halt_init_code", Status::InitCodeSize),
        ("halt_static_value", Status::StaticCallValue),
    ] {
        a.routine(label, [step().code(Act::Status, status as u8).goto("halt")]);
    }
}
