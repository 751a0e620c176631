//! Partial reads of files on the Hub, from the cache or by ranges.

use std::sync::Arc;

use super::address::Address;
use super::blob_digest::intact;
use super::client::HubFile;
use super::endpoint;
use super::file_identity::FileIdentity;
use super::files::HubFiles;
use super::lookup::{CacheEntry, Location, ModelState};
use crate::error::Result;
use crate::source::byte_source::ByteSource;
use crate::source::options::SourceOptions;
use crate::source::ranges::remote_file::RemoteFile;
use crate::source::ranges::store::RangeStore;

impl HubFiles {
    /// Opens the file `name` like [`Self::find`], but reads it by ranges if it is not in the cache.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub(crate) fn find_ranged(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let mut state = self.state();
        if let CacheEntry::Missing | CacheEntry::Damaged(_) = self.cached(&state, name)?
            && let Some(file) = self.open_known(&state, name)?
        {
            return Ok(Some(file));
        }
        let commit = match self.locate(&mut state, name)? {
            Location::Cached(file) => return Ok(Some(file)),
            Location::Absent(commit) => return Ok(self.absent(&commit, name)),
            Location::Unknown => return Ok(None),
            Location::Listed(commit) => commit,
        };
        // The cache is tried again, because the commit may have been unknown before.
        if let Some(file) = self.open_known(&state, name)? {
            return Ok(Some(file));
        }
        let cost = &self.connection.cost;
        let client = self.client(name)?;
        let announced = client.announcement(&commit, name, cost);
        let announced = announced.map_err(|error| self.connection.explain(&commit, error))?;
        let Some(announced) = announced else {
            return Ok(self.absent(&commit, name));
        };
        let identity = announced.identity;
        // If the app cache cannot be written, the next run asks again.
        let _ = self.ranges().store_identity(&commit, name, &identity);
        self.open_announced(&commit, name, identity, Some(announced.address))
            .map(Some)
    }

    /// Opens the file by its stored identity. Returns `None` if no identity is stored.
    fn open_known(&self, state: &ModelState, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let Some(commit) = state.commit.as_deref() else {
            return Ok(None);
        };
        match self.ranges().identity(commit, name) {
            Some(identity) => self.open_announced(commit, name, identity, None).map(Some),
            None => Ok(None),
        }
    }

    /// Opens a file that the Hub has announced: from the cache if another commit has the same content, or else by
    /// ranges.
    fn open_announced(
        &self,
        commit: &str,
        name: &str,
        identity: FileIdentity,
        address: Option<Address>,
    ) -> Result<Arc<dyn ByteSource>> {
        let etag = identity.etag.as_str();
        if let Ok(blob) = self.map(&self.cache.blob(etag), name)
            && blob.len() == identity.size
            && let Some(blob) = intact(
                Arc::new(blob),
                &identity.etag,
                self.depth,
                &self.options.cache,
            )
            && self.cache.link(commit, name, etag).is_ok()
        {
            return Ok(blob);
        }
        let content = self.ranges().content(&identity);
        let cost = Arc::clone(&self.connection.cost);
        let file = HubFile::new(commit, name, identity, address, cost);
        let connection = Arc::clone(&self.connection);
        Ok(Arc::new(RemoteFile::new(connection, file, content)))
    }

    fn ranges(&self) -> RangeStore<'_> {
        let SourceOptions { hub, cache, .. } = &self.options;
        RangeStore::new(cache, &endpoint::key(&hub.endpoint), &self.model.id())
    }
}
