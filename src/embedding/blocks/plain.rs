//! Blocks of 32 values: integers of 4, 5 or 8 bits, one scale and, in the types `_1`, one minimum.

use super::packed::{half_at, nibbles};

/// `scale f16 | nibbles [16]`; value = scale * (nibble - 8).
pub fn q4_0(block: &[u8; 18]) -> [f32; 32] {
    let scale = half_at(block, 0);
    let nibble = nibbles(block, 2);
    std::array::from_fn(|i| scale * (f32::from(nibble(i)) - 8.0))
}

/// `scale f16 | minimum f16 | nibbles [16]`; value = scale * nibble + minimum.
pub fn q4_1(block: &[u8; 20]) -> [f32; 32] {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let nibble = nibbles(block, 4);
    std::array::from_fn(|i| scale * f32::from(nibble(i)) + minimum)
}

/// `scale f16 | fifth bits [4] | nibbles [16]`; value = scale * (5 bits - 16).
pub fn q5_0(block: &[u8; 22]) -> [f32; 32] {
    let scale = half_at(block, 0);
    let (nibble, fifth) = (nibbles(block, 6), fifth_bits(block, 2));
    std::array::from_fn(|i| scale * (f32::from(nibble(i) | fifth(i)) - 16.0))
}

/// `scale f16 | minimum f16 | fifth bits [4] | nibbles [16]`; value = scale * 5 bits + minimum.
pub fn q5_1(block: &[u8; 24]) -> [f32; 32] {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let (nibble, fifth) = (nibbles(block, 8), fifth_bits(block, 4));
    std::array::from_fn(|i| scale * f32::from(nibble(i) | fifth(i)) + minimum)
}

/// `scale f16 | bytes i8 [32]`; value = byte * scale.
pub fn q8_0(block: &[u8; 34]) -> [f32; 32] {
    let scale = half_at(block, 0);
    std::array::from_fn(|i| f32::from(block[2 + i].cast_signed()) * scale)
}

/// Returns the fifth bit of a value, in its place.
fn fifth_bits(block: &[u8], start: usize) -> impl Fn(usize) -> u8 {
    move |i| (block[start + i / 8] >> (i % 8) & 1) << 4
}
