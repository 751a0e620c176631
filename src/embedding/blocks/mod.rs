//! Conversion of quantized blocks to float32.
//!
//! The types are those of ggml, and the values are bitwise those of its reference (`dequantize_row_*` in `ggml-quants.c`
//! and `dequantize` of the Python package `gguf`): the same float32 operations in the same order, without fused ones.
//! Each type has blocks of a fixed number of bytes and values ([`Dtype::size`], [`Dtype::block_length`]).

mod codebooks;
mod k_quants;
mod packed;
mod plain;
#[cfg(test)]
mod tests;

use crate::formats::checkpoint::Dtype;

/// Converts whole blocks of a quantized type to float32 and appends the values. Appends nothing for other types.
pub fn append_f32(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::Q4_0 => append(bytes, values, plain::q4_0),
        Dtype::Q4_1 => append(bytes, values, plain::q4_1),
        Dtype::Q5_0 => append(bytes, values, plain::q5_0),
        Dtype::Q5_1 => append(bytes, values, plain::q5_1),
        Dtype::Q8_0 => append(bytes, values, plain::q8_0),
        Dtype::Q2_K => append(bytes, values, k_quants::q2_k),
        Dtype::Q3_K => append(bytes, values, k_quants::q3_k),
        Dtype::Q4_K => append(bytes, values, k_quants::q4_k),
        Dtype::Q5_K => append(bytes, values, k_quants::q5_k),
        Dtype::Q6_K => append(bytes, values, k_quants::q6_k),
        Dtype::IQ4_NL => append(bytes, values, codebooks::iq4_nl),
        Dtype::IQ4_XS => append(bytes, values, codebooks::iq4_xs),
        Dtype::MXFP4 => append(bytes, values, codebooks::mxfp4),
        _ => {}
    }
}

/// Converts blocks of `BYTES` bytes to `VALUES` values each.
fn append<const BYTES: usize, const VALUES: usize>(
    bytes: &[u8],
    values: &mut Vec<f32>,
    convert: impl Fn(&[u8; BYTES]) -> [f32; VALUES],
) {
    let blocks = bytes.as_chunks::<BYTES>().0;
    values.reserve(blocks.len() * VALUES);
    for block in blocks {
        values.extend_from_slice(&convert(block));
    }
}
