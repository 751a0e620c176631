//! Statistics of a whole matrix: its values, the lengths of its rows, zero rows, and duplicate rows.
//!
//! One pass over the stored bytes, on all cores. Sums are float64 and are merged block by block in row order, so they
//! do not depend on the number of threads.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::elements::append_f32;
use super::matrix::EmbeddingMatrix;
use crate::error::Result;

/// Statistics of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub values: ValueStatistics,
    /// Euclidean length of each row; NaN if the row has a value that is not finite.
    pub norms: Vec<f64>,
    /// The numbers of the rows that are all zero, ascending.
    pub zero_rows: Vec<u64>,
    /// Groups of two or more rows whose bits are equal, ordered by their first rows.
    pub duplicates: Vec<Vec<u64>>,
}

/// Statistics of the values of some rows. Only finite values count toward `min`, `max`, `mean`, and `within_one`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueStatistics {
    pub finite: u64,
    pub nan: u64,
    pub infinite: u64,
    /// Infinity if no value is finite; `max` is then negative infinity.
    pub min: f32,
    pub max: f32,
    pub mean: f64,
    /// Number of values in [-1, 1].
    pub within_one: u64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl ValueStatistics {
    fn empty() -> Self {
        Self {
            finite: 0,
            nan: 0,
            infinite: 0,
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            mean: 0.0,
            within_one: 0,
            squares: 0.0,
        }
    }

    /// Population standard deviation.
    pub fn deviation(&self) -> f64 {
        (self.squares / self.finite.max(1) as f64).max(0.0).sqrt()
    }

    /// Merges `other` into `self`; see Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for
    /// computing sample variances, 1979.
    fn merge(&mut self, other: &Self) {
        let (count, other_count) = (self.finite as f64, other.finite as f64);
        let total = (count + other_count).max(1.0);
        let delta = other.mean - self.mean;
        self.squares += other.squares + delta * delta * count * other_count / total;
        self.mean += delta * other_count / total;
        self.finite += other.finite;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.within_one += other.within_one;
    }
}

/// Computes the statistics of a matrix.
///
/// # Errors
/// Returns the errors of reading the matrix.
pub fn statistics(matrix: &EmbeddingMatrix) -> Result<Statistics> {
    let blocks = matrix.blocks()?.into_par_iter();
    let blocks: Vec<BlockStatistics> = blocks
        .map(|block| BlockStatistics::new(matrix, block))
        .collect::<Result<_>>()?;
    let mut values = ValueStatistics::empty();
    let (mut norms, mut zero_rows, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for block in blocks {
        values.merge(&block.values);
        norms.extend(block.norms);
        zero_rows.extend(block.zero_rows);
        hashes.extend(block.hashes);
    }
    Ok(Statistics {
        values,
        norms,
        zero_rows,
        duplicates: duplicates(matrix, hashes)?,
    })
}

/// Statistics of one block of rows.
struct BlockStatistics {
    values: ValueStatistics,
    norms: Vec<f64>,
    zero_rows: Vec<u64>,
    /// A hash of each row's bytes, with the number of the row.
    hashes: Vec<(u32, u64)>,
}

impl BlockStatistics {
    fn new(matrix: &EmbeddingMatrix, block: Range<u64>) -> Result<Self> {
        let mut buffer = Vec::new();
        let bytes = matrix.rows_bytes(block.clone(), &mut buffer)?;
        let rows = bytes.chunks_exact(matrix.row_width() as usize);
        let mut statistics = Self {
            values: ValueStatistics::empty(),
            norms: Vec::new(),
            zero_rows: Vec::new(),
            hashes: Vec::new(),
        };
        let mut values = Vec::new();
        for (id, row) in block.zip(rows) {
            statistics.hashes.push((crc32fast::hash(row), id));
            values.clear();
            append_f32(matrix.dtype(), row, &mut values);
            let (row_statistics, squares) = row_statistics(&values);
            statistics.values.merge(&row_statistics);
            statistics.norms.push(squares.sqrt());
            if squares == 0.0 {
                statistics.zero_rows.push(id);
            }
        }
        Ok(statistics)
    }
}

/// Returns the statistics of a row, and the sum of the squares of its values: NaN if a value is not finite.
fn row_statistics(row: &[f32]) -> (ValueStatistics, f64) {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let mut squares = [0.0_f64; LANES];
    let mut min = [f32::INFINITY; LANES];
    let mut max = [f32::NEG_INFINITY; LANES];
    let mut within = [0_u32; LANES];
    let mut add = |lane: usize, value: f32| {
        let wide = f64::from(value);
        sums[lane] += wide;
        squares[lane] += wide * wide;
        min[lane] = if value < min[lane] { value } else { min[lane] };
        max[lane] = if value > max[lane] { value } else { max[lane] };
        within[lane] += u32::from(value.abs() <= 1.0);
    };
    let (lanes, rest) = row.as_chunks::<LANES>();
    for values in lanes {
        for (lane, value) in values.iter().enumerate() {
            add(lane, *value);
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        add(lane, *value);
    }
    let squares: f64 = squares.iter().sum();
    // The square of a float32 always fits in a float64, and so does the sum of all squares that fit in memory.
    if !squares.is_finite() {
        let finite: Vec<f32> = row.iter().copied().filter(|x| x.is_finite()).collect();
        let (mut values, _) = row_statistics(&finite);
        values.nan = row.iter().filter(|value| value.is_nan()).count() as u64;
        values.infinite = row.iter().filter(|value| value.is_infinite()).count() as u64;
        return (values, f64::NAN);
    }
    let sum: f64 = sums.iter().sum();
    let count = row.len().max(1) as f64;
    let values = ValueStatistics {
        finite: row.len() as u64,
        min: min.into_iter().fold(f32::INFINITY, f32::min),
        max: max.into_iter().fold(f32::NEG_INFINITY, f32::max),
        mean: sum / count,
        within_one: within.iter().copied().map(u64::from).sum(),
        squares: squares_about(row, sum / count),
        ..ValueStatistics::empty()
    };
    (values, squares)
}

/// Returns the sum of the squared distances of some values from `mean`. The difference of the sum of squares and the
/// square of the sum would cancel where the mean is large.
fn squares_about(row: &[f32], mean: f64) -> f64 {
    const LANES: usize = 8;
    let mut squares = [0.0_f64; LANES];
    let (lanes, rest) = row.as_chunks::<LANES>();
    let square = |value: f32| {
        let distance = f64::from(value) - mean;
        distance * distance
    };
    for values in lanes {
        for (sum, value) in squares.iter_mut().zip(values) {
            *sum += square(*value);
        }
    }
    squares.iter().sum::<f64>() + rest.iter().map(|value| square(*value)).sum::<f64>()
}

/// Returns groups of rows whose bytes are equal. Rows with equal hashes are sorted by their bytes rather than compared
/// in pairs, since a hostile checkpoint may make many hashes collide.
fn duplicates(matrix: &EmbeddingMatrix, mut hashes: Vec<(u32, u64)>) -> Result<Vec<Vec<u64>>> {
    hashes.sort_unstable();
    let mut groups = Vec::new();
    for candidates in hashes.chunk_by(|a, b| a.0 == b.0) {
        if candidates.len() < 2 {
            continue;
        }
        let mut rows: Vec<(Cow<[u8]>, u64)> = candidates
            .iter()
            .map(|(_, id)| Ok((matrix.row_bytes(*id)?, *id)))
            .collect::<Result<_>>()?;
        rows.sort();
        let equal = rows
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1);
        groups.extend(equal.map(|group| group.iter().map(|(_, id)| *id).collect()));
    }
    groups.sort();
    Ok(groups)
}
