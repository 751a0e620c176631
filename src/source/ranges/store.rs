//! What tokscope's own cache keeps of the files of the Hub that are read by ranges.
//!
//! ```text
//! ranges/models--owner--name/
//!   commits/<commit>/<file>      etag and size of that file, as the Hub announced them
//!   content/<etag>/rows-<random> pieces that were fetched together: headers, rows
//!   content/<etag>/<a>-<b>       bytes a to b, fetched as a whole: a matrix; <a>-<b>.part while it is on its way
//!   content/<etag>/lock          held while it is
//! ```
//!
//! A file gets its name when it is whole, and is not written again; what is damaged is passed over. Nothing of this is
//! in the Hub cache, where a blob is a whole file whose digest was checked.

use std::io;

use hf_hub::Repo;

use super::content::Content;
use crate::source::app_cache::AppCache;
use crate::source::hub::etag::{Etag, FileIdentity};

/// A file of one commit of a model, in the own cache.
#[derive(Debug)]
pub(crate) struct RangeStore<'a> {
    cache: &'a AppCache,
    /// `ranges/models--owner--name`.
    model: String,
}

impl<'a> RangeStore<'a> {
    /// `id` is `owner/name`.
    pub(crate) fn new(cache: &'a AppCache, id: &str) -> Self {
        let repository = Repo::model(id.to_owned());
        let model = format!("ranges/{}", repository.folder_name());
        Self { cache, model }
    }

    /// What the Hub announced of a file, if it was noted.
    pub(crate) fn known(&self, commit: &str, file: &str) -> Option<FileIdentity> {
        let note = self.cache.find(&self.note(commit, file))?;
        let text = std::str::from_utf8(note.bytes()).ok()?;
        let (known, sum) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        let (etag, size) = known.split_once(' ')?;
        let sound = sum == note_checksum(known);
        let known = FileIdentity {
            etag: Etag::parse(etag)?,
            size: size.parse().ok()?,
        };
        sound.then_some(known)
    }

    pub(crate) fn note_known(
        &self,
        commit: &str,
        file: &str,
        known: &FileIdentity,
    ) -> io::Result<()> {
        let text = format!("{} {}", known.etag.as_str(), known.size);
        let note = format!("{text} {}\n", note_checksum(&text));
        self.cache.keep(&self.note(commit, file), note.as_bytes())
    }

    pub(super) fn note(&self, commit: &str, file: &str) -> String {
        format!("{}/commits/{commit}/{file}", self.model)
    }

    pub(crate) fn content(&self, known: &FileIdentity) -> Content {
        let etag = known.etag.as_str().to_owned();
        let folder = format!("{}/content/{etag}", self.model);
        Content {
            folder: self.cache.place(&folder),
            etag,
            size: known.size,
        }
    }
}

fn note_checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}
