//! Blocks of 256 values in groups of 16 or 32, each with a scale of its own: the k-quants.

use super::packed::{by_group, half_at, nibble, run};

/// The values per block.
const VALUES: usize = 256;

/// `scales and minima, 4 bits each [16] | 2 bits [64] | scale f16 | minimum f16`; 16 groups of 16 values.
///
/// Value = (scale * group's scale) * 2 bits - (minimum * group's minimum).
pub fn q2_k(block: &[u8; 84]) -> [f32; VALUES] {
    let (scale, minimum) = (half_at(block, 80), half_at(block, 82));
    by_group::<16, VALUES, _>(|group| {
        let scale = scale * f32::from(block[group] & 15);
        let minimum = minimum * f32::from(block[group] >> 4);
        let two = two_bits(&block[16..80], group);
        move |i| scale * f32::from(two(i)) - minimum
    })
}

/// `third bits [32] | 2 bits [64] | scales, 6 bits each [12] | scale f16`; 16 groups of 16 values.
///
/// Value = (scale * (group's scale - 32)) * (2 bits - (third bit is set: 0, else 4)).
pub fn q3_k(block: &[u8; 110]) -> [f32; VALUES] {
    let scale = half_at(block, 108);
    let scales = &block[96..108];
    by_group::<16, VALUES, _>(|group| {
        let low = scales[group % 8] >> (group / 8 * 4) & 15;
        let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        let scale = scale * (f32::from(low | high << 4) - 32.0);
        let two = two_bits(&block[32..96], group);
        // Two groups of 16 values share the bit, one after the other.
        let third = run::<16>(block, group % 2 * 16);
        let bit = group / 2;
        move |i| scale * (f32::from(two(i) | (third[i] >> bit & 1) << 2) - 4.0)
    })
}

/// `scale f16 | minimum f16 | scales and minima, 6 bits each [12] | nibbles [128]`; 8 groups of 32 values.
///
/// Value = (scale * group's scale) * nibble - (minimum * group's minimum).
pub fn q4_k(block: &[u8; 144]) -> [f32; VALUES] {
    by_group::<32, VALUES, _>(|group| {
        let (scale, minimum) = scale_and_minimum(block, group);
        let bytes = run::<32>(block, 16 + group / 2 * 32);
        move |i| scale * f32::from(nibble(bytes[i], group % 2)) - minimum
    })
}

/// `scale f16 | minimum f16 | scales and minima, 6 bits each [12] | fifth bits [32] | nibbles [128]`; 8 groups of 32
/// values.
///
/// Value = (scale * group's scale) * 5 bits - (minimum * group's minimum).
pub fn q5_k(block: &[u8; 176]) -> [f32; VALUES] {
    let fifth = run::<32>(block, 16);
    by_group::<32, VALUES, _>(|group| {
        let (scale, minimum) = scale_and_minimum(block, group);
        let bytes = run::<32>(block, 48 + group / 2 * 32);
        move |i| {
            let five = nibble(bytes[i], group % 2) | (fifth[i] >> group & 1) << 4;
            scale * f32::from(five) - minimum
        }
    })
}

/// `low 4 bits [128] | high 2 bits [64] | scales i8 [16] | scale f16`; 16 groups of 16 values.
///
/// Value = (scale * group's scale) * (6 bits - 32).
pub fn q6_k(block: &[u8; 210]) -> [f32; VALUES] {
    let scale = half_at(block, 208);
    by_group::<16, VALUES, _>(|group| {
        let scale = scale * f32::from(block[192 + group].cast_signed());
        // Each run of 64 bytes holds 128 values, the first 64 in the low nibbles.
        let low = run::<16>(block, group / 8 * 64 + group % 4 * 16);
        let half = group / 4 % 2;
        let high = two_bits(&block[128..192], group);
        move |i| scale * (f32::from(nibble(low[i], half) | high(i) << 4) - 32.0)
    })
}

/// Returns the two bits of a value in a group of 16: each run of 32 bytes holds 128 values, the first 32 in the lowest
/// bits.
fn two_bits(bytes: &[u8], group: usize) -> impl Fn(usize) -> u8 {
    let run = run::<16>(bytes, group / 8 * 32 + group % 2 * 16);
    let shift = group / 2 % 4 * 2;
    move |i| run[i] >> shift & 3
}

/// Returns the scale and the minimum of a group of 32, multiplied with those of the block.
///
/// Of the 12 bytes after those of the block, the first four hold the scales of groups 0 to 3 in their low six bits, and
/// the next four the minima. The other groups have their low four bits in the last four bytes (scales in the low
/// nibbles) and their high bits on top of the first eight.
fn scale_and_minimum(block: &[u8], group: usize) -> (f32, f32) {
    let bytes = &block[4..16];
    let (of_scale, of_minimum) = if group < 4 {
        (bytes[group] & 63, bytes[group + 4] & 63)
    } else {
        let low = bytes[group + 4];
        (
            low & 15 | bytes[group - 4] >> 6 << 4,
            low >> 4 | bytes[group] >> 6 << 4,
        )
    };
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    (scale * f32::from(of_scale), minimum * f32::from(of_minimum))
}
