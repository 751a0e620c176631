//! Blocks of 32 values: integers of 4, 5 or 8 bits, one scale and, in the types `_1`, one minimum.
//!
//! The low nibbles of a block belong to its first 16 values, the high ones to the others.

use super::packed::{by_group, half_at, nibble, run};

/// The values per block, and those with the same half of the nibbles.
const VALUES: usize = 32;
const HALF: usize = 16;

/// `scale f16 | nibbles [16]`; value = scale * (nibble - 8).
pub fn q4_0(block: &[u8; 18]) -> [f32; VALUES] {
    let scale = half_at(block, 0);
    by_group::<HALF, VALUES, _>(|half| {
        let bytes = run::<HALF>(block, 2);
        move |i| scale * (f32::from(nibble(bytes[i], half)) - 8.0)
    })
}

/// `scale f16 | minimum f16 | nibbles [16]`; value = scale * nibble + minimum.
pub fn q4_1(block: &[u8; 20]) -> [f32; VALUES] {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    by_group::<HALF, VALUES, _>(|half| {
        let bytes = run::<HALF>(block, 4);
        move |i| scale * f32::from(nibble(bytes[i], half)) + minimum
    })
}

/// `scale f16 | fifth bits u32 | nibbles [16]`; value = scale * (5 bits - 16).
pub fn q5_0(block: &[u8; 22]) -> [f32; VALUES] {
    let scale = half_at(block, 0);
    by_group::<HALF, VALUES, _>(|half| {
        let five = five_bits(run(block, 2), run(block, 6), half);
        move |i| scale * (f32::from(five(i)) - 16.0)
    })
}

/// `scale f16 | minimum f16 | fifth bits u32 | nibbles [16]`; value = scale * 5 bits + minimum.
pub fn q5_1(block: &[u8; 24]) -> [f32; VALUES] {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    by_group::<HALF, VALUES, _>(|half| {
        let five = five_bits(run(block, 4), run(block, 8), half);
        move |i| scale * f32::from(five(i)) + minimum
    })
}

/// `scale f16 | bytes i8 [32]`; value = byte * scale.
pub fn q8_0(block: &[u8; 34]) -> [f32; VALUES] {
    let scale = half_at(block, 0);
    std::array::from_fn(|i| f32::from(block[2 + i].cast_signed()) * scale)
}

/// Returns a value of five bits in one half of a block: the nibble has four of them.
fn five_bits(fifth: [u8; 4], nibbles: [u8; HALF], half: usize) -> impl Fn(usize) -> u8 {
    let fifth = u32::from_le_bytes(fifth) >> (half * HALF);
    move |i| nibble(nibbles[i], half) | ((fifth >> i & 1) << 4) as u8
}
