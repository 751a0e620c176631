//! Files in the Hub cache: intact, damaged, or missing.

use std::sync::Arc;

use super::blob_digest::{Depth, intact};
use super::files::HubFiles;
use super::lookup::{CacheEntry, ModelState};
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;

impl HubFiles {
    /// Looks a file up in the Hub cache.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if it cannot be opened.
    pub(super) fn cached(&self, state: &ModelState, name: &str) -> Result<CacheEntry> {
        self.cached_at(self.depth, state, name)
    }

    /// Looks a file up in the Hub cache, with checks of this depth.
    ///
    /// # Errors
    /// Fails like [`Self::cached`].
    pub(super) fn cached_at(
        &self,
        depth: Depth,
        state: &ModelState,
        name: &str,
    ) -> Result<CacheEntry> {
        let Some(commit) = state.commit.as_deref() else {
            return Ok(CacheEntry::Missing);
        };
        // The listing has sizes only if the Hub was asked for them, as `pull` does.
        let listed = state.listing.as_ref().and_then(|files| files.get(name));
        let Some(path) = self.cache.file(commit, name) else {
            return Ok(if self.cache.has_link(commit, name) {
                CacheEntry::Damaged("its link points to a missing file")
            } else if listed.is_none() && self.cache.is_absent(commit, name) {
                CacheEntry::Absent
            } else {
                CacheEntry::Missing
            });
        };
        let file = Arc::new(self.map(&path, name)?);
        let has_size = listed
            .copied()
            .flatten()
            .is_none_or(|size| file.len() == size);
        let is_empty = file.is_empty();
        let checked: Option<Arc<dyn ByteSource>> = match self.cache.etag(commit, name) {
            Some(etag) => intact(file, &etag, depth, &self.options.cache),
            None => Some(file),
        };
        Ok(match (has_size, checked) {
            (true, Some(file)) => CacheEntry::Intact(file),
            (_, None) if is_empty => CacheEntry::Damaged("it is empty"),
            (_, None) => CacheEntry::Damaged("its bytes do not match its digest"),
            (false, Some(_)) => CacheEntry::Damaged("its size is not the one on the Hub"),
        })
    }

    /// Lists the cached files of the commit. The list is empty while the commit is unknown.
    pub(super) fn cached_files(&self, state: &ModelState) -> Vec<FileEntry> {
        match &state.commit {
            Some(commit) => self.cache.files(commit),
            None => Vec::new(),
        }
    }

    /// Warns about a damaged ref before the Hub is asked for the commit.
    pub(super) fn warn_of_damaged_ref(&self, state: &ModelState) {
        if state.commit.is_none()
            && let Some(content) = self.cache.damaged_ref(&self.revision)
        {
            self.options.observer.note(&format!(
                "refs/{} of `{}` is damaged in the Hub cache ({}): asking the Hub",
                self.revision,
                self.model.id(),
                ref_problem(&content)
            ));
        }
    }

    /// Returns the error for a file that is not in the cache while the Hub cannot be asked.
    pub(super) fn not_cached(&self, file: &str) -> Error {
        match self.cache.damaged_ref(&self.revision) {
            Some(content) => {
                self.damaged(&format!("refs/{}", self.revision), ref_problem(&content))
            }
            None => self.connection.not_cached(file),
        }
    }

    /// Returns the error for a damaged file of the cache.
    pub(super) fn damaged(&self, file: &str, problem: impl Into<String>) -> Error {
        Error::DamagedCache {
            model: self.model.to_string(),
            file: file.to_owned(),
            problem: problem.into(),
        }
    }
}

/// Describes the problem with the content of a ref that is not a commit.
fn ref_problem(content: &str) -> String {
    /// The maximum number of characters shown.
    const SHOWN: usize = 60;
    if content.trim().is_empty() {
        return "it is empty".to_owned();
    }
    let start: String = content.chars().take(SHOWN).collect();
    format!("it holds {start:?}, which is not a commit")
}
