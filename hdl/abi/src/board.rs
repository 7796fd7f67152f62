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
