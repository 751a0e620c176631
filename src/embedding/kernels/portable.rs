//! The kernels in plain Rust: loops over eight lanes that the compiler vectorizes.

use super::kernel_type::KernelType;

/// Rows per call of [`products`].
pub const ROWS: usize = 2;
/// Queries per call of [`products`].
pub const QUERIES: usize = 4;

const LANES: usize = 8;

/// See [`super::Kernels::scan`].
pub fn scan(
    stored: KernelType,
    rows: &[u8],
    query: &[f32],
    dots: &mut Vec<f32>,
    squares: &mut Vec<f32>,
) {
    match stored {
        KernelType::F16 => scan_as(rows, query, dots, squares, f16_to_f32),
        KernelType::BF16 => scan_as(rows, query, dots, squares, bf16_to_f32),
        KernelType::F32 => scan_as(rows, query, dots, squares, f32::from_le_bytes),
    }
}

fn scan_as<const SIZE: usize>(
    rows: &[u8],
    query: &[f32],
    dots: &mut Vec<f32>,
    squares: &mut Vec<f32>,
    widen: impl Fn([u8; SIZE]) -> f32,
) {
    let (query_lanes, query_rest) = query.as_chunks::<LANES>();
    for row in rows.chunks_exact(query.len() * SIZE) {
        let (row, _) = row.as_chunks::<SIZE>();
        let (row_lanes, row_rest) = row.as_chunks::<LANES>();
        let (mut dot, mut square) = ([0.0; LANES], [0.0; LANES]);
        for (row, query) in row_lanes.iter().zip(query_lanes) {
            for lane in 0..LANES {
                let value = widen(row[lane]);
                dot[lane] = add_product(dot[lane], value, query[lane]);
                square[lane] = add_product(square[lane], value, value);
            }
        }
        let (mut dot, mut square) = (dot.iter().sum(), square.iter().sum());
        for (element, query) in row_rest.iter().zip(query_rest) {
            let value = widen(*element);
            dot = add_product(dot, value, *query);
            square = add_product(square, value, value);
        }
        dots.push(dot);
        squares.push(square);
    }
}

/// See [`super::Kernels::widen`].
pub fn widen(stored: KernelType, elements: &[u8], values: &mut Vec<f32>) {
    match stored {
        KernelType::F16 => widen_as(elements, values, f16_to_f32),
        KernelType::BF16 => widen_as(elements, values, bf16_to_f32),
        KernelType::F32 => widen_as(elements, values, f32::from_le_bytes),
    }
}

fn widen_as<const SIZE: usize>(
    elements: &[u8],
    values: &mut Vec<f32>,
    widen: impl Fn([u8; SIZE]) -> f32,
) {
    let (elements, _) = elements.as_chunks::<SIZE>();
    values.extend(elements.iter().map(|element| widen(*element)));
}

/// See [`super::Kernels::products`].
pub fn products(rows: [&[f32]; ROWS], queries: [&[f32]; QUERIES]) -> [[f32; QUERIES]; ROWS] {
    rows.map(|row| queries.map(|query| dot(row, query)))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] = add_product(sums[lane], a[lane], b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    rest.fold(sums.iter().sum(), |sum, (a, b)| add_product(sum, *a, *b))
}

/// Returns `sum + a * b`, fused only if every machine of the target can do so, because otherwise `mul_add` would be a
/// function call.
fn add_product(sum: f32, a: f32, b: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, sum)
    } else {
        sum + a * b
    }
}

/// Exact, including subnormal numbers, infinities, and NaN. Branch-free, so that it vectorizes.
pub(super) fn f16_to_f32(bytes: [u8; 2]) -> f32 {
    /// 2 to the power of 112, the difference between the exponent biases 127 and 15.
    const REBIAS: f32 = f32::from_bits((127 + 112) << 23);
    /// The exponent of infinity and NaN in float16, shifted to its position in float32.
    const SPECIAL: u32 = 31 << 23;
    let bits = u32::from(u16::from_le_bytes(bytes));
    let magnitude = (bits & 0x7fff) << 13;
    let value = (f32::from_bits(magnitude) * REBIAS).to_bits();
    let special = if magnitude >= SPECIAL { 0xff << 23 } else { 0 };
    f32::from_bits(value | special | (bits & 0x8000) << 16)
}

/// Exact: bfloat16 is the upper half of a float32.
pub(super) fn bf16_to_f32(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn every_16_bit_number_is_widened_exactly() {
        for bits in 0..=u16::MAX {
            let bytes = bits.to_le_bytes();
            for (value, expected) in [
                (f16_to_f32(bytes), f16::from_bits(bits).to_f32()),
                (bf16_to_f32(bytes), bf16::from_bits(bits).to_f32()),
            ] {
                let same = value.to_bits() == expected.to_bits();
                assert!(same || value.is_nan() && expected.is_nan(), "{bits:#x}");
            }
        }
    }
}
