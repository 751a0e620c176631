//! A file on the Hub: its identity, and the current address of its bytes.

use std::sync::{Arc, Mutex, PoisonError};

use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::file_identity::FileIdentity;

/// A file of one commit, and the address of its bytes.
#[derive(Debug)]
pub(crate) struct HubFile {
    pub(crate) commit: String,
    pub(crate) name: String,
    pub(crate) identity: FileIdentity,
    pub(crate) cost: Arc<Cost>,
    address: Mutex<Option<Address>>,
}

impl HubFile {
    /// Describes a file. `address` is `None` if the Hub has not been asked yet.
    pub(crate) fn new(
        commit: &str,
        name: &str,
        identity: FileIdentity,
        address: Option<Address>,
        cost: Arc<Cost>,
    ) -> Self {
        Self {
            commit: commit.to_owned(),
            name: name.to_owned(),
            identity,
            cost,
            address: Mutex::new(address),
        }
    }

    /// Returns the address of the bytes, if it is known.
    pub(super) fn address(&self) -> Option<Address> {
        let address = self.address.lock();
        address.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the address, or forgets an expired one.
    pub(super) fn set_address(&self, address: Option<Address>) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}
