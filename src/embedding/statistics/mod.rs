//! The matrix as a whole: its values, the lengths of its rows, rows that are zero or the same.
//!
//! One pass over the stored bytes, on all cores. Sums are float64, taken block by block in the order of the rows, so that
//! they do not depend on the number of threads.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::EmbeddingMatrix;
use super::elements::append_f32;
use crate::error::Result;

/// What a matrix holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub values: Values,
    /// Euclidean length of each row; NaN where a value is not finite.
    pub norms: Vec<f64>,
    /// Rows of zeros, rising.
    pub zero_rows: Vec<u64>,
    /// Rows that are the same bit for bit, two or more to a group; groups in the order of their first rows.
    pub duplicates: Vec<Vec<u64>>,
}

/// The values of all rows. Those that are not finite are counted, and are no part of the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    pub finite: u64,
    pub nan: u64,
    pub infinite: u64,
    /// Infinite, as is `max`, where no value is finite.
    pub min: f32,
    pub max: f32,
    pub mean: f64,
    /// How many are in [-1, 1].
    pub within_one: u64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Values {
    fn none() -> Self {
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

    /// Standard deviation of the values as they are, not of a population they might be drawn from.
    pub fn deviation(&self) -> f64 {
        (self.squares / self.finite.max(1) as f64).max(0.0).sqrt()
    }

    /// Puts two parts together, the means as Chan, Golub and LeVeque do (Updating formulae and a pairwise algorithm
    /// for computing sample variances, 1979).
    fn add(&mut self, other: &Self) {
        let (here, there) = (self.finite as f64, other.finite as f64);
        let both = (here + there).max(1.0);
        let apart = other.mean - self.mean;
        self.squares += other.squares + apart * apart * here * there / both;
        self.mean += apart * there / both;
        self.finite += other.finite;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.within_one += other.within_one;
    }
}

/// Describes a matrix.
///
/// # Errors
/// Whatever reading it fails with.
pub fn statistics(matrix: &EmbeddingMatrix) -> Result<Statistics> {
    let blocks = matrix.blocks()?.into_par_iter();
    let parts: Vec<Part> = blocks
        .map(|block| Part::of(matrix, block))
        .collect::<Result<_>>()?;
    let mut values = Values::none();
    let (mut norms, mut zero_rows, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        values.add(&part.values);
        norms.extend(part.norms);
        zero_rows.extend(part.zero_rows);
        hashes.extend(part.hashes);
    }
    Ok(Statistics {
        values,
        norms,
        zero_rows,
        duplicates: duplicates(matrix, hashes)?,
    })
}

/// What one block of rows holds.
struct Part {
    values: Values,
    norms: Vec<f64>,
    zero_rows: Vec<u64>,
    /// A hash of each row's bytes, and the row.
    hashes: Vec<(u32, u64)>,
}

impl Part {
    fn of(matrix: &EmbeddingMatrix, block: Range<u64>) -> Result<Self> {
        let mut buffer = Vec::new();
        let bytes = matrix.rows_bytes(block.clone(), &mut buffer)?;
        let rows = bytes.chunks_exact(matrix.row_width() as usize);
        let mut part = Self {
            values: Values::none(),
            norms: Vec::new(),
            zero_rows: Vec::new(),
            hashes: Vec::new(),
        };
        let mut values = Vec::new();
        for (id, row) in block.zip(rows) {
            part.hashes.push((crc32fast::hash(row), id));
            values.clear();
            append_f32(matrix.dtype(), row, &mut values);
            let (of_row, squares) = row_values(&values);
            part.values.add(&of_row);
            part.norms.push(squares.sqrt());
            if squares == 0.0 {
                part.zero_rows.push(id);
            }
        }
        Ok(part)
    }
}

/// The values of a row, and the sum of their squares: NaN where a value is not finite.
fn row_values(row: &[f32]) -> (Values, f64) {
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
    // The square of no float32 is too large for a float64, and so is no sum of them that fits a memory.
    if !squares.is_finite() {
        let finite: Vec<f32> = row.iter().copied().filter(|x| x.is_finite()).collect();
        let (mut values, _) = row_values(&finite);
        values.nan = row.iter().filter(|value| value.is_nan()).count() as u64;
        values.infinite = row.iter().filter(|value| value.is_infinite()).count() as u64;
        return (values, f64::NAN);
    }
    let sum: f64 = sums.iter().sum();
    let count = row.len().max(1) as f64;
    let values = Values {
        finite: row.len() as u64,
        min: min.into_iter().fold(f32::INFINITY, f32::min),
        max: max.into_iter().fold(f32::NEG_INFINITY, f32::max),
        mean: sum / count,
        within_one: within.iter().copied().map(u64::from).sum(),
        squares: (squares - sum * sum / count).max(0.0),
        ..Values::none()
    };
    (values, squares)
}

/// Groups of rows that are the same. Rows of one hash are compared: a checkpoint may be made so that many collide, so
/// they are sorted by their bytes rather than compared in pairs.
fn duplicates(matrix: &EmbeddingMatrix, mut hashes: Vec<(u32, u64)>) -> Result<Vec<Vec<u64>>> {
    hashes.sort_unstable();
    let mut groups = Vec::new();
    for alike in hashes.chunk_by(|a, b| a.0 == b.0) {
        if alike.len() < 2 {
            continue;
        }
        let mut rows: Vec<(Cow<[u8]>, u64)> = alike
            .iter()
            .map(|(_, id)| Ok((matrix.row_bytes(*id)?, *id)))
            .collect::<Result<_>>()?;
        rows.sort();
        let same = rows.chunk_by(|a, b| a.0 == b.0);
        let same = same.filter(|group| group.len() > 1);
        groups.extend(same.map(|group| group.iter().map(|(_, id)| *id).collect()));
    }
    groups.sort();
    Ok(groups)
}
