//! Makes a program that differs a small one.

use gatewei_abi::opcode::byte;
use revm::primitives::{Bytes, U256};

use super::program::Program;

const JUMP: u8 = byte("JUMP");
const JUMPI: u8 = byte("JUMPI");
const JUMPDEST: u8 = byte("JUMPDEST");
const PUSH1: u8 = byte("PUSH1");
const PUSH32: u8 = byte("PUSH32");

/// The smallest program that it finds which still `differs`, with at most so many tries.
///
/// Accounts, slots, calldata and instructions go as long as the difference stays; jumps are moved with
/// their targets.
pub fn shrink(program: Program, tries: usize, differs: impl FnMut(&Program) -> bool) -> Program {
    let mut shrinker = Shrinker {
        best: program,
        tries,
        differs,
    };
    loop {
        let before = shrinker.best.clone();
        shrinker.world();
        for place in (0..=shrinker.best.others.len()).rev() {
            shrinker.code(place);
        }
        if shrinker.best == before || shrinker.tries == 0 {
            return shrinker.best;
        }
    }
}

struct Shrinker<F> {
    best: Program,
    tries: usize,
    differs: F,
}

impl<F: FnMut(&Program) -> bool> Shrinker<F> {
    /// Keeps a change if the difference stays.
    fn attempt(&mut self, change: impl FnOnce(&mut Program)) -> bool {
        let mut program = self.best.clone();
        change(&mut program);
        if program == self.best || self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        let stays = (self.differs)(&program);
        if stays {
            self.best = program;
        }
        stays
    }

    /// Everything but code.
    fn world(&mut self) {
        for index in (0..self.best.others.len()).rev() {
            self.attempt(|program| {
                program.others.remove(index);
            });
        }
        self.attempt(|program| program.warm_others.clear());
        self.attempt(|program| program.warm.clear());
        self.attempt(|program| program.blobs.clear());
        self.attempt(|program| program.is_static = false);
        self.attempt(|program| program.create = false);
        self.attempt(|program| program.value = U256::ZERO);
        self.attempt(|program| program.balance = U256::ZERO);
        self.attempt(|program| program.gas = None);
        self.attempt(|program| program.storage.clear());
        for index in (0..self.best.storage.len()).rev() {
            self.attempt(|program| {
                program.storage.remove(index);
            });
        }
        for index in 0..self.best.others.len() {
            self.attempt(|program| program.others[index].storage.clear());
            self.attempt(|program| program.others[index].balance = U256::ZERO);
            self.attempt(|program| program.others[index].nonce = 0);
        }
        let mut length = self.best.calldata.len();
        self.attempt(|program| program.calldata = Bytes::new());
        while length > 0 {
            length /= 2;
            self.attempt(|program| {
                program.calldata = program.calldata.slice(..length.min(program.calldata.len()))
            });
        }
    }

    /// One contract's code: fewer instructions, then smaller numbers.
    fn code(&mut self, place: usize) {
        self.attempt(|program| *code_of(program, place) = Bytes::new());
        let mut size = decode(code_of(&mut self.best, place)).len();
        while size > 0 {
            let mut at = 0;
            loop {
                let code = decode(code_of(&mut self.best, place));
                if at >= code.len() {
                    break;
                }
                let end = (at + size).min(code.len());
                let shorter = without(&code, at, end);
                if !self.attempt(|program| *code_of(program, place) = shorter.into()) {
                    at = end;
                }
            }
            size /= 2;
        }
        for at in 0..decode(code_of(&mut self.best, place)).len() {
            let mut code = decode(code_of(&mut self.best, place));
            if code[at].data.len() > 1 {
                code[at] = Instruction {
                    byte: PUSH1,
                    data: vec![0],
                };
                let all = 0..code.len();
                let simpler = without(&code, all.end, all.end);
                self.attempt(|program| *code_of(program, place) = simpler.into());
            }
        }
    }
}

/// The code of the contract, then those of the others.
fn code_of(program: &mut Program, place: usize) -> &mut Bytes {
    match place {
        0 => &mut program.code,
        n => &mut program.others[n - 1].code,
    }
}

#[derive(Clone, Debug)]
struct Instruction {
    byte: u8,
    data: Vec<u8>,
}

/// Code as instructions; data that the end cuts off stay so.
fn decode(code: &[u8]) -> Vec<Instruction> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let byte = code[at];
        let length = match byte {
            PUSH1..=PUSH32 => (byte - PUSH1 + 1) as usize,
            _ => 0,
        };
        let end = (at + 1 + length).min(code.len());
        out.push(Instruction {
            byte,
            data: code[at + 1..end].to_vec(),
        });
        at = end;
    }
    out
}

/// The code without some instructions. What is pushed right before a jump follows its target.
fn without(code: &[Instruction], from: usize, to: usize) -> Vec<u8> {
    let size = |instruction: &Instruction| 1 + instruction.data.len();
    let (mut old, mut new) = (0, 0);
    let mut moved = std::collections::BTreeMap::new();
    for (index, instruction) in code.iter().enumerate() {
        if instruction.byte == JUMPDEST {
            moved.insert(old, new);
        }
        old += size(instruction);
        if !(from..to).contains(&index) {
            new += size(instruction);
        }
    }
    let mut out = Vec::new();
    for (index, instruction) in code.iter().enumerate() {
        if (from..to).contains(&index) {
            continue;
        }
        out.push(instruction.byte);
        let jumps = code
            .get(index + 1)
            .is_some_and(|next| matches!(next.byte, JUMP | JUMPI));
        let target = (jumps && instruction.data.len() <= 4)
            .then(|| {
                instruction
                    .data
                    .iter()
                    .fold(0, |value, byte| value << 8 | usize::from(*byte))
            })
            .and_then(|target| moved.get(&target));
        match target {
            Some(target) => {
                let bytes = target.to_be_bytes();
                out.extend(&bytes[bytes.len() - instruction.data.len()..]);
            }
            None => out.extend(&instruction.data),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::random;
    use super::*;

    /// As if the card were wrong at a MULMOD in an inner frame.
    fn wrong(program: &Program) -> bool {
        let Ok((record, _)) = program.on_revm() else {
            return false;
        };
        let mulmod = byte("MULMOD");
        record
            .steps
            .iter()
            .any(|step| step.frame > 0 && step.opcode == mulmod)
    }

    #[test]
    fn a_difference_in_a_large_program_becomes_one_in_a_small_one() {
        let found = (0..).map(random::program).filter(wrong).take(5);
        for program in found {
            let small = shrink(program, 4_000, wrong);
            assert!(wrong(&small));
            let codes = small
                .others
                .iter()
                .map(|other| &other.code)
                .chain([&small.code]);
            let bytes: usize = codes.map(|code| code.len()).sum();
            assert!(bytes < 120, "{bytes} bytes are left: {small:?}");
            assert!(
                small.storage.is_empty() && small.calldata.is_empty(),
                "{small:?}"
            );
        }
    }

    #[test]
    fn jumps_follow_their_targets() {
        // PUSH1 1, POP, PUSH1 6, JUMP, JUMPDEST, STOP
        let code = [0x60, 1, 0x50, 0x60, 6, 0x56, 0x5b, 0];
        assert_eq!(without(&decode(&code), 0, 2), [0x60, 3, 0x56, 0x5b, 0]);
        assert_eq!(without(&decode(&code), 9, 9), code);
        assert_eq!(decode(&[0x61, 7])[0].data, [7]);
    }
}
