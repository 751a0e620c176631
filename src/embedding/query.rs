//! What rows are searched for: a row, a vector, or a sum of them.

use super::similarity::Metric;
use crate::error::{Error, Result};

/// One summand of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// As float32, which is what rows are read as.
    pub vector: Vec<f32>,
    /// The row it is, which is then no answer.
    pub id: Option<u32>,
    pub sign: Sign,
    /// What messages call it: `the row of id 5`.
    pub name: String,
}

/// Whether a summand is added or subtracted.
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
    /// Rows that make up the query, and so are no answers.
    ids: Vec<u32>,
}

impl Query {
    /// The sum of some vectors. For cosine, each counts with length 1, so that a long one does not outweigh the rest.
    ///
    /// # Errors
    /// For cosine: if a vector is zero, or the sum.
    pub fn new(terms: &[Term], metric: Metric) -> Result<Self> {
        let columns = terms.first().map_or(0, |term| term.vector.len());
        let mut vector = vec![0.0; columns];
        for term in terms {
            let norm = norm(term.vector.iter().map(|value| f64::from(*value)));
            if metric == Metric::Cosine && norm == 0.0 {
                return Err(Error::usage_hint(
                    format!(
                        "{} is zero, so it has no direction and no cosine",
                        term.name
                    ),
                    "`--metric l2` finds what is near it",
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
                "what is added and subtracted cancels out, so it has no direction and no cosine",
                "`--metric l2` finds what is near zero",
            ));
        }
        Ok(Self {
            norm: norm(vector.iter().copied()),
            vector,
            ids: terms.iter().filter_map(|term| term.id).collect(),
        })
    }

    /// The vector.
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// Its Euclidean length.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// Whether the row of an id is a part of it.
    pub fn is_made_of(&self, id: u32) -> bool {
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
