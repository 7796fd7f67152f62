//! Comparison of what a lane retired with what a reference interpreter executed, opcode by opcode.

use std::fmt;

use gatewei_abi::opcode;

use crate::trace::Step;

/// Opcodes shown before a difference unless the caller chooses.
pub const CONTEXT: usize = 12;

/// The first opcode at which card and reference part. Displays both sides and the opcodes before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Index of the opcode, from 0.
    pub index: usize,
    /// What the lane retired; none where it ended earlier.
    pub card: Option<Step>,
    /// What the reference executed; none where it ended earlier.
    pub reference: Option<Step>,
    /// Equal opcodes before, the last one last.
    pub before: Vec<Step>,
}

impl std::error::Error for Difference {}

/// Compares the opcodes of one frame; the error carries up to `context` opcodes before the difference.
///
/// # Errors
/// The first difference.
pub fn compare(card: &[Step], reference: &[Step], context: usize) -> Result<(), Box<Difference>> {
    let equal = card
        .iter()
        .zip(reference)
        .take_while(|(a, b)| a == b)
        .count();
    if equal == card.len() && equal == reference.len() {
        return Ok(());
    }
    Err(Box::new(Difference {
        index: equal,
        card: card.get(equal).copied(),
        reference: reference.get(equal).copied(),
        before: card[equal.saturating_sub(context)..equal].to_vec(),
    }))
}

impl Difference {
    /// Names of the fields that differ.
    pub fn fields(&self) -> Vec<&'static str> {
        let (Some(a), Some(b)) = (&self.card, &self.reference) else {
            return vec!["end"];
        };
        let all = [
            ("pc", a.pc != b.pc),
            ("opcode", a.opcode != b.opcode),
            ("gas", a.gas != b.gas),
            ("depth", a.depth != b.depth),
            ("top", a.top != b.top),
            ("memory", a.memory_words != b.memory_words),
        ];
        all.into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "card and reference part at opcode {} in: {}",
            self.index,
            self.fields().join(", ")
        )?;
        writeln!(
            f,
            "{:>10} {:>6} {:<16} {:>12} {:>5} {:>7} top",
            "", "pc", "opcode", "gas", "depth", "memory"
        )?;
        let first = self.index - self.before.len();
        for (i, step) in self.before.iter().enumerate() {
            line(f, &(first + i).to_string(), Some(step))?;
        }
        line(f, "card", self.card.as_ref())?;
        line(f, "reference", self.reference.as_ref())
    }
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, step: Option<&Step>) -> fmt::Result {
    let Some(s) = step else {
        return writeln!(f, "{label:>10} (ended)");
    };
    let name = format!("{:02x} {}", s.opcode, opcode::name(s.opcode));
    write!(
        f,
        "{label:>10} {:>6} {name:<16} {:>12} {:>5} {:>7} 0x",
        s.pc, s.gas, s.depth, s.memory_words
    )?;
    let digits: String = s
        .top
        .iter()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match digits.trim_start_matches('0') {
        "" => writeln!(f, "0"),
        digits => writeln!(f, "{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(n: u32) -> Vec<Step> {
        let step = |pc| Step {
            pc,
            opcode: 0x01,
            gas: u64::from(1_000 - 3 * pc),
            depth: 2,
            top: gatewei_abi::word(u64::from(pc) << 4),
            memory_words: 1,
        };
        (0..n).map(step).collect()
    }

    #[test]
    fn equal_lists_have_no_difference() {
        assert_eq!(compare(&steps(5), &steps(5), CONTEXT), Ok(()));
        assert_eq!(compare(&[], &[], CONTEXT), Ok(()));
    }

    #[test]
    fn every_field_is_compared_and_named() {
        type Change = fn(&mut Step);
        let changes: [(&str, Change); 6] = [
            ("pc", |s| s.pc += 1),
            ("opcode", |s| s.opcode = 0x5f),
            ("gas", |s| s.gas -= 1),
            ("depth", |s| s.depth += 1),
            ("top", |s| s.top[31] ^= 0x80),
            ("memory", |s| s.memory_words += 1),
        ];
        for (name, change) in changes {
            let mut card = steps(20);
            change(&mut card[17]);
            let difference = compare(&card, &steps(20), 3).unwrap_err();
            assert_eq!((difference.index, difference.fields()), (17, vec![name]));
            assert_eq!(difference.before, steps(20)[14..17]);
            let text = difference.to_string();
            for part in ["opcode 17 in", name, "01 ADD", "reference", "0x100\n"] {
                assert!(text.contains(part), "{part:?} in\n{text}");
            }
        }
    }

    #[test]
    fn a_side_that_ends_early_differs() {
        let difference = compare(&steps(3), &steps(4), CONTEXT).unwrap_err();
        assert_eq!((difference.index, difference.card), (3, None));
        assert_eq!(difference.fields(), ["end"]);
        assert!(difference.to_string().contains("card (ended)"));
        assert!(
            compare(&steps(4), &steps(3), CONTEXT)
                .unwrap_err()
                .reference
                .is_none()
        );
    }
}
