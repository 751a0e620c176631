//! How the files of a model are found and listed.

use std::borrow::Cow;
use std::sync::Arc;

use super::ModelFiles;
use super::origin::{Origin, with_cached};
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;

impl ModelFiles {
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
}
