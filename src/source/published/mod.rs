//! The files of OpenAI's encodings: in the cache of tiktoken, in the app cache, or at their published addresses.
//!
//! A file counts only if it has its published sha256, wherever it comes from. tiktoken's own cache is only read.

mod tiktoken_cache;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::byte_source::{ByteSource, MemoryFile};
use super::digest::hex;
use super::file_entry::FileEntry;
use super::frozen_file::{FrozenFile, Proof};
use super::hub::client::HubClient;
use super::local::mapped_file::MappedFile;
use super::options::SourceOptions;
use crate::error::{Error, Result};
use crate::model_ref::{PublishedFile, TiktokenModel};

/// The most bytes of a file. The largest one has 3.6 MB.
const MAX_BYTES: u64 = 32 << 20;

/// The file of an encoding.
pub(crate) struct Published {
    model: TiktokenModel,
    options: SourceOptions,
    found: Mutex<Option<Arc<dyn ByteSource>>>,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Published {
    pub(crate) fn new(model: TiktokenModel, options: SourceOptions) -> Self {
        Self {
            model,
            options,
            found: Mutex::default(),
        }
    }

    /// Returns the name of the model in records.
    pub(crate) fn name(&self) -> String {
        self.model.to_string()
    }

    /// Returns the name of the file.
    pub(crate) fn file_name(&self) -> String {
        self.model.encoding().file_name()
    }

    fn published(&self) -> &'static PublishedFile {
        self.model.encoding().file
    }

    /// Opens the file called `name`, which is fetched if no cache has it. Returns `None` for any other name.
    ///
    /// # Errors
    /// Fails with [`Error::NotCached`] if no cache has it and the network is off, with [`Error::OtherDigest`] if the
    /// fetched bytes are not those that were published, or with the error of fetching them.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        if name != self.file_name() {
            return Ok(None);
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() {
            let cached = self.cached();
            *found = Some(match cached {
                Some(file) => file,
                None => self.fetch()?,
            });
        }
        Ok(found.clone())
    }

    /// Lists the file.
    pub(crate) fn list(&self) -> Vec<FileEntry> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = found.clone().or_else(|| self.cached());
        vec![FileEntry {
            name: self.file_name(),
            size: cached.as_ref().map(|file| file.len()),
            cached: cached.is_some(),
        }]
    }

    /// Finds the file in the cache of tiktoken or in the app cache.
    fn cached(&self) -> Option<Arc<dyn ByteSource>> {
        let published = self.published();
        let path = tiktoken_cache::path(published, |name| std::env::var_os(name));
        let of_tiktoken = path.and_then(|path| {
            let file = MappedFile::open(&path, path.display().to_string()).ok()?;
            let checked = self.checked(file);
            if checked.is_none() {
                self.options.observer.note(&format!(
                    "{} in the cache of tiktoken is not {}: it is ignored",
                    path.display(),
                    self.file_name()
                ));
            }
            checked
        });
        of_tiktoken.or_else(|| {
            let path = self.options.cache.path(&kept(published))?;
            self.checked(MappedFile::open(&path, self.file_name()).ok()?)
        })
    }

    /// Returns a file if it has the published digest.
    fn checked(&self, file: MappedFile) -> Option<Arc<dyn ByteSource>> {
        if file.len() > MAX_BYTES {
            return None;
        }
        let file = FrozenFile::open(Arc::new(file), &self.options.cache, Proof::Stamp).ok()?;
        let is_right = hex(&file.sha256()?) == self.published().sha256;
        is_right.then(|| Arc::new(file) as Arc<dyn ByteSource>)
    }

    fn fetch(&self) -> Result<Arc<dyn ByteSource>> {
        let (model, file) = (self.name(), self.file_name());
        if self.options.offline || self.options.hub.offline {
            return Err(Error::NotCached { model, file });
        }
        if let Some(invalid) = &self.options.hub.invalid {
            return Err(invalid.error());
        }
        let published = self.published();
        let (client, address) = HubClient::of_address(&model, &address(published), &self.options)?;
        let bytes = client.whole(&address, &file, MAX_BYTES)?;
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        if hex(&sha256) != published.sha256 {
            return Err(Error::OtherDigest {
                model,
                file,
                found: hex(&sha256),
                expected: published.sha256,
            });
        }
        let name = kept(published);
        if let Err(error) = self.options.cache.store(&name, &bytes) {
            let problem = format!("cannot cache {name}: {error}");
            self.options.observer.detail(&problem);
        }
        Ok(Arc::new(MemoryFile::new(file, bytes)))
    }
}

/// Returns the name of a file in the app cache.
fn kept(published: &PublishedFile) -> String {
    format!("tiktoken/{}", published.sha256)
}

/// Returns the address to fetch a file from. Only a build for tests lets the environment name another host.
fn address(published: &PublishedFile) -> String {
    #[cfg(debug_assertions)]
    if let Ok(host) = std::env::var("TOKSCOPE_TEST_PUBLISHED") {
        let path = published.address.splitn(4, '/').last().unwrap_or_default();
        return format!("{host}/{path}");
    }
    published.address.to_owned()
}
