//! Blocks of 256 values in groups of 16 or 32, each with a scale of its own: the k-quants.

use super::packed::half_at;

/// The values per block.
const VALUES: usize = 256;

/// `scales and minima, 4 bits each [16] | 2 bits [64] | scale f16 | minimum f16`; 16 groups of 16 values.
///
/// Value = (scale * group's scale) * 2 bits - (minimum * group's minimum).
pub fn q2_k(block: &[u8; 84]) -> [f32; VALUES] {
    let (scale, minimum) = (half_at(block, 80), half_at(block, 82));
    let groups: [(f32, f32); 16] = std::array::from_fn(|group| {
        let both = block[group];
        (scale * f32::from(both & 15), minimum * f32::from(both >> 4))
    });
    std::array::from_fn(|i| {
        let (scale, minimum) = groups[i / 16];
        scale * f32::from(pair_of_bits(&block[16..], i)) - minimum
    })
}

/// `third bits [32] | 2 bits [64] | scales, 6 bits each [12] | scale f16`; 16 groups of 16 values.
///
/// Value = (scale * (group's scale - 32)) * (2 bits - (third bit is set: 0, else 4)).
pub fn q3_k(block: &[u8; 110]) -> [f32; VALUES] {
    let scale = half_at(block, 108);
    let scales = &block[96..108];
    let groups: [f32; 16] = std::array::from_fn(|group| {
        let low = scales[group % 8] >> (group / 8 * 4) & 15;
        let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        scale * (f32::from(low | high << 4) - 32.0)
    });
    std::array::from_fn(|i| {
        let third = block[i % 32] >> (i / 32) & 1;
        let low = f32::from(pair_of_bits(&block[32..], i));
        groups[i / 16] * (low - if third == 1 { 0.0 } else { 4.0 })
    })
}

/// `scale f16 | minimum f16 | scales and minima, 6 bits each [12] | nibbles [128]`; 8 groups of 32 values.
///
/// Value = (scale * group's scale) * nibble - (minimum * group's minimum).
pub fn q4_k(block: &[u8; 144]) -> [f32; VALUES] {
    let groups = six_bit_groups(block);
    std::array::from_fn(|i| {
        let (scale, minimum) = groups[i / 32];
        scale * f32::from(nibble(&block[16..], i)) - minimum
    })
}

/// `scale f16 | minimum f16 | scales and minima, 6 bits each [12] | fifth bits [32] | nibbles [128]`; 8 groups of 32
/// values.
///
/// Value = (scale * group's scale) * 5 bits - (minimum * group's minimum).
pub fn q5_k(block: &[u8; 176]) -> [f32; VALUES] {
    let groups = six_bit_groups(block);
    std::array::from_fn(|i| {
        let (scale, minimum) = groups[i / 32];
        let fifth = (block[16 + i % 32] >> (i / 32) & 1) << 4;
        scale * f32::from(nibble(&block[48..], i) | fifth) - minimum
    })
}

/// `low 4 bits [128] | high 2 bits [64] | scales i8 [16] | scale f16`; 16 groups of 16 values.
///
/// Value = (scale * group's scale) * (6 bits - 32).
pub fn q6_k(block: &[u8; 210]) -> [f32; VALUES] {
    let scale = half_at(block, 208);
    let groups: [f32; 16] =
        std::array::from_fn(|group| scale * f32::from(block[192 + group].cast_signed()));
    std::array::from_fn(|i| {
        let low = block[i / 128 * 64 + i % 64] >> (i / 64 % 2 * 4) & 15;
        let high = pair_of_bits(&block[128..], i);
        groups[i / 16] * (f32::from(low | high << 4) - 32.0)
    })
}

/// Returns the two bits of value `i`: each run of 32 bytes holds 128 values, the first 32 in the lowest bits.
fn pair_of_bits(bytes: &[u8], i: usize) -> u8 {
    bytes[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3
}

/// Returns the nibble of value `i`: each run of 32 bytes holds 64 values, the first 32 in the low nibbles.
fn nibble(bytes: &[u8], i: usize) -> u8 {
    bytes[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15
}

/// Returns the scale and the minimum of each group, multiplied with those of the block.
///
/// Bytes 0 to 3 hold the scales of groups 0 to 3 in their low six bits, bytes 4 to 7 the minima. The other groups have
/// their low four bits in bytes 8 to 11 (scales in the low nibbles) and their high bits on top of bytes 0 to 7.
fn six_bit_groups(block: &[u8]) -> [(f32, f32); 8] {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let bytes = &block[4..16];
    std::array::from_fn(|group| {
        let (of_scale, of_minimum) = if group < 4 {
            (bytes[group] & 63, bytes[group + 4] & 63)
        } else {
            let low = bytes[group + 4];
            (
                low & 15 | bytes[group - 4] >> 6 << 4,
                low >> 4 | bytes[group] >> 6 << 4,
            )
        };
        (scale * f32::from(of_scale), minimum * f32::from(of_minimum))
    })
}
