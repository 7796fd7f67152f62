//! How an opcode can end its frame badly: the table that random programs and tests must fill.

use gatewei_abi::opcode::{Class, Fork, Opcode, opcode};
use revm::interpreter::InstructionResult;

/// Everything that [`exists`] knows: exceptional halts, and the calls and creations that are refused.
pub const RESULTS: [InstructionResult; 23] = [
    InstructionResult::OutOfGas,
    InstructionResult::MemoryOOG,
    InstructionResult::InvalidOperandOOG,
    InstructionResult::ReentrancySentryOOG,
    InstructionResult::OpcodeNotFound,
    InstructionResult::InvalidFEOpcode,
    InstructionResult::NotActivated,
    InstructionResult::InvalidJump,
    InstructionResult::StackUnderflow,
    InstructionResult::StackOverflow,
    InstructionResult::StateChangeDuringStaticCall,
    InstructionResult::CallNotAllowedInsideStatic,
    InstructionResult::OutOfOffset,
    InstructionResult::CreateInitCodeSizeLimit,
    InstructionResult::CreateContractSizeLimit,
    InstructionResult::CreateContractStartingWithEF,
    InstructionResult::CreateCollision,
    InstructionResult::CallTooDeep,
    InstructionResult::OutOfFunds,
    InstructionResult::PrecompileOOG,
    InstructionResult::PrecompileError,
    InstructionResult::Revert,
    InstructionResult::SelfDestruct,
];

/// Whether this is an end that is counted: not the ordinary ones, which every program has.
pub fn counted(result: InstructionResult) -> bool {
    !matches!(result, InstructionResult::Stop | InstructionResult::Return)
}

/// Whether an opcode can end a frame, or the call that it makes, so. Derived from the opcode table and its classes.
///
/// A result that this does not know is one that the lane's rules do not have.
pub fn exists(byte: u8, result: InstructionResult) -> bool {
    use InstructionResult as R;
    let Some(op) = opcode(byte) else {
        return result == R::OpcodeNotFound;
    };
    if op.since > Fork::Osaka {
        return result == R::NotActivated || result == R::OutOfGas;
    }
    let calls = op.class == Class::Call;
    let creates = op.class == Class::Create;
    let pays = matches!(op.name, "CALL" | "CALLCODE");
    match result {
        R::NotActivated => op.since > Fork::London,
        R::InvalidFEOpcode => op.class == Class::Invalid,
        // revm calls a DUP below the stack an overflow.
        R::StackUnderflow => words(op) > 0 && op.class != Class::Dup,
        R::StackOverflow => op.growth > 0,
        // The deposit of a contract's code is charged at its RETURN (EIP-170, appendix G).
        R::OutOfGas => op.gas > 0 || creates || matches!(op.class, Class::Sstore | Class::Return),
        R::MemoryOOG | R::InvalidOperandOOG => !ranges(op).is_empty(),
        R::ReentrancySentryOOG => op.class == Class::Sstore,
        R::StateChangeDuringStaticCall => changes_state(op),
        R::CallNotAllowedInsideStatic => op.name == "CALL",
        R::InvalidJump => matches!(op.class, Class::Jump | Class::Jumpi),
        R::OutOfOffset => op.class == Class::ReturnDataCopy,
        R::CreateInitCodeSizeLimit | R::CreateCollision => creates,
        R::CreateContractSizeLimit | R::CreateContractStartingWithEF => op.class == Class::Return,
        R::CallTooDeep => calls || creates,
        R::OutOfFunds => pays || creates,
        // A contract that is called may be a precompiled one.
        R::PrecompileOOG | R::PrecompileError => calls,
        R::Revert => op.class == Class::Revert,
        R::SelfDestruct => op.class == Class::SelfDestruct,
        _ => false,
    }
}

/// Every cell of the table.
pub fn all() -> impl Iterator<Item = (u8, InstructionResult)> {
    let bytes = (0..=255u8).filter(|byte| *byte == UNDEFINED || opcode(*byte).is_some());
    bytes.flat_map(|byte| {
        let results = RESULTS
            .into_iter()
            .filter(move |result| exists(byte, *result));
        results.map(move |result| (byte, result))
    })
}

/// Stands for all bytes that are no opcode.
pub const UNDEFINED: u8 = 0x0c;

/// Words that an opcode takes from the stack, or looks at.
pub fn words(op: &Opcode) -> usize {
    match op.class {
        Class::Log => op.pops as usize + (op.byte - 0xa0) as usize,
        _ => op.pops as usize,
    }
}

/// Whether a static frame may not do it.
fn changes_state(op: &Opcode) -> bool {
    use Class::{Create, Log, SelfDestruct, Sstore, Tstore};
    matches!(op.class, Sstore | Tstore | Log | Create | SelfDestruct)
}

/// The ranges of memory that an opcode uses: where its operands have the offset and the length, from the stack's
/// top; no length: it is fixed.
pub fn ranges(op: &Opcode) -> &'static [(usize, Option<usize>)] {
    use Class::*;
    match op.class {
        Mload | Mstore | Mstore8 => &[(0, None)],
        Keccak | Return | Revert | Log => &[(0, Some(1))],
        CalldataCopy | CodeCopy | ReturnDataCopy => &[(0, Some(2))],
        Mcopy => &[(0, Some(2)), (1, Some(2))],
        ExtCodeCopy => &[(1, Some(3))],
        Create => &[(1, Some(2))],
        Call if op.pops == 7 => &[(3, Some(4)), (5, Some(6))],
        Call => &[(2, Some(3)), (4, Some(5))],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewei_abi::opcode::byte;

    #[test]
    fn the_table_is_what_the_rules_say() {
        let of = |name: &str| -> Vec<InstructionResult> {
            let cells = all().filter(|(b, _)| *b == byte(name));
            cells.map(|(_, result)| result).collect()
        };
        use InstructionResult as R;
        assert_eq!(of("STOP"), []);
        assert_eq!(of("ADD"), [R::OutOfGas, R::StackUnderflow]);
        assert_eq!(of("DUP3"), [R::OutOfGas, R::StackOverflow]);
        assert_eq!(of("CLZ"), [R::OutOfGas, R::NotActivated, R::StackUnderflow]);
        assert_eq!(of("SLOTNUM"), [R::OutOfGas, R::NotActivated]);
        let mload = [
            R::OutOfGas,
            R::MemoryOOG,
            R::InvalidOperandOOG,
            R::StackUnderflow,
        ];
        assert_eq!(of("MLOAD"), mload);
        assert!(exists(0x0c, R::OpcodeNotFound) && !exists(0x0c, R::OutOfGas));
    }
}
