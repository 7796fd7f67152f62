//! Random code that keeps track of its stack.

use gatewei_abi::opcode::{Class, Fork, Opcode, TABLE, opcode};
use revm::interpreter::InstructionResult;
use revm::primitives::U256;

use super::super::asm::Asm;
use super::super::ends::{self, ranges, words};
use super::super::program::{CONTRACT, SENDER};
use super::{ABSENT, CONTRACTS, DELEGATOR, RICH, Rng, USED, any, edge, number, slot};

/// The kinds of calls.
const CALLS: [&str; 4] = ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"];
/// How deep creations are nested in their creators' code.
const NESTED: usize = 2;
/// Most bytes of code that nests: what is inside is copied into it byte by byte.
const ROOM: usize = 6_000;
/// Words of a full stack.
const FULL: usize = 1_024;

/// Writes code.
pub(super) struct Coder<'a> {
    r: &'a mut Rng,
    fork: Fork,
    asm: Asm,
    /// Words on the stack.
    depth: usize,
    /// Those of them that belong to loops around.
    kept: usize,
    nested: usize,
}

impl<'a> Coder<'a> {
    pub fn new(r: &'a mut Rng, fork: Fork) -> Self {
        Self {
            r,
            fork,
            asm: Asm::new(),
            depth: 0,
            kept: 0,
            nested: 0,
        }
    }

    /// Code inside of this code.
    fn inner(&mut self) -> Coder<'_> {
        Coder {
            nested: self.nested + 1,
            ..Coder::new(self.r, self.fork)
        }
    }

    /// So many statements, and an end.
    pub fn block(mut self, statements: u64) -> Vec<u8> {
        self.statements(statements);
        self.end();
        self.asm.0
    }

    /// An end in one of the ways of [`ends`], after next to nothing.
    pub fn bad_end(mut self) -> Vec<u8> {
        let statements = self.r.below(2);
        self.statements(statements);
        match self.r.below(8) {
            0..=1 => self.destroy(),
            2 => self.op("INVALID", 0),
            _ => self.halt(),
        }
        self.asm.0
    }

    /// Code that calls itself, and then does what it can still pay for.
    pub fn recursion(&mut self) -> Vec<u8> {
        let kind = self.r.pick(&CALLS);
        let words = self.r.below(2);
        for _ in 0..words {
            self.op("GAS", 1);
        }
        let (input, output) = (self.r.below(40), self.r.below(40));
        self.pushes(&[output, 0, input, 3]);
        if matches!(kind, "CALL" | "CALLCODE") {
            let value = self.r.below(2);
            self.pushes(&[value]);
        }
        self.op("ADDRESS", 1);
        self.op("GAS", 1);
        self.op(kind, 0);
        let name = self.r.pick(&["GAS", "RETURNDATASIZE", "MSIZE"]);
        self.op(name, 1);
        self.pushes(&[0]);
        self.op("MSTORE", 0);
        self.pushes(&[32, 0]);
        let end = self.r.pick(&["RETURN", "REVERT", "STOP"]);
        self.op(end, 0);
        std::mem::take(&mut self.asm.0)
    }

    fn write(&mut self, more: impl FnOnce(Asm) -> Asm) {
        self.asm = more(std::mem::take(&mut self.asm));
    }

    /// An opcode by name, which leaves so many words more.
    fn op(&mut self, name: &str, words: usize) {
        self.write(|asm| asm.ops(name));
        self.depth += words;
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.write(|asm| asm.raw(bytes));
    }

    /// Pushes a value, in as many bytes as it needs, or more.
    fn push(&mut self, value: U256) {
        let least = value.byte_len().max(1);
        let bytes = if self.r.chance(30) {
            least + self.r.below(33 - least as u64) as usize
        } else {
            least
        };
        if value.is_zero() && self.fork >= Fork::Shanghai && self.r.chance(50) {
            self.raw(&[0x5f]);
        } else {
            self.raw(&[0x5f + bytes as u8]);
            let all = value.to_be_bytes::<32>();
            self.raw(&all[32 - bytes..]);
        }
        self.depth += 1;
    }

    fn pushes(&mut self, values: &[u64]) {
        for value in values {
            self.push(U256::from(*value));
        }
    }

    /// A place in the code, in two bytes.
    fn push_place(&mut self, place: usize) {
        self.raw(&[0x61, (place >> 8) as u8, place as u8]);
        self.depth += 1;
    }

    fn here(&self) -> usize {
        self.asm.here()
    }

    fn statements(&mut self, count: u64) {
        for _ in 0..count {
            self.statement();
        }
    }

    fn statement(&mut self) {
        // What a long program leaves lying.
        while self.depth > 200.max(self.kept) {
            self.op("POP", 0);
            self.depth -= 1;
        }
        match self.r.below(100) {
            0..=53 => self.operation(),
            54..=58 => {
                let (bytes, value) = (1 + self.r.below(32) as usize, any(self.r));
                let all = value.to_be_bytes::<32>();
                self.raw(&[0x5f + bytes as u8]);
                self.raw(&all[32 - bytes..]);
                self.depth += 1;
            }
            59..=62 => self.jump(),
            63..=67 => self.repeat(),
            68..=79 => self.call(),
            80..=82 if self.nested < NESTED && self.here() < ROOM => self.create(),
            83..=86 => self.return_data(),
            87..=89 => self.perhaps_end(),
            90..=91 => self.far(),
            _ => {
                let value = number(self.r);
                self.push(value);
            }
        }
    }

    /// An opcode with operands at which it does something.
    fn operation(&mut self) {
        use Class::*;
        let fork = self.fork;
        let usable = |op: &&Opcode| {
            let other = matches!(op.class, Push | Jump | Jumpi | Jumpdest | Call | Create);
            let ends = matches!(
                op.class,
                Stop | Return | Revert | Invalid | SelfDestruct | Trap
            );
            op.since <= fork && !other && !ends
        };
        let all: Vec<&Opcode> = TABLE.iter().filter(usable).collect();
        // What only some forks have makes up for the others.
        let new: Vec<&Opcode> = all
            .iter()
            .copied()
            .filter(|op| op.since > Fork::Shanghai)
            .collect();
        let new = if self.r.chance(12) && !new.is_empty() {
            new
        } else {
            all
        };
        let op = self.r.pick(&new);
        let own = self.depth - self.kept;
        let computes = matches!(
            op.class,
            Binary | Unary | Shift | Clz | Arith | Signed | AddMod | MulMod | Pop
        );
        match op.class {
            // Reads what loops keep, too.
            Dup => {
                while self.depth < op.pops as usize {
                    let value = number(self.r);
                    self.push(value);
                }
            }
            Swap => {
                for _ in own..op.pops as usize {
                    let value = number(self.r);
                    self.push(value);
                }
            }
            _ if computes && own >= op.pops as usize && self.r.chance(80) => {}
            _ => {
                for operand in self.operands(op) {
                    self.push(operand);
                }
            }
        }
        self.raw(&[op.byte]);
        self.depth = (self.depth as i64 + i64::from(op.growth)).max(0) as usize;
    }

    /// Sensible operands, the topmost one last.
    fn operands(&mut self, op: &Opcode) -> Vec<U256> {
        use Class::*;
        // By distance from the top.
        let mut out: Vec<U256> = (0..words(op)).map(|_| number(self.r)).collect();
        for (offset, length) in ranges(op) {
            out[*offset] = self.small();
            if let Some(length) = length {
                out[*length] = self.small();
            }
        }
        match op.class {
            CalldataLoad => out[0] = self.small(),
            CalldataCopy | CodeCopy => out[1] = self.small(),
            ReturnDataCopy => {
                out[1] = U256::from(self.r.below(3));
                out[2] = U256::from(self.r.below(2) * self.r.below(40));
            }
            Balance | ExtCodeSize | ExtCodeHash => out[0] = self.anyone(),
            ExtCodeCopy => (out[0], out[2]) = (self.anyone(), self.small()),
            Sload | Sstore | Tload | Tstore => out[0] = slot(self.r),
            BlockHash => out[0] = U256::from(19_999_700 + self.r.below(400)),
            BlobHash => out[0] = U256::from(self.r.below(6)),
            // Some 12 cycles a bit.
            Exp if self.r.chance(90) => out[1] = U256::from(self.r.below(70_000)),
            _ => {}
        }
        out.reverse();
        out
    }

    /// Small enough for an offset or a length.
    fn small(&mut self) -> U256 {
        match self.r.below(80) {
            0 => number(self.r),
            1 => U256::from(self.r.below(20_000)),
            2..=9 => U256::ZERO,
            10..=29 => U256::from(32 * self.r.below(10)),
            _ => U256::from(self.r.below(300)),
        }
    }

    /// Beyond what can be paid for: memory of 2^64 bytes and more is an operand that is no offset.
    fn huge(&mut self) -> U256 {
        match self.r.below(4) {
            0 => U256::from(1) << (33 + self.r.below(31) as usize),
            1 => U256::from(u64::MAX - self.r.below(70)),
            2 => U256::from(1) << (64 + self.r.below(192) as usize),
            _ => edge(self.r) | U256::from(1) << 40,
        }
    }

    /// Whom a program may call or ask about; precompiled contracts and what is no address rarely.
    fn anyone(&mut self) -> U256 {
        let [a, b, c] = CONTRACTS;
        let known = [
            a, b, c, a, b, c, a, b, c, CONTRACT, DELEGATOR, RICH, USED, ABSENT, SENDER,
        ];
        match self.r.below(60) {
            0..=2 => U256::from(self.r.below(19)),
            3 => U256::from(0x100),
            4 => number(self.r),
            // The first contracts that they create.
            5..=7 => {
                let creator = self.r.pick(&[CONTRACT, a, b, c, SENDER.create(0)]);
                let address: U256 = creator.create(1 + self.r.below(2)).into_word().into();
                // Upper bytes are no part of an address.
                address | U256::from(self.r.below(2)) << 200
            }
            _ => self.r.pick(&known).into_word().into(),
        }
    }

    /// A jump forward, taken or not, over nothing that runs.
    fn jump(&mut self) {
        let (jumps, conditional) = (self.r.chance(97), self.r.chance(50));
        if conditional {
            let condition = if self.r.chance(50) {
                number(self.r)
            } else {
                U256::ZERO
            };
            self.push(condition);
        }
        let skipped = self.r.below(5) as usize;
        if jumps {
            self.push_place(self.here() + 4 + skipped);
        } else {
            let nowhere = self.nowhere();
            self.push(nowhere);
        }
        self.op(if conditional { "JUMPI" } else { "JUMP" }, 0);
        self.depth -= 1 + usize::from(conditional);
        for left in (1..=skipped).rev() {
            // Where it is not taken, this runs; a PUSH would swallow the JUMPDEST.
            let byte = if conditional || left > 1 {
                0x5b
            } else {
                self.r.below(0x60) as u8
            };
            self.raw(&[byte]);
        }
        self.op("JUMPDEST", 0);
    }

    /// A place that is no JUMPDEST, most probably.
    fn nowhere(&mut self) -> U256 {
        match self.r.below(4) {
            0 => number(self.r),
            1 => U256::from(self.here()) + (U256::from(1) << (8 * (4 + self.r.below(28) as usize))),
            2 => self.huge(),
            _ => U256::from(self.r.below(self.here() as u64 + 40)),
        }
    }

    /// A loop over some statements, which leave nothing.
    fn repeat(&mut self) {
        let rounds = if self.kept > 0 {
            2
        } else {
            2 + self.r.below(12)
        };
        self.push(U256::from(rounds));
        let start = self.here();
        self.op("JUMPDEST", 0);
        let kept = std::mem::replace(&mut self.kept, self.depth);
        let length = 1 + self.r.below(6);
        self.statements(length);
        while self.depth > self.kept {
            self.op("POP", 0);
            self.depth -= 1;
        }
        self.kept = kept;
        self.write(|asm| asm.push(1).ops("SWAP1 SUB DUP1"));
        self.push_place(start);
        self.op("JUMPI POP", 0);
        self.depth = self.depth.saturating_sub(2);
    }

    /// A call with sensible operands; its result is left.
    fn call(&mut self) {
        let kind = self.r.pick(&CALLS);
        let before = self.depth;
        for _ in 0..4 {
            // Output, then input: length, then offset.
            let value = match self.r.below(30) {
                0 => self.small(),
                1..=6 => U256::ZERO,
                _ => U256::from(self.r.below(150)),
            };
            self.push(value);
        }
        if matches!(kind, "CALL" | "CALLCODE") {
            let value = self.r.pick(&[0, 0, 0, 0, 1, 2, 500, 2_000_000]);
            self.push(U256::from(value));
        }
        let to = self.anyone();
        self.push(to);
        match self.r.below(8) {
            0 => {
                let gas = number(self.r);
                self.push(gas);
            }
            1 => self.pushes_below(3_000),
            2 => self.pushes_below(60_000),
            _ => self.op("GAS", 1),
        }
        self.op(kind, 0);
        self.depth = before + 1;
    }

    fn pushes_below(&mut self, below: u64) {
        let value = U256::from(self.r.below(below));
        self.push(value);
    }

    /// A creation, then perhaps a call of what it made.
    fn create(&mut self) {
        let init = self.init_code();
        let before = self.depth;
        for (n, chunk) in init.chunks(32).enumerate() {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            self.raw(&[0x7f]);
            self.raw(&word);
            self.write(|asm| asm.push(32 * n as u64).ops("MSTORE"));
        }
        let kind = self.r.pick(&["CREATE", "CREATE2"]);
        if kind == "CREATE2" {
            self.pushes_below(2);
        }
        let bytes = match self.r.below(20) {
            0 => self.small(),
            _ => U256::from(init.len()),
        };
        self.push(bytes);
        let value = self.r.pick(&[0, 0, 0, 1, 2, 500, 2_000_000]);
        self.pushes(&[0, value]);
        self.op(kind, 0);
        self.depth = before + 1;
        // The same again: where it exists already, or the memory has changed.
        if kind == "CREATE2" && self.r.chance(30) {
            let salt = self.r.below(2);
            self.pushes(&[salt, init.len() as u64, 0, 0]);
            self.op(kind, 0);
            self.depth = before + 2;
        }
        if self.r.chance(40) {
            return;
        }
        let kind = self.r.pick(&CALLS);
        for _ in 0..4 {
            self.pushes_below(100);
        }
        if matches!(kind, "CALL" | "CALLCODE") {
            let value = self.r.pick(&[0, 0, 1, 400]);
            self.push(U256::from(value));
            self.op("DUP6", 1);
        } else {
            self.op("DUP5", 1);
        }
        self.op("GAS", 1);
        self.op(kind, 0);
        self.depth = before + 2;
    }

    /// Init code: one that deploys, one that fails, or whatever is in memory.
    fn init_code(&mut self) -> Vec<u8> {
        match self.r.below(20) {
            0 => Vec::new(),
            // What may not be deployed: too long (EIP-170), or kept for formats (EIP-3541).
            1 => {
                let length = 24_570 + self.r.below(12);
                Asm::new().push(length).push(0).ops("RETURN").0
            }
            2 => {
                let asm = Asm::new().push(0xef).push(0).ops("MSTORE8");
                let length = self.r.below(4);
                asm.push(length).push(0).ops("RETURN").0
            }
            3..=6 => {
                let length = 1 + self.r.below(12);
                self.inner().block(length)
            }
            7..=8 => self.inner().bad_end(),
            _ => {
                let (before, length) = (self.r.below(6), 1 + self.r.below(16));
                let runtime = self.inner().block(length);
                let mut init = self.inner();
                init.statements(before);
                deploys(init.asm, &runtime)
            }
        }
    }

    /// Copies return data: all of it, a part, or more than there is.
    fn return_data(&mut self) {
        let before = self.depth;
        let to = match self.r.below(12) {
            0 => self.huge(),
            _ => self.small(),
        };
        match self.r.below(5) {
            0..=1 => {
                self.write(|asm| asm.ops("RETURNDATASIZE").push(0));
                self.push(to);
            }
            2 => {
                // From the last byte on, or one beyond.
                let (length, back) = (self.r.below(2), self.r.below(3));
                self.pushes(&[length, back]);
                self.op("RETURNDATASIZE SUB", 0);
                self.push(to);
            }
            3 => {
                let (length, offset) = (self.small(), self.small());
                self.push(length);
                self.push(offset);
                self.push(to);
            }
            _ => {
                let offset = number(self.r);
                self.pushes(&[0]);
                self.push(offset);
                self.push(to);
            }
        }
        self.op("RETURNDATACOPY RETURNDATASIZE", 0);
        self.depth = before + 1;
    }

    /// Memory far out, mostly more than can be paid for.
    fn far(&mut self) {
        let offset = U256::from(1) << (14 + self.r.below(26) as usize);
        let offset = offset - U256::from(self.r.below(70));
        let name = self.r.pick(&["MLOAD", "MSTORE", "MSTORE8"]);
        if name != "MLOAD" {
            let value = number(self.r);
            self.push(value);
        }
        self.push(offset);
        self.op(name, 0);
        self.depth -= if name == "MLOAD" { 0 } else { 2 };
    }

    /// An end that is jumped over, or not.
    fn perhaps_end(&mut self) {
        let condition = if self.r.chance(80) {
            U256::from(1)
        } else {
            U256::ZERO
        };
        self.push(condition);
        let hole = self.here();
        self.push_place(0);
        self.op("JUMPI", 0);
        self.depth -= 2;
        let (depth, kept) = (self.depth, self.kept);
        if self.r.chance(40) {
            self.halt();
        } else {
            self.end();
        }
        (self.depth, self.kept) = (depth, kept);
        let over = self.here();
        self.asm.0[hole + 1] = (over >> 8) as u8;
        self.asm.0[hole + 2] = over as u8;
        self.op("JUMPDEST", 0);
    }

    /// An end.
    fn end(&mut self) {
        match self.r.below(20) {
            0..=5 => self.end_with_output("RETURN"),
            6..=8 => self.end_with_output("REVERT"),
            9..=11 => self.destroy(),
            12..=13 => self.op("INVALID", 0),
            14..=16 => self.halt(),
            17 => {}
            _ => self.op("STOP", 0),
        }
    }

    fn destroy(&mut self) {
        let heir = self.anyone();
        self.push(heir);
        self.op("SELFDESTRUCT", 0);
    }

    fn end_with_output(&mut self, name: &str) {
        let (length, offset) = (self.small(), self.small());
        self.push(length);
        self.push(offset);
        self.op(name, 0);
    }

    /// Ends in a way of the table of [`ends`], with a random opcode.
    fn halt(&mut self) {
        use InstructionResult as R;
        let result = self.r.pick(&HALTS);
        let bytes: Vec<u8> = (0..=255u8)
            .filter(|byte| ends::exists(*byte, result))
            .collect();
        let byte = self.r.pick(&bytes);
        let Some(op) = opcode(byte) else {
            return self.raw(&[byte]);
        };
        let mut operands = self.operands(op);
        let top = operands.len().wrapping_sub(1);
        match result {
            R::StackUnderflow => {
                while self.depth > 0 {
                    self.op("POP", 0);
                    self.depth -= 1;
                }
                let missing = 1 + self.r.below(operands.len() as u64) as usize;
                operands.drain(..missing);
            }
            R::StackOverflow => return self.overflow(op),
            R::MemoryOOG | R::InvalidOperandOOG => {
                let range = self.r.pick(ranges(op));
                let (offset, length) = (top - range.0, range.1.map(|length| top - length));
                if let Some(length) = length {
                    operands[length] = U256::from(1 + self.r.below(60));
                }
                let part = length.filter(|_| self.r.chance(40)).unwrap_or(offset);
                operands[part] = self.huge();
            }
            R::InvalidJump => {
                operands[top] = self.nowhere();
                if operands.len() > 1 {
                    operands[top - 1] = U256::from(1 + self.r.below(9));
                }
            }
            R::CreateInitCodeSizeLimit => {
                operands[top - 2] = U256::from(49_150 + self.r.below(8));
                operands[top - 1] = U256::from(self.r.below(90));
            }
            R::OutOfOffset => {
                let (length, offset) = (self.r.below(3), self.r.below(300));
                (operands[top - 2], operands[top - 1]) = (U256::from(length), U256::from(offset));
            }
            R::CallNotAllowedInsideStatic => operands[top - 2] = U256::from(1 + self.r.below(9)),
            _ => {}
        }
        for operand in operands {
            self.push(operand);
        }
        self.raw(&[byte]);
    }

    /// An opcode that grows the stack, on a full one, or one word before.
    fn overflow(&mut self, op: &Opcode) {
        let one = |op: &&Opcode| op.pops == 0 && op.growth == 1 && op.since == Fork::London;
        let fill: Vec<u8> = TABLE.iter().filter(one).map(|op| op.byte).collect();
        let fill: Vec<u8> = fill.into_iter().filter(|byte| *byte < 0x60).collect();
        let free = self.r.below(8) / 7;
        let missing = (FULL - free as usize).saturating_sub(self.depth);
        for _ in 0..missing {
            let byte = self.r.pick(&fill);
            self.raw(&[byte]);
        }
        self.raw(&[op.byte]);
    }
}

/// How code is made to end, more often what is cheap.
const HALTS: [InstructionResult; 25] = {
    use InstructionResult::*;
    [
        StackUnderflow,
        StackUnderflow,
        StackUnderflow,
        StackOverflow,
        MemoryOOG,
        MemoryOOG,
        MemoryOOG,
        InvalidOperandOOG,
        InvalidOperandOOG,
        InvalidOperandOOG,
        StateChangeDuringStaticCall,
        StateChangeDuringStaticCall,
        StateChangeDuringStaticCall,
        CallNotAllowedInsideStatic,
        CallNotAllowedInsideStatic,
        ReentrancySentryOOG,
        ReentrancySentryOOG,
        OpcodeNotFound,
        InvalidFEOpcode,
        InvalidFEOpcode,
        InvalidFEOpcode,
        NotActivated,
        InvalidJump,
        OutOfOffset,
        CreateInitCodeSizeLimit,
    ]
};

/// Init code that runs `before`, which falls through, and deploys `runtime`.
fn deploys(before: Asm, runtime: &[u8]) -> Vec<u8> {
    let word = |n: usize| [0x61, (n >> 8) as u8, n as u8];
    // Three pushes, CODECOPY, two pushes, RETURN.
    let start = before.here() + 15;
    let copy = before.raw(&word(runtime.len())).raw(&word(start));
    let copy = copy.raw(&[0x60, 0]).ops("CODECOPY");
    let back = copy.raw(&word(runtime.len())).raw(&[0x60, 0]);
    back.ops("RETURN").raw(runtime).0
}
