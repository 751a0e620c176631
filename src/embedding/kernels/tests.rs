use half::{bf16, f16};

use super::*;
use crate::embedding::elements::append_f32;
use crate::embedding::test_data::RandomNumbers;
use crate::formats::checkpoint::Dtype;

fn both() -> Vec<Kernels> {
    vec![Kernels::Portable, Kernels::detect()]
}

/// Lengths around that of a vector and of four vectors, and the length of a row of a real model.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=70).chain([384, 389])
}

/// Returns the error bound of a float32 sum of `terms` numbers, relative to the sum of their magnitudes.
fn bound(terms: usize) -> f64 {
    let rounding = terms as f64 * 2_f64.powi(-24);
    rounding / (1.0 - rounding)
}

/// Returns the bytes after one byte of padding, so that no load can rely on alignment.
fn misaligned(bytes: &[u8]) -> Vec<u8> {
    [&[0xff], bytes].concat()
}

fn check(dtype: Dtype, rows: &[u8], query: &[f32]) {
    let stored = KernelType::of(dtype).unwrap();
    assert_eq!(stored.size() as u64, dtype.size());
    let length = query.len();
    let mut values = Vec::new();
    append_f32(dtype, rows, &mut values);
    let shifted = misaligned(rows);
    for kernels in both() {
        let (mut dots, mut squares) = (Vec::new(), Vec::new());
        kernels.scan(stored, &shifted[1..], query, &mut dots, &mut squares);
        let mut widened = vec![7.0];
        kernels.widen(stored, &shifted[1..], &mut widened);
        assert_eq!(widened.len(), values.len() + 1);
        for (widened, value) in widened[1..].iter().zip(&values) {
            let same = widened.to_bits() == value.to_bits();
            assert!(same || widened.is_nan() && value.is_nan());
        }
        let rows: Vec<&[f32]> = values.chunks_exact(length).collect();
        assert_eq!((dots.len(), squares.len()), (rows.len(), rows.len()));
        let products: Vec<f32> = rows
            .iter()
            .flat_map(|row| {
                let products = kernels.products([row, row], [query, row, query, row]);
                assert_eq!(products[0].map(f32::to_bits), products[1].map(f32::to_bits));
                products[0]
            })
            .collect();
        for (index, row) in rows.iter().enumerate() {
            for (found, other) in [
                (dots[index], query),
                (squares[index], row),
                (products[4 * index], query),
                (products[4 * index + 1], row),
            ] {
                let terms = || {
                    row.iter()
                        .zip(other)
                        .map(|(a, b)| f64::from(*a) * f64::from(*b))
                };
                let exact: f64 = terms().sum();
                let magnitude: f64 = terms().map(f64::abs).sum();
                let allowed = bound(length + 1) * magnitude + length as f64 * 2_f64.powi(-149);
                let overflows = magnitude > f64::from(f32::MAX) / 2.0;
                assert!(
                    (f64::from(found) - exact).abs() <= allowed
                        || !found.is_finite() && (!exact.is_finite() || overflows),
                    "{kernels:?} {dtype} length {length}: {found} for {exact}"
                );
            }
        }
    }
}

#[test]
fn random_rows_of_every_type_and_length() {
    let mut numbers = RandomNumbers::new(1);
    for length in lengths() {
        let query: Vec<f32> = (0..length).map(|_| numbers.next()).collect();
        let rows: Vec<f32> = (0..3 * length).map(|_| numbers.next() * 3.0).collect();
        let f16: Vec<u8> = rows
            .iter()
            .flat_map(|value| f16::from_f32(*value).to_le_bytes())
            .collect();
        let bf16: Vec<u8> = rows
            .iter()
            .flat_map(|value| bf16::from_f32(*value).to_le_bytes())
            .collect();
        let f32: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        check(Dtype::F16, &f16, &query);
        check(Dtype::BF16, &bf16, &query);
        check(Dtype::F32, &f32, &query);
    }
}

#[test]
fn rows_of_random_bits() {
    // Among them are subnormal numbers, infinities, and NaN.
    let mut numbers = RandomNumbers::new(2);
    for length in lengths() {
        let query: Vec<f32> = (0..length).map(|_| numbers.next()).collect();
        for dtype in Dtype::readable().filter(|dtype| KernelType::of(*dtype).is_some()) {
            let bytes = 3 * length * dtype.size() as usize;
            let rows: Vec<u8> = (0..bytes).map(|_| numbers.bits() as u8).collect();
            check(dtype, &rows, &query);
        }
    }
}

#[test]
fn subnormal_numbers_are_not_flushed() {
    let query = [1.0_f32; 40];
    let tiny: Vec<u8> = (0..40)
        .flat_map(|_| f16::from_bits(1).to_le_bytes())
        .collect();
    for kernels in both() {
        let (mut dots, mut squares) = (Vec::new(), Vec::new());
        kernels.scan(KernelType::F16, &tiny, &query, &mut dots, &mut squares);
        assert_eq!(dots, [40.0 * 2_f32.powi(-24)]);
        assert_eq!(squares, [40.0 * 2_f32.powi(-48)]);
    }
}

#[test]
fn values_that_are_not_finite_make_the_sums_not_finite() {
    for at in [0, 7, 31, 32, 40] {
        for special in [f16::NAN, f16::INFINITY, f16::NEG_INFINITY] {
            let mut row = [f16::from_f32(0.5); 41];
            row[at] = special;
            let row: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
            for kernels in both() {
                let (mut dots, mut squares) = (Vec::new(), Vec::new());
                kernels.scan(KernelType::F16, &row, &[1.0; 41], &mut dots, &mut squares);
                assert!(!dots[0].is_finite() && !squares[0].is_finite());
            }
        }
    }
}

#[test]
fn empty_rows_have_no_products() {
    let (mut dots, mut squares) = (Vec::new(), Vec::new());
    for kernels in both() {
        kernels.scan(KernelType::F16, &[0; 64], &[], &mut dots, &mut squares);
    }
    assert!(dots.is_empty() && squares.is_empty());
}
