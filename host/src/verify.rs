//! How much of a card's work the CPU does again, and what it then finds.

use std::{fmt, num::NonZeroU32, str::FromStr};

/// Which results of a card are computed again on the CPU before they are committed.
///
/// What each leaves open:
/// * [`Verify::None`]: a card that computes wrongly is found by the block's header alone, where there is one. A wrong
///   gas, log or status is in the receipts root; a wrong *state* is only in the state root, which this library can check
///   where it has the whole pre-state or a witness. A node that has neither compares its own state root and calls
///   [`CardExecutor::suspect`](crate::card::CardExecutor::suspect) when it is not the header's.
/// * [`Verify::Sample`]: a card that is wrong all the time is found after about `n` transactions; a single wrong result
///   is found with a chance of 1 in `n`.
/// * [`Verify::All`]: no wrong result is ever committed; the CPU does all of the card's work again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Every one.
    All,
    /// One in so many transactions.
    Sample(NonZeroU32),
    /// None.
    #[default]
    None,
}

impl Verify {
    /// Whether the result of a transaction is computed again. `seed` is the block's number, so that the same
    /// transaction of a resubmitted block is not always left out.
    pub(crate) fn selects(self, seed: u64, tx: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Sample(every) => {
                // A multiplicative hash (Knuth): transactions at a fixed distance are not all left out.
                let mixed =
                    (seed ^ (tx as u64).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 32).is_multiple_of(u64::from(every.get()))
            }
        }
    }
}

/// A name that is no way to verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no way to verify: `all`, `none`, or `sample=N` for one in N transactions, N from 1 on"
)]
pub struct UnknownVerify(String);

impl FromStr for Verify {
    type Err = UnknownVerify;

    fn from_str(text: &str) -> Result<Self, UnknownVerify> {
        match (text, text.strip_prefix("sample=").map(str::parse)) {
            ("all", _) => Ok(Self::All),
            ("none", _) => Ok(Self::None),
            (_, Some(Ok(every))) => Ok(Self::Sample(every)),
            _ => Err(UnknownVerify(text.to_owned())),
        }
    }
}

impl fmt::Display for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sample(every) => write!(f, "sample={every}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A result of a card that the CPU does not confirm.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct WrongResult {
    /// Index of the first transaction that differs, from 0, as far as it is known.
    pub transaction: Option<usize>,
    /// What differs, and both values: the CPU's first.
    pub difference: String,
}

impl fmt::Display for WrongResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transaction {
            Some(index) => write!(f, "transaction {index}: {}", self.difference),
            None => f.write_str(&self.difference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for text in ["all", "none", "sample=1", "sample=64"] {
            let verify: Verify = text.parse().expect("it is one");
            assert_eq!(verify.to_string(), text);
        }
        for text in ["", "sample", "sample=", "sample=0", "sample=-1", "some"] {
            let error = text.parse::<Verify>().expect_err("it is none");
            assert!(error.to_string().contains("sample=N"), "{error}");
        }
    }

    #[test]
    fn a_sample_is_about_its_share_of_any_block() {
        let every = NonZeroU32::new(8).expect("not zero");
        for block in [0, 1, 24_628_607] {
            let chosen = (0..8_000).filter(|tx| Verify::Sample(every).selects(block, *tx));
            let count = chosen.count();
            assert!((700..1_300).contains(&count), "{count} of 8000");
        }
        assert!(Verify::All.selects(7, 3) && !Verify::None.selects(7, 3));
        assert!((0..9).all(|tx| Verify::Sample(NonZeroU32::MIN).selects(5, tx)));
    }
}
