//! The kernels for x86-64 with AVX2, FMA and F16C.

#![allow(
    unsafe_code,
    reason = "vectors are loaded through pointers, and the instructions are not available on every machine"
)]

use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehl_ps, _mm_shuffle_ps,
    _mm256_add_ps, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cvtepu16_epi32,
    _mm256_cvtph_ps, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps,
    _mm256_slli_epi32, _mm256_storeu_ps,
};

use super::kernel_type::KernelType;
use super::portable::{QUERIES, ROWS, bf16_to_f32, f16_to_f32};

/// Proof that this machine has the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available(());

impl Available {
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }
}

/// See [`super::Kernels::scan`].
pub fn scan(
    _: Available,
    stored: KernelType,
    rows: &[u8],
    query: &[f32],
    dots: &mut Vec<f32>,
    squares: &mut Vec<f32>,
) {
    // SAFETY: an `Available` exists, so the machine has the instructions.
    unsafe {
        match stored {
            KernelType::F16 => scan_as::<F16>(rows, query, dots, squares),
            KernelType::BF16 => scan_as::<BF16>(rows, query, dots, squares),
            KernelType::F32 => scan_as::<F32>(rows, query, dots, squares),
        }
    }
}

/// See [`super::Kernels::widen`].
pub fn widen(_: Available, stored: KernelType, elements: &[u8], values: &mut Vec<f32>) {
    // SAFETY: an `Available` exists, so the machine has the instructions.
    unsafe {
        match stored {
            KernelType::F16 => widen_as::<F16>(elements, values),
            KernelType::BF16 => widen_as::<BF16>(elements, values),
            KernelType::F32 => widen_as::<F32>(elements, values),
        }
    }
}

/// See [`super::Kernels::products`].
pub fn products(
    _: Available,
    rows: [&[f32]; ROWS],
    queries: [&[f32]; QUERIES],
) -> [[f32; QUERIES]; ROWS] {
    // SAFETY: an `Available` exists, so the machine has the instructions.
    unsafe { products_of(rows, queries) }
}

/// Float32 elements per vector.
const LANES: usize = 8;
/// Independent sums, so that additions do not wait for each other.
const UNROLLED: usize = 4;

/// A stored element type.
trait Element {
    const SIZE: usize;

    /// Loads eight elements as float32.
    ///
    /// # Safety
    /// `LANES * SIZE` bytes must be readable at `start`, and the machine must have the instructions.
    unsafe fn load(start: *const u8) -> __m256;

    /// Converts one element of `SIZE` bytes to float32.
    fn one(bytes: &[u8]) -> f32;
}

struct F16;
struct BF16;
struct F32;

impl Element for F16 {
    const SIZE: usize = 2;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(start: *const u8) -> __m256 {
        // SAFETY: the caller guarantees 16 bytes; the load needs no alignment.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(start.cast()) })
    }

    fn one(bytes: &[u8]) -> f32 {
        f16_to_f32(array(bytes))
    }
}

impl Element for BF16 {
    const SIZE: usize = 2;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(start: *const u8) -> __m256 {
        // SAFETY: the caller guarantees 16 bytes; the load needs no alignment.
        let halves = _mm256_cvtepu16_epi32(unsafe { _mm_loadu_si128(start.cast()) });
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
    }

    fn one(bytes: &[u8]) -> f32 {
        bf16_to_f32(array(bytes))
    }
}

impl Element for F32 {
    const SIZE: usize = 4;

    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn load(start: *const u8) -> __m256 {
        // SAFETY: the caller guarantees 32 bytes; the load needs no alignment.
        unsafe { _mm256_loadu_ps(start.cast()) }
    }

    fn one(bytes: &[u8]) -> f32 {
        f32::from_le_bytes(array(bytes))
    }
}

/// Returns the first `N` bytes of a slice, which must be at least that long.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

#[target_feature(enable = "avx2,fma,f16c")]
fn scan_as<E: Element>(rows: &[u8], query: &[f32], dots: &mut Vec<f32>, squares: &mut Vec<f32>) {
    const STEP: usize = LANES * UNROLLED;
    for row in rows.chunks_exact(query.len() * E::SIZE) {
        let mut dot = [_mm256_setzero_ps(); UNROLLED];
        let mut square = [_mm256_setzero_ps(); UNROLLED];
        let mut steps = row.chunks_exact(STEP * E::SIZE);
        let mut query_steps = query.chunks_exact(STEP);
        for (row, query) in steps.by_ref().zip(query_steps.by_ref()) {
            for vector in 0..UNROLLED {
                // SAFETY: both chunks hold `UNROLLED` vectors of `LANES` elements.
                let (value, query) = unsafe {
                    (
                        E::load(row.as_ptr().add(vector * LANES * E::SIZE)),
                        _mm256_loadu_ps(query.as_ptr().add(vector * LANES)),
                    )
                };
                dot[vector] = _mm256_fmadd_ps(value, query, dot[vector]);
                square[vector] = _mm256_fmadd_ps(value, value, square[vector]);
            }
        }
        let mut row_vectors = steps.remainder().chunks_exact(LANES * E::SIZE);
        let mut query_vectors = query_steps.remainder().chunks_exact(LANES);
        for (row, query) in row_vectors.by_ref().zip(query_vectors.by_ref()) {
            // SAFETY: both chunks hold a vector of `LANES` elements.
            let (value, query) =
                unsafe { (E::load(row.as_ptr()), _mm256_loadu_ps(query.as_ptr())) };
            dot[0] = _mm256_fmadd_ps(value, query, dot[0]);
            square[0] = _mm256_fmadd_ps(value, value, square[0]);
        }
        let (mut dot, mut square) = (sum_all(dot), sum_all(square));
        let rest = row_vectors.remainder().chunks_exact(E::SIZE);
        for (element, query) in rest.zip(query_vectors.remainder()) {
            let value = E::one(element);
            dot = value.mul_add(*query, dot);
            square = value.mul_add(value, square);
        }
        dots.push(dot);
        squares.push(square);
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn widen_as<E: Element>(elements: &[u8], values: &mut Vec<f32>) {
    let start = values.len();
    values.resize(start + elements.len() / E::SIZE, 0.0);
    let (targets, rest_targets) = values[start..].as_chunks_mut::<LANES>();
    let mut vectors = elements.chunks_exact(LANES * E::SIZE);
    for (vector, target) in vectors.by_ref().zip(targets) {
        // SAFETY: both chunks hold a vector of `LANES` elements.
        unsafe { _mm256_storeu_ps(target.as_mut_ptr(), E::load(vector.as_ptr())) };
    }
    let rest = vectors.remainder().chunks_exact(E::SIZE);
    for (element, target) in rest.zip(rest_targets) {
        *target = E::one(element);
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn products_of(rows: [&[f32]; ROWS], queries: [&[f32]; QUERIES]) -> [[f32; QUERIES]; ROWS] {
    let lengths = rows.iter().chain(&queries).map(|values| values.len());
    let length = lengths.min().unwrap_or(0);
    let mut sums = [[_mm256_setzero_ps(); QUERIES]; ROWS];
    let vectors = length / LANES;
    for vector in 0..vectors {
        let at = vector * LANES;
        // SAFETY: `at + LANES` is at most `length`, the length of the shortest slice.
        let values = rows.map(|row| unsafe { _mm256_loadu_ps(row.as_ptr().add(at)) });
        for (query, values_of) in queries.iter().enumerate() {
            // SAFETY: as above.
            let query_values = unsafe { _mm256_loadu_ps(values_of.as_ptr().add(at)) };
            for row in 0..ROWS {
                sums[row][query] = _mm256_fmadd_ps(values[row], query_values, sums[row][query]);
            }
        }
    }
    let mut products = sums.map(|row| row.map(|vector| sum(vector)));
    for at in vectors * LANES..length {
        for row in 0..ROWS {
            for query in 0..QUERIES {
                let product = &mut products[row][query];
                *product = rows[row][at].mul_add(queries[query][at], *product);
            }
        }
    }
    products
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn sum_all(vectors: [__m256; UNROLLED]) -> f32 {
    let [a, b, c, d] = vectors;
    sum(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)))
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn sum(vector: __m256) -> f32 {
    let four = _mm_add_ps(
        _mm256_castps256_ps128(vector),
        _mm256_extractf128_ps::<1>(vector),
    );
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}
