//! A file of the Hub that is read by ranges: where it is, and what that has cost.

use std::sync::{Arc, Mutex, PoisonError};

use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::etag::FileIdentity;

/// A file of one commit, and the address at which its bytes are.
#[derive(Debug)]
pub(crate) struct HubFile {
    pub(crate) commit: String,
    pub(crate) file: String,
    pub(crate) known: FileIdentity,
    pub(crate) cost: Arc<Cost>,
    address: Mutex<Option<Address>>,
}

impl HubFile {
    /// `address` is none where the Hub has not been asked yet.
    pub(crate) fn new(
        commit: &str,
        file: &str,
        known: FileIdentity,
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
