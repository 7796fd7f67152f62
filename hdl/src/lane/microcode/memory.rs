//! Memory: loads, stores, copies, hashes, logs, output.

use gatewei_abi::message::header::ADDRESS;
use gatewei_abi::status::Status;

use super::asm::{Assembler, entry, sized_entry, step};
use super::word::*;

/// The routines.
pub fn routines(a: &mut Assembler) {
    // Called while the expansion unit is at work or asks for more.
    a.routine(
        "grow",
        [
            // An operand that is too large costs nothing.
            step().wait(Cond::ExpandDone).gas(GasOp::Expand),
            step().branch(Cond::ExpandOdd, "grow_odd"),
            step().mover(Move::ZeroMemory),
            step().wait(Cond::MoverIdle).act(Act::MemoryGrown),
            step().ret(),
        ],
    );
    a.routine(
        "grow_odd",
        [
            step().branch(Cond::ExpandInvalid, "halt_invalid_operand"),
            step().goto("trap_memory"),
        ],
    );

    // Called when P and N are what the host is to see of memory: it stands behind the logs then, where the next
    // log goes (`Act::Mark` has remembered it).
    a.routine(
        "pass",
        [
            step().mover(Move::MemoryOut),
            step().wait(Cond::MoverIdle),
            step().wait(Cond::WriteIdle).act(Act::LogsBack),
            step().ret(),
        ],
    );

    a.routine(
        "mload",
        [entry()
            .source(Source::Memory)
            .stack(StackOp::Unary)
            .chain_if(Cond::WordRead, "mload_slow")],
    );
    a.routine(
        "mload_slow",
        [
            step().unit(Unit::ExpandWord),
            step().call(Cond::ExpandSlow, "grow"),
        ],
    );
    a.label("mload_wait").then(
        step()
            .source(Source::Memory)
            .stack(StackOp::Unary)
            .chain_if(Cond::Readable, "mload_wait"),
    );
    a.routine(
        "mstore",
        [entry()
            .store(Store::Operand)
            .source(Source::Second)
            .stack(StackOp::Pop2)
            .chain_if(Cond::WordWritable, "mstore_slow")],
    );
    a.routine(
        "mstore_slow",
        [
            step().unit(Unit::ExpandWord),
            step().call(Cond::ExpandSlow, "grow"),
        ],
    );
    a.label("mstore_wait").then(
        step()
            .store(Store::Operand)
            .source(Source::Second)
            .stack(StackOp::Pop2)
            .chain_if(Cond::Writable, "mstore_wait"),
    );
    a.routine(
        "mstore8",
        [entry()
            .store(Store::Byte)
            .source(Source::Second)
            .stack(StackOp::Pop2)
            .chain_if(Cond::ByteWritable, "mstore8_slow")],
    );
    a.routine(
        "mstore8_slow",
        [
            step().unit(Unit::ExpandByte),
            step().call(Cond::ExpandSlow, "grow"),
        ],
    );
    a.label("mstore8_wait").then(
        step()
            .store(Store::Byte)
            .source(Source::Second)
            .stack(StackOp::Pop2)
            .chain_if(Cond::Writable, "mstore8_wait"),
    );

    for (label, mover) in [
        ("calldatacopy", Move::CalldataMemory),
        ("codecopy", Move::CodeMemory),
    ] {
        a.routine(
            label,
            [
                sized_entry(),
                step().gas(GasOp::CopyWords).unit(Unit::ExpandCopy),
                step().call(Cond::ExpandSlow, "grow"),
                step().pointers(Pointers::Copy),
                step().mover(mover).goto("copy_end"),
            ],
        );
    }
    a.routine(
        "copy_end",
        [
            step().wait(Cond::MoverIdle).stack(StackOp::Pop2),
            step().stack(StackOp::Pop).chain(),
        ],
    );
    a.routine(
        "returndatacopy",
        [
            sized_entry(),
            step().branch(Cond::BeyondReturn, "halt_offset"),
            step().gas(GasOp::CopyWords).unit(Unit::ExpandCopy),
            step().call(Cond::ExpandSlow, "grow"),
            step().pointers(Pointers::Copy),
            step().mover(Move::ReturnMemory).goto("copy_end"),
        ],
    );
    a.routine(
        "mcopy",
        [
            sized_entry(),
            step().gas(GasOp::CopyWords),
            step()
                .alu(AluMode::TopLtSecond)
                .branch(Cond::AluTrue, "mcopy_up"),
            // Destination at or above the source: the later end is the destination's.
            step().unit(Unit::ExpandCopy),
            step().call(Cond::ExpandSlow, "grow"),
            step().pointers(Pointers::Copy),
            step().mover(Move::MemoryMemoryBack).goto("copy_end"),
        ],
    );
    a.routine(
        "mcopy_up",
        [
            step().unit(Unit::ExpandSource),
            step().call(Cond::ExpandSlow, "grow"),
            step().pointers(Pointers::Copy),
            step().mover(Move::MemoryMemory).goto("copy_end"),
        ],
    );

    a.routine(
        "keccak",
        [
            sized_entry().pointers(Pointers::Range),
            step().gas(GasOp::HashWords).unit(Unit::ExpandRange),
            step().call(Cond::ExpandSlow, "grow"),
            step().mover(Move::MemoryKeccak),
        ],
    );
    a.label("keccak_wait").then(
        step()
            .source(Source::Digest)
            .stack(StackOp::Binary)
            .chain_if(Cond::Digest, "keccak_wait"),
    );

    a.routine(
        "log",
        [
            sized_entry().pointers(Pointers::Range),
            step().gas(GasOp::Log).unit(Unit::ExpandRange),
            step().call(Cond::ExpandSlow, "grow"),
            step().branch(Cond::TopicsShort, "halt_underflow"),
            step().branch(Cond::NoRoom, "trap_result"),
            step().emit(Source::LogHead).env_read(ADDRESS),
            step().emit(Source::Env).env_read(ADDRESS),
            step().count(Count::Topics).stack(StackOp::Pop2),
        ],
    );
    a.routine(
        "log_topics",
        [
            step().branch(Cond::CountZero, "log_data"),
            step()
                .emit(Source::Top)
                .stack(StackOp::Pop)
                .count(Count::Down),
            step().goto("log_topics"),
        ],
    );
    a.routine(
        "log_data",
        [
            step().mover(Move::MemoryOut),
            step().wait(Cond::MoverIdle).act(Act::LogDone),
            step().chain(),
        ],
    );

    a.routine(
        "return",
        [sized_entry()
            .code(Act::Status, Status::Return as u8)
            .goto("output")],
    );
    a.routine(
        "revert",
        [sized_entry()
            .code(Act::Status, Status::Revert as u8)
            .goto("output")],
    );
    a.routine(
        "output",
        [
            step().unit(Unit::ExpandRange).pointers(Pointers::Range),
            step().call(Cond::ExpandSlow, "grow"),
            step().branch(Cond::Inner, "inner_output"),
            step().branch(Cond::NoRoom, "trap_result"),
            step().act(Act::MarkOutput).mover(Move::MemoryOut),
            step().wait(Cond::MoverIdle),
            step().goto("finish"),
        ],
    );
}
