//! The cost of reading files on the Hub by ranges.

use std::sync::atomic::{AtomicU64, Ordering};

/// The requests and bytes that were needed to read files on the Hub by ranges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Requests for headers of those files and for ranges.
    pub requests: u64,
    /// Bytes received for those ranges.
    pub bytes: u64,
}

/// A counter of requests and bytes, shared between threads.
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
