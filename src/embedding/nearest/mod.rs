//! Exact nearest-neighbor search over the rows of an embedding matrix.
//!
//! Each row is scored at most twice. The first score is a float32 dot product over the stored elements (`kernels`); a
//! row whose error bound (`bound`) proves that it is farther away than the `k` nearest rows found so far is skipped.
//! The others, a few hundred out of a hundred thousand, are scored in float64 by [`Metric::score`]. Only float64 scores
//! are compared and returned, so the result is the same as if every row had been scored in float64, with ties broken
//! by id.
//!
//! [`Metric::score`]: super::metric::Metric::score

mod bound;
mod options;
mod pass;
#[cfg(test)]
mod tests;
mod top_k;

pub use options::SearchOptions;

use super::kernels::Kernels;
use super::matrix::EmbeddingMatrix;
use super::query::Query;
use crate::error::Result;
use pass::Pass;

/// Queries served by one pass over the matrix; more would not fit the caches.
const QUERIES_PER_PASS: usize = 64;

/// Returns, for each query, its `k` nearest rows as `(id, score)`, nearest first, ties by id.
///
/// Leaves out the rows that a query was built from, and rows whose score is NaN.
///
/// # Errors
/// Returns the errors of reading the matrix.
pub fn nearest(
    matrix: &EmbeddingMatrix,
    queries: &[Query],
    options: &SearchOptions,
) -> Result<Vec<Vec<(u32, f64)>>> {
    nearest_with(Kernels::detect(), matrix, queries, options)
}

fn nearest_with(
    kernels: Kernels,
    matrix: &EmbeddingMatrix,
    queries: &[Query],
    options: &SearchOptions,
) -> Result<Vec<Vec<(u32, f64)>>> {
    if options.k == 0 {
        return Ok(vec![Vec::new(); queries.len()]);
    }
    let mut answers = Vec::new();
    for queries in queries.chunks(QUERIES_PER_PASS) {
        let pass = Pass::new(kernels, matrix, queries, options);
        let top = match options.candidates {
            Some(ids) if !options.reads_all(matrix) => pass.over_ids(ids)?,
            _ => pass.over_matrix()?,
        };
        answers.extend(top.into_iter().map(|top| top.into_ranked(options.metric)));
    }
    Ok(answers)
}
