//! A file too long for memory, whose bytes are hashed once, and handed out only if they are the hashed ones.
//!
//! The states of the hash are kept for every [`PART`] of the file. A part that is read later is hashed from the state
//! before it, and must lead to the state after it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::byte_source::{ByteSource, outside};
use crate::error::{Error, Result};

/// Bytes between two states of the hash, each of which takes about 100 bytes.
const PART: u64 = 256 << 10;
/// The maximum number of bytes that are read at once, because they are held in memory.
const MAX_READ: u64 = 512 << 20;

/// A file with a known digest.
#[derive(Debug)]
pub(crate) struct HashedFile {
    file: Arc<dyn ByteSource>,
    /// The state of the hash before each part.
    states: Vec<Sha256>,
    sha256: [u8; 32],
}

impl HashedFile {
    /// Hashes a file, a part at a time.
    ///
    /// # Errors
    /// Returns the error of reading it.
    pub(crate) fn open(file: Arc<dyn ByteSource>) -> Result<Self> {
        let mut states = Vec::new();
        let mut state = Sha256::new();
        let mut buffer = Vec::new();
        for start in (0..file.len()).step_by(PART as usize) {
            let end = file.len().min(start + PART);
            states.push(state.clone());
            state.update(file.read_once(start..end, &mut buffer)?);
        }
        let sha256 = state.finalize().into();
        Ok(Self {
            file,
            states,
            sha256,
        })
    }

    /// Reads a part into `buffer`, and checks that it is the one that was hashed.
    fn part<'b>(&'b self, index: u64, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let start = index * PART;
        let end = self.len().min(start + PART);
        let bytes = self.file.read_once(start..end, buffer)?;
        let state = |index: u64| self.states.get(index as usize).cloned();
        let found = state(index).map(|state| state.chain_update(bytes).finalize());
        let expected = match state(index + 1) {
            Some(next) => next.finalize(),
            None => self.sha256.into(),
        };
        if found == Some(expected) {
            return Ok(bytes);
        }
        let problem = "it was changed while it was in use";
        Err(Error::damaged(self.name(), problem))
    }
}

impl ByteSource for HashedFile {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        let length = range.end.checked_sub(range.start);
        let length = length.filter(|_| range.end <= self.len());
        let length = length.ok_or_else(|| outside(self.name(), &range, self.len()))?;
        if length > MAX_READ {
            let problem = format!("its {length} bytes exceed the limit of {MAX_READ} bytes");
            return Err(Error::unsupported(self.name(), problem));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        let mut buffer = Vec::new();
        let mut position = range.start;
        while position < range.end {
            let (index, offset) = (position / PART, position % PART);
            let part = self.part(index, &mut buffer)?;
            let end = (offset + range.end - position).min(part.len() as u64);
            bytes.extend_from_slice(part.get(offset as usize..end as usize).unwrap_or_default());
            position += end - offset;
        }
        Ok(Cow::Owned(bytes))
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        Some(self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::source::MemoryFile;
    use crate::source::local::mapped_file::MappedFile;

    fn content(length: u64) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn the_digest_and_the_bytes_are_those_of_the_file() {
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 77] {
            let bytes = content(length);
            let file = HashedFile::open(Arc::new(MemoryFile::new("f", bytes.clone()))).unwrap();
            let expected: [u8; 32] = Sha256::digest(&bytes).into();
            assert_eq!(file.sha256(), Some(expected), "{length}");
            assert!(file.read_all().unwrap() == bytes, "{length}");
            let edges = [0, 1, length / 2, PART - 1, PART, PART + 1, length];
            for start in edges.into_iter().filter(|start| *start <= length) {
                for end in edges
                    .into_iter()
                    .filter(|end| (start..=length).contains(end))
                {
                    let expected = &bytes[start as usize..end as usize];
                    assert!(file.read(start..end).unwrap() == expected, "{start}..{end}");
                }
            }
            let beyond = file.read(0..length + 1).unwrap_err();
            assert_eq!(beyond.code(), "damaged");
        }
    }

    #[test]
    fn a_part_that_changes_is_refused_and_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let bytes = content(3 * PART + 77);
        for changed in [0, PART, 3 * PART - 1, 3 * PART, 3 * PART + 76] {
            fs::write(&path, &bytes).unwrap();
            let file = MappedFile::open(&path, "f").unwrap();
            let file = HashedFile::open(Arc::new(file)).unwrap();
            let mut written = fs::OpenOptions::new().write(true).open(&path).unwrap();
            written.seek(SeekFrom::Start(changed)).unwrap();
            written.write_all(&[252]).unwrap();
            for part in 0..4 {
                let range = part * PART..file.len().min((part + 1) * PART);
                let is_changed = range.contains(&changed);
                let read = file.read(range.end - 5..range.end).map(Cow::into_owned);
                match read {
                    Ok(read) => {
                        assert!(!is_changed && bytes[..range.end as usize].ends_with(&read))
                    }
                    Err(error) => {
                        assert!(is_changed, "{error}");
                        let sentence = "f is damaged: it was changed while it was in use";
                        assert_eq!(error.to_string(), sentence);
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_into_memory_is_not_read_at_once() {
        #[derive(Debug)]
        struct Long;
        impl ByteSource for Long {
            fn name(&self) -> &'static str {
                "f"
            }

            fn len(&self) -> u64 {
                MAX_READ + 1
            }

            fn read(&self, _: Range<u64>) -> Result<Cow<'_, [u8]>> {
                unreachable!("it is refused before")
            }
        }
        let (states, sha256) = (Vec::new(), [0; 32]);
        let file = HashedFile {
            file: Arc::new(Long),
            states,
            sha256,
        };
        assert_eq!(
            file.read_all().unwrap_err().to_string(),
            "f is not supported: its 536870913 bytes exceed the limit of 536870912 bytes"
        );
    }
}
