//! Parts of a text with at most a given number of tokens.

use serde::Serialize;

/// A part of a text with at most a given number of tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chunk {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Number of the part within the text, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Half-open byte range in the text.
    pub start: usize,
    pub end: usize,
    /// Bytes shared with the previous part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<usize>,
    /// Number of tokens if the part is encoded alone, including special tokens if they are counted.
    pub count: usize,
    /// True if part of the text was left out; present in the records of `head` and `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    pub ids: Vec<u32>,
    pub text: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}
