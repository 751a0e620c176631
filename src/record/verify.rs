//! Comparisons of the two engines, and of two readings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::packed_strings::PackedStrings;
use super::tokens::Offset;

/// A text that the two engines encode differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Difference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Position of the first token that differs.
    pub position: usize,
    pub text: String,
    /// Tokens of the native engine, and their offsets in bytes.
    pub native: PackedStrings,
    pub native_offsets: Vec<Offset>,
    /// Tokens of the reference engine, and their offsets in bytes.
    pub reference: PackedStrings,
    pub reference_offsets: Vec<Offset>,
}

/// The result of a comparison of the two engines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verify {
    pub texts: usize,
    pub tokens: usize,
    /// Number of texts that the engines encode differently.
    pub differences: usize,
}

/// A text that has other tokens in another reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Divergence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Position of the first token that differs.
    pub position: usize,
    /// The causes, by name.
    pub causes: Vec<&'static str>,
    pub text: String,
    pub reading: &'static str,
    pub ids: Vec<u32>,
    pub tokens: PackedStrings,
    pub offsets: Vec<Offset>,
    pub against: &'static str,
    pub against_ids: Vec<u32>,
    pub against_tokens: PackedStrings,
    pub against_offsets: Vec<Offset>,
}

/// The result of a comparison of two readings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Against {
    pub reading: &'static str,
    pub against: &'static str,
    pub texts: usize,
    /// Tokens of all texts in each of the readings.
    pub tokens: usize,
    pub against_tokens: usize,
    /// Number of texts with other tokens.
    pub differences: usize,
    /// Number of those texts by cause. A text may have several.
    pub causes: BTreeMap<&'static str, usize>,
    /// True if the template's special tokens were left out, because SentencePiece has none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_special_tokens: bool,
}
