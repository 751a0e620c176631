//! A file of the Hub that is read by ranges: where it is, and what that has cost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::address::Address;
use crate::source::Fetched;
use crate::source::range_store::Known;

/// What reading by ranges has cost so far.
#[derive(Debug, Default)]
pub(in crate::source) struct Cost {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Cost {
    pub(super) fn add_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(in crate::source) fn fetched(&self) -> Fetched {
        Fetched {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// A file of one commit, and the address at which its bytes are.
#[derive(Debug)]
pub(in crate::source) struct RemotePlace {
    pub(in crate::source) commit: String,
    pub(in crate::source) file: String,
    pub(in crate::source) known: Known,
    pub(in crate::source) cost: Arc<Cost>,
    address: Mutex<Option<Address>>,
}

impl RemotePlace {
    /// `address` is none where the Hub has not been asked yet.
    pub(in crate::source) fn new(
        commit: &str,
        file: &str,
        known: Known,
        address: Option<Address>,
        cost: Arc<Cost>,
    ) -> Self {
        Self {
            commit: commit.to_owned(),
            file: file.to_owned(),
            known,
            cost,
            address: Mutex::new(address),
        }
    }

    pub(super) fn address(&self) -> Option<Address> {
        let address = self.address.lock();
        address.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_address(&self, address: Option<Address>) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}
