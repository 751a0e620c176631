//! The options of a nearest-neighbor search.

use crate::embedding::matrix::EmbeddingMatrix;
use crate::embedding::metric::Metric;

/// If fewer than one row in this many is a candidate, the candidates are read one by one and the matrix is not scanned.
const SCAN_RATIO: u64 = 16;

/// The rows to search, and the number of rows to return.
pub struct SearchOptions<'s> {
    pub metric: Metric,
    /// Number of rows to return for each query.
    pub k: usize,
    /// Returns true if a row may be in the result; called only for rows that are near enough.
    pub accepts: &'s (dyn Fn(u32) -> bool + Sync),
    /// The only rows to search, ascending and without duplicates; `None` for the whole matrix.
    pub candidates: Option<&'s [u32]>,
}

impl SearchOptions<'_> {
    /// Returns true if the search scans the whole matrix rather than reading the candidates one by one.
    pub fn reads_all(&self, matrix: &EmbeddingMatrix) -> bool {
        self.candidates
            .is_none_or(|ids| ids.len() as u64 > matrix.rows() / SCAN_RATIO)
    }
}
