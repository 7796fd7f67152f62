//! Opcodes of a few cycles: one word each where nothing has to be awaited.

use gatewei_abi::status::Status;

use super::asm::{Assembler, entry, step};
use super::word::*;

/// SDIV and SMOD: the unit divides magnitudes. A quotient is negative where the signs differ, a remainder where the
/// dividend is.
fn signed(a: &mut Assembler) {
    let swap = || step().stack(StackOp::Swap);
    let take = || step().source(Source::Top).latch(Latch::T);
    let minus = || {
        step()
            .alu(AluMode::MinusT)
            .source(Source::Alu)
            .stack(StackOp::Unary)
    };
    let divide = || step().unit(Unit::Arith);
    a.routine(
        "signed",
        [
            entry().branch(Cond::TopNegative, "signed_minus"),
            swap(),
            step().branch(Cond::TopNegative, "signed_plus_minus"),
            swap(),
            divide().goto("arith_wait"),
        ],
    );
    a.routine(
        "signed_plus_minus",
        [
            take(),
            minus(),
            swap(),
            divide().branch(Cond::OpRemainder, "arith_wait"),
        ],
    );
    // The result is the top, and negative.
    a.routine(
        "signed_result",
        [
            step()
                .source(Source::Arith)
                .stack(StackOp::Binary)
                .wait(Cond::ArithDone),
            take(),
            minus().chain(),
        ],
    );
    a.routine(
        "signed_minus",
        [
            take(),
            minus(),
            swap(),
            step().branch(Cond::TopNegative, "signed_both"),
            swap(),
            divide().goto("signed_result"),
        ],
    );
    a.routine(
        "signed_both",
        [
            take(),
            minus(),
            swap(),
            divide().branch(Cond::OpRemainder, "signed_result"),
            step().goto("arith_wait"),
        ],
    );
}

/// The routines.
pub fn routines(a: &mut Assembler) {
    let push = |source| [entry().source(source).stack(StackOp::Push).chain()];

    a.routine(
        "binary",
        [entry().source(Source::Alu).stack(StackOp::Binary).chain()],
    );
    a.routine(
        "unary",
        [entry().source(Source::Alu).stack(StackOp::Unary).chain()],
    );
    a.routine("shift", [entry().unit(Unit::Shift)]);
    a.label("shift_wait").then(
        step()
            .source(Source::Shift)
            .stack(StackOp::Binary)
            .chain_if(Cond::ShiftDone, "shift_wait"),
    );
    a.routine("clz", [entry().unit(Unit::Shift)]);
    a.label("clz_wait").then(
        step()
            .source(Source::Shift)
            .stack(StackOp::Unary)
            .chain_if(Cond::ShiftDone, "clz_wait"),
    );
    // The gas of EXP depends on its exponent; a charge that fails suppresses the start.
    a.routine(
        "exp",
        [
            entry(),
            step().gas(GasOp::Exp).unit(Unit::Arith).goto("arith_wait"),
        ],
    );
    a.routine(
        "mulmod",
        [entry()
            .unit(Unit::Arith)
            .stack(StackOp::Pop)
            .goto("arith_wait")],
    );
    // What the unit divides is the sum, and a bit more where the sum is less than what it was made from.
    a.routine(
        "addmod",
        [
            entry().source(Source::Top).latch(Latch::T),
            step()
                .alu(AluMode::TopAddSecond)
                .source(Source::Alu)
                .stack(StackOp::Binary),
            step()
                .alu(AluMode::TopLtT)
                .unit(Unit::Arith)
                .goto("arith_wait"),
        ],
    );
    signed(a);
    a.routine("arith", [entry().unit(Unit::Arith)]);
    a.label("arith_wait").then(
        step()
            .source(Source::Arith)
            .stack(StackOp::Binary)
            .chain_if(Cond::ArithDone, "arith_wait"),
    );

    a.routine("env", push(Source::Env));
    a.routine("calldatasize", push(Source::CalldataSize));
    a.routine("codesize", push(Source::CodeSize));
    a.routine("returndatasize", push(Source::ReturnBytes));
    a.routine("pc", push(Source::Pc));
    a.routine("msize", push(Source::MemorySize));
    a.routine("gas", push(Source::Gas));
    a.routine("push", push(Source::Immediate));
    a.routine("dup", push(Source::Dup));
    a.routine("swap", [entry().stack(StackOp::Swap).chain()]);
    a.routine("pop", [entry().stack(StackOp::Pop).chain()]);
    a.routine("jumpdest", [entry().chain()]);
    a.routine("jump", [entry().jump().stack(StackOp::Pop).finish()]);
    // Whether the second word is zero is known a cycle later.
    a.routine(
        "jumpi",
        [entry().jump().stack(StackOp::Pop2).settle().chain()],
    );
    a.routine(
        "calldataload",
        [entry()
            .source(Source::Calldata)
            .stack(StackOp::Unary)
            .chain_if(Cond::CalldataRead, "calldataload_wait")],
    );
    a.label("calldataload_wait").then(
        step()
            .source(Source::Calldata)
            .stack(StackOp::Unary)
            .chain_if(Cond::CalldataRead, "calldataload_wait"),
    );
    a.routine(
        "blobhash",
        [
            entry().blob(),
            step()
                .source(Source::Env)
                .stack(StackOp::Unary)
                .chain_if(Cond::BlobInside, "zero"),
        ],
    );
    a.routine(
        "zero",
        [step().source(Source::Zero).stack(StackOp::Unary).chain()],
    );

    a.routine(
        "stop",
        [entry().code(Act::Status, Status::Stop as u8).goto("halt")],
    );
    a.routine(
        "invalid",
        [entry()
            .code(Act::Status, Status::InvalidOpcode as u8)
            .goto("halt")],
    );
}
