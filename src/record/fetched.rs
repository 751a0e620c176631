//! The network traffic that an answer caused.

use serde::Serialize;

/// The bytes and requests that an answer cost, present if bytes of a checkpoint were fetched for it. Every record of
/// the answer carries the same totals, which include the checkpoint's headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_fetched: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}
