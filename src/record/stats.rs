//! The embedding matrix as a whole.

use serde::Serialize;

use super::wide_float;

/// The embedding matrix as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub tensor: String,
    pub file: String,
    pub dtype: String,
    /// True if `dtype` is a quantized type, from which the values are computed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dequantized: bool,
    pub rows: u64,
    pub columns: u64,
    /// Number of finite values. The fields up to `share_within_one` describe only these.
    pub values: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
    /// Number of values in [-1, 1], and their share.
    pub within_one: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_within_one: Option<f64>,
    pub nan: u64,
    pub infinite: u64,
    /// Absent if no row is finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norms: Option<Norms>,
    /// Inclusive ranges of zero rows, and of rows without a token.
    pub zero_rows: Vec<(u64, u64)>,
    pub rows_without_token: Vec<(u64, u64)>,
    /// Groups of rows that are bitwise equal.
    pub duplicate_rows: Vec<Vec<u64>>,
    /// The rows with the smallest and the largest norms, the most extreme first, ties by id.
    pub smallest: Vec<RowNorm>,
    pub largest: Vec<RowNorm>,
}

/// The Euclidean norms of the rows whose values are all finite.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Norms {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub histogram: Vec<Bin>,
}

/// The number of rows with a norm of at least `from` and less than `to`; the last bin includes its `to`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub rows: u64,
}

/// A row and its Euclidean norm.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RowNorm {
    pub id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    #[serde(serialize_with = "wide_float::serialize")]
    pub norm: f64,
}
