//! Comparison of rows: summaries, differences, pairwise cosines.

use std::collections::HashMap;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::matrix::EmbeddingMatrix;
use super::metric::dot;
use crate::error::Result;

/// A summary of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowFacts {
    /// Euclidean length, which may exceed the range of float32.
    pub norm: f64,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
}

/// Summarizes every row of a `[rows, columns]` float32 tensor; computed in float64.
///
/// # Errors
/// Fails if the tensor is not of that shape, or has no columns.
pub fn row_facts(rows: &Tensor) -> CandleResult<Vec<RowFacts>> {
    let wide = rows.to_dtype(DType::F64)?;
    let norms = wide.sqr()?.sum(1)?.sqrt()?.to_vec1::<f64>()?;
    let means = wide.mean(1)?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
    let minima = rows.min(1)?.to_vec1::<f32>()?;
    let maxima = rows.max(1)?.to_vec1::<f32>()?;
    Ok((0..norms.len())
        .map(|row| RowFacts {
            norm: norms[row],
            min: minima[row],
            max: maxima[row],
            mean: means[row],
        })
        .collect())
}

/// The comparison of two rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Largest absolute difference of an element.
    pub max_abs: f64,
    /// Euclidean distance.
    pub l2: f64,
    /// `None` if a row is zero or holds a NaN.
    pub cosine: Option<f32>,
    /// `a - b`, in float32 as torch subtracts.
    pub difference: Vec<f32>,
}

/// Compares two vectors of the same length; sums are float64.
///
/// # Errors
/// Fails if the lengths differ or are 0.
pub fn compare(a: &[f32], b: &[f32]) -> CandleResult<Comparison> {
    let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu);
    let (a, b) = (tensor(a)?, tensor(b)?);
    let difference = (&a - &b)?;
    let (a, b) = (a.to_dtype(DType::F64)?, b.to_dtype(DType::F64)?);
    // In float64, which has the range for it. Rounded to float32, the largest is that of the float32 differences.
    let wide = (&a - &b)?;
    let max_abs = wide.abs()?.max(0)?.to_scalar::<f64>()?;
    let l2 = wide.sqr()?.sum_all()?.sqrt()?.to_scalar::<f64>()?;
    let dot = (&a * &b)?.sum_all()?.to_scalar::<f64>()?;
    let lengths =
        a.sqr()?.sum_all()?.to_scalar::<f64>()? * b.sqr()?.sum_all()?.to_scalar::<f64>()?;
    let cosine = dot / lengths.sqrt();
    Ok(Comparison {
        max_abs,
        l2,
        cosine: (!cosine.is_nan()).then_some(cosine as f32),
        difference: difference.to_vec1()?,
    })
}

/// Returns a row, or the mean of several, element by element; computed in float64.
///
/// # Errors
/// Fails with [`Error::NoSuchRow`](crate::error::Error::NoSuchRow) if an id is beyond the matrix.
pub fn mean(matrix: &EmbeddingMatrix, ids: &[u32]) -> Result<Vec<f32>> {
    if let [id] = ids {
        return matrix.row(u64::from(*id));
    }
    let mut sums = Vec::new();
    for id in ids {
        let row = matrix.row(u64::from(*id))?;
        sums.resize(row.len(), 0.0);
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    let count = ids.len() as f64;
    Ok(sums.into_iter().map(|sum| (sum / count) as f32).collect())
}

/// Vectors held in memory to compute their cosines with each other, in float64.
#[derive(Debug)]
pub struct Cosines {
    /// Without duplicates.
    vectors: Vec<Vector>,
    /// For each position, the index of its vector.
    positions: Vec<usize>,
}

#[derive(Debug)]
struct Vector {
    values: Vec<f32>,
    norm: f64,
}

impl Cosines {
    /// Reads the vectors at all positions, each of which is given as the id of a row, or as the ids of rows whose mean it
    /// is.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`](crate::error::Error::NoSuchRow) if an id is beyond the matrix.
    pub fn new(matrix: &EmbeddingMatrix, ids: &[Vec<u32>]) -> Result<Self> {
        let mut all = ids.concat();
        all.sort_unstable();
        all.dedup();
        matrix.prefetch(&all)?;
        let mut known: HashMap<&[u32], usize> = HashMap::new();
        let (mut vectors, mut positions) = (Vec::new(), Vec::new());
        for ids in ids {
            let index = match known.get(ids.as_slice()) {
                Some(index) => *index,
                None => {
                    let values = mean(matrix, ids)?;
                    let norm = dot(&values, &values).sqrt();
                    vectors.push(Vector { values, norm });
                    known.insert(ids, vectors.len() - 1);
                    vectors.len() - 1
                }
            };
            positions.push(index);
        }
        Ok(Self { vectors, positions })
    }

    /// Returns the cosines of the vector at a position with those at every position: `None` if either vector is zero or
    /// not finite.
    pub fn of(&self, position: usize) -> Vec<Option<f32>> {
        let vector = self.at(position);
        let cosine = |other: usize| {
            let (a, b) = vector.zip(self.at(other))?;
            let cosine = dot(&a.values, &b.values) / (a.norm * b.norm);
            (!cosine.is_nan()).then_some(cosine as f32)
        };
        (0..self.positions.len()).map(cosine).collect()
    }

    fn at(&self, position: usize) -> Option<&Vector> {
        self.vectors.get(*self.positions.get(position)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_and_itself_do_not_differ() {
        let row = [0.1, -0.2, 0.3];
        let comparison = compare(&row, &row).unwrap();
        assert_eq!(comparison.max_abs, 0.0);
        assert_eq!(comparison.l2, 0.0);
        assert_eq!(comparison.cosine, Some(1.0));
    }

    #[test]
    fn a_zero_row_has_no_cosine() {
        let (zero, row) = ([0.0, 0.0], [3.0, 4.0]);
        let comparison = compare(&zero, &row).unwrap();
        assert_eq!(comparison.cosine, None);
        assert_eq!((comparison.l2, comparison.max_abs), (5.0, 4.0));
    }
}
