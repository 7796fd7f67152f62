//! Boards, by the number in the identity registers.

/// Number and name of every board: its folder in `bitstreams/`. A number is never given twice.
pub const BOARDS: &[(u16, &str)] = &[
    (0, "simulation"),
    (1, "ulx3s-85f"),
    (2, "ecpix5-85f"),
    (3, "acorn-cle215p"),
    (4, "aws-f2"),
    (5, "alveo-u55c"),
];

/// The name of a board; none for a number that nobody has given.
pub fn name(number: u16) -> Option<&'static str> {
    (BOARDS.iter()).find_map(|(n, name)| (*n == number).then_some(*name))
}

/// The number of a board.
pub fn number(name: &str) -> Option<u16> {
    (BOARDS.iter()).find_map(|(number, n)| (*n == name).then_some(*number))
}

/// Bits of the bus addresses that a board's card reaches in host memory: LitePCIe's core has 32.
pub fn address_bits(number: u16) -> u32 {
    match name(number) {
        Some("acorn-cle215p") => 32,
        _ => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_go_both_ways() {
        for (number_here, name_here) in BOARDS {
            assert_eq!(name(*number_here), Some(*name_here));
            assert_eq!(number(name_here), Some(*number_here));
        }
        assert_eq!((name(999), number("none")), (None, None));
        assert_eq!((address_bits(0), address_bits(3)), (64, 32));
    }
}
