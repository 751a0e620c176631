//! A file of a model of the Hub, to read parts of: the one in the cache, or a remote one.

use std::sync::Arc;

use reqwest::Url;

use super::{Cached, Found, HubFiles, State};
use crate::error::Result;
use crate::source::bytes::ByteSource;
use crate::source::hub_client::RemotePlace;
use crate::source::range_store::{Known, RangeStore};
use crate::source::remote_file::RemoteFile;

impl HubFiles {
    /// As [`Self::find`], but a file that is not in the cache is not fetched: it is read by ranges.
    pub(in crate::source) fn find_ranged(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let mut state = self.state();
        if let Cached::Unknown = self.cached(&state, name)?
            && let Some(known) = self.known(&state, name)
        {
            return Ok(Some(known));
        }
        let commit = match self.locate(&mut state, name)? {
            Found::Here(file) => return Ok(Some(file)),
            Found::Absent(commit) => return Ok(self.absent(&commit, name)),
            Found::Nowhere => return Ok(None),
            Found::Listed(commit) => commit,
        };
        // Which commit it is may be known only now.
        if let Some(known) = self.known(&state, name) {
            return Ok(Some(known));
        }
        let cost = &self.connection.cost;
        let client = self.client(name)?;
        let Some(announced) = client.announcement(&commit, name, cost)? else {
            return Ok(self.absent(&commit, name));
        };
        let known = Known {
            etag: announced.etag,
            size: announced.size,
        };
        // A cache that cannot be written costs the next run a question, no more.
        let _ = self.ranges().note_known(&commit, name, &known);
        Ok(Some(self.remote(
            &commit,
            name,
            known,
            Some(announced.address),
        )))
    }

    /// The file as a remote one, if what the Hub announced of it was noted.
    fn known(&self, state: &State, name: &str) -> Option<Arc<dyn ByteSource>> {
        let commit = state.commit.as_deref()?;
        let known = self.ranges().known(commit, name)?;
        Some(self.remote(commit, name, known, None))
    }

    fn remote(
        &self,
        commit: &str,
        name: &str,
        known: Known,
        address: Option<Url>,
    ) -> Arc<dyn ByteSource> {
        let content = self.ranges().content(&known);
        let cost = Arc::clone(&self.connection.cost);
        let place = RemotePlace::new(commit, name, known, address, cost);
        let connection = Arc::clone(&self.connection);
        Arc::new(RemoteFile::new(connection, place, content))
    }

    fn ranges(&self) -> RangeStore<'_> {
        RangeStore::new(&self.options.cache, &self.model.id())
    }
}
