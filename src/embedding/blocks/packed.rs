//! Numbers packed into the bytes of a block.

use half::f16;

/// Reads the float16 at a position of a block.
pub fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Returns the nibbles of 32 values by index. Byte `i` of the 16 from `start` holds those of the values `i`, in its low
/// half, and `i + 16`.
pub fn nibbles(block: &[u8], start: usize) -> impl Fn(usize) -> u8 {
    move |i| block[start + i % 16] >> (i / 16 * 4) & 15
}
