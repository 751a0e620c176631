//! The connection to the Hub for one model, opened by the first request and shared by all files.

use std::sync::{Arc, Mutex, PoisonError};

use super::client::HubClient;
use super::cost::Cost;
use crate::error::{Error, Result};
use crate::model_ref::HubModel;
use crate::source::options::SourceOptions;

/// A connection to the Hub for one model at one revision.
pub(crate) struct HubConnection {
    pub(crate) model: HubModel,
    pub(crate) revision: String,
    pub(crate) options: SourceOptions,
    /// The cost of reading files by ranges.
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

    /// Returns true if no connection may be opened.
    pub(crate) fn is_offline(&self) -> bool {
        self.options.offline || self.options.hub.offline
    }

    /// Returns the client for a request about `file`.
    ///
    /// # Errors
    /// Fails with [`Error::NotCached`] if no connection may be opened, with [`Error::Usage`] if a setting is invalid, and
    /// with [`Error::HubUnreachable`] if the endpoint is not an address.
    pub(crate) fn client(&self, file: &str) -> Result<Arc<HubClient>> {
        if self.is_offline() {
            return Err(self.not_cached(file));
        }
        if let Some(invalid) = &self.options.hub.invalid {
            return Err(invalid.error());
        }
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match slot.take() {
            Some(client) => client,
            None => Arc::new(HubClient::new(&self.model, &self.revision, &self.options)?),
        };
        Ok(Arc::clone(slot.insert(client)))
    }

    /// Returns the error of a request that named `commit`. If the Hub has no such commit, the error says so, because the
    /// revision that led to the commit may still exist.
    pub(crate) fn explain(&self, commit: &str, error: Error) -> Error {
        match error {
            Error::RevisionNotFound { .. } if self.revision != commit => Error::CommitGone {
                model: self.model.to_string(),
                revision: self.revision.clone(),
                commit: commit.to_owned(),
            },
            error => error,
        }
    }

    /// Returns the error for a file that is not cached while no connection may be opened.
    pub(crate) fn not_cached(&self, file: &str) -> Error {
        Error::NotCached {
            model: self.model.to_string(),
            file: file.to_owned(),
        }
    }
}
