//! Atomic writes of the files that a command produces for its user.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::atomic_file::{self, Access};
use crate::error::{Error, Result};

/// Bytes written at a time.
const BUFFER_SIZE: usize = 1 << 16;

/// The reason why a file was not written.
#[derive(Debug)]
pub enum OutputError {
    /// The data to write could not be produced.
    Read(Error),
    Write(io::Error),
}

impl From<Error> for OutputError {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes a temporary file next to `path` and renames it to `path` when it is complete.
///
/// # Errors
/// Fails with [`Error::WriteOutput`] if writing fails, and with the error in [`OutputError::Read`].
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), OutputError>,
) -> Result<()> {
    let replace = || {
        let temporary = atomic_file::begin(atomic_file::folder_of(path), Access::Shared)?;
        let mut out = BufWriter::with_capacity(BUFFER_SIZE, temporary.as_file());
        write(&mut out)?;
        out.flush()?;
        drop(out);
        temporary.persist(path).map_err(|problem| problem.error)?;
        Ok(())
    };
    replace().map_err(|error| match error {
        OutputError::Read(error) => error,
        OutputError::Write(source) => Error::WriteOutput {
            output: path.display().to_string(),
            source,
        },
    })
}
