//! The files of one model: built in, in a directory, in Ollama's store, on the Hub, or the file of an encoding of OpenAI.

mod module_folder;
mod only_file;
mod origin;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::app_cache::AppCache;
use super::byte_source::ByteSource;
use super::file_entry::FileEntry;
use super::file_kind::FileKind;
use super::file_name::is_within;
use super::frozen_file::{FrozenFile, Proof};
use super::hub::cost::Fetched;
use super::hub::files::HubFiles;
use super::local::directory::Directory;
use super::local::mapped_file::MappedFile;
use super::local::ollama_store::OllamaStore;
use super::observer::Observer;
use super::options::SourceOptions;
use super::published::Published;
use crate::error::{Error, Result};
use crate::model_ref::ModelRef;
use module_folder::ModuleFolder;
use only_file::OnlyFile;
use origin::{Origin, with_cached};

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
    /// Fails with [`Error::BadModelRef`] for a directory that does not exist.
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
        Ok(Arc::new(FrozenFile::open(file, &self.cache, proof)?))
    }

    /// Returns the name of the model in records: `owner/name`, a path, `ollama:name:tag`, `tiktoken:name`, or `demo`.
    pub fn model(&self) -> String {
        if let Some(ollama) = &self.ollama {
            return ollama.clone();
        }
        match (&self.origin, &self.only) {
            (Origin::Demo, _) => "demo".to_owned(),
            (Origin::Directory(directory), None) => directory.path().display().to_string(),
            (Origin::Directory(directory), Some(only)) => {
                directory.path().join(&only.name).display().to_string()
            }
            (Origin::Hub(hub), _) => hub.id(),
            (Origin::Published(file), _) => file.name(),
        }
    }

    /// Returns the name of the model as the subject of a sentence.
    pub fn place(&self) -> String {
        match (&self.origin, &self.only) {
            (Origin::Demo, _) => "the built-in model".to_owned(),
            (Origin::Directory(_), None) => format!("directory {}", self.model()),
            (Origin::Directory(_), Some(_)) => self.model(),
            (Origin::Hub(hub), None) => format!("`{}`", hub.id()),
            (Origin::Published(file), _) => format!("`{}`", file.name()),
            (Origin::Hub(hub), Some(only)) => format!("{} of `{}`", only.name, hub.id()),
        }
    }

    /// Returns the reference that names a file of this model as the model.
    pub fn reference_to(&self, name: &str) -> String {
        match &self.origin {
            Origin::Hub(hub) => hub.reference().and_file(name).to_string(),
            _ if self.only.is_some() => self.model(),
            _ => format!("{}/{name}", self.model()),
        }
    }

    /// Returns the name of the file that is the model by itself, if the reference names one.
    pub fn only(&self) -> Option<&str> {
        self.only.as_ref().map(|only| &*only.name)
    }

    /// Returns the kind of the file that is the model by itself; `None` if the reference names none. On the Hub, the
    /// name decides, and the content only where it does not.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if there is no such file, or with the error of reading it.
    pub fn only_kind(&self) -> Result<Option<FileKind>> {
        let Some(only) = &self.only else {
            return Ok(None);
        };
        let is_remote = matches!(self.origin, Origin::Hub(_) | Origin::Published(_));
        let kind = only.kind(is_remote, || {
            let file = self.find_ranged(&only.name)?;
            file.ok_or_else(|| self.no_such_file(&only.name))
        });
        kind.map(Some)
    }

    /// Returns the error for a reference that names a file that does not exist.
    pub fn no_such_file(&self, name: &str) -> Error {
        match self.missing("such file", &[name]) {
            Error::MissingPart { .. } => Error::BadModelRef {
                given: self.reference_to(name),
                problem: "there is no such file".to_owned(),
            },
            unreachable => unreachable,
        }
    }

    /// Returns the name of the file that the model calls `name`, which differs if a reference names a file. `None` if
    /// the model cannot have such a file.
    fn resolve<'n>(&'n self, name: &'n str) -> Result<Option<Cow<'n, str>>> {
        self.check(name)?;
        match &self.only {
            Some(only) if !only.is(name) => match self.only_kind()? {
                Some(kind) => Ok(only.resolve(kind, name)),
                None => Ok(None),
            },
            _ => Ok(Some(Cow::Borrowed(name))),
        }
    }

    /// Returns true if a file of the directory or repository may belong to the model.
    fn includes(&self, file: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| match self.only_kind() {
                Ok(Some(kind)) => only.includes(kind, file),
                _ => only.is(file),
            })
    }

    /// Returns the commit of the files; `None` if the model has no commits or the commit is not known yet.
    pub fn commit(&self) -> Option<String> {
        self.origin.commit()
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

    /// Opens the file `name`, fetching it if necessary; `None` if the model has no such file.
    ///
    /// Offline, a file that is not in the Hub cache counts as absent if the cache has any other file of this commit. As
    /// in transformers, an optional file that was never downloaded is not an error. Use [`Self::missing`] to report a
    /// required file.
    ///
    /// # Errors
    /// Fails with an error of exit code 3 if the file cannot be fetched, with [`Error::ReadModel`] if it cannot be
    /// read, and with [`Error::Damaged`] if the name points outside the model (names can come from index files).
    pub fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        if let Some(file) = self.frozen.get(name) {
            return Ok(file.clone());
        }
        let Some(name) = self.resolve(name)? else {
            return Ok(None);
        };
        self.in_folders(&name, |name| self.origin.find(name))
    }

    /// Looks for a file in the folder of the transformer, or at the top if `modules.json` names no such folder.
    fn in_folders<T>(
        &self,
        name: &str,
        look: impl Fn(&str) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        if self.only.is_some() {
            return look(name);
        }
        self.module_folder
            .look(name, |in_cache| self.origin.modules(in_cache), look)
    }

    /// Returns the name, within the model, of a file that was found.
    pub fn full_name(&self, name: &str) -> String {
        self.module_folder.join(name)
    }

    /// Returns true if the model has the file `name`, without fetching it.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn has(&self, name: &str) -> Result<bool> {
        if let Some(file) = self.frozen.get(name) {
            return Ok(file.is_some());
        }
        let Some(name) = self.resolve(name)? else {
            return Ok(false);
        };
        let has = |name: &str| Ok(self.origin.has(name)?.then_some(()));
        Ok(self.in_folders(&name, has)?.is_some())
    }

    /// Opens the file `name` if it can be found without asking the Hub for the names of its files.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn find_known(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        match (&self.origin, self.resolve(name)?) {
            (Origin::Hub(hub), Some(actual)) if !hub.knows(&self.full_name(&actual)) => Ok(None),
            _ => self.find(name),
        }
    }

    /// Opens the file `name` for partial reads. If it is not in the Hub cache, its bytes are fetched as they are read,
    /// and stored in the app cache. In all other respects, this works like [`Self::find`].
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn find_ranged(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        match &self.origin {
            Origin::Hub(hub) if !self.whole && !self.frozen.contains_key(name) => {
                let Some(name) = self.resolve(name)? else {
                    return Ok(None);
                };
                let find = |name: &str| {
                    let found = hub.find_ranged(name);
                    found.map_err(|error| with_cached(hub, error))
                };
                self.in_folders(&name, find)
            }
            _ => self.find(name),
        }
    }

    /// Returns the cost of reading by ranges so far; `None` if nothing was fetched.
    pub fn fetched(&self) -> Option<Fetched> {
        self.origin.fetched()
    }

    fn check(&self, name: &str) -> Result<()> {
        if is_within(name) {
            return Ok(());
        }
        Err(Error::damaged(
            self.model(),
            format!("it refers to {name:?}, which is not the name of one of its files"),
        ))
    }

    /// Returns the error for a required file that [`Self::find`] did not find under any of these names. It says that the
    /// model has no `what` or, if only the Hub can tell, that the network is needed.
    pub fn missing(&self, what: &'static str, names: &[&str]) -> Error {
        let names = names.iter().filter_map(|name| self.resolve(name).ok()?);
        let names: Vec<Cow<'_, str>> = names.collect();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let unknown = match &self.origin {
            Origin::Demo | Origin::Directory(_) | Origin::Published(_) => None,
            Origin::Hub(hub) => hub.unknown(&names),
        };
        unknown.unwrap_or_else(|| Error::MissingPart {
            place: self.place(),
            what,
            hint: None,
        })
    }

    /// Lists the files of the model, sorted by name, without fetching any. Offline, lists only the files in the Hub
    /// cache; for a directory, only the files directly in it.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn list(&self) -> Result<Vec<FileEntry>> {
        let mut list = self.origin.list()?;
        list.retain(|file| self.includes(&file.name));
        Ok(list)
    }

    /// Returns the names of the files that [`Self::list`] lists. For a model on the Hub, this may cost one request less.
    ///
    /// # Errors
    /// Fails like [`Self::find`].
    pub fn names(&self) -> Result<Vec<String>> {
        match &self.origin {
            Origin::Hub(hub) => hub.names().map_err(|error| with_cached(hub, error)),
            _ => Ok(self.list()?.into_iter().map(|file| file.name).collect()),
        }
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
