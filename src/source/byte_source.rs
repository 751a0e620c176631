//! The one way to reach the bytes of a model file: read a half-open byte range.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;

use super::local::file_stamp::FileStamp;
use crate::error::{Error, Result};

/// Random access to the bytes of one file of a model.
///
/// Implementations: a mapped local file, a remote file by HTTP range, bytes in memory. Headers, rows and whole matrices
/// are read through this trait alone, so that everything above it is written once.
pub trait ByteSource: Debug + Send + Sync {
    /// The file's name as error messages show it.
    fn name(&self) -> &str;

    /// Length of the file in bytes.
    fn len(&self) -> u64;

    /// What changes when the file is written; none for what is not a local file.
    fn state(&self) -> Option<FileStamp> {
        None
    }

    /// The bytes of `range`, borrowed where the source holds them in memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the range is not within the file.
    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>>;

    /// The bytes of `range`, for a reader that goes over them once: borrowed, or put into `buffer`, whichever costs less.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_once<'b>(&'b self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        match self.read(range)? {
            Cow::Borrowed(bytes) => Ok(bytes),
            Cow::Owned(bytes) => {
                *buffer = bytes;
                Ok(buffer)
            }
        }
    }

    /// Makes these ranges ready together, where reading them one after the other would cost more.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn prefetch(&self, _ranges: &[Range<u64>]) -> Result<()> {
        Ok(())
    }

    /// Brings all of `range` to this machine, for a reader that goes over the whole of it: what is read within it from
    /// then on is borrowed.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn make_local(&self, _range: Range<u64>) -> Result<()> {
        Ok(())
    }

    /// Says that what was read so far made sense: a source that fetches may keep it, and what is read from now on.
    fn approve(&self) {}

    /// Whether the file holds nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole file.
    fn read_all(&self) -> Result<Cow<'_, [u8]>> {
        self.read(0..self.len())
    }
}

/// A file held in memory: the built-in model, and tests.
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

/// `range` of `bytes`, or the error that says it is not there.
pub(crate) fn slice<'a>(name: &str, bytes: &'a [u8], range: Range<u64>) -> Result<&'a [u8]> {
    let start = usize::try_from(range.start).ok();
    let end = usize::try_from(range.end).ok();
    start
        .zip(end)
        .and_then(|(start, end)| bytes.get(start..end))
        .ok_or_else(|| outside(name, &range, bytes.len() as u64))
}

/// The error for a range that is not within a file of `length` bytes.
pub(crate) fn outside(name: &str, range: &Range<u64>, length: u64) -> Error {
    Error::damaged(
        name,
        format!(
            "bytes {} to {} are wanted, and it has {length}",
            range.start, range.end
        ),
    )
}
