//! Where two executions part.

use std::fmt;

use super::super::trace::Step;

/// How a transaction ended: its result with gas, output and logs, and the state it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The result.
    pub outcome: String,
    /// Accounts and slots, loaded or changed.
    pub state: String,
}

/// Two executions that do not agree, or that cannot be compared.
#[derive(Clone, Debug)]
pub enum Divergence {
    /// The transaction ends before its frame.
    NoFrame(String),
    /// The card lost the message.
    Lost(String),
    /// A step differs.
    Step(Box<Difference>),
    /// The number of retired opcodes differs.
    Retired {
        /// Steps of revm.
        revm: usize,
        /// The card's count.
        card: u32,
    },
    /// The end differs: revm's, the card's.
    End(Box<(End, End)>),
}

impl Divergence {
    /// The card ran the program, and differs: it is no matter of a program that cannot run.
    pub const fn is_the_cards(&self) -> bool {
        !matches!(self, Self::NoFrame(_))
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrame(outcome) => write!(f, "the transaction has no frame: {outcome}"),
            Self::Lost(why) => write!(f, "the card lost the message: {why}"),
            Self::Step(difference) => write!(f, "{difference}"),
            Self::Retired { revm, card } => {
                write!(f, "revm ran {revm} opcodes, the card counts {card}")
            }
            Self::End(ends) => {
                let (revm, card) = &**ends;
                writeln!(
                    f,
                    "the end differs\nrevm: {}\ncard: {}",
                    revm.outcome, card.outcome
                )?;
                let (left, right) = (revm.state.lines(), card.state.lines());
                let line = left.zip(right).find(|(left, right)| left != right);
                match line {
                    Some((left, right)) => write!(f, "revm: {left}\ncard: {right}"),
                    None if revm.state == card.state => Ok(()),
                    None => write!(f, "revm:\n{}card:\n{}", revm.state, card.state),
                }
            }
        }
    }
}

impl std::error::Error for Divergence {}

/// Opcodes shown before a difference.
const SHOWN: usize = 12;

/// The first step that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its index.
    pub index: usize,
    /// The steps before it, on which both agree.
    pub before: Vec<Step>,
    /// revm's step; none where it had ended.
    pub revm: Option<Step>,
    /// The card's step; none where it had ended.
    pub card: Option<Step>,
}

/// Compares two traces.
pub fn first_difference(revm: &[Step], card: &[Step]) -> Option<Difference> {
    let length = revm.len().max(card.len());
    let index = (0..length).find(|&index| revm.get(index) != card.get(index))?;
    Some(Difference {
        index,
        before: revm[index.saturating_sub(SHOWN)..index].to_vec(),
        revm: revm.get(index).copied(),
        card: card.get(index).copied(),
    })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "opcode {} differs; before it:", self.index)?;
        let first = self.index - self.before.len();
        for (index, step) in self.before.iter().enumerate() {
            writeln!(f, "  {:>6}  {step}", first + index)?;
        }
        let side = |step: &Option<Step>| match step {
            Some(step) => step.to_string(),
            None => "(ended)".to_owned(),
        };
        writeln!(f, "  revm >  {}", side(&self.revm))?;
        write!(f, "  card >  {}", side(&self.card))
    }
}

#[cfg(test)]
mod tests {
    use revm::primitives::U256;

    use super::*;

    fn step(pc: u32) -> Step {
        Step {
            frame: 0,
            pc,
            opcode: 1,
            gas: 9,
            depth: 2,
            top: U256::from(3),
            memory: 0,
        }
    }

    #[test]
    fn the_first_difference_is_found_and_shown() {
        let revm: Vec<Step> = (0..30).map(step).collect();
        assert_eq!(first_difference(&revm, &revm), None);
        let mut card = revm.clone();
        card[20].gas -= 1;
        let difference = first_difference(&revm, &card).expect("it differs");
        assert_eq!((difference.index, difference.before.len()), (20, SHOWN));
        let text = difference.to_string();
        assert!(
            text.contains("opcode 20 differs") && text.contains("gas         8"),
            "{text}"
        );
        let short = first_difference(&revm, &revm[..5]).expect("one has ended");
        assert!(short.to_string().contains("(ended)"));
    }
}
