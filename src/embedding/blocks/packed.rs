//! Numbers packed into the bytes of a block.

use half::f16;

/// Reads the float16 at a position of a block.
pub fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Returns `N` bytes of a block. Their number is known to the compiler, which can then use vector instructions.
pub fn run<const N: usize>(block: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&block[at..at + N]);
    bytes
}

/// Computes `N` values in groups of `GROUP`. `of_group` returns, for the number of a group, a function from an index in
/// the group to the value.
pub fn by_group<const GROUP: usize, const N: usize, F: Fn(usize) -> f32>(
    of_group: impl Fn(usize) -> F,
) -> [f32; N] {
    let mut values = [0.0; N];
    for (group, values) in values.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        *values = std::array::from_fn(of_group(group));
    }
    values
}

/// Returns the nibble of a byte: the low one for 0, the high one for 1.
pub fn nibble(byte: u8, half: usize) -> u8 {
    byte >> (half * 4) & 15
}
