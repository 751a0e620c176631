//! Float32 dot products of stored rows, with the widest vector instructions of the machine.
//!
//! Rows are read as stored, at any alignment, and widened in registers. The order of summation depends on the
//! instructions, so the last bits of a result differ between machines. Results are only used to skip rows that cannot
//! be among the nearest (see [`super::nearest`]), and are never printed.
//!
//! On x86-64 with AVX2, FMA and F16C the kernels use intrinsics (`avx2`). Elsewhere they are loops over eight lanes
//! (`portable`), which the compiler vectorizes for the baseline of the target: NEON on AArch64, SSE2 on x86-64.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod kernel_type;
mod portable;
#[cfg(test)]
mod tests;

pub use kernel_type::KernelType;
pub use portable::{QUERIES, ROWS};

/// The kernels for one instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// Runs on every machine of the target.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Available),
}

impl Kernels {
    /// Returns the fastest kernels that this machine can run.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(available) = avx2::Available::detect() {
            return Self::Avx2(available);
        }
        Self::Portable
    }

    /// Appends the dot product of each row with `query` to `dots`, and the sum of its squares to `squares`.
    ///
    /// `rows` are little-endian elements of `stored`, each row as long as the query. Appends nothing if the query is
    /// empty.
    pub fn scan(
        self,
        stored: KernelType,
        rows: &[u8],
        query: &[f32],
        dots: &mut Vec<f32>,
        squares: &mut Vec<f32>,
    ) {
        if query.is_empty() {
            return;
        }
        match self {
            Self::Portable => portable::scan(stored, rows, query, dots, squares),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(available) => avx2::scan(available, stored, rows, query, dots, squares),
        }
    }

    /// Converts little-endian elements of `stored` to float32 and appends them to `values`.
    pub fn widen(self, stored: KernelType, elements: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::Portable => portable::widen(stored, elements, values),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(available) => avx2::widen(available, stored, elements, values),
        }
    }

    /// Returns the dot products of two rows with four queries as `[row][query]`. If the lengths differ, elements beyond
    /// the shortest are ignored.
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
