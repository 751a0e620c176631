//! A file whose digest is known, and whose bytes are handed out only if they have that digest.
//!
//! Another program can change a file between two reads, or while it is mapped. A decision that depends on the digest of
//! a file (which vocabulary was compiled from it, whether it is the locked one) is therefore made about bytes that only
//! this process has. If a [note](super::file_notes) proves the digest, the file is not read until its bytes are needed.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::app_cache::AppCache;
use super::byte_source::{ByteSource, slice};
use super::digest::{hex, parse_sha256};
use super::file_notes::FileNotes;
use super::local::file_stamp::FileStamp;
use crate::error::{Error, Result};

/// The minimum length of a file with a note, in bytes. Hashing a smaller one takes no longer than reading a note.
const MIN_NOTED: u64 = 64 << 10;
/// The maximum length of a file, in bytes, because it is held in memory.
const MAX_LENGTH: u64 = 512 << 20;

/// The proof that the bytes of a file with a note have its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The file has not been written since the note. The bytes are hashed only if it was.
    Stamp,
    /// The bytes are hashed.
    Hash,
}

/// A file of a model with a known digest.
#[derive(Debug)]
pub(crate) struct FrozenFile {
    file: Arc<dyn ByteSource>,
    /// Known from a note, or else computed from the bytes when it is asked for.
    sha256: OnceLock<[u8; 32]>,
    /// Set once they are read and have the digest.
    bytes: OnceLock<Vec<u8>>,
    /// The stamp of the note that has the digest, and the cache with the note.
    noted: Option<(FileStamp, AppCache)>,
    proof: Proof,
}

impl FrozenFile {
    /// Determines the digest of a file: by a note, or by reading it.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if the file is too long, or with the error of reading it.
    pub(crate) fn open(file: Arc<dyn ByteSource>, cache: &AppCache, proof: Proof) -> Result<Self> {
        let notes = FileNotes::of_digests(cache);
        let length = file.len();
        if length > MAX_LENGTH {
            let problem = format!("its {length} bytes exceed the limit of {MAX_LENGTH} bytes");
            return Err(Error::unsupported(file.name(), problem));
        }
        // Taken first, so that the note does not match if the file is written while it is read.
        let stamp = file.stamp().filter(|_| length >= MIN_NOTED);
        if let Some(stamp) = &stamp
            && let Some(sha256) = notes.find(stamp).as_deref().and_then(parse_sha256)
        {
            return Ok(Self {
                file,
                sha256: OnceLock::from(sha256),
                bytes: OnceLock::new(),
                noted: Some((stamp.clone(), cache.clone())),
                proof,
            });
        }
        let bytes = file.copy()?;
        let frozen = Self::from_copy(file, bytes, None);
        if let (Some(stamp), Some(sha256)) = (stamp, frozen.sha256()) {
            notes.store(&stamp, &hex(&sha256));
        }
        Ok(frozen)
    }

    /// Returns a file whose bytes were copied, and hashed if `sha256` is given.
    pub(crate) fn from_copy(
        file: Arc<dyn ByteSource>,
        bytes: Vec<u8>,
        sha256: Option<[u8; 32]>,
    ) -> Self {
        Self {
            file,
            sha256: sha256.map_or_else(OnceLock::new, OnceLock::from),
            bytes: OnceLock::from(bytes),
            noted: None,
            proof: Proof::Hash,
        }
    }

    fn bytes(&self) -> Result<&[u8]> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes);
        }
        let bytes = self.file.copy()?;
        // The stamp is compared after the bytes were read, so that it proves them.
        if !self.is_as_noted() && self.sha256.get() != Some(&digest(&bytes)) {
            if let Some((stamp, cache)) = &self.noted {
                FileNotes::of_digests(cache).forget(stamp);
            }
            return Err(Error::damaged(
                self.file.name(),
                "it was changed while it was in use",
            ));
        }
        Ok(self.bytes.get_or_init(|| bytes))
    }

    /// Returns true if the stamp is a sufficient proof, and shows that the file has not been written since the note.
    fn is_as_noted(&self) -> bool {
        if self.proof == Proof::Hash {
            return false;
        }
        let noted = self.noted.as_ref().and_then(|(stamp, _)| stamp.proof());
        noted.is_some() && noted == self.file.stamp().and_then(|stamp| stamp.proof())
    }
}

impl ByteSource for FrozenFile {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        slice(self.name(), self.bytes()?, range).map(Cow::Borrowed)
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        let bytes = self.bytes.get().map_or(&[][..], Vec::as_slice);
        Some(*self.sha256.get_or_init(|| digest(bytes)))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::source::local::mapped_file::MappedFile;

    fn freeze(path: &Path, cache: &AppCache) -> Result<FrozenFile> {
        freeze_with(path, cache, Proof::Stamp)
    }

    fn freeze_with(path: &Path, cache: &AppCache, proof: Proof) -> Result<FrozenFile> {
        let file = Arc::new(MappedFile::open(path, "f")?);
        FrozenFile::open(file, cache, proof)
    }

    fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
        Some(Sha256::digest(bytes).into())
    }

    #[test]
    fn bytes_are_those_that_were_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for length in [0, 5, 70_000] {
            fs::write(&path, vec![1; length]).unwrap();
            let frozen = freeze(&path, &AppCache::disabled()).unwrap();
            // In place, so that a map shows the new bytes.
            fs::write(&path, vec![2; length]).unwrap();
            assert_eq!(frozen.sha256(), sha256(&vec![1; length]));
            assert!(frozen.read_all().unwrap().as_ref() == vec![1; length]);
        }
    }

    /// Another thread rewrites the file in place all the time.
    #[test]
    fn bytes_of_a_file_that_changes_have_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let cache = AppCache::in_folder(folder.path().join("own"));
        fs::write(&path, vec![0; 300_000]).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                use std::io::{Seek, Write};
                let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                for byte in (0..=255).cycle() {
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                    file.rewind().unwrap();
                    file.write_all(&vec![byte; 300_000]).unwrap();
                }
            });
            let mut seen = std::collections::HashSet::new();
            for _ in 0..200 {
                let frozen = freeze(&path, &cache).unwrap();
                let bytes = frozen.read_all().unwrap();
                assert_eq!(frozen.sha256(), sha256(&bytes));
                seen.insert(bytes.into_owned());
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(seen.len() > 1, "the file did not change");
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_noted_file_is_read_only_when_it_is_used_and_then_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let cache = AppCache::in_folder(folder.path().join("own"));
        let notes = || fs::read_dir(folder.path().join("own/sources")).map_or(0, Iterator::count);
        let (first, second) = (vec![1; 70_000], vec![2; 70_000]);
        fs::write(&path, &first).unwrap();
        freeze(&path, &cache).unwrap();
        assert_eq!(notes(), 0, "it was written just now");
        crate::source::local::file_stamp::turn_clock(std::time::Duration::from_secs(3600));
        freeze(&path, &cache).unwrap();
        if notes() == 0 {
            // The folder for temporary files is in memory, for example.
            return;
        }
        let noted = freeze(&path, &cache).unwrap();
        assert!(noted.bytes.get().is_none(), "it was read");
        assert_eq!(noted.sha256(), sha256(&first));
        assert!(noted.is_as_noted());
        // The next write gets another time.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, &second).unwrap();
        assert!(!noted.is_as_noted());
        assert_eq!(
            noted.read_all().unwrap_err().to_string(),
            "f is damaged: it was changed while it was in use"
        );
        assert_eq!(notes(), 0, "it is not true");
        assert_eq!(freeze(&path, &cache).unwrap().sha256(), sha256(&second));
    }

    /// A wrong note shows that a file is not hashed.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_noted_file_is_hashed_if_it_was_written_or_is_locked() {
        crate::source::local::file_stamp::turn_clock(std::time::Duration::from_secs(3600));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let cache = AppCache::in_folder(folder.path().join("own"));
        fs::write(&path, vec![1; 70_000]).unwrap();
        let stamp = MappedFile::open(&path, "f").unwrap().stamp().unwrap();
        FileNotes::of_digests(&cache).store(&stamp, &hex(&[7; 32]));
        if stamp.proof().is_none() {
            // The folder for temporary files is in memory, for example.
            return;
        }
        let untouched = freeze(&path, &cache).unwrap();
        assert_eq!(untouched.sha256(), Some([7; 32]));
        assert!(untouched.read_all().is_ok());
        let locked = freeze_with(&path, &cache, Proof::Hash).unwrap();
        assert!(locked.read_all().is_err());
        FileNotes::of_digests(&cache).store(&stamp, &hex(&[7; 32]));
        let touched = freeze(&path, &cache).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now()).unwrap();
        assert!(touched.read_all().is_err());
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_unread() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MAX_LENGTH + 1).unwrap();
        let error = freeze(file.path(), &AppCache::disabled()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "f is not supported: its 536870913 bytes exceed the limit of 536870912 bytes"
        );
    }
}
