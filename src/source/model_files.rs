//! The files of one model, wherever they are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::app_cache::AppCache;
use super::byte_source::ByteSource;
use super::file_entry::FileEntry;
use super::hub::cost::Fetched;
use super::hub::files::HubFiles;
use super::local::demo;
use super::local::directory::Directory;
use super::local::mapped_file::MappedFile;
use super::observer::Observer;
use super::options::SourceOptions;
use crate::error::{Error, Result};
use crate::model_ref::ModelRef;

/// The files of one model.
pub struct ModelFiles {
    place: Place,
    /// Files of the Hub are fetched whole, not read by ranges.
    whole: bool,
    cache: AppCache,
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

    /// A file made earlier from the model's; see [`AppCache`].
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
    use crate::source::hub::settings::HubSettings;
    use crate::source::observer::Unobserved;

    fn options() -> SourceOptions {
        SourceOptions {
            offline: false,
            hub: HubSettings::from_env(|_| None).unwrap(),
            cache: AppCache::none(),
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
