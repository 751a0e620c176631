//! Occurrences of a token in files.

use serde::Serialize;

/// A place where a token that was looked for occurs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, and byte of it, both from 1, at which the token begins.
    pub line: usize,
    pub column: usize,
    /// Bytes of the text that the token stands for.
    pub start: usize,
    pub end: usize,
    pub id: u32,
    pub piece: String,
    /// The text of the token, and what is near it on its line.
    pub before: String,
    pub text: String,
    pub after: String,
}
