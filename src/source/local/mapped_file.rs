//! A local file mapped into memory: only the pages that are read are loaded.
//!
//! If a limit on address space leaves no room for the map, the file is read with ordinary reads.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use super::file_stamp::FileStamp;
use super::sigbus::Watch;
use crate::error::{Error, Result};
use crate::memory::has_room_for_map;
use crate::source::byte_source::{ByteSource, outside, slice};

/// Ranges of at least this many bytes are prefetched. The kernel's own read-ahead is off: with it, reading one row of
/// 768 bytes would load 128 KiB from disk.
const MIN_PREFETCH: u64 = 1 << 20;

/// A read-only map of a whole file.
#[derive(Debug)]
pub struct MappedFile {
    name: Box<str>,
    access: Access,
    /// Dropped before the map.
    _watch: Option<Watch>,
    /// The same file, for [`ByteSource::read_once`].
    file: File,
}

/// The way to access the bytes.
#[derive(Debug)]
enum Access {
    Map(Mmap),
    /// Ordinary reads of a file that is empty or too large to map. Holds the length of the file in bytes.
    Read(u64),
}

impl MappedFile {
    /// Maps the file at `path`, which is called `name` in error messages.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if the file cannot be opened or is not a regular file.
    pub fn open(path: &Path, name: impl Into<String>) -> Result<Self> {
        match open_regular(path) {
            Ok(file) => Self::of(file, name),
            Err(source) => Err(Error::ReadModel {
                file: name.into(),
                source,
            }),
        }
    }

    /// Maps an open file, which is called `name` in error messages.
    ///
    /// # Errors
    /// Fails with [`Error::ReadModel`] if the file cannot be mapped or read.
    pub(crate) fn of(file: File, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        match map(&file) {
            Ok(access) => Ok(Self {
                _watch: match &access {
                    Access::Map(map) => Watch::begin(map, &name),
                    Access::Read(_) => None,
                },
                name: name.into(),
                access,
                file,
            }),
            Err(source) => Err(Error::ReadModel { file: name, source }),
        }
    }

    /// Advises the kernel that all of these bytes will be read soon.
    pub(crate) fn prefetch_map(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Access::Map(map) = &self.access
            && range.start < range.end
            && range.end <= map.len()
        {
            // A failure only costs speed.
            let _ = map.advise_range(
                memmap2::Advice::WillNeed,
                range.start,
                range.end - range.start,
            );
        }
    }

    /// Returns the whole file without prefetching it, or an empty slice if it is not mapped.
    pub fn bytes(&self) -> &[u8] {
        match &self.access {
            Access::Map(map) => map,
            Access::Read(_) => &[],
        }
    }
}

impl ByteSource for MappedFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        match &self.access {
            Access::Map(map) => map.len() as u64,
            Access::Read(length) => *length,
        }
    }

    fn stamp(&self) -> Option<FileStamp> {
        FileStamp::of(&self.file)
    }

    /// Reads from the file: another program could change the bytes of the map.
    #[cfg(unix)]
    fn copy(&self) -> Result<Vec<u8>> {
        // The system provides zeros page by page, faster than they could be written.
        let mut bytes = vec![0; usize::try_from(self.len()).unwrap_or(0)];
        self.read_once(0..self.len(), &mut bytes)?;
        Ok(bytes)
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        #[cfg(unix)]
        if let Access::Read(_) = self.access {
            let mut buffer = Vec::new();
            self.read_once(range, &mut buffer)?;
            return Ok(Cow::Owned(buffer));
        }
        let bytes = slice(&self.name, self.bytes(), range.clone())?;
        if bytes.len() as u64 >= MIN_PREFETCH {
            // The range lies within the map, so it fits a usize.
            self.prefetch_map(range.start as usize..range.end as usize);
        }
        Ok(Cow::Borrowed(bytes))
    }

    /// Reads from the file rather than the map: mapping and unmapping pages takes longer than copying them.
    #[cfg(unix)]
    fn read_once<'b>(&'b self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        use std::os::unix::fs::FileExt;
        let length = range.end.checked_sub(range.start);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length
            .filter(|_| range.end <= self.len())
            .ok_or_else(|| outside(&self.name, &range, self.len()))?;
        buffer.resize(length, 0);
        match self.file.read_exact_at(buffer, range.start) {
            Ok(()) => Ok(buffer),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Error::BecameShorter {
                    file: self.name.to_string(),
                })
            }
            Err(source) => Err(Error::ReadModel {
                file: self.name.to_string(),
                source,
            }),
        }
    }
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Checked before opening, since opening a pipe would block until another process writes to it.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}

#[allow(unsafe_code, reason = "a memory map cannot be made without it")]
fn map(file: &File) -> io::Result<Access> {
    let length = file.metadata()?.len();
    if length == 0 || cfg!(unix) && !has_room_for_map(length) {
        return Ok(Access::Read(length));
    }
    // SAFETY: the map is read-only and private to this process, and its bytes are only read as `u8`, for which every
    // value is valid. The remaining risk is that another process changes the file. Files in the Hub cache are complete
    // when they get their name and are never written again. Elsewhere, a file may be rewritten in place, but readers
    // treat all bytes as hostile anyway. If a file is truncated, the process ends with an error (see `sigbus`); that is
    // the price of reading single rows of large checkpoints.
    let map = match unsafe { Mmap::map(file) } {
        Ok(map) => map,
        #[cfg(unix)]
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            return Ok(Access::Read(length));
        }
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Random);
    Ok(Access::Map(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_within_the_file_are_read_and_others_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let file = MappedFile::open(&path, "f").unwrap();
        assert_eq!(file.len(), 3_000_000);
        assert_eq!(file.read(10..12).unwrap().as_ref(), &content[10..12]);
        assert_eq!(
            file.read(999..2_999_999).unwrap().as_ref(),
            &content[999..2_999_999]
        );
        assert!(file.read(3_000_000..3_000_000).unwrap().is_empty());
        let mut buffer = vec![7; 9];
        for range in [10..12, 999..2_999_999, 3..3, 2_999_000..3_000_000] {
            let expected = &content[range.start as usize..range.end as usize];
            assert_eq!(file.read_once(range, &mut buffer).unwrap(), expected);
        }
        let backwards = Range { start: 5, end: 4 };
        for range in [2_999_999..3_000_001, backwards, u64::MAX - 1..u64::MAX] {
            assert_eq!(file.read(range.clone()).unwrap_err().code(), "damaged");
            let error = file.read_once(range, &mut Vec::new()).unwrap_err();
            assert_eq!(error.code(), "damaged");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_truncated_file_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(5000).unwrap();
        let mapped = MappedFile::open(file.path(), "f").unwrap();
        file.as_file().set_len(10).unwrap();
        let mut buffer = Vec::new();
        let error = mapped.read_once(0..5000, &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), "f was truncated while it was being read");
        assert_eq!(error.exit() as u8, 4);
        assert_eq!(mapped.read_once(0..10, &mut buffer).unwrap(), [0; 10]);
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mapped = MappedFile::open(file.path(), "f").unwrap();
        assert!(mapped.is_empty());
        assert!(mapped.read_all().unwrap().is_empty());
    }

    #[test]
    fn a_directory_is_not_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let error = MappedFile::open(directory.path(), "d").unwrap_err();
        assert_eq!(error.to_string(), "cannot read d: not a regular file");
    }
}
