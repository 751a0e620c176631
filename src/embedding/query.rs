//! The query vector of a nearest-neighbor search: a row, a given vector, or a signed sum of these.

use super::metric::Metric;
use crate::error::{Error, Result};

/// One term of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// As float32, like the rows it is compared with.
    pub vector: Vec<f32>,
    /// The ids of the row of the matrix, or of the rows that the vector is the mean of; they are left out of the results.
    pub ids: Vec<u32>,
    pub sign: Sign,
    /// The name in error messages, such as `the row of id 5`.
    pub name: String,
}

/// Says whether a term is added or subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
}

/// A vector that rows are compared with, in float64.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    vector: Vec<f64>,
    norm: f64,
    /// The rows among its terms, which are left out of the results.
    ids: Vec<u32>,
}

impl Query {
    /// Adds up the terms. For cosine, each is first scaled to length 1, so that a long one does not outweigh the
    /// others.
    ///
    /// # Errors
    /// For cosine, fails with [`Error::Usage`] if a term or the sum is zero.
    pub fn new(terms: &[Term], metric: Metric) -> Result<Self> {
        let columns = terms.first().map_or(0, |term| term.vector.len());
        let mut vector = vec![0.0; columns];
        for term in terms {
            let norm = norm(term.vector.iter().map(|value| f64::from(*value)));
            if metric == Metric::Cosine && norm == 0.0 {
                return Err(Error::usage_hint(
                    format!("{} is zero, so its cosine is undefined", term.name),
                    "use `--metric l2` to find the rows near it",
                ));
            }
            let sign = match term.sign {
                Sign::Plus => 1.0,
                Sign::Minus => -1.0,
            };
            let scale = match metric {
                Metric::Cosine => sign / norm,
                Metric::Dot | Metric::L2 => sign,
            };
            for (sum, value) in vector.iter_mut().zip(&term.vector) {
                *sum += scale * f64::from(*value);
            }
        }
        if metric == Metric::Cosine && vector.iter().all(|value| *value == 0.0) {
            return Err(Error::usage_hint(
                "the sum of the added and subtracted rows is zero, so its cosine is undefined",
                "use `--metric l2` to find the rows near zero",
            ));
        }
        Ok(Self {
            norm: norm(vector.iter().copied()),
            vector,
            ids: terms.iter().flat_map(|term| term.ids.clone()).collect(),
        })
    }

    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// The Euclidean length of the vector.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// Returns true if the row of `id` is one of the terms.
    pub fn is_built_from(&self, id: u32) -> bool {
        self.ids.contains(&id)
    }

    /// The vector scaled to length 1, rounded to float32; zeros for a zero vector.
    pub fn unit(&self) -> impl Iterator<Item = f32> {
        let norm = if self.norm == 0.0 { 1.0 } else { self.norm };
        self.vector.iter().map(move |value| (value / norm) as f32)
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value.powi(2)).sum::<f64>().sqrt()
}
