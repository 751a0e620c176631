//! What the Hub cache says about a file of a model: that it is there and sound, that it is damaged, or nothing.

use std::sync::Arc;

use super::cache_check::is_sound;
use super::etag::Etag;
use super::files::HubFiles;
use super::lookup::{CacheEntry, ModelState};
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;

impl HubFiles {
    pub(super) fn cached(&self, state: &ModelState, name: &str) -> Result<CacheEntry> {
        let Some(commit) = state.commit.as_deref() else {
            return Ok(CacheEntry::Unknown);
        };
        // Sizes are known once the Hub was asked for them, as `pull` does.
        let listed = state.listing.as_ref().and_then(|files| files.get(name));
        let Some(path) = self.cache.file(commit, name) else {
            return Ok(if self.cache.has_link(commit, name) {
                CacheEntry::Damaged("its link leads to no file")
            } else if listed.is_none() && self.cache.is_absent(commit, name) {
                CacheEntry::Absent
            } else {
                CacheEntry::Unknown
            });
        };
        let file = self.map(&path, name)?;
        let etag = self.cache.etag(commit, name);
        let notes = &self.options.cache;
        let has_digest = |etag: &Etag| is_sound(&file, etag, self.depth, notes);
        let has_size = listed
            .copied()
            .flatten()
            .is_none_or(|size| file.len() == size);
        Ok(match (has_size, etag.as_ref().is_none_or(has_digest)) {
            (true, true) => CacheEntry::File(Arc::new(file)),
            (_, false) if file.is_empty() => CacheEntry::Damaged("it is empty"),
            (_, false) => CacheEntry::Damaged("its bytes are not those of its digest"),
            (false, true) => CacheEntry::Damaged("it has another size than on the Hub"),
        })
    }

    /// The files of the commit, if that is known.
    pub(super) fn cached_files(&self, state: &ModelState) -> Vec<FileEntry> {
        match &state.commit {
            Some(commit) => self.cache.files(commit),
            None => Vec::new(),
        }
    }

    /// Tells of a ref that is none, before the Hub is asked for it.
    pub(super) fn note_damaged_ref(&self, state: &ModelState) {
        if state.commit.is_none()
            && let Some(noted) = self.cache.damaged_ref(&self.revision)
        {
            self.options.observer.note(&format!(
                "refs/{} of `{}` is damaged in the Hub cache ({}): asking the Hub",
                self.revision,
                self.model.id(),
                no_commit(&noted)
            ));
        }
    }

    pub(super) fn not_cached(&self, file: &str) -> Error {
        match self.cache.damaged_ref(&self.revision) {
            Some(noted) => self.damaged(&format!("refs/{}", self.revision), no_commit(&noted)),
            None => self.connection.not_cached(file),
        }
    }

    pub(super) fn damaged(&self, file: &str, problem: impl Into<String>) -> Error {
        Error::DamagedCache {
            model: self.model.to_string(),
            file: file.to_owned(),
            problem: problem.into(),
        }
    }
}

/// What is wrong with a note of a commit.
fn no_commit(noted: &str) -> String {
    const SHOWN: usize = 60;
    let start: String = noted.chars().take(SHOWN).collect();
    match noted.trim().is_empty() {
        true => "it is empty".to_owned(),
        false => format!("it holds {start:?}, which is no commit"),
    }
}
