//! Occurrences of a token in files.

use serde::Serialize;

/// An occurrence of a token in a text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line of the token, and its first byte within the line, both from 1.
    pub line: usize,
    pub column: usize,
    /// Half-open byte range of the token in the text.
    pub start: usize,
    pub end: usize,
    pub id: u32,
    pub piece: String,
    /// The text of the token, and the text near it on the same line.
    pub before: String,
    pub text: String,
    pub after: String,
}
