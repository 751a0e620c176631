//! A directory of the user's → the files of a model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mapped_file::MappedFile;
use crate::error::{Error, Result};
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;

/// A directory that exists.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// # Errors
    /// [`Error::BadModelRef`] if there is no such directory.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let problem = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Ok(Self {
                    path: path.to_owned(),
                });
            }
            Ok(_) => "it is a file, and a directory with the model's files is wanted",
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "there is no permission to look into it"
            }
            Err(_) => "there is no such directory",
        };
        Err(Error::BadModelRef {
            given: path.display().to_string(),
            problem: problem.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let path = self.path.join(name);
        let shown = path.display().to_string();
        // A dangling link is a file that cannot be read, not one that is absent.
        match path.symlink_metadata() {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(Error::ReadModel {
                    file: shown,
                    source,
                });
            }
        }
        let file = MappedFile::open(&path, shown)?;
        Ok(Some(Arc::new(file)))
    }

    /// The files directly in it, by name.
    pub(crate) fn list(&self) -> Result<Vec<FileEntry>> {
        let unreadable = |source| Error::ReadModel {
            file: self.path.display().to_string(),
            source,
        };
        let mut entries = Vec::new();
        for entry in self.path.read_dir().map_err(unreadable)? {
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
