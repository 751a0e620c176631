//! The files of one model: built in, in a directory, in Ollama's store, on the Hub, or the file of an encoding of OpenAI.

mod finding;
mod module_folder;
mod naming;
mod only_file;
mod origin;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::app_cache::AppCache;
use super::byte_source::ByteSource;
use super::file_notes::FileNotes;
use super::frozen_file::{FrozenFile, Proof};
use super::hashed_file::HashedFile;
use super::hub::cost::Fetched;
use super::hub::files::HubFiles;
use super::local::directory::Directory;
use super::local::file_stamp::FileStamp;
use super::local::mapped_file::MappedFile;
use super::local::ollama_store::OllamaStore;
use super::observer::Observer;
use super::options::SourceOptions;
use super::published::Published;
use super::reading::Reading;
use crate::error::Result;
use crate::model_ref::ModelRef;
use module_folder::ModuleFolder;
use only_file::OnlyFile;
use origin::Origin;

/// The maximum length of a locked file that is held in memory, in bytes. Parts of a longer one, which is a GGUF file with
/// its tensors, are read and hashed again.
const MAX_HELD: u64 = 64 << 20;

/// The files of one model.
pub struct ModelFiles {
    origin: Origin,
    /// The file that is the model by itself, if the reference names one. Of other files, only its further shards and
    /// those that its kind has beside it belong to the model.
    only: Option<OnlyFile>,
    /// The name of a model in Ollama's store, whose file has a digest for its name.
    ollama: Option<String>,
    /// True if files on the Hub are downloaded whole rather than read by ranges.
    whole: bool,
    /// True if the `tokenizer.json` is taken as it stands.
    as_is: bool,
    reading: Reading,
    cache: AppCache,
    observer: Arc<dyn Observer>,
    /// The folder of the transformer, if `modules.json` of sentence-transformers names one.
    module_folder: ModuleFolder,
    /// The files that [`Self::freeze`] has opened; `None` for those that the model does not have.
    frozen: BTreeMap<String, Option<Arc<dyn ByteSource>>>,
}

impl fmt::Debug for ModelFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelFiles")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl ModelFiles {
    /// Opens a model. Nothing is fetched yet.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`](crate::error::Error::BadModelRef) for a directory that does not exist.
    pub fn open(model: &ModelRef, options: SourceOptions) -> Result<Self> {
        let cache = options.cache.clone();
        let observer = Arc::clone(&options.observer);
        let mut ollama = None;
        let (origin, only) = match model {
            ModelRef::Demo => (Origin::Demo, None),
            ModelRef::Directory(path) => (Origin::Directory(Directory::open(path)?), None),
            ModelRef::File(path) => {
                let (directory, name) = Directory::of_file(path)?;
                (Origin::Directory(directory), Some(name))
            }
            ModelRef::Ollama(model) => {
                let store = OllamaStore::from_env(|name| std::env::var_os(name));
                let (directory, name) = store.find(model)?;
                ollama = Some(model.to_string());
                (Origin::Directory(directory), Some(name))
            }
            ModelRef::Tiktoken(model) => {
                let file = Published::new(model.clone(), options);
                let only = Some(file.file_name());
                (Origin::Published(Box::new(file)), only)
            }
            ModelRef::Hub(model) => {
                let only = model.file().map(str::to_owned);
                let files = HubFiles::new(model.clone(), options);
                (Origin::Hub(Box::new(files)), only)
            }
        };
        Ok(Self {
            origin,
            only: only.map(OnlyFile::new),
            ollama,
            whole: false,
            as_is: false,
            reading: Reading::default(),
            cache,
            observer,
            module_folder: ModuleFolder::default(),
            frozen: BTreeMap::new(),
        })
    }

    /// Makes [`Self::find_ranged`] download and verify whole files instead of reading ranges.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// Makes the tokenizer take the `tokenizer.json` as it stands, without the model's other files and its class.
    #[must_use]
    pub fn as_is(self) -> Self {
        Self {
            as_is: true,
            ..self
        }
    }

    /// Returns true if the `tokenizer.json` is taken as it stands.
    pub fn are_as_is(&self) -> bool {
        self.as_is
    }

    /// Makes the tokenizer read the files as a library does.
    #[must_use]
    pub fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// Returns the library whose reading the tokenizer follows.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// Checks every byte of a file in the Hub cache when it is opened. By default, only cheap checks are made. Frozen
    /// files are opened again.
    #[must_use]
    pub fn verified(mut self) -> Self {
        if let Origin::Hub(hub) = &mut self.origin {
            hub.verify();
        }
        self.frozen.clear();
        self
    }

    /// Opens a file and determines its digest. From now on, [`Self::find`] returns this file with these bytes, whatever
    /// happens to the file on disk. They are hashed even if the file has not been written since its digest was noted.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn freeze(&mut self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let file = match self.find(name)? {
            Some(file) => Some(self.frozen(file, Proof::Hash)?),
            None => None,
        };
        self.frozen.insert(name.to_owned(), file.clone());
        Ok(file)
    }

    /// Determines the digest of a file of this model. Reads of the result return only bytes with that digest.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is too long to be held in memory.
    pub fn with_digest(&self, file: Arc<dyn ByteSource>) -> Result<Arc<dyn ByteSource>> {
        self.frozen(file, Proof::Stamp)
    }

    fn frozen(&self, file: Arc<dyn ByteSource>, proof: Proof) -> Result<Arc<dyn ByteSource>> {
        if file.sha256().is_some() {
            return Ok(file);
        }
        if proof == Proof::Hash && file.len() > MAX_HELD {
            return Ok(Arc::new(HashedFile::open(file)?));
        }
        Ok(Arc::new(FrozenFile::open(file, &self.cache, proof)?))
    }

    /// Returns the commit of the files; `None` if the model has no commits or the commit is not known yet.
    pub fn commit(&self) -> Option<String> {
        self.origin.commit()
    }

    /// Returns what was noted about a local file in a folder of the [`AppCache`]. Returns `None` if there is no note, or the
    /// file was written since.
    pub fn noted(&self, folder: &'static str, stamp: &FileStamp) -> Option<String> {
        FileNotes::new(&self.cache, folder).find(stamp)
    }

    /// Notes what was found in a local file, whose stamp was taken before.
    pub fn note(&self, folder: &'static str, stamp: &FileStamp, content: &str) {
        FileNotes::new(&self.cache, folder).store(stamp, content);
    }

    /// Reads a short file in the [`AppCache`] that was derived from a file of the model.
    pub fn read_derived(&self, name: &str, max_bytes: u64) -> Option<Vec<u8>> {
        self.cache.read(name, max_bytes)
    }

    /// Opens a file in the [`AppCache`] that was derived from a file of the model.
    pub fn find_derived(&self, name: &str) -> Option<MappedFile> {
        self.cache.find(name)
    }

    /// Stores a file derived from a file of the model in the [`AppCache`]. A failure is only reported as a detail.
    pub fn store_derived(&self, name: &str, bytes: &[u8]) {
        match self.cache.store(name, bytes) {
            Ok(()) => {
                self.observer.detail(&format!("caching {name}"));
                if let Some(note) = self.cache.note_about_size(bytes.len() as u64) {
                    self.observer.note(&note);
                }
            }
            Err(error) => self
                .observer
                .detail(&format!("cannot cache {name}: {error}")),
        }
    }

    /// Returns the folder with the local files: the model's directory, or the snapshot in the Hub cache.
    pub fn folder(&self) -> Option<PathBuf> {
        self.origin.folder()
    }

    /// Returns the cost of reading by ranges so far; `None` if nothing was fetched.
    pub fn fetched(&self) -> Option<Fetched> {
        self.origin.fetched()
    }

    /// Asks the Hub for the current commit of the revision. Returns `None` offline, and for models that are not on the
    /// Hub.
    ///
    /// # Errors
    /// Fails with an error of exit code 3 if the Hub does not answer.
    pub fn newest_commit(&self) -> Result<Option<String>> {
        self.origin.newest_commit()
    }

    /// Asks the Hub for the current commit of the revision, records it in the Hub cache, and uses it from now on. Does
    /// nothing offline, and for models that are not on the Hub.
    ///
    /// # Errors
    /// Fails with an error of exit code 3 if the Hub does not answer or the answer cannot be recorded.
    pub fn refresh(&mut self) -> Result<()> {
        self.frozen.clear();
        self.module_folder = ModuleFolder::default();
        self.origin.refresh()
    }
}
