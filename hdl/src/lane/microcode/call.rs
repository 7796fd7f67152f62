//! Calls, and what is behind their end.
//!
//! A call takes its operands off the stack, pays, moves value, saves the frame as a record in the data space,
//! and begins anew with the callee's code. An inner frame's end brings its output to the return data, takes back what
//! it did unless it succeeded, and restores the caller.

use gatewei_abi::message::header::{ADDRESS, CALLER, CALLVALUE};
use gatewei_abi::status::Status;

use super::asm::{Assembler, entry, step};
use super::word::*;

/// The routines.
pub fn routines(a: &mut Assembler) {
    operands(a);
    payment(a);
    transfer(a);
    precompile(a);
    enter(a);
    end(a);
    delegate(a);
    journal(a);
}

/// From the stack into registers: gas, address, value, calldata, return data.
fn operands(a: &mut Assembler) {
    a.routine(
        "call",
        [
            entry(),
            step().branch(Cond::StackHigh, "trap_stack"),
            step().act(Act::Grant).stack(StackOp::Pop),
            step()
                .source(Source::Address)
                .latch(Latch::T)
                .stack(StackOp::Pop)
                .act(Act::NoValue),
            step().branch(Cond::OpCall, "call_value"),
            step().branch(Cond::OpCallCode, "call_value"),
            step().env_write(VALUE, Source::Zero).goto("call_ranges"),
        ],
    );
    a.routine(
        "call_value",
        [
            step().branch(Cond::StaticValue, "halt_static_value"),
            step()
                .env_write(VALUE, Source::Top)
                .act(Act::Value)
                .stack(StackOp::Pop),
        ],
    );
    a.routine(
        "call_ranges",
        [
            step().env_write(CALLEE, Source::T),
            step()
                .unit(Unit::ExpandRange)
                .branch(Cond::LengthBig, "halt_invalid_operand"),
            step().call(Cond::ExpandSlow, "grow"),
            step().act(Act::Arguments).stack(StackOp::Pop2),
            step(),
            step()
                .unit(Unit::ExpandRange)
                .branch(Cond::LengthBig, "halt_invalid_operand"),
            step().call(Cond::ExpandSlow, "grow"),
            step().act(Act::Returns).stack(StackOp::Pop2),
        ],
    );
}

/// Access, value, a new account, and the gas that goes along.
fn payment(a: &mut Assembler) {
    a.routine(
        "call_pay",
        [
            step().branch_unless(Cond::Transfers, "call_account"),
            step().price(GasOp::Charge, Price::CallValue),
        ],
    );
    a.routine(
        "call_account",
        [
            step().call(Cond::True, "account"),
            step().env_write(CODE, Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UDelegated, "call_delegate"),
            step().branch(Cond::UAlive, "call_forward"),
            step().branch_unless(Cond::Transfers, "call_forward"),
            step().branch_unless(Cond::OpCall, "call_forward"),
            step()
                .slot_key(SlotKey::PeerBalance)
                .call(Cond::True, "field"),
            step().branch_unless(Cond::PresentZero, "call_forward"),
            step().price(GasOp::Charge, Price::NewAccount),
        ],
    );
    a.routine(
        "call_forward",
        [
            step().act(Act::Forward),
            step().gas(GasOp::Forward),
            step().act(Act::Mark),
            step().branch_unless(Cond::Transfers, "call_depth"),
            step().act(Act::Stipend),
        ],
    );
    a.routine("call_depth", [step().branch(Cond::TooDeep, "call_failed")]);
}

/// EIP-7702: what runs is the code of another account, which is paid for too.
fn delegate(a: &mut Assembler) {
    a.routine(
        "call_delegate",
        [
            step().price(GasOp::Charge, Price::AccountWarm),
            step().source(Source::UAddress).latch(Latch::T),
            step().call(Cond::True, "account"),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UDelegated, "trap_delegation"),
            step().env_write(CODE, Source::U),
            step().env_read(CALLEE),
            step().source(Source::Env).latch(Latch::T),
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().act(Act::Peer),
            step().goto("call_forward"),
        ],
    );
}

/// Value, and the touch of the callee (EIP-161): what a failure of the callee takes back.
fn transfer(a: &mut Assembler) {
    a.routine(
        "call_transfer",
        [
            step().branch_unless(Cond::Transfers, "call_touch"),
            step().env_read(VALUE),
            step().source(Source::Env).latch(Latch::T),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step()
                .alu(AluMode::PresentLtT)
                .branch(Cond::AluTrue, "call_failed"),
            step().branch(Cond::OpCallCode, "call_code"),
            step().branch(Cond::PeerIsSelf, "call_code"),
            step().call(Cond::True, "move_value"),
        ],
    );
    a.routine(
        "call_touch",
        [
            step().branch_unless(Cond::OpAsCallee, "call_code"),
            step().branch(Cond::PeerIsSelf, "call_code"),
            step().env_read(CALLEE),
            step().source(Source::Env).latch(Latch::T),
            step().call(Cond::True, "touch"),
        ],
    );
    a.routine(
        "call_code",
        [
            step().env_read(CODE),
            step().source(Source::Env).latch(Latch::U),
            step().branch_unless(Cond::UCodeless, "enter"),
            step().env_read(CALLEE),
            step().source(Source::Env).latch(Latch::T),
            step().branch(Cond::Precompile, "precompile"),
            // Nothing runs: it has succeeded.
            step().code(Act::Status, Status::Stop as u8),
            step().act(Act::NoReturn).goto("call_over"),
        ],
    );
    // Called with a value in T and the balance that it comes from as the current entry: it goes to the other
    // account.
    a.routine(
        "move_value",
        [
            step()
                .alu(AluMode::PresentSubT)
                .source(Source::Alu)
                .latch(Latch::U),
            step().call(Cond::True, "store"),
            step()
                .slot_key(SlotKey::PeerBalance)
                .call(Cond::True, "field"),
            step()
                .alu(AluMode::PresentAddT)
                .source(Source::Alu)
                .latch(Latch::U),
        ],
    );
    // Called with the current entry's new value in U.
    a.routine(
        "store",
        [
            step().call(Cond::True, "journal"),
            step().slot(SlotCmd::Put).slot_mode(SlotMode::StoreU).ret(),
        ],
    );
    // Called with the account that is the other one in T: it is touched.
    a.routine(
        "touch",
        [
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().branch(Cond::SlotWritten, "touched"),
            // A touch of RIPEMD-160 stays whatever fails (Yellow Paper, appendix K.1).
            step().call_unless(Cond::Ripemd, "journal"),
            step().slot(SlotCmd::Put).slot_mode(SlotMode::Touch).ret(),
        ],
    );
    a.routine("touched", [step().ret()]);
    a.routine(
        "call_failed",
        [
            step().code(Act::Status, Status::Revert as u8),
            step().act(Act::NoReturn),
        ],
    );
    a.routine(
        "call_over",
        [
            step().act(Act::Refill),
            step().source(Source::Success).stack(StackOp::Push).finish(),
        ],
    );
}

/// A precompiled contract runs on the host: input and output pass through the result buffer, behind the logs.
fn precompile(a: &mut Assembler) {
    a.routine(
        "precompile",
        [
            step().pointers(Pointers::Arguments),
            // The output is as long as the input, as a rule.
            step().branch(Cond::NoRoomTwice, "trap_result"),
            step().call(Cond::True, "pass"),
            step()
                .source(Source::PrecompileCall)
                .post(Post::Precompile)
                .wait(Cond::CompletionReady),
            step().call(Cond::True, "answer"),
            step().act(Act::AnswerGas),
            step().branch(Cond::UOk, "precompile_output"),
            step().code(Act::Status, Status::OutOfGas as u8),
            step().call(Cond::True, "undo"),
            step().act(Act::NoReturn).goto("call_over"),
        ],
    );
    a.routine(
        "precompile_output",
        [
            step().act(Act::ReadAnswer).pointers(Pointers::Answer),
            step().mover(Move::BeatReturn),
            step().wait(Cond::MoverIdle),
            step().branch(Cond::DmaError, "trap_dma"),
            step()
                .code(Act::Status, Status::Return as u8)
                .pointers(Pointers::Returned),
            step().mover(Move::ReturnMemory),
            step().wait(Cond::MoverIdle),
            step().goto("call_over"),
        ],
    );
}

/// Saves the caller and begins the callee, whose code word is in U.
fn enter(a: &mut Assembler) {
    a.label("enter");
    save(a, Act::LoadCode);
    a.routine(
        "enter_call",
        [
            step().branch(Cond::OpDelegate, "enter_end"),
            step().env_read(ADDRESS),
            step().env_write(CALLER, Source::Env),
            step().env_read(VALUE),
            step().env_write(CALLVALUE, Source::Env),
            step().branch_unless(Cond::OpAsCallee, "enter_end"),
            step().env_read(CALLEE),
            step().env_write(ADDRESS, Source::Env),
        ],
    );
    a.routine(
        "enter_end",
        [
            step().act(Act::Enter),
            step().act(Act::NoReturn).wait(Cond::CodeOpen),
            step().act(Act::Begin).finish(),
        ],
    );
}

/// The frame's record, and room on the stack; then the code that `load` takes from U.
pub(super) fn save(a: &mut Assembler, load: Act) {
    let record = |index, source| step().save(Space::Record, index, source);
    for step in [
        record(MACHINE, Source::FrameMachine),
        record(INPUT, Source::FrameInput),
        record(BACK, Source::FrameBack).stack(StackOp::Push),
        step().env_read(CALLER).stack(StackOp::Push),
        record(CALLER, Source::Env).stack(StackOp::Enter),
        step().env_read(CALLVALUE).act(load),
        record(CALLVALUE, Source::Env),
        step().env_read(ADDRESS).act(Act::CodeOpen),
        record(ADDRESS, Source::Env),
    ] {
        a.then(step);
    }
}

/// The end of an inner frame.
fn end(a: &mut Assembler) {
    let load = |index| step().load(Space::Record, index);
    a.routine("inner_output", [step().branch(Cond::Creating, "deploy")]);
    a.routine(
        "inner_return",
        [
            step().pointers(Pointers::Output),
            step().mover(Move::MemoryReturn).act(Act::Returned),
            step().wait(Cond::MoverIdle),
            step().goto("inner_end"),
        ],
    );
    a.routine("inner_halt", [step().act(Act::NoReturn)]);
    a.routine(
        "inner_end",
        [
            // Should it be a contract, this is its address.
            step().act(Act::Leave).env_read(ADDRESS),
            step()
                .point(Space::Record, BACK)
                .source(Source::Env)
                .latch(Latch::T),
            load(BACK).latch(Latch::U),
            step().act(Act::LoadBack),
            step().call_unless(Cond::Success, "undo"),
            step().point(Space::Record, MACHINE),
            load(MACHINE).latch(Latch::U),
            step().act(Act::LoadMachine),
            step().point(Space::Record, INPUT).stack(StackOp::Leave),
            load(INPUT).latch(Latch::U),
            step().act(Act::LoadInput).stack(StackOp::Pop2),
            step().act(Act::CodeOpen),
        ],
    );
    for index in [ADDRESS, CALLER, CALLVALUE] {
        a.then(step().point(Space::Record, index));
        a.then(
            step()
                .load(Space::Record, index)
                .env_write(index, Source::Memory),
        );
    }
    a.routine(
        "resume",
        [
            step().wait(Cond::CodeOpen).pointers(Pointers::Returned),
            step().mover(Move::ReturnMemory),
            step().wait(Cond::MoverIdle),
            step()
                .source(Source::Outcome)
                .stack(StackOp::Push)
                .act(Act::Resume)
                .finish(),
        ],
    );
    // Called to take back everything since the mark.
    a.routine(
        "undo",
        [
            step().branch(Cond::JournalMark, "undone"),
            step().act(Act::JournalBack),
            step().point(Space::Journal, 0),
            step().load(Space::Journal, 0).latch(Latch::U),
            step().point(Space::Journal, 1),
            step().load(Space::Journal, 1).latch(Latch::T),
            step().count(Count::Journal),
            step().slot(SlotCmd::Read),
            step().wait(Cond::SlotReady),
            step()
                .slot(SlotCmd::Put)
                .slot_mode(SlotMode::Restore)
                .goto("undo"),
        ],
    );
    a.routine("undone", [step().act(Act::LogsBack), step().ret()]);
}

/// Called to remember the current entry as it is.
fn journal(a: &mut Assembler) {
    a.routine(
        "journal",
        [
            step().branch(Cond::JournalFull, "trap_journal"),
            step().save(Space::Journal, 0, Source::SlotPresent),
            step()
                .save(Space::Journal, 1, Source::JournalHead)
                .act(Act::JournalNext),
            step().ret(),
        ],
    );
}
