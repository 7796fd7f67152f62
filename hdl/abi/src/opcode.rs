//! The opcode table: it makes the lane's decoder, the trace decoder and the documentation.

/// Forks by the rules that a frame can see. Names as in the execution specifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fork {
    /// London, Arrow Glacier, Gray Glacier.
    London = 0,
    /// Paris (the Merge).
    Paris,
    /// Shanghai.
    Shanghai,
    /// Cancun.
    Cancun,
    /// Prague.
    Prague,
    /// Osaka.
    Osaka,
    /// Not covered by the lane: its opcodes are known so that they halt as revm's do.
    Amsterdam,
}

impl Fork {
    /// The forks that the lane covers.
    pub const COVERED: [Fork; 6] = [
        Fork::London,
        Fork::Paris,
        Fork::Shanghai,
        Fork::Cancun,
        Fork::Prague,
        Fork::Osaka,
    ];

    /// Opcodes active in this fork: bit `b` of the little-endian word is opcode `b`.
    pub fn opcodes(self) -> crate::Word {
        let mut bits = [0u8; 32];
        for op in TABLE.iter().filter(|op| op.since <= self) {
            bits[op.byte as usize / 8] |= 1 << (op.byte % 8);
        }
        bits
    }
}

/// How the lane executes an opcode. The lane's microcode has one routine per class; the opcode byte
/// selects inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// STOP.
    Stop,
    /// One-cycle two-operand arithmetic, comparison and logic.
    Binary,
    /// One-cycle one-operand logic.
    Unary,
    /// Shifts and byte selection (SHL SHR SAR BYTE SIGNEXTEND), two operands.
    Shift,
    /// Count leading zeros: the shifter with one operand.
    Clz,
    /// Multi-cycle arithmetic without signs (MUL DIV MOD).
    Arith,
    /// Division with signs (SDIV SMOD).
    Signed,
    /// ADDMOD.
    AddMod,
    /// MULMOD.
    MulMod,
    /// EXP, with its gas per exponent byte.
    Exp,
    /// KECCAK256.
    Keccak,
    /// Pushes a word of the environment memory.
    Env,
    /// SELFBALANCE.
    SelfBalance,
    /// BALANCE.
    Balance,
    /// EXTCODESIZE.
    ExtCodeSize,
    /// EXTCODECOPY.
    ExtCodeCopy,
    /// EXTCODEHASH.
    ExtCodeHash,
    /// BLOCKHASH.
    BlockHash,
    /// BLOBHASH.
    BlobHash,
    /// CALLDATALOAD.
    CalldataLoad,
    /// CALLDATASIZE.
    CalldataSize,
    /// CALLDATACOPY.
    CalldataCopy,
    /// CODESIZE.
    CodeSize,
    /// CODECOPY.
    CodeCopy,
    /// RETURNDATASIZE.
    ReturnDataSize,
    /// RETURNDATACOPY.
    ReturnDataCopy,
    /// POP.
    Pop,
    /// MLOAD.
    Mload,
    /// MSTORE.
    Mstore,
    /// MSTORE8.
    Mstore8,
    /// MCOPY.
    Mcopy,
    /// SLOAD.
    Sload,
    /// SSTORE.
    Sstore,
    /// TLOAD.
    Tload,
    /// TSTORE.
    Tstore,
    /// JUMP.
    Jump,
    /// JUMPI.
    Jumpi,
    /// JUMPDEST.
    Jumpdest,
    /// PC.
    Pc,
    /// MSIZE.
    Msize,
    /// GAS.
    Gas,
    /// PUSH0 to PUSH32.
    Push,
    /// DUP1 to DUP16.
    Dup,
    /// SWAP1 to SWAP16.
    Swap,
    /// LOG0 to LOG4.
    Log,
    /// CALL, CALLCODE, DELEGATECALL, STATICCALL.
    Call,
    /// CREATE, CREATE2.
    Create,
    /// SELFDESTRUCT.
    SelfDestruct,
    /// RETURN.
    Return,
    /// REVERT.
    Revert,
    /// INVALID.
    Invalid,
    /// Left to the CPU: the lane traps and names it.
    Trap,
}

impl Class {
    /// Name of the opcodes that cost the lane about the same, in statistics.
    pub const fn cost(self) -> &'static str {
        match self {
            Self::Push | Self::Dup | Self::Swap | Self::Pop | Self::Jumpdest => "stack",
            Self::Binary | Self::Unary => "alu",
            Self::Shift | Self::Clz => "shift",
            Self::Jump | Self::Jumpi => "jump",
            Self::Arith | Self::Signed => "multiply_divide",
            Self::AddMod | Self::MulMod => "modular",
            Self::Exp => "exp",
            Self::Mload | Self::Mstore | Self::Mstore8 => "memory",
            Self::Keccak => "keccak",
            Self::Sload | Self::Sstore => "storage",
            Self::Tload | Self::Tstore => "transient",
            Self::CalldataCopy | Self::CodeCopy | Self::ReturnDataCopy | Self::Mcopy => "copy",
            Self::Log => "log",
            Self::Balance
            | Self::SelfBalance
            | Self::ExtCodeSize
            | Self::ExtCodeCopy
            | Self::ExtCodeHash => "account",
            Self::Call => "call",
            Self::Create | Self::SelfDestruct => "create",
            Self::Stop | Self::Return | Self::Revert | Self::Invalid => "end",
            Self::Env
            | Self::BlockHash
            | Self::BlobHash
            | Self::CalldataLoad
            | Self::CalldataSize
            | Self::CodeSize
            | Self::ReturnDataSize
            | Self::Pc
            | Self::Msize
            | Self::Gas => "environment",
            Self::Trap => "trap",
        }
    }
}

/// One opcode.
#[derive(Clone, Copy, Debug)]
pub struct Opcode {
    /// The byte.
    pub byte: u8,
    /// Mnemonic, as in the execution specifications.
    pub name: &'static str,
    /// Words that must be on the stack. For LOGn the topics are checked later, as revm does.
    pub pops: u8,
    /// Net change of the stack's depth.
    pub growth: i8,
    /// Static gas, charged before anything else (Berlin and later).
    pub gas: u16,
    /// First fork that has it.
    pub since: Fork,
    /// How the lane executes it.
    pub class: Class,
}

macro_rules! table {
    ($($byte:literal $name:ident $pops:literal $growth:literal $gas:literal $since:ident $class:ident;)*) => {
        &[$( Opcode {
            byte: $byte, name: stringify!($name), pops: $pops, growth: $growth, gas: $gas,
            since: Fork::$since, class: Class::$class,
        }, )*]
    };
}

/// Every defined opcode, by byte. What is not here is undefined and halts as `opcode_not_found`.
pub const TABLE: &[Opcode] = table! {
    0x00 STOP 0 0 0 London Stop;
    0x01 ADD 2 -1 3 London Binary;
    0x02 MUL 2 -1 5 London Arith;
    0x03 SUB 2 -1 3 London Binary;
    0x04 DIV 2 -1 5 London Arith;
    0x05 SDIV 2 -1 5 London Signed;
    0x06 MOD 2 -1 5 London Arith;
    0x07 SMOD 2 -1 5 London Signed;
    0x08 ADDMOD 3 -2 8 London AddMod;
    0x09 MULMOD 3 -2 8 London MulMod;
    0x0a EXP 2 -1 10 London Exp;
    0x0b SIGNEXTEND 2 -1 5 London Shift;
    0x10 LT 2 -1 3 London Binary;
    0x11 GT 2 -1 3 London Binary;
    0x12 SLT 2 -1 3 London Binary;
    0x13 SGT 2 -1 3 London Binary;
    0x14 EQ 2 -1 3 London Binary;
    0x15 ISZERO 1 0 3 London Unary;
    0x16 AND 2 -1 3 London Binary;
    0x17 OR 2 -1 3 London Binary;
    0x18 XOR 2 -1 3 London Binary;
    0x19 NOT 1 0 3 London Unary;
    0x1a BYTE 2 -1 3 London Shift;
    0x1b SHL 2 -1 3 London Shift;
    0x1c SHR 2 -1 3 London Shift;
    0x1d SAR 2 -1 3 London Shift;
    0x1e CLZ 1 0 5 Osaka Clz;
    0x20 KECCAK256 2 -1 30 London Keccak;
    0x30 ADDRESS 0 1 2 London Env;
    0x31 BALANCE 1 0 100 London Balance;
    0x32 ORIGIN 0 1 2 London Env;
    0x33 CALLER 0 1 2 London Env;
    0x34 CALLVALUE 0 1 2 London Env;
    0x35 CALLDATALOAD 1 0 3 London CalldataLoad;
    0x36 CALLDATASIZE 0 1 2 London CalldataSize;
    0x37 CALLDATACOPY 3 -3 3 London CalldataCopy;
    0x38 CODESIZE 0 1 2 London CodeSize;
    0x39 CODECOPY 3 -3 3 London CodeCopy;
    0x3a GASPRICE 0 1 2 London Env;
    0x3b EXTCODESIZE 1 0 100 London ExtCodeSize;
    0x3c EXTCODECOPY 4 -4 100 London ExtCodeCopy;
    0x3d RETURNDATASIZE 0 1 2 London ReturnDataSize;
    0x3e RETURNDATACOPY 3 -3 3 London ReturnDataCopy;
    0x3f EXTCODEHASH 1 0 100 London ExtCodeHash;
    0x40 BLOCKHASH 1 0 20 London BlockHash;
    0x41 COINBASE 0 1 2 London Env;
    0x42 TIMESTAMP 0 1 2 London Env;
    0x43 NUMBER 0 1 2 London Env;
    0x44 PREVRANDAO 0 1 2 London Env;
    0x45 GASLIMIT 0 1 2 London Env;
    0x46 CHAINID 0 1 2 London Env;
    0x47 SELFBALANCE 0 1 5 London SelfBalance;
    0x48 BASEFEE 0 1 2 London Env;
    0x49 BLOBHASH 1 0 3 Cancun BlobHash;
    0x4a BLOBBASEFEE 0 1 2 Cancun Env;
    0x4b SLOTNUM 0 1 2 Amsterdam Trap;
    0x50 POP 1 -1 2 London Pop;
    0x51 MLOAD 1 0 3 London Mload;
    0x52 MSTORE 2 -2 3 London Mstore;
    0x53 MSTORE8 2 -2 3 London Mstore8;
    0x54 SLOAD 1 0 100 London Sload;
    0x55 SSTORE 2 -2 0 London Sstore;
    0x56 JUMP 1 -1 8 London Jump;
    0x57 JUMPI 2 -2 10 London Jumpi;
    0x58 PC 0 1 2 London Pc;
    0x59 MSIZE 0 1 2 London Msize;
    0x5a GAS 0 1 2 London Gas;
    0x5b JUMPDEST 0 0 1 London Jumpdest;
    0x5c TLOAD 1 0 100 Cancun Tload;
    0x5d TSTORE 2 -2 100 Cancun Tstore;
    0x5e MCOPY 3 -3 3 Cancun Mcopy;
    0x5f PUSH0 0 1 2 Shanghai Push;
    0x60 PUSH1 0 1 3 London Push;
    0x61 PUSH2 0 1 3 London Push;
    0x62 PUSH3 0 1 3 London Push;
    0x63 PUSH4 0 1 3 London Push;
    0x64 PUSH5 0 1 3 London Push;
    0x65 PUSH6 0 1 3 London Push;
    0x66 PUSH7 0 1 3 London Push;
    0x67 PUSH8 0 1 3 London Push;
    0x68 PUSH9 0 1 3 London Push;
    0x69 PUSH10 0 1 3 London Push;
    0x6a PUSH11 0 1 3 London Push;
    0x6b PUSH12 0 1 3 London Push;
    0x6c PUSH13 0 1 3 London Push;
    0x6d PUSH14 0 1 3 London Push;
    0x6e PUSH15 0 1 3 London Push;
    0x6f PUSH16 0 1 3 London Push;
    0x70 PUSH17 0 1 3 London Push;
    0x71 PUSH18 0 1 3 London Push;
    0x72 PUSH19 0 1 3 London Push;
    0x73 PUSH20 0 1 3 London Push;
    0x74 PUSH21 0 1 3 London Push;
    0x75 PUSH22 0 1 3 London Push;
    0x76 PUSH23 0 1 3 London Push;
    0x77 PUSH24 0 1 3 London Push;
    0x78 PUSH25 0 1 3 London Push;
    0x79 PUSH26 0 1 3 London Push;
    0x7a PUSH27 0 1 3 London Push;
    0x7b PUSH28 0 1 3 London Push;
    0x7c PUSH29 0 1 3 London Push;
    0x7d PUSH30 0 1 3 London Push;
    0x7e PUSH31 0 1 3 London Push;
    0x7f PUSH32 0 1 3 London Push;
    0x80 DUP1 1 1 3 London Dup;
    0x81 DUP2 2 1 3 London Dup;
    0x82 DUP3 3 1 3 London Dup;
    0x83 DUP4 4 1 3 London Dup;
    0x84 DUP5 5 1 3 London Dup;
    0x85 DUP6 6 1 3 London Dup;
    0x86 DUP7 7 1 3 London Dup;
    0x87 DUP8 8 1 3 London Dup;
    0x88 DUP9 9 1 3 London Dup;
    0x89 DUP10 10 1 3 London Dup;
    0x8a DUP11 11 1 3 London Dup;
    0x8b DUP12 12 1 3 London Dup;
    0x8c DUP13 13 1 3 London Dup;
    0x8d DUP14 14 1 3 London Dup;
    0x8e DUP15 15 1 3 London Dup;
    0x8f DUP16 16 1 3 London Dup;
    0x90 SWAP1 2 0 3 London Swap;
    0x91 SWAP2 3 0 3 London Swap;
    0x92 SWAP3 4 0 3 London Swap;
    0x93 SWAP4 5 0 3 London Swap;
    0x94 SWAP5 6 0 3 London Swap;
    0x95 SWAP6 7 0 3 London Swap;
    0x96 SWAP7 8 0 3 London Swap;
    0x97 SWAP8 9 0 3 London Swap;
    0x98 SWAP9 10 0 3 London Swap;
    0x99 SWAP10 11 0 3 London Swap;
    0x9a SWAP11 12 0 3 London Swap;
    0x9b SWAP12 13 0 3 London Swap;
    0x9c SWAP13 14 0 3 London Swap;
    0x9d SWAP14 15 0 3 London Swap;
    0x9e SWAP15 16 0 3 London Swap;
    0x9f SWAP16 17 0 3 London Swap;
    0xa0 LOG0 2 -2 375 London Log;
    0xa1 LOG1 2 -3 375 London Log;
    0xa2 LOG2 2 -4 375 London Log;
    0xa3 LOG3 2 -5 375 London Log;
    0xa4 LOG4 2 -6 375 London Log;
    0xe6 DUPN 0 1 3 Amsterdam Trap;
    0xe7 SWAPN 0 0 3 Amsterdam Trap;
    0xe8 EXCHANGE 0 0 3 Amsterdam Trap;
    0xf0 CREATE 3 -2 0 London Create;
    0xf1 CALL 7 -6 100 London Call;
    0xf2 CALLCODE 7 -6 100 London Call;
    0xf3 RETURN 2 -2 0 London Return;
    0xf4 DELEGATECALL 6 -5 100 London Call;
    0xf5 CREATE2 4 -3 0 London Create;
    0xfa STATICCALL 6 -5 100 London Call;
    0xfd REVERT 2 -2 0 London Revert;
    0xfe INVALID 0 0 0 London Invalid;
    0xff SELFDESTRUCT 1 -1 5000 London SelfDestruct;
};

/// The opcode of a byte, or none where it is undefined.
pub fn opcode(byte: u8) -> Option<&'static Opcode> {
    TABLE
        .binary_search_by_key(&byte, |op| op.byte)
        .ok()
        .map(|i| &TABLE[i])
}

/// Mnemonic of a byte; `"UNDEFINED"` where it has none.
pub fn name(byte: u8) -> &'static str {
    opcode(byte).map_or("UNDEFINED", |op| op.name)
}

/// Byte of a mnemonic of [`TABLE`], for constants.
///
/// # Panics
/// When the table has no such mnemonic: in a constant, that is an error of the compiler.
pub const fn byte(name: &str) -> u8 {
    let mut i = 0;
    while i < TABLE.len() {
        if same(TABLE[i].name.as_bytes(), name.as_bytes()) {
            return TABLE[i].byte;
        }
        i += 1;
    }
    panic!("no opcode of this name in the table");
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
