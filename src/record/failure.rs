//! A failed record of a stream.

use serde::Serialize;

/// The error of one text or file, in place of its record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub code: &'static str,
    pub message: String,
}
