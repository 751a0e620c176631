//! The record of a text or file that failed.

use serde::Serialize;

/// The error for one text or file, written in place of its record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub code: &'static str,
    pub message: String,
}
