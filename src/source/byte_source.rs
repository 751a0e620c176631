//! Random access to the bytes of a model file.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;

use super::local::file_stamp::FileStamp;
use crate::error::{Error, Result};

/// Random access to the bytes of one file of a model.
///
/// Implemented by mapped local files, remote files read by HTTP ranges, and bytes in memory. All headers, rows, and
/// matrices are read through this trait.
pub trait ByteSource: Debug + Send + Sync {
    /// Returns the file's name as error messages show it.
    fn name(&self) -> &str;

    /// Returns the length of the file in bytes.
    fn len(&self) -> u64;

    /// Returns a stamp that changes when the file is written, or `None` if this is not a local file.
    fn stamp(&self) -> Option<FileStamp> {
        None
    }

    /// Returns the bytes of `range`, borrowed if they are in memory.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the range is not within the file.
    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>>;

    /// Returns the bytes of `range` for a single pass over them: borrowed, or copied into `buffer`, whichever is
    /// cheaper.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    fn read_once<'b>(&'b self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        match self.read(range)? {
            Cow::Borrowed(bytes) => Ok(bytes),
            Cow::Owned(bytes) => {
                *buffer = bytes;
                Ok(buffer)
            }
        }
    }

    /// Fetches these ranges together if reading them one by one would cost more.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    fn prefetch(&self, _ranges: &[Range<u64>]) -> Result<()> {
        Ok(())
    }

    /// Fetches all of `range` if it is remote, in preparation for a pass over it. Later reads within the range are
    /// borrowed.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    fn make_local(&self, _range: Range<u64>) -> Result<()> {
        Ok(())
    }

    /// Confirms that the bytes read so far are valid. A remote source may then cache them, along with all bytes it
    /// fetches later.
    fn approve(&self) {}

    /// Returns the SHA-256 of the bytes that all reads return, or `None` if they could still change.
    fn sha256(&self) -> Option<[u8; 32]> {
        None
    }

    /// Returns the bytes of the whole file in memory that no other program can change.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    fn copy(&self) -> Result<Vec<u8>> {
        Ok(self.read_all()?.into_owned())
    }

    /// Returns true if the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of the whole file.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    fn read_all(&self) -> Result<Cow<'_, [u8]>> {
        self.read(0..self.len())
    }
}

/// A file in memory: part of the built-in model, or of a test.
#[derive(Debug)]
pub struct MemoryFile {
    name: String,
    bytes: Cow<'static, [u8]>,
}

impl MemoryFile {
    pub fn new(name: impl Into<String>, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

impl ByteSource for MemoryFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        slice(&self.name, &self.bytes, range).map(Cow::Borrowed)
    }
}

/// Returns `range` of `bytes`.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the range is out of bounds.
pub(crate) fn slice<'a>(name: &str, bytes: &'a [u8], range: Range<u64>) -> Result<&'a [u8]> {
    let start = usize::try_from(range.start).ok();
    let end = usize::try_from(range.end).ok();
    start
        .zip(end)
        .and_then(|(start, end)| bytes.get(start..end))
        .ok_or_else(|| outside(name, &range, bytes.len() as u64))
}

/// Returns the error for a range that is not within a file of `length` bytes.
pub(crate) fn outside(name: &str, range: &Range<u64>, length: u64) -> Error {
    Error::damaged(
        name,
        format!(
            "bytes {} to {} are out of range: it has {length} bytes",
            range.start, range.end
        ),
    )
}
