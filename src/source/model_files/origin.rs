//! The place of a model's files.

use std::path::PathBuf;
use std::sync::Arc;

use super::module_folder::{MODULES, Modules};
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;
use crate::source::hub::cost::Fetched;
use crate::source::hub::files::HubFiles;
use crate::source::local::demo;
use crate::source::local::directory::Directory;
use crate::source::published::Published;

/// The place of a model's files.
#[derive(Debug)]
pub(super) enum Origin {
    Demo,
    Directory(Directory),
    Hub(Box<HubFiles>),
    Published(Box<Published>),
}

impl Origin {
    /// Opens a file, fetching it if necessary; `None` if there is no such file.
    pub(super) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        match self {
            Self::Demo => Ok(demo::find(name)),
            Self::Directory(directory) => directory.find(name),
            Self::Published(file) => file.find(name),
            Self::Hub(hub) => hub.find(name).map_err(|error| with_cached(hub, error)),
        }
    }

    /// Returns true if there is such a file, which is neither fetched nor opened.
    pub(super) fn has(&self, name: &str) -> Result<bool> {
        match self {
            Self::Demo => Ok(demo::find(name).is_some()),
            Self::Directory(directory) => directory.has(name),
            Self::Published(file) => Ok(file.file_name() == name),
            Self::Hub(hub) => hub.has(name).map_err(|error| with_cached(hub, error)),
        }
    }

    /// Finds `modules.json` if it can be found without asking the Hub for the names of its files. Unless `in_cache`, the
    /// Hub cache is not searched again.
    pub(super) fn modules(&self, in_cache: bool) -> Result<Modules> {
        if let Self::Hub(hub) = self {
            match hub.lists(MODULES) {
                Some(true) => {}
                Some(false) => return Ok(Modules::Absent),
                None if in_cache && hub.knows(MODULES) => {}
                None => return Ok(Modules::Unknown),
            }
        }
        Ok(self.find(MODULES)?.map_or(Modules::Absent, Modules::File))
    }

    /// Lists the files, sorted by name, without fetching any.
    pub(super) fn list(&self) -> Result<Vec<FileEntry>> {
        match self {
            Self::Demo => Ok(demo::list()),
            Self::Directory(directory) => directory.list(),
            Self::Published(file) => Ok(file.list()),
            Self::Hub(hub) => hub.list().map_err(|error| with_cached(hub, error)),
        }
    }

    /// Returns the commit of the files; `None` if there are no commits, or it is not known yet.
    pub(super) fn commit(&self) -> Option<String> {
        match self {
            Self::Demo | Self::Directory(_) | Self::Published(_) => None,
            Self::Hub(hub) => hub.commit(),
        }
    }

    /// Returns the folder with the local files.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Demo | Self::Published(_) => None,
            Self::Directory(directory) => Some(directory.path().to_owned()),
            Self::Hub(hub) => hub.folder(),
        }
    }

    /// Returns the cost of reading by ranges so far; `None` if nothing was fetched.
    pub(super) fn fetched(&self) -> Option<Fetched> {
        match self {
            Self::Demo | Self::Directory(_) | Self::Published(_) => None,
            Self::Hub(hub) => Some(hub.fetched()).filter(|fetched| fetched.bytes > 0),
        }
    }

    /// Asks the Hub for the current commit of the revision; `None` if there is no Hub to ask.
    pub(super) fn newest_commit(&self) -> Result<Option<String>> {
        match self {
            Self::Demo | Self::Directory(_) | Self::Published(_) => Ok(None),
            Self::Hub(hub) => hub.newest_commit().map_err(|error| with_cached(hub, error)),
        }
    }

    /// Uses the current commit of the revision from now on.
    pub(super) fn refresh(&mut self) -> Result<()> {
        match self {
            Self::Demo | Self::Directory(_) | Self::Published(_) => Ok(()),
            Self::Hub(hub) => hub.refresh().map_err(|error| with_cached(hub, error)),
        }
    }
}

/// Records in an error whether the Hub cache has any file of the model.
pub(super) fn with_cached(hub: &HubFiles, error: Error) -> Error {
    error.with_cached(hub.folder().is_some_and(|folder| folder.is_dir()))
}
