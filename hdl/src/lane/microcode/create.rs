//! Contracts that come and go: CREATE, CREATE2, SELFDESTRUCT.
//!
//! The host names a contract's address, and makes the images of init code and deployed code; the lane does the
//! rest. A failure of the init code takes back all but the creator's nonce and the contract's warmth.

use gatewei_abi::message::header::ADDRESS;
use gatewei_abi::status::Status;

use super::asm::{Assembler, entry, step};
use super::call::save;
use super::word::*;

/// The routines.
pub fn routines(a: &mut Assembler) {
    payment(a);
    begin(a);
    deploy(a);
    destroy(a);
}

/// Operands, gas, and what makes a creation fail before it has begun.
fn payment(a: &mut Assembler) {
    a.routine(
        "create",
        [
            entry(),
            step().branch(Cond::StackHigh, "trap_stack"),
            step()
                .env_write(VALUE, Source::Top)
                .act(Act::Value)
                .stack(StackOp::Pop),
            step(),
            step().branch(Cond::LengthBig, "halt_invalid_operand"),
            step().branch(Cond::InitCodeBig, "halt_init_code"),
            step().branch_unless(Cond::InitCodeMetered, "create_memory"),
            step().gas(GasOp::InitWords),
        ],
    );
    a.routine(
        "create_memory",
        [
            step().unit(Unit::ExpandRange),
            step().call(Cond::ExpandSlow, "grow"),
            step().branch_unless(Cond::OpSalted, "create_pay"),
            step().gas(GasOp::HashWords),
        ],
    );
    a.routine(
        "create_pay",
        [
            step().price(GasOp::Charge, Price::Create),
            step().act(Act::Arguments).stack(StackOp::Pop2),
            step().act(Act::GrantAll),
            step().branch_unless(Cond::OpSalted, "create_forward"),
            step().env_write(SALT, Source::Top).stack(StackOp::Pop),
        ],
    );
    a.routine(
        "create_forward",
        [
            step().act(Act::Forward),
            step().gas(GasOp::Forward),
            step().branch(Cond::TooDeep, "call_failed"),
            step().env_read(VALUE),
            step().source(Source::Env).latch(Latch::T),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step()
                .alu(AluMode::PresentLtT)
                .branch(Cond::AluTrue, "call_failed"),
            step().slot_key(SlotKey::OwnNonce).call(Cond::True, "field"),
            step().branch(Cond::NonceLast, "call_failed"),
            step().source(Source::One).latch(Latch::T),
            step()
                .alu(AluMode::PresentAddT)
                .source(Source::Alu)
                .latch(Latch::U),
            // The old one is what the address is made of.
            step().source(Source::SlotPresent).latch(Latch::T),
            step().call(Cond::True, "store"),
        ],
    );
}

/// The host names the contract; it comes to be, and its init code runs.
fn begin(a: &mut Assembler) {
    a.routine(
        "create_ask",
        [
            step().act(Act::Mark).pointers(Pointers::Arguments),
            step().branch(Cond::InitCodeLong, "trap_code"),
            step().branch(Cond::NoRoom, "trap_result"),
            step().env_read(SALT),
            step().emit(Source::Env).env_read(SALT),
            step().call(Cond::True, "pass"),
            step()
                .source(Source::CreateCall)
                .post(Post::Create)
                .wait(Cond::CompletionReady),
            step().call(Cond::True, "answer"),
            step().env_write(CODE, Source::U),
            step().source(Source::UAddress).latch(Latch::T),
            step().env_write(CALLEE, Source::T),
            // The contract is warm from now on, whatever becomes of it.
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().call(Cond::True, "account_warm"),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch_unless(Cond::UAlive, "create_begin"),
            // A collision: all gas is gone.
            step().act(Act::GrantNone).goto("call_failed"),
        ],
    );
    a.routine(
        "create_begin",
        [
            step().act(Act::Mark),
            step().source(Source::Newborn).latch(Latch::U),
            step().call(Cond::True, "store"),
            step()
                .slot_key(SlotKey::PeerNonce)
                .call(Cond::True, "field"),
            step().source(Source::One).latch(Latch::U),
            step().call(Cond::True, "store"),
            step().branch_unless(Cond::Transfers, "create_enter"),
            step().env_read(VALUE),
            step().source(Source::Env).latch(Latch::T),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step().call(Cond::True, "move_value"),
        ],
    );
    a.routine(
        "create_enter",
        [
            step().env_read(CODE),
            step().source(Source::Env).latch(Latch::U),
        ],
    );
    save(a, Act::LoadInit);
    a.then(step().goto("enter_call"));
}

/// The output of init code becomes the contract's code.
fn deploy(a: &mut Assembler) {
    a.routine(
        "deploy",
        [
            step().branch_unless(Cond::Success, "inner_return"),
            step().branch(Cond::SecondZero, "inner_halt"),
            step().branch(Cond::CodeBig, "deploy_failed"),
            // The first byte is read from where the output lies.
            step(),
        ],
    );
    a.routine(
        "deploy_first",
        [
            step()
                .wait(Cond::Readable)
                .source(Source::Memory)
                .latch(Latch::U),
            step().branch(Cond::UBeginsEf, "deploy_failed"),
            step().gas(GasOp::Deposit),
            step().act(Act::Mark).pointers(Pointers::Range),
            step().branch(Cond::NoRoom, "trap_result"),
            step().call(Cond::True, "pass"),
            step()
                .source(Source::CreateCall)
                .post(Post::Deploy)
                .wait(Cond::CompletionReady),
            step().call(Cond::True, "answer"),
            step().env_write(CODE, Source::U),
            step().env_read(ADDRESS),
            step().source(Source::Env).latch(Latch::T),
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UDestroyed, "deploy_destroyed"),
            step().env_read(CODE),
            step().source(Source::Env).latch(Latch::U),
            step().call(Cond::True, "store"),
            step().goto("inner_halt"),
        ],
    );
    // Code that its init code called has destroyed it already: with code it goes all the same.
    a.routine(
        "deploy_destroyed",
        [
            step().env_read(CODE),
            step().source(Source::Env).latch(Latch::U),
            step().source(Source::UDestroyed).latch(Latch::U),
            step().call(Cond::True, "store"),
            step().goto("inner_halt"),
        ],
    );
    // An exceptional halt of the inner frame; which one, nobody sees.
    a.routine(
        "deploy_failed",
        [
            step().code(Act::Status, Status::OutOfGas as u8),
            step().goto("inner_halt"),
        ],
    );
}

/// SELFDESTRUCT: the balance goes to another account, and the contract perhaps with it.
fn destroy(a: &mut Assembler) {
    a.routine(
        "selfdestruct",
        [
            entry(),
            step().source(Source::Address).latch(Latch::T),
            step().env_write(CALLEE, Source::T),
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().branch(Cond::AccountWarm, "destroy_warm"),
            step().price(GasOp::Charge, Price::DestroyCold),
        ],
    );
    a.routine(
        "destroy_warm",
        [
            step().call(Cond::True, "account_warm"),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step().branch(Cond::PresentZero, "destroy_move"),
            // With value to an account that is empty so far?
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch(Cond::UAlive, "destroy_move"),
            step()
                .slot_key(SlotKey::PeerBalance)
                .call(Cond::True, "field"),
            step().branch_unless(Cond::PresentZero, "destroy_move"),
            // revm touches it before it charges: seen where gas runs out, as this touch stays.
            step().call(Cond::Ripemd, "touch"),
            step().price(GasOp::Charge, Price::NewAccount),
        ],
    );
    a.routine(
        "destroy_move",
        [
            step().branch(Cond::PeerIsSelf, "destroy_self"),
            step()
                .slot_key(SlotKey::OwnBalance)
                .call(Cond::True, "field"),
            step().source(Source::SlotPresent).latch(Latch::T),
            step().call(Cond::True, "move_value"),
            step().env_read(CALLEE),
            step().source(Source::Env).latch(Latch::T),
            step().call(Cond::True, "touch"),
        ],
    );
    a.routine(
        "destroy_self",
        [
            step().env_read(ADDRESS),
            step().source(Source::Env).latch(Latch::T),
            step().slot(SlotCmd::Find).slot_key(SlotKey::Account),
            step().wait(Cond::SlotReady),
            step().call_unless(Cond::SlotKnown, "ask"),
            step().source(Source::SlotPresent).latch(Latch::U),
            step().branch_unless(Cond::Destroys, "destroyed"),
            step().source(Source::UDestroyed).latch(Latch::U),
            step().call(Cond::True, "store"),
            // What it gave to itself is gone.
            step().slot(SlotCmd::Find).slot_key(SlotKey::OwnBalance),
            step().wait(Cond::SlotReady),
            step().source(Source::Zero).latch(Latch::U),
            step().call(Cond::True, "store"),
        ],
    );
    a.routine(
        "destroyed",
        [
            step().code(Act::Status, Status::SelfDestruct as u8),
            step().goto("halt"),
        ],
    );
}
