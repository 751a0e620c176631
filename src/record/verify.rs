//! A comparison of the two engines.

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
