//! A file of a model of the Hub, to read parts of: the one in the cache, or a remote one.

use std::sync::Arc;

use super::address::Address;
use super::cache_check::is_sound;
use super::client::HubFile;
use super::etag::FileIdentity;
use super::files::HubFiles;
use super::lookup::{CacheEntry, Location, ModelState};
use crate::error::Result;
use crate::source::byte_source::ByteSource;
use crate::source::ranges::remote_file::RemoteFile;
use crate::source::ranges::store::RangeStore;

impl HubFiles {
    /// As [`Self::find`], but a file that is not in the cache is not fetched: it is read by ranges.
    pub(crate) fn find_ranged(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let mut state = self.state();
        if let CacheEntry::Unknown | CacheEntry::Damaged(_) = self.cached(&state, name)?
            && let Some(file) = self.known(&state, name)?
        {
            return Ok(Some(file));
        }
        let commit = match self.locate(&mut state, name)? {
            Location::Here(file) => return Ok(Some(file)),
            Location::Absent(commit) => return Ok(self.absent(&commit, name)),
            Location::Nowhere => return Ok(None),
            Location::Listed(commit) => commit,
        };
        // Which commit it is may be known only now.
        if let Some(file) = self.known(&state, name)? {
            return Ok(Some(file));
        }
        let cost = &self.connection.cost;
        let client = self.client(name)?;
        let Some(announced) = client.announcement(&commit, name, cost)? else {
            return Ok(self.absent(&commit, name));
        };
        let known = announced.known;
        // A cache that cannot be written costs the next run a question, no more.
        let _ = self.ranges().note_known(&commit, name, &known);
        self.announced(&commit, name, known, Some(announced.address))
            .map(Some)
    }

    /// The file by what the Hub announced of it, if that was noted.
    fn known(&self, state: &ModelState, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let Some(commit) = state.commit.as_deref() else {
            return Ok(None);
        };
        match self.ranges().known(commit, name) {
            Some(known) => self.announced(commit, name, known, None).map(Some),
            None => Ok(None),
        }
    }

    /// The file that was announced: its content may be in the cache, from another commit; else it is a remote one.
    fn announced(
        &self,
        commit: &str,
        name: &str,
        known: FileIdentity,
        address: Option<Address>,
    ) -> Result<Arc<dyn ByteSource>> {
        let etag = known.etag.as_str();
        if let Ok(blob) = self.map(&self.cache.blob(etag), name)
            && blob.len() == known.size
            && is_sound(&blob, &known.etag, self.depth, &self.options.cache)
            && self.cache.link(commit, name, etag).is_ok()
        {
            return self.open(commit, name);
        }
        let content = self.ranges().content(&known);
        let cost = Arc::clone(&self.connection.cost);
        let place = HubFile::new(commit, name, known, address, cost);
        let connection = Arc::clone(&self.connection);
        Ok(Arc::new(RemoteFile::new(connection, place, content)))
    }

    fn ranges(&self) -> RangeStore<'_> {
        RangeStore::new(&self.options.cache, &self.model.id())
    }
}
