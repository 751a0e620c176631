//! Occurrences of a token in files.

use serde::Serialize;

/// An occurrence of a token in a text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line and column of the token, both from 1. The column counts bytes.
    pub line: usize,
    pub column: usize,
    /// Half-open byte range of the token in the text.
    pub start: usize,
    pub end: usize,
    pub id: u32,
    pub piece: String,
    /// The text of the token, with the text before and after it on the same line.
    pub before: String,
    pub text: String,
    pub after: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}
