//! Metrics that compare two rows.

/// A metric that compares two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
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
    /// Every metric.
    pub const ALL: &[Self] = &[Self::Cosine, Self::Dot, Self::L2];

    /// The name in arguments and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::L2 => "l2",
        }
    }

    /// Returns the score of a row for a query of length `query_norm`, in float64; NaN if it is undefined.
    ///
    /// The order of summation depends only on the number of columns, so equal rows have equal scores.
    pub fn score(self, query: &[f64], query_norm: f64, row: &[f32]) -> f64 {
        match self {
            Self::Cosine => {
                let norm = dot(row, row).sqrt();
                sum_in_lanes(query, row, |a, b| a * f64::from(*b)) / (query_norm * norm)
            }
            Self::Dot => sum_in_lanes(query, row, |a, b| a * f64::from(*b)),
            Self::L2 => sum_in_lanes(query, row, |a, b| (a - f64::from(*b)).powi(2)).sqrt(),
        }
    }

    /// Converts a score to a number that is larger for nearer rows, and back.
    pub(super) fn nearness(self, score: f64) -> f64 {
        match self {
            Self::Cosine | Self::Dot => score,
            Self::L2 => -score,
        }
    }
}

/// Returns the dot product of two rows, in float64.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    sum_in_lanes(a, b, |a, b| f64::from(*a) * f64::from(*b))
}

/// Sums `term` over the elements of two vectors. Eight independent sums let the compiler use vector instructions.
fn sum_in_lanes<A, B>(a: &[A], b: &[B], term: impl Fn(&A, &B) -> f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_add_up_for_every_length() {
        for length in 0..20 {
            let ones = vec![1.0_f32; length];
            assert_eq!(dot(&ones, &ones), length as f64);
        }
    }
}
