//! Parts of a text with at most a given number of tokens.

use serde::Serialize;

/// A part of a text that has no more than so many tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chunk {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Its number among those of the text, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Bytes of the text at which it begins and ends.
    pub start: usize,
    pub end: usize,
    /// Bytes that the part before has too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<usize>,
    /// Number of tokens of the part alone, special tokens included where they are counted.
    pub count: usize,
    /// Whether anything of the text was left out, of `head` and `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    pub ids: Vec<u32>,
    pub text: String,
}
