//! A model in a local directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mapped_file::MappedFile;
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;

/// A directory that existed when it was opened.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if there is no such directory.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let problem = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Ok(Self {
                    path: path.to_owned(),
                });
            }
            Ok(_) => "it must be a directory with the model's files, not a file",
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "it cannot be read: permission denied"
            }
            Err(_) => "there is no such directory",
        };
        Err(Error::BadModelRef {
            given: path.display().to_string(),
            problem: problem.to_owned(),
        })
    }

    /// Opens the directory of the file at `path`, and returns the name of the file as well.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if there is no such file.
    pub(crate) fn of_file(path: &Path) -> Result<(Self, String)> {
        let name = path.file_name().and_then(|name| name.to_str());
        let problem = match (path.symlink_metadata(), name) {
            (Ok(_), Some(name)) => {
                let parent = path.parent().unwrap_or(Path::new(""));
                return Ok((
                    Self {
                        path: parent.to_owned(),
                    },
                    name.to_owned(),
                ));
            }
            (Ok(_), None) => "its name is not UTF-8",
            (Err(error), _) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "it cannot be read: permission denied"
            }
            (Err(_), _) => "there is no such file",
        };
        Err(Error::BadModelRef {
            given: path.display().to_string(),
            problem: problem.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file `name`; `None` if there is no such file.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if the file cannot be read.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        if !self.has(name)? {
            return Ok(None);
        }
        let path = self.path.join(name);
        let file = MappedFile::open(&path, path.display().to_string())?;
        Ok(Some(Arc::new(file)))
    }

    /// Returns true if there is a file `name`. A dangling link is an unreadable file, not an absent one.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if that cannot be found out.
    pub(crate) fn has(&self, name: &str) -> Result<bool> {
        let path = self.path.join(name);
        match path.symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(Error::ReadModel {
                file: path.display().to_string(),
                source,
            }),
        }
    }

    /// Lists the files directly in the directory, by name.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if the directory cannot be listed.
    pub(crate) fn list(&self) -> Result<Vec<FileEntry>> {
        let unreadable = |source| Error::ReadModel {
            file: self.path.display().to_string(),
            source,
        };
        // The folder of a file that is named without one.
        let folder = match self.path.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.path,
        };
        let mut entries = Vec::new();
        for entry in folder.read_dir().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if let (Ok(metadata), Ok(name)) =
                (entry.path().metadata(), entry.file_name().into_string())
                && metadata.is_file()
            {
                entries.push(FileEntry {
                    name,
                    size: Some(metadata.len()),
                    cached: true,
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}
