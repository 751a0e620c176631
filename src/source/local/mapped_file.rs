//! A local file, mapped into memory: the pages that are read are the pages that are loaded.
//!
//! Where a limit on addresses leaves no room for a map, what is asked for is read.

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

/// Ranges of at least this many bytes are read to their end, and worth fetching ahead of the reader. The kernel's
/// own read-ahead is off: with it, one row of 768 bytes costs 128 KiB of disk.
const SCAN: u64 = 1 << 20;

/// A read-only map of a whole file.
#[derive(Debug)]
pub struct MappedFile {
    name: Box<str>,
    reach: Reach,
    /// Ends before the map does.
    _watch: Option<Watch>,
    /// The same file, for what is read once.
    file: File,
}

/// How the bytes are reached.
#[derive(Debug)]
enum Reach {
    Map(Mmap),
    /// An empty file, which cannot be mapped, or one that there is no room for: its length.
    Read(u64),
}

impl MappedFile {
    /// Maps the file at `path`; `name` is what error messages call it.
    ///
    /// # Errors
    /// [`Error::ReadModel`] if it cannot be opened or is not a regular file.
    pub fn open(path: &Path, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        match map(path) {
            Ok((file, reach)) => Ok(Self {
                _watch: match &reach {
                    Reach::Map(map) => Watch::begin(map, &name),
                    Reach::Read(_) => None,
                },
                name: name.into(),
                reach,
                file,
            }),
            Err(source) => Err(Error::ReadModel { file: name, source }),
        }
    }

    /// Says that these bytes will be read soon, to their end.
    pub(crate) fn expect(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Reach::Map(map) = &self.reach
            && range.start < range.end
            && range.end <= map.len()
        {
            // Advice only.
            let _ = map.advise_range(
                memmap2::Advice::WillNeed,
                range.start,
                range.end - range.start,
            );
        }
    }

    /// All of the file, without advice on how it will be read; nothing of one that could not be mapped.
    pub fn bytes(&self) -> &[u8] {
        match &self.reach {
            Reach::Map(map) => map,
            Reach::Read(_) => &[],
        }
    }
}

impl ByteSource for MappedFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        match &self.reach {
            Reach::Map(map) => map.len() as u64,
            Reach::Read(length) => *length,
        }
    }

    fn state(&self) -> Option<FileStamp> {
        let metadata = self.file.metadata().ok()?;
        Some(FileStamp::of(&metadata))
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        #[cfg(unix)]
        if let Reach::Read(_) = self.reach {
            let mut buffer = Vec::new();
            self.read_once(range, &mut buffer)?;
            return Ok(Cow::Owned(buffer));
        }
        let bytes = slice(&self.name, self.bytes(), range.clone())?;
        if bytes.len() as u64 >= SCAN {
            // It lies within the map, so it fits a usize.
            self.expect(range.start as usize..range.end as usize);
        }
        Ok(Cow::Borrowed(bytes))
    }

    /// Read, not mapped: to map pages and to unmap them takes longer than to copy them.
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

#[allow(unsafe_code, reason = "a memory map cannot be made without it")]
fn map(path: &Path) -> io::Result<(File, Reach)> {
    // Asked before opening: to open a pipe would be to wait for whoever writes it.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 || cfg!(unix) && !has_room_for_map(length) {
        return Ok((file, Reach::Read(length)));
    }
    // SAFETY: the map is read-only and private to this process, and its bytes are only ever read as `u8`, for which
    // every value is valid. What remains is another process that changes the file meanwhile. Files of the Hub cache
    // are complete when they get their name and never written again. A file of the user's own directory that is
    // rewritten in place can show new bytes, which readers treat as hostile anyway; one that is cut short ends the
    // process with a sentence (see `sigbus`), which is the accepted price of reading single rows of large checkpoints.
    let map = match unsafe { Mmap::map(&file) } {
        Ok(map) => map,
        #[cfg(unix)]
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            return Ok((file, Reach::Read(length)));
        }
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Random);
    Ok((file, Reach::Map(map)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_file() {
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
    fn what_is_read_once_may_be_gone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(5000).unwrap();
        let mapped = MappedFile::open(file.path(), "f").unwrap();
        file.as_file().set_len(10).unwrap();
        let mut buffer = Vec::new();
        let error = mapped.read_once(0..5000, &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), "f became shorter while it was read");
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
