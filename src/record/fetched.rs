//! The cost of an answer in bytes and requests.

use serde::Serialize;

/// The bytes and requests that an answer took, if bytes of a checkpoint were fetched for it. Every record carries the
/// sum over all records, including the headers of the checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_fetched: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}
