//! Stored rows → float32 dot products, with the widest instructions of the machine.
//!
//! Rows are taken as they are stored, wherever they begin, and widened in registers. The sums are float32 and their
//! order is that of the instructions, so results differ in the last bits from machine to machine: they are good for
//! telling which rows cannot be among the nearest (see [`super::nearest`]), and for nothing that is printed.
//!
//! On x86-64 with AVX2, FMA and F16C the kernels are written out (`avx2`). Elsewhere they are plain loops over eight
//! lanes, which the compiler turns into what every machine of the target has: NEON on AArch64, SSE2 on x86-64.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

use crate::formats::dtype::Dtype;

/// Rows that [`Kernels::products`] takes at a time.
pub const ROWS: usize = 2;
/// Queries that [`Kernels::products`] takes at a time.
pub const QUERIES: usize = 4;

/// The kernels of a set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// What every machine of the target has.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Available),
}

impl Kernels {
    /// The widest that this machine has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(available) = avx2::Available::detect() {
            return Self::Avx2(available);
        }
        Self::Portable
    }

    /// For each row in `rows`, its dot product with `query` and its sum of squares, appended to `dots` and `squares`.
    ///
    /// `rows` are elements of `dtype`, little-endian, as many to a row as the query has. False, and nothing done, for a
    /// type without a kernel: float64.
    pub fn scan(
        self,
        dtype: Dtype,
        rows: &[u8],
        query: &[f32],
        dots: &mut Vec<f32>,
        squares: &mut Vec<f32>,
    ) -> bool {
        let width = dtype.size() as usize * query.len();
        if width == 0 || !matches!(dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32) {
            return false;
        }
        match self {
            Self::Portable => portable::scan(dtype, rows, query, dots, squares),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(available) => avx2::scan(available, dtype, rows, query, dots, squares),
        }
        true
    }

    /// Elements of `dtype`, little-endian, as float32, appended to `values`; nothing for a type without a kernel.
    pub fn widen(self, dtype: Dtype, elements: &[u8], values: &mut Vec<f32>) {
        if !matches!(dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32) {
            return;
        }
        match self {
            Self::Portable => portable::widen(dtype, elements, values),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(available) => avx2::widen(available, dtype, elements, values),
        }
    }

    /// The dot products of two rows with four queries, `[row][query]`; all of one length, or the shortest counts.
    pub fn products(
        self,
        rows: [&[f32]; ROWS],
        queries: [&[f32]; QUERIES],
    ) -> [[f32; QUERIES]; ROWS] {
        match self {
            Self::Portable => portable::products(rows, queries),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(available) => avx2::products(available, rows, queries),
        }
    }
}
