//! How rows compare: lengths, differences, scores.

use candle_core::{DType, Result as CandleResult, Tensor};
use clap::ValueEnum;

use super::EmbeddingMatrix;
use crate::error::Result;

/// Facts about one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowFacts {
    /// Euclidean length.
    pub norm: f32,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
}

/// Facts about every row of a `[rows, columns]` float32 tensor, computed in float64.
///
/// # Errors
/// If the tensor is not of that shape, or has no columns.
pub fn row_facts(rows: &Tensor) -> CandleResult<Vec<RowFacts>> {
    let wide = rows.to_dtype(DType::F64)?;
    let norms = wide
        .sqr()?
        .sum(1)?
        .sqrt()?
        .to_dtype(DType::F32)?
        .to_vec1::<f32>()?;
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

/// Two rows compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Largest absolute difference of an element.
    pub max_abs: f32,
    /// Euclidean distance.
    pub l2: f32,
    /// None if a row is zero, or holds what is not a number.
    pub cosine: Option<f32>,
    /// `a - b`, in float32 as torch subtracts.
    pub difference: Vec<f32>,
}

/// Compares two float32 vectors of one length; sums are taken in float64.
///
/// # Errors
/// If the lengths differ or are 0.
pub fn compare(a: &Tensor, b: &Tensor) -> CandleResult<Comparison> {
    let difference = (a - b)?;
    let max_abs = difference.abs()?.max(0)?.to_scalar::<f32>()?;
    let wide = difference.to_dtype(DType::F64)?;
    let l2 = wide.sqr()?.sum_all()?.sqrt()?.to_scalar::<f64>()?;
    let (a, b) = (a.to_dtype(DType::F64)?, b.to_dtype(DType::F64)?);
    let dot = (&a * &b)?.sum_all()?.to_scalar::<f64>()?;
    let lengths =
        a.sqr()?.sum_all()?.to_scalar::<f64>()? * b.sqr()?.sum_all()?.to_scalar::<f64>()?;
    let cosine = dot / lengths.sqrt();
    Ok(Comparison {
        max_abs,
        l2: l2 as f32,
        cosine: (!cosine.is_nan()).then_some(cosine as f32),
        difference: difference.to_vec1()?,
    })
}

/// How near two rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Metric {
    /// Cosine of the angle: 1 for the same direction.
    #[default]
    Cosine,
    /// Dot product.
    Dot,
    /// Euclidean distance: 0 for the same row.
    L2,
}

impl Metric {
    /// The name records carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::L2 => "l2",
        }
    }

    /// The score of a row against a query, in float64; NaN where the metric is undefined.
    ///
    /// Sums run over fixed lanes, so that equal rows have equal scores wherever they are in the matrix.
    pub fn score(self, query: &[f64], query_norm: f64, row: &[f32]) -> f64 {
        match self {
            Self::Cosine => {
                let norm = lanes(row, row, product).sqrt();
                lanes(query, row, |a, b| a * f64::from(*b)) / (query_norm * norm)
            }
            Self::Dot => lanes(query, row, |a, b| a * f64::from(*b)),
            Self::L2 => lanes(query, row, |a, b| (a - f64::from(*b)).powi(2)).sqrt(),
        }
    }

    /// The score as a number that is larger for nearer rows, and the other way round.
    pub(super) fn nearness(self, score: f64) -> f64 {
        match self {
            Self::Cosine | Self::Dot => score,
            Self::L2 => -score,
        }
    }
}

fn lanes<A, B>(a: &[A], b: &[B], term: impl Fn(&A, &B) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += term(&a[lane], &b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| term(a, b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The cosines of some rows with each other, in float64.
#[derive(Debug)]
pub struct Cosines {
    /// Each id once, rising, with its row and the row's length.
    rows: Vec<(u32, Vec<f32>, f64)>,
}

impl Cosines {
    /// Reads the rows of some ids.
    ///
    /// # Errors
    /// [`crate::error::Error::NoSuchRow`] for an id beyond the matrix.
    pub fn new(matrix: &EmbeddingMatrix, ids: &[u32]) -> Result<Self> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        matrix.prefetch(&ids)?;
        let read = |id| {
            let row = matrix.row(u64::from(id))?;
            let norm = lanes(&row, &row, product).sqrt();
            Ok((id, row, norm))
        };
        let rows: Result<_> = ids.into_iter().map(read).collect();
        Ok(Self { rows: rows? })
    }

    /// The cosines of one row with others: none where a row is zero or not finite, or was not read.
    pub fn with(&self, id: u32, others: &[u32]) -> Vec<Option<f32>> {
        let find = |id: &u32| {
            let found = self.rows.binary_search_by_key(id, |(id, ..)| *id).ok()?;
            self.rows.get(found)
        };
        let one = find(&id);
        let cosine = |other| {
            let ((_, a, a_norm), (_, b, b_norm)) = one.zip(find(other))?;
            let cosine = lanes(a, b, product) / (a_norm * b_norm);
            (!cosine.is_nan()).then_some(cosine as f32)
        };
        others.iter().map(cosine).collect()
    }
}

fn product(a: &f32, b: &f32) -> f64 {
    f64::from(*a) * f64::from(*b)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_row_and_itself_differ_in_nothing() {
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

    #[test]
    fn lanes_add_up_whatever_the_length() {
        for length in 0..20 {
            let ones = vec![1.0_f32; length];
            assert_eq!(lanes(&ones, &ones, |a, b| f64::from(a * b)), length as f64);
        }
    }
}
