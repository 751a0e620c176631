//! Single rows of the embedding matrix, and comparisons of rows.

use serde::Serialize;

use super::fetched::Fetched;
use super::wide_float;

/// One row of the embedding matrix.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// Position of the token in the text, from 0. Absent for a row selected by id or piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    pub id: u32,
    /// Absent for a row without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// The element type stored in the checkpoint.
    pub dtype: String,
    /// True if `dtype` is a quantized type, from which the values are computed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dequantized: bool,
    /// Euclidean norm.
    #[serde(serialize_with = "wide_float::serialize")]
    pub norm: f64,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// A comparison of two rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    pub a: RowName,
    pub b: RowName,
    /// True if the stored bytes, or those of the float32 means, are equal.
    pub identical: bool,
    /// Largest absolute difference of an element.
    #[serde(serialize_with = "wide_float::serialize")]
    pub max_abs: f64,
    /// Euclidean distance.
    #[serde(serialize_with = "wide_float::serialize")]
    pub l2: f64,
    /// Absent if a row is zero or not finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f32>,
    /// `a - b`, element by element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// The name of a row in a [`Diff`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RowName {
    /// Absent for a mean of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The text, if this is the mean of its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The ids of the rows that this is the mean of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mean_of: Vec<u32>,
}

/// One of the nearest rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbor {
    pub rank: usize,
    pub id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    #[serde(serialize_with = "wide_float::serialize")]
    pub score: f64,
    pub metric: &'static str,
    /// The query that this record answers, numbered from 1.
    pub query: usize,
    /// The query, written with pieces: `▁rey - ▁hombre + ▁mujer`.
    pub query_name: String,
    /// The ids of the rows of each mean in the query.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<Vec<u32>>,
}

/// One row of the matrix of cosines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Similarity {
    /// Row of the matrix of cosines, from 0: first the tokens of the text, then the selected rows.
    pub position: usize,
    /// Absent for a mean of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// The text, if this is the mean of its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The ids of the rows that this is the mean of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mean_of: Vec<u32>,
    /// Cosines with every row of the matrix of cosines, in order; null if a row is zero or not finite.
    pub cosines: Vec<Option<f32>>,
}
