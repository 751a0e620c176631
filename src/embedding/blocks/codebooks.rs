//! Blocks of nibbles that stand for the values of a table.

use super::packed::{half_at, nibbles};

/// The values of IQ4_NL and IQ4_XS, denser near zero.
const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];
/// The values of float4 E2M1, doubled.
const FLOAT4: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// `scale f16 | nibbles [16]`; 32 values, each scale * table\[nibble\].
pub fn iq4_nl(block: &[u8; 18]) -> [f32; 32] {
    let scale = half_at(block, 0);
    let nibble = nibbles(block, 2);
    std::array::from_fn(|i| scale * f32::from(NON_LINEAR[usize::from(nibble(i))]))
}

/// `scale f16 | high 2 bits of scales u16 | low 4 bits of scales [4] | nibbles [128]`; 8 groups of 32 values, each with
/// its nibbles like an IQ4_NL block.
///
/// Value = (scale * (group's scale - 32)) * table\[nibble\].
pub fn iq4_xs(block: &[u8; 136]) -> [f32; 256] {
    let scale = half_at(block, 0);
    let high = u16::from_le_bytes([block[2], block[3]]);
    let groups: [f32; 8] = std::array::from_fn(|group| {
        let low = block[4 + group / 2] >> (group % 2 * 4) & 15;
        let high = (high >> (2 * group) & 3) as u8;
        scale * (f32::from(low | high << 4) - 32.0)
    });
    std::array::from_fn(|i| {
        let group = i / 32;
        let nibble = nibbles(block, 8 + 16 * group)(i % 32);
        groups[group] * f32::from(NON_LINEAR[usize::from(nibble)])
    })
}

/// `exponent u8 | nibbles [16]`; 32 values of microscaling float4, each 2^(exponent - 128) * table\[nibble\].
pub fn mxfp4(block: &[u8; 17]) -> [f32; 32] {
    let exponent = u32::from(block[0]);
    // The two smallest powers are subnormal.
    let scale = f32::from_bits(match exponent {
        0 | 1 => 0x0020_0000 << exponent,
        _ => (exponent - 1) << 23,
    });
    let nibble = nibbles(block, 1);
    std::array::from_fn(|i| scale * f32::from(FLOAT4[usize::from(nibble(i))]))
}
