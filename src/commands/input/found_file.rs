//! Opens the files that a walk found, and skips those that are not text.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::binary_kind::{SNIFFED_BYTES, binary_kind, refuse_binary};
use super::meter::{Meter, Metered};
use super::text_format::Utf8Args;
use super::unicode_input::UnicodeInput;
use crate::error::{Error, Result};

/// A file to be read.
#[derive(Debug, Clone)]
pub struct FoundFile {
    pub path: PathBuf,
    /// True for a file named on the command line. It is an error if such a file is not text; a file found in a
    /// directory is skipped instead.
    pub named: bool,
    /// The meter that expects the file, and the size that it expects.
    pub meter: Option<(Arc<Meter>, u64)>,
}

/// Why a file has no result.
#[derive(Debug)]
pub enum Unread {
    /// A file in a directory that is not text, with the note that says so.
    Skipped(String),
    Failed(Error),
}

/// The bytes of an opened file.
pub type FileReader = io::Chain<Cursor<Vec<u8>>, UnicodeInput<Metered<File>>>;

impl FoundFile {
    /// The path, as records and messages show it.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Opens the file and passes its bytes to `work`.
    ///
    /// # Errors
    /// Fails with [`Error::NotText`] if the file is binary, unless `--lossy` is given. Returns [`Unread::Skipped`] for a
    /// file in a directory if it is binary, or if `work` fails with [`Error::NotUtf8`].
    pub fn read<T>(
        &self,
        utf8: Utf8Args,
        work: impl FnOnce(FileReader) -> Result<T>,
    ) -> Result<T, Unread> {
        work(self.open(utf8)?).map_err(|error| match error {
            Error::NotUtf8 { offset, .. } if !self.named => {
                let name = self.name();
                Unread::Skipped(format!(
                    "skipped {name}: not UTF-8, the byte at offset {offset} is invalid"
                ))
            }
            error => Unread::Failed(error),
        })
    }

    /// Opens the file.
    ///
    /// # Errors
    /// Fails with [`Error::NotText`] if the file is binary, unless `--lossy` is given. Returns [`Unread::Skipped`] for a
    /// file in a directory if it is of a binary kind, or if there is a zero byte near its start.
    pub fn open(&self, utf8: Utf8Args) -> Result<FileReader, Unread> {
        let open = || -> io::Result<_> {
            let (meter, size) = self.meter.clone().unzip();
            let file = Metered::found(File::open(&self.path)?, meter, size);
            let mut file = UnicodeInput::new(file);
            let mut start = Vec::new();
            file.by_ref()
                .take(SNIFFED_BYTES as u64)
                .read_to_end(&mut start)?;
            Ok((start, file))
        };
        let (start, file) = open().map_err(|source| {
            Unread::Failed(Error::ReadInput {
                input: self.name(),
                source,
            })
        })?;
        if self.named {
            refuse_binary(&self.name(), &start, utf8).map_err(Unread::Failed)?;
        } else if let Some(kind) = binary_kind(&start) {
            let (name, kind) = (self.name(), kind.name);
            return Err(Unread::Skipped(format!("skipped {name}: {kind}")));
        } else if start.contains(&0) {
            let name = self.name();
            return Err(Unread::Skipped(format!("skipped {name}: not text")));
        }
        Ok(Cursor::new(start).chain(file))
    }
}
