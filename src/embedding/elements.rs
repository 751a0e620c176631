//! Conversion of stored elements to float32.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::blocks;
use crate::formats::checkpoint::Dtype;

/// Number of float16 elements converted per call: enough for vector instructions to pay off, few enough for the stack.
const HALVES_PER_CALL: usize = 256;

/// Converts little-endian elements of `dtype` to float32 and appends them to `values`.
///
/// Exact for float16 and bfloat16; float64 is rounded to the nearest float32; quantized blocks give the values of ggml's
/// reference. Appends nothing for types that are not readable, or for an incomplete last element or block; opening a
/// matrix rules out both.
pub fn append_f32(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    match dtype {
        Dtype::F16 => {
            let mut halves = [f16::ZERO; HALVES_PER_CALL];
            for bytes in bytes.chunks(HALVES_PER_CALL * size_of::<f16>()) {
                let mut count = 0;
                for (half, value) in halves.iter_mut().zip(words(bytes, f16::from_le_bytes)) {
                    *half = value;
                    count += 1;
                }
                let start = values.len();
                values.resize(start + count, 0.0);
                halves[..count].convert_to_f32_slice(&mut values[start..]);
            }
        }
        Dtype::BF16 => values.extend(words(bytes, bf16::from_le_bytes).map(bf16::to_f32)),
        Dtype::F32 => values.extend(words(bytes, f32::from_le_bytes)),
        Dtype::F64 => values.extend(words(bytes, f64::from_le_bytes).map(|value| value as f32)),
        Dtype::Bool
        | Dtype::U8
        | Dtype::I8
        | Dtype::U16
        | Dtype::I16
        | Dtype::U32
        | Dtype::I32
        | Dtype::U64
        | Dtype::I64
        | Dtype::F8_E4M3
        | Dtype::F8_E5M2
        | Dtype::C64
        | Dtype::C128 => {}
        Dtype::Q4_0
        | Dtype::Q4_1
        | Dtype::Q5_0
        | Dtype::Q5_1
        | Dtype::Q8_0
        | Dtype::Q2_K
        | Dtype::Q3_K
        | Dtype::Q4_K
        | Dtype::Q5_K
        | Dtype::Q6_K
        | Dtype::IQ4_NL
        | Dtype::IQ4_XS
        | Dtype::MXFP4 => blocks::append_f32(dtype, bytes, values),
    }
}

fn words<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> impl Iterator<Item = T> {
    bytes.as_chunks::<N>().0.iter().map(move |word| read(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
        let mut values = Vec::new();
        append_f32(dtype, bytes, &mut values);
        values
    }

    #[test]
    fn every_readable_type_is_converted() {
        for dtype in Dtype::readable() {
            let zeros = vec![0; 3 * dtype.size() as usize];
            let values = read(dtype, &zeros);
            assert_eq!(values.len() as u64, 3 * dtype.block_length(), "{dtype}");
            assert!(values.iter().all(|value| *value == 0.0), "{dtype}");
        }
        assert_eq!(read(Dtype::F16, &f16::from_f32(1.5).to_le_bytes()), [1.5]);
        assert_eq!(read(Dtype::BF16, &bf16::from_f32(1.5).to_le_bytes()), [1.5]);
        assert_eq!(read(Dtype::F32, &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(read(Dtype::F64, &1.5_f64.to_le_bytes()), [1.5]);
    }

    #[test]
    fn every_float16_is_converted_exactly() {
        for bits in 0..=u16::MAX {
            let value = read(Dtype::F16, &bits.to_le_bytes())[0];
            if !value.is_nan() {
                assert_eq!(f16::from_f32(value).to_bits(), bits);
            }
        }
    }
}
