//! Comparison of rows: summaries, differences, pairwise cosines.

use candle_core::{DType, Result as CandleResult, Tensor};

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

/// Compares two float32 vectors of the same length; sums are float64.
///
/// # Errors
/// Fails if the lengths differ or are 0.
pub fn compare(a: &Tensor, b: &Tensor) -> CandleResult<Comparison> {
    let difference = (a - b)?;
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

/// Rows held in memory to compute their cosines with each other, in float64.
#[derive(Debug)]
pub struct Cosines {
    /// Ascending by id, without duplicates.
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: u32,
    values: Vec<f32>,
    norm: f64,
}

impl Cosines {
    /// Reads the rows of `ids`.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`](crate::error::Error::NoSuchRow) if an id is beyond the matrix.
    pub fn new(matrix: &EmbeddingMatrix, ids: &[u32]) -> Result<Self> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        matrix.prefetch(&ids)?;
        let rows = ids.into_iter().map(|id| {
            let values = matrix.row(u64::from(id))?;
            let norm = dot(&values, &values).sqrt();
            Ok(Row { id, values, norm })
        });
        Ok(Self {
            rows: rows.collect::<Result<_>>()?,
        })
    }

    /// Returns the cosine of the row of `id` with each of `others`: `None` if either row is zero, not finite, or was
    /// not read.
    pub fn with(&self, id: u32, others: &[u32]) -> Vec<Option<f32>> {
        let row = self.row(id);
        let cosine = |other: &u32| {
            let (a, b) = row.zip(self.row(*other))?;
            let cosine = dot(&a.values, &b.values) / (a.norm * b.norm);
            (!cosine.is_nan()).then_some(cosine as f32)
        };
        others.iter().map(cosine).collect()
    }

    fn row(&self, id: u32) -> Option<&Row> {
        let index = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get(index)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_row_and_itself_do_not_differ() {
        let row = Tensor::new(&[0.1_f32, -0.2, 0.3], &Device::Cpu).unwrap();
        let comparison = compare(&row, &row).unwrap();
        assert_eq!(comparison.max_abs, 0.0);
        assert_eq!(comparison.l2, 0.0);
        assert_eq!(comparison.cosine, Some(1.0));
    }

    #[test]
    fn a_zero_row_has_no_cosine() {
        let zero = Tensor::new(&[0.0_f32, 0.0], &Device::Cpu).unwrap();
        let row = Tensor::new(&[3.0_f32, 4.0], &Device::Cpu).unwrap();
        let comparison = compare(&zero, &row).unwrap();
        assert_eq!(comparison.cosine, None);
        assert_eq!((comparison.l2, comparison.max_abs), (5.0, 4.0));
    }
}
