//! The connection to the Hub for one model: made when something is first asked, shared by the files that are read
//! through it.

use std::sync::{Arc, Mutex, PoisonError};

use super::client::HubClient;
use super::cost::Cost;
use crate::error::{Error, Result};
use crate::model_ref::HubModel;
use crate::source::options::SourceOptions;

/// How to reach the Hub for one model at one revision.
pub(crate) struct HubConnection {
    pub(crate) model: HubModel,
    pub(crate) revision: String,
    pub(crate) options: SourceOptions,
    /// Of reading files by ranges.
    pub(crate) cost: Arc<Cost>,
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
    pub(crate) fn new(model: HubModel, revision: &str, options: SourceOptions) -> Self {
        Self {
            model,
            revision: revision.to_owned(),
            options,
            cost: Arc::default(),
            client: Mutex::default(),
        }
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.options.offline || self.options.hub.offline
    }

    /// The client that asks for `file`.
    ///
    /// # Errors
    /// [`Error::NotCached`] without the network, [`Error::HubUnreachable`] if no client can be made.
    pub(crate) fn client(&self, file: &str) -> Result<Arc<HubClient>> {
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

    pub(crate) fn not_cached(&self, file: &str) -> Error {
        Error::NotCached {
            model: self.model.to_string(),
            file: file.to_owned(),
        }
    }
}
