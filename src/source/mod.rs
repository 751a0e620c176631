//! WHERE BYTES COME FROM: a [`ModelRef`] → the files of that model, each as a [`ByteSource`].
//!
//! ```text
//! ModelRef::Demo ────────────────────────────────────► demo ───────► MemoryFile ─┐
//! ModelRef::Directory ───────────────────────────────► directory ──┐             ├─► dyn ByteSource
//! ModelRef::Hub ─► hub ─┬─ in the cache: hub_cache ────────────────┴► MappedFile ┤
//!                       ├─ whole files:  hub_client (asks) ─► hub_download (stores, verified) ─► hub_cache
//!                       └─ byte ranges:  hub_client (asks) ─► remote_file ► RemoteFile ┘
//!                                                             └► range_store (keeps, in the own cache)
//! ```
//!
//! Files are found one by one, when they are asked for. The cache answers first; the network is used for what it
//! does not know. Nothing here prints: what happens meanwhile is told to an [`Observer`].

mod blob_check;
pub mod bytes;
mod chain;
mod demo;
mod directory;
mod file_state;
mod hub;
mod hub_cache;
mod hub_client;
mod hub_connection;
mod hub_digest;
mod hub_download;
mod hub_env;
mod hub_error;
mod mapped;
mod own_cache;
mod pieces;
mod range_plan;
mod range_store;
mod remote_file;
mod shrunk;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use bytes::{ByteSource, MemoryFile};
pub use file_state::FileState;
pub use hub_client::ProxySettings;
pub use hub_env::{HubSettings, Token, is_true};
pub use mapped::MappedFile;
pub use own_cache::OwnCache;
pub use shrunk::say_when_files_become_shorter;

use crate::error::{Error, Result};
use crate::model_ref::ModelRef;
use directory::Directory;
use hub::HubFiles;

/// What happens while bytes are fetched. Implemented at the edge of the program; every method does nothing by itself.
pub trait Observer: Send + Sync {
    /// Something worth a line to a person: a whole sentence, lower case, without a period.
    fn note(&self, _message: &str) {}

    /// Something for a person who asked for more.
    fn detail(&self, _message: &str) {}

    /// A file of `total` bytes is about to arrive.
    fn download_started(&self, _file: &str, _total: u64) {}

    /// `done` bytes of it are here; what an earlier attempt left counts.
    fn download_progress(&self, _file: &str, _done: u64) {}

    /// It is stored and verified. A download that fails ends with its error instead.
    fn download_finished(&self, _file: &str) {}

    /// Of the files to be counted, `done` are; `found` so far.
    fn count_progress(&self, _done: usize, _found: usize) {}

    /// All are counted.
    fn count_finished(&self) {}
}

/// An observer that looks away.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// How models are reached.
#[derive(Clone)]
pub struct SourceOptions {
    /// `--offline`; the environment can ask for the same in [`HubSettings::offline`].
    pub offline: bool,
    pub hub: HubSettings,
    /// Where files made from the model's are kept.
    pub cache: OwnCache,
    pub observer: Arc<dyn Observer>,
}

/// A file that a model has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path within the model, with `/` between parts.
    pub name: String,
    /// In bytes, if known.
    pub size: Option<u64>,
    /// Whether it can be read without the network.
    pub cached: bool,
}

/// What reading files of the Hub by ranges has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Requests for those files: for their headers, and for ranges.
    pub requests: u64,
    /// Bytes of those ranges that came.
    pub bytes: u64,
}

/// The files of one model.
pub struct ModelFiles {
    place: Place,
    /// Files of the Hub are fetched whole, not read by ranges.
    whole: bool,
    cache: OwnCache,
    observer: Arc<dyn Observer>,
}

#[derive(Debug)]
enum Place {
    Demo,
    Directory(Directory),
    Hub(Box<HubFiles>),
}

impl fmt::Debug for ModelFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelFiles")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl ModelFiles {
    /// Nothing is fetched yet.
    ///
    /// # Errors
    /// [`Error::BadModelRef`] for a directory that does not exist.
    pub fn open(model: &ModelRef, options: SourceOptions) -> Result<Self> {
        let cache = options.cache.clone();
        let observer = Arc::clone(&options.observer);
        let place = match model {
            ModelRef::Demo => Place::Demo,
            ModelRef::Directory(path) => Place::Directory(Directory::open(path)?),
            ModelRef::Hub(model) => Place::Hub(Box::new(HubFiles::new(model.clone(), options))),
        };
        Ok(Self {
            place,
            whole: false,
            cache,
            observer,
        })
    }

    /// The same files, with those that [`Self::find_ranged`] would read by ranges fetched whole, and verified.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// The same files, with every byte checked of those that the Hub cache holds, where an ordinary look checks what it
    /// can at no cost.
    #[must_use]
    pub fn verified(mut self) -> Self {
        if let Place::Hub(hub) = &mut self.place {
            hub.verify();
        }
        self
    }

    /// The model as records carry it: `owner/name`, a path, or `demo`.
    pub fn model(&self) -> String {
        match &self.place {
            Place::Demo => "demo".to_owned(),
            Place::Directory(directory) => directory.path().display().to_string(),
            Place::Hub(hub) => hub.id(),
        }
    }

    /// The model as the subject of a sentence.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Demo => "the built-in model".to_owned(),
            Place::Directory(directory) => format!("directory {}", directory.path().display()),
            Place::Hub(hub) => format!("`{}`", hub.id()),
        }
    }

    /// The commit that files come from; none for a model without commits, or while it is not known.
    pub fn commit(&self) -> Option<String> {
        match &self.place {
            Place::Demo | Place::Directory(_) => None,
            Place::Hub(hub) => hub.commit(),
        }
    }

    /// A file made earlier from the model's; see [`OwnCache`].
    pub fn made_earlier(&self, name: &str) -> Option<MappedFile> {
        self.cache.find(name)
    }

    /// Keeps a file made from the model's, where it can be kept.
    pub fn keep(&self, name: &str, bytes: &[u8]) {
        match self.cache.keep(name, bytes) {
            Ok(()) => self.observer.detail(&format!("keeping {name}")),
            Err(error) => self
                .observer
                .detail(&format!("not keeping {name}: {error}")),
        }
    }

    /// The folder that holds the files that are here: the directory, or the snapshot in the cache.
    pub fn folder(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Demo => None,
            Place::Directory(directory) => Some(directory.path().to_owned()),
            Place::Hub(hub) => hub.folder(),
        }
    }

    /// The file `name`, fetched if need be; none if the model has no such file.
    ///
    /// Without the network, a file that the cache does not hold counts as one that the model does not have, provided
    /// the cache holds anything of this commit: as in transformers, an optional file that nobody downloaded stops
    /// nothing. [`Self::missing`] makes the error for one that is needed.
    ///
    /// # Errors
    /// Exit 3 if it cannot be fetched, [`Error::ReadModel`] if it cannot be read, and [`Error::Damaged`] for a name
    /// that leads out of the model (names come from index files too).
    pub fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        self.check(name)?;
        match &self.place {
            Place::Demo => Ok(demo::find(name)),
            Place::Directory(directory) => directory.find(name),
            Place::Hub(hub) => hub.find(name).map_err(|error| cached(hub, error)),
        }
    }

    /// The file `name`, to read parts of: a file of the Hub that is not in its cache is not fetched, and its bytes come
    /// over the network as they are read. What came earlier is in the own cache. Otherwise as [`Self::find`].
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_ranged(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        match &self.place {
            Place::Hub(hub) if !self.whole => {
                self.check(name)?;
                hub.find_ranged(name).map_err(|error| cached(hub, error))
            }
            _ => self.find(name),
        }
    }

    /// What reading by ranges has cost so far; none where nothing was fetched.
    pub fn fetched(&self) -> Option<Fetched> {
        match &self.place {
            Place::Demo | Place::Directory(_) => None,
            Place::Hub(hub) => Some(hub.fetched()).filter(|fetched| fetched.bytes > 0),
        }
    }

    fn check(&self, name: &str) -> Result<()> {
        if is_within(name) {
            return Ok(());
        }
        Err(Error::damaged(
            self.model(),
            format!("it refers to {name:?}, which is not the name of a file in it"),
        ))
    }

    /// The error for a file that [`Self::find`] did not find and that `what` cannot do without: that the model does
    /// not have it, or, where this is not known, that the network would be needed.
    pub fn missing(&self, what: &'static str, name: &str) -> Error {
        let unknown = match &self.place {
            Place::Demo | Place::Directory(_) => None,
            Place::Hub(hub) => hub.unknown(name),
        };
        unknown.unwrap_or_else(|| Error::MissingPart {
            place: self.place(),
            what,
            hint: None,
        })
    }

    /// The files of the model, by name, without fetching any: for a model of the Hub all that it has, or, without the
    /// network, those in the cache. Of a directory, the files directly in it.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn list(&self) -> Result<Vec<FileEntry>> {
        match &self.place {
            Place::Demo => Ok(demo::list()),
            Place::Directory(directory) => directory.list(),
            Place::Hub(hub) => hub.list().map_err(|error| cached(hub, error)),
        }
    }

    /// Asks the Hub which commit the revision is now, and changes nothing. None offline, and for models elsewhere.
    ///
    /// # Errors
    /// Exit 3 if the Hub cannot be asked.
    pub fn newest_commit(&self) -> Result<Option<String>> {
        match &self.place {
            Place::Demo | Place::Directory(_) => Ok(None),
            Place::Hub(hub) => hub.newest_commit().map_err(|error| cached(hub, error)),
        }
    }

    /// Asks the Hub which commit the revision is now, and notes it in the cache; files found from here on are of that
    /// commit. Offline, and for models elsewhere, everything stays as it is.
    ///
    /// # Errors
    /// Exit 3 if the Hub cannot be asked, or the answer not be noted.
    pub fn refresh(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Demo | Place::Directory(_) => Ok(()),
            Place::Hub(hub) => hub.refresh().map_err(|error| cached(hub, error)),
        }
    }
}

/// The error with the fact whether the cache holds anything of the model.
fn cached(hub: &HubFiles, error: Error) -> Error {
    error.with_cached(hub.folder().is_some_and(|folder| folder.is_dir()))
}

/// Whether a name stays within the folder it is joined to, on every system.
fn is_within(name: &str) -> bool {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part
                .chars()
                .any(|c| c.is_control() || matches!(c, '\\' | ':'))
    };
    name.split('/').all(plain) && Path::new(name).is_relative()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SourceOptions {
        SourceOptions {
            offline: false,
            hub: HubSettings::from_env(|_| None).unwrap(),
            cache: OwnCache::none(),
            observer: Arc::new(Unobserved),
        }
    }

    #[test]
    fn the_built_in_model_is_complete() {
        let files = ModelFiles::open(&ModelRef::Demo, options()).unwrap();
        assert_eq!(files.model(), "demo");
        let list = files.list().unwrap();
        assert!(list.is_sorted_by(|a, b| a.name < b.name));
        for entry in list {
            let file = files.find(&entry.name).unwrap().unwrap();
            assert_eq!(Some(file.len()), entry.size);
        }
        assert!(files.find("tokenizer.json").unwrap().is_none());
        assert_eq!(
            files.missing("tokenizer", "tokenizer.json").to_string(),
            "the built-in model has no tokenizer"
        );
    }

    #[test]
    fn a_directory_of_files() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("spm.model"), "abc").unwrap();
        std::fs::create_dir(directory.path().join("onnx")).unwrap();
        let model = ModelRef::Directory(directory.path().to_owned());
        let files = ModelFiles::open(&model, options()).unwrap();
        let list = files.list().unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].name, "spm.model");
        let file = files.find("spm.model").unwrap().unwrap();
        assert_eq!(file.read_all().unwrap().as_ref(), b"abc");
        assert!(files.find("config.json").unwrap().is_none());
        assert!(files.find("onnx/config.json").unwrap().is_none());
    }

    #[test]
    fn a_directory_that_does_not_exist() {
        let model = "./nowhere".parse().unwrap();
        let error = ModelFiles::open(&model, options()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`./nowhere` is not a model: there is no such directory"
        );
    }

    #[test]
    fn names_stay_within_the_model() {
        let files = ModelFiles::open(&ModelRef::Demo, options()).unwrap();
        for name in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "",
            "a//b",
            "C:\\x",
            "a\\..\\b",
            "a\nb",
        ] {
            assert_eq!(files.find(name).unwrap_err().code(), "damaged", "{name:?}");
        }
        assert!(is_within("onnx/model.onnx"));
    }
}
