//! How rows compare: lengths, differences, nearest rows.

use candle_core::{DType, Result as CandleResult, Tensor};
use clap::ValueEnum;

use super::EmbeddingMatrix;
use crate::error::{Error, Result};

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
    fn score(self, query: &[f64], query_norm: f64, row: &[f32]) -> f64 {
        match self {
            Self::Cosine => {
                let norm = lanes(row, row, |a, b| f64::from(*a) * f64::from(*b)).sqrt();
                lanes(query, row, |a, b| a * f64::from(*b)) / (query_norm * norm)
            }
            Self::Dot => lanes(query, row, |a, b| a * f64::from(*b)),
            Self::L2 => lanes(query, row, |a, b| (a - f64::from(*b)).powi(2)).sqrt(),
        }
    }

    /// Whether `a` is nearer than `b`.
    fn nearer(self, a: f64, b: f64) -> bool {
        match self {
            Self::Cosine | Self::Dot => a > b,
            Self::L2 => a < b,
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

/// What rows are searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    vector: Vec<f64>,
    /// Rows that make up the query, and so are no answers.
    ids: Vec<u32>,
}

impl Query {
    /// The sum of some rows less others. For cosine, each row counts with length 1, so that a long one does not
    /// outweigh the rest.
    ///
    /// # Errors
    /// If an id has no row, or for cosine a row of zeros.
    pub fn new(
        matrix: &EmbeddingMatrix,
        plus: &[u32],
        minus: &[u32],
        metric: Metric,
    ) -> Result<Self> {
        let mut vector = vec![0.0; matrix.columns() as usize];
        let signed = plus
            .iter()
            .map(|id| (id, 1.0))
            .chain(minus.iter().map(|id| (id, -1.0)));
        for (&id, sign) in signed {
            let row = matrix.row(u64::from(id))?;
            let norm = row
                .iter()
                .map(|value| f64::from(*value).powi(2))
                .sum::<f64>()
                .sqrt();
            if metric == Metric::Cosine && norm == 0.0 {
                return Err(Error::usage_hint(
                    format!("the row of id {id} is zero, so it has no direction and no cosine"),
                    "`--metric l2` finds what is near it",
                ));
            }
            let scale = if metric == Metric::Cosine && norm > 0.0 {
                sign / norm
            } else {
                sign
            };
            for (sum, value) in vector.iter_mut().zip(&row) {
                *sum += scale * f64::from(*value);
            }
        }
        if metric == Metric::Cosine && vector.iter().all(|value| *value == 0.0) {
            return Err(Error::usage_hint(
                "what is added and subtracted cancels out, so it has no direction and no cosine",
                "`--metric l2` finds what is near zero",
            ));
        }
        Ok(Self {
            vector,
            ids: plus.iter().chain(minus).copied().collect(),
        })
    }
}

/// The `k` rows nearest to the query among those that `wanted` admits, nearest first, ties by id.
///
/// # Errors
/// Whatever reading the matrix fails with.
pub fn nearest(
    matrix: &EmbeddingMatrix,
    query: &Query,
    metric: Metric,
    k: usize,
    wanted: impl Fn(u32) -> bool,
) -> Result<Vec<(u32, f32)>> {
    let query_norm = query
        .vector
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt();
    let mut best: Vec<(u32, f64)> = Vec::new();
    if k == 0 {
        return Ok(Vec::new());
    }
    matrix.scan(0..matrix.rows(), |id, row| {
        let id = id as u32;
        let score = metric.score(&query.vector, query_norm, row);
        let beaten = best.len() == k
            && best
                .last()
                .is_some_and(|last| !metric.nearer(score, last.1));
        if score.is_nan() || beaten || query.ids.contains(&id) || !wanted(id) {
            return;
        }
        // Ids rise: behind all that are as near.
        let place = best.partition_point(|other| !metric.nearer(score, other.1));
        best.insert(place, (id, score));
        best.truncate(k);
    })?;
    Ok(best
        .into_iter()
        .map(|(id, score)| (id, score as f32))
        .collect())
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
