//! The part of the app cache that holds ranges of files on the Hub.
//!
//! ```text
//! ranges/<endpoint>/models--owner--name/
//!   commits/<commit>/<file>      the ETag and size of the file, as the Hub announced them
//!   content/<etag>/rows-<random> extents that were fetched together: headers, rows
//!   content/<etag>/<a>-<b>       bytes a to b, fetched as a whole: a matrix; <a>-<b>.part during the download
//!   content/<etag>/lock          locked during the download
//! ```
//!
//! Ranges cannot be checked against the digest of their file, so those of one endpoint are never used for another.
//!
//! A file gets its name when it is complete and is never written again. Damaged files are skipped. These files cannot
//! be in the Hub cache, where every blob is a whole file with a verified digest.

use std::io;

use hf_hub::Repo;

use super::content::Content;
use crate::source::app_cache::AppCache;
use crate::source::hub::etag::Etag;
use crate::source::hub::file_identity::FileIdentity;

/// The ranges of one model's files in the app cache.
#[derive(Debug)]
pub(crate) struct RangeStore<'a> {
    cache: &'a AppCache,
    /// `ranges/<endpoint>/models--owner--name`.
    folder: String,
}

impl<'a> RangeStore<'a> {
    /// Returns the store of the model `id`, given as `owner/name`, at the endpoint with this key.
    pub(crate) fn new(cache: &'a AppCache, endpoint: &str, id: &str) -> Self {
        let repository = Repo::model(id.to_owned());
        let folder = format!("ranges/{endpoint}/{}", repository.folder_name());
        Self { cache, folder }
    }

    /// Returns the stored identity of a file, if there is one.
    pub(crate) fn identity(&self, commit: &str, file: &str) -> Option<FileIdentity> {
        let stored = self.cache.find(&self.identity_name(commit, file))?;
        let line = std::str::from_utf8(stored.bytes()).ok()?;
        let (fields, sum) = line.strip_suffix('\n')?.rsplit_once(' ')?;
        let (etag, size) = fields.split_once(' ')?;
        let is_intact = sum == checksum(fields);
        let identity = FileIdentity {
            etag: Etag::parse(etag)?,
            size: size.parse().ok()?,
        };
        is_intact.then_some(identity)
    }

    /// Stores the identity of a file.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn store_identity(
        &self,
        commit: &str,
        file: &str,
        identity: &FileIdentity,
    ) -> io::Result<()> {
        let fields = format!("{} {}", identity.etag.as_str(), identity.size);
        let line = format!("{fields} {}\n", checksum(&fields));
        self.cache
            .store(&self.identity_name(commit, file), line.as_bytes())
    }

    pub(super) fn identity_name(&self, commit: &str, file: &str) -> String {
        format!("{}/commits/{commit}/{file}", self.folder)
    }

    /// Returns the stored ranges of the content with this identity.
    pub(crate) fn content(&self, identity: &FileIdentity) -> Content {
        let etag = identity.etag.as_str().to_owned();
        let folder = format!("{}/content/{etag}", self.folder);
        Content {
            folder: self.cache.path(&folder),
            etag,
            size: identity.size,
            cache: self.cache.clone(),
        }
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}
