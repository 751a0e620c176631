//! What reading files of the Hub by ranges has cost.

use std::sync::atomic::{AtomicU64, Ordering};

/// What reading files of the Hub by ranges has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Requests for those files: for their headers, and for ranges.
    pub requests: u64,
    /// Bytes of those ranges that came.
    pub bytes: u64,
}

/// What reading by ranges has cost so far.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Cost {
    pub(crate) fn add_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn fetched(&self) -> Fetched {
        Fetched {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
