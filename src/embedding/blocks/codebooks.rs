//! Blocks of nibbles that stand for the values of a table.

use super::packed::{by_group, half_at, nibble, run};

/// The values of IQ4_NL and IQ4_XS, denser near zero.
const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];
/// The values of float4 E2M1, doubled.
const FLOAT4: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// `scale f16 | nibbles [16]`; 32 values, each scale * table\[nibble\].
pub fn iq4_nl(block: &[u8; 18]) -> [f32; 32] {
    let scale = half_at(block, 0);
    by_group::<16, 32, _>(|half| {
        let look_up = in_table(&NON_LINEAR, run(block, 2), half);
        move |i| scale * look_up(i)
    })
}

/// `scale f16 | high 2 bits of scales u16 | low 4 bits of scales [4] | nibbles [128]`; 8 groups of 32 values, each with
/// its nibbles like an IQ4_NL block.
///
/// Value = (scale * (group's scale - 32)) * table\[nibble\].
pub fn iq4_xs(block: &[u8; 136]) -> [f32; 256] {
    let scale = half_at(block, 0);
    let high = u16::from_le_bytes(run(block, 2));
    by_group::<16, 256, _>(|half_group| {
        let (group, half) = (half_group / 2, half_group % 2);
        let low = nibble(block[4 + group / 2], group % 2);
        let high = (high >> (2 * group) & 3) as u8;
        let scale = scale * (f32::from(low | high << 4) - 32.0);
        let look_up = in_table(&NON_LINEAR, run(block, 8 + 16 * group), half);
        move |i| scale * look_up(i)
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
    by_group::<16, 32, _>(|half| {
        let look_up = in_table(&FLOAT4, run(block, 1), half);
        move |i| scale * look_up(i)
    })
}

/// Returns the table's values for one half of 16 bytes of nibbles: the low nibbles for 0, the high ones for 1.
fn in_table(table: &'static [i8; 16], nibbles: [u8; 16], half: usize) -> impl Fn(usize) -> f32 {
    move |i| f32::from(table[usize::from(nibble(nibbles[i], half))])
}
