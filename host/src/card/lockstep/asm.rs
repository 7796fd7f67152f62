//! Bytecode by hand.

pub use gatewei_abi::opcode::byte;
use revm::primitives::U256;

/// Bytecode in the making.
#[derive(Clone, Debug, Default)]
pub struct Asm(
    /// The bytes so far.
    pub Vec<u8>,
);

impl Asm {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The shortest PUSH of a value (never PUSH0, which London lacks).
    ///
    /// # Panics
    /// Where the value is no unsigned number of 256 bits.
    pub fn push(mut self, value: impl TryInto<U256, Error: std::fmt::Debug>) -> Self {
        let value: U256 = value.try_into().expect("a number");
        let bytes: [u8; 32] = value.to_be_bytes();
        let length = value.byte_len().max(1);
        self.0.push(0x5f + length as u8);
        self.0.extend(&bytes[32 - length..]);
        self
    }

    /// Pushes values so that the last one is on top.
    pub fn pushes<V: TryInto<U256, Error: std::fmt::Debug> + Copy>(self, values: &[V]) -> Self {
        values.iter().fold(self, |asm, value| asm.push(*value))
    }

    /// Opcodes by name.
    ///
    /// # Panics
    /// Where there is no opcode of a name.
    pub fn ops(mut self, names: &str) -> Self {
        self.0.extend(names.split_whitespace().map(byte));
        self
    }

    /// Bytes as they are.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// Where the next byte goes.
    pub fn here(&self) -> usize {
        self.0.len()
    }
}

impl From<Asm> for revm::primitives::Bytes {
    fn from(asm: Asm) -> Self {
        asm.0.into()
    }
}

/// Operands at which arithmetic goes wrong.
pub fn edges() -> Vec<U256> {
    let one = U256::from(1);
    let mut edges: Vec<U256> = [
        0u64,
        1,
        2,
        3,
        7,
        31,
        32,
        33,
        64,
        127,
        128,
        255,
        256,
        257,
        u64::MAX,
    ]
    .map(U256::from)
    .into();
    for bits in [64, 127, 128, 192, 255] {
        edges.extend([(one << bits) - one, one << bits, (one << bits) + one]);
    }
    let max = U256::MAX;
    edges.extend([max, max - one, max - U256::from(2), max - U256::from(255)]);
    edges.push(U256::from_be_bytes([0x5a; 32]));
    edges.push(U256::from_be_bytes::<32>(std::array::from_fn(|i| {
        (i * 37 + 11) as u8
    })));
    edges
}
