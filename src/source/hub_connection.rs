//! The connection to the Hub for one model: made when something is first asked, shared by the files that are read
//! through it.

use std::sync::{Arc, Mutex, PoisonError};

use super::SourceOptions;
use super::hub_client::{Cost, HubClient};
use crate::error::{Error, Result};
use crate::model_ref::HubModel;

/// How to reach the Hub for one model at one revision.
pub(super) struct HubConnection {
    pub(super) model: HubModel,
    pub(super) revision: String,
    pub(super) options: SourceOptions,
    /// Of reading files by ranges.
    pub(super) cost: Arc<Cost>,
    client: Mutex<Option<Arc<HubClient>>>,
}

impl std::fmt::Debug for HubConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubConnection")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl HubConnection {
    pub(super) fn new(model: HubModel, revision: &str, options: SourceOptions) -> Self {
        Self {
            model,
            revision: revision.to_owned(),
            options,
            cost: Arc::default(),
            client: Mutex::default(),
        }
    }

    pub(super) fn is_offline(&self) -> bool {
        self.options.offline || self.options.hub.offline
    }

    /// The client that asks for `file`.
    ///
    /// # Errors
    /// [`Error::NotCached`] without the network, [`Error::HubUnreachable`] if no client can be made.
    pub(super) fn client(&self, file: &str) -> Result<Arc<HubClient>> {
        if self.is_offline() {
            return Err(self.not_cached(file));
        }
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match slot.take() {
            Some(client) => client,
            None => Arc::new(HubClient::new(&self.model, &self.revision, &self.options)?),
        };
        Ok(Arc::clone(slot.insert(client)))
    }

    pub(super) fn not_cached(&self, file: &str) -> Error {
        Error::NotCached {
            model: self.model.to_string(),
            file: file.to_owned(),
        }
    }
}
