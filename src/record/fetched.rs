//! The cost of an answer in bytes and requests.

use serde::Serialize;

/// What an answer cost, where bytes of a checkpoint were fetched for it: all of its records together, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_fetched: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}
