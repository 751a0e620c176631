//! A bound on float32 scores that proves that a row is too far away to be among the nearest.
//!
//! A float32 dot product of length `n` is within `γ |q| |r|` of the exact one, for any order of its terms and with or
//! without fused operations, where `γ = n u / (1 - n u)` and `u = 2⁻²⁴` (Higham, Accuracy and Stability of Numerical
//! Algorithms, 2nd edition, section 3.1). Underflow adds at most `n 2⁻¹⁴⁹`, which is negligible unless the row is tiny.
//! Rows whose sum of squares is tiny or not finite are never skipped.

use crate::embedding::metric::Metric;

/// Sums of squares below this may have lost digits to underflow.
const TINY: f32 = 1e-25;

/// Returns `γ` for rows of this length, with a margin for rounding the query to float32 and for the arithmetic of the
/// bound itself. Returns infinity if the rows are so long that the bound is useless.
pub fn gamma(columns: usize) -> f64 {
    let terms = (columns as f64 + 16.0) * f64::from(f32::EPSILON) / 2.0;
    if terms < 0.01 {
        1.05 * terms / (1.0 - terms)
    } else {
        f64::INFINITY
    }
}

/// The smallest dot product with the unit vector of a query that a row needs to be worth scoring in float64.
///
/// It depends on the row's length: `scale * dot >= constant + by_length * |r| + by_square * |r|²`.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    scale: f64,
    constant: f64,
    by_length: f64,
    by_square: f64,
}

impl Bound {
    /// The bound that excludes no row.
    pub const NONE: Self = Self {
        scale: 0.0,
        constant: f64::NEG_INFINITY,
        by_length: 0.0,
        by_square: 0.0,
    };

    /// Returns the bound for a query of this norm that excludes only rows that are certainly less near than
    /// `threshold`.
    pub fn new(metric: Metric, norm: f64, threshold: f64, gamma: f64) -> Self {
        if threshold == f64::NEG_INFINITY {
            return Self::NONE;
        }
        match metric {
            // cos = dot / length. The dot product is off by at most γ length, and the length by a factor of γ / 2.
            Metric::Cosine => Self {
                scale: 1.0,
                constant: 0.0,
                by_length: threshold - 2.0 * gamma,
                by_square: 0.0,
            },
            Metric::Dot => Self {
                scale: norm,
                constant: threshold,
                by_length: -1.1 * gamma * norm,
                by_square: 0.0,
            },
            // distance² = norm² + length² - 2 norm dot. The terms cancel, so float64 rounding counts, too.
            Metric::L2 => {
                const ROUNDING: f64 = 1e-14;
                Self {
                    scale: 2.0 * norm,
                    constant: norm * norm * (1.0 - ROUNDING)
                        - threshold * threshold * (1.0 + ROUNDING),
                    by_length: -2.2 * gamma * norm,
                    by_square: 1.0 - 2.2 * gamma - ROUNDING,
                }
            }
        }
    }

    /// Returns true if a row is certainly less near than the threshold; false if `dot` or `length` is NaN.
    #[inline]
    pub fn excludes(&self, dot: f32, length: &RowLength) -> bool {
        let needed =
            self.constant + self.by_length * length.length + self.by_square * length.square;
        self.scale * f64::from(dot) < needed
    }
}

/// The length of a row and its square, from a float32 sum. Both are NaN if the sum is not finite or may have lost
/// digits to underflow.
#[derive(Debug, Clone, Copy)]
pub struct RowLength {
    square: f64,
    length: f64,
}

impl RowLength {
    pub fn from_square(square: f32) -> Self {
        let square = if square.is_finite() && square >= TINY {
            f64::from(square)
        } else {
            f64::NAN
        };
        Self {
            square,
            length: square.sqrt(),
        }
    }
}
