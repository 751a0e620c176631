//! The part of the app cache that holds the digests of local files.
//!
//! Hashing a file takes longer than tokenizing a sentence. A note records the SHA-256 of a file and the
//! [proof](FileStamp::proof) that it has not been written since. Without such a proof there is no note.

use super::app_cache::AppCache;
use super::digest::{hex, parse_sha256};
use super::local::file_stamp::{FileStamp, Writer};

/// The maximum length of a note in bytes.
const MAX_LENGTH: u64 = 4 << 10;

/// The notes in an app cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DigestNotes<'a> {
    cache: &'a AppCache,
}

impl<'a> DigestNotes<'a> {
    pub(crate) fn new(cache: &'a AppCache) -> Self {
        Self { cache }
    }

    /// Returns the digest of the file with this stamp; `None` if it was never noted or was written since.
    pub(crate) fn find(&self, stamp: &FileStamp) -> Option<[u8; 32]> {
        let proof = stamp.proof()?;
        let note = self.cache.read(&name(stamp)?, MAX_LENGTH)?;
        let mut lines = str::from_utf8(&note).ok()?.lines();
        let (noted, digest) = (lines.next()?, lines.next()?);
        if noted != proof {
            return None;
        }
        let sha256 = parse_sha256(digest)?;
        (text(noted, &sha256).as_bytes() == note).then_some(sha256)
    }

    /// Notes the digest of a file whose stamp was taken before the file was read. Does nothing if a later change might
    /// go unnoticed.
    pub(crate) fn store(&self, stamp: &FileStamp, sha256: &[u8; 32]) {
        if stamp.is_settled(Writer::Anyone)
            && let (Some(proof), Some(name)) = (stamp.proof(), name(stamp))
        {
            // If this fails, the file is hashed again next time.
            let _ = self.cache.store(&name, text(&proof, sha256).as_bytes());
        }
    }

    /// Removes the note about a file, which has turned out to be wrong.
    pub(crate) fn forget(&self, stamp: &FileStamp) {
        if let Some(path) = name(stamp).and_then(|name| self.cache.path(&name)) {
            // If this fails, the file is reported as changed again.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn name(stamp: &FileStamp) -> Option<String> {
    Some(format!("sources/{}", stamp.identity()?))
}

/// Returns one line per field, and a last line with the checksum of the others.
fn text(proof: &str, sha256: &[u8; 32]) -> String {
    let lines = format!("{proof}\n{}\n", hex(sha256));
    let checksum = crc32fast::hash(lines.as_bytes());
    format!("{lines}{checksum:08x}\n")
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;
    use crate::source::local::file_stamp::turn_clock;

    #[test]
    fn a_damaged_note_is_ignored() {
        turn_clock(Duration::from_secs(3600));
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache::in_folder(folder.path());
        let notes = DigestNotes::new(&cache);
        let stamp = FileStamp::of(&tempfile::tempfile().unwrap()).unwrap();
        if stamp.proof().is_none() {
            // The folder for temporary files is in memory, for example.
            return;
        }
        notes.store(&stamp, &[7; 32]);
        assert_eq!(notes.find(&stamp), Some([7; 32]));
        let path = folder.path().join(name(&stamp).unwrap());
        let note = fs::read(&path).unwrap();
        for at in 0..note.len() {
            let mut flipped = note.clone();
            flipped[at] ^= 1;
            for damaged in [&note[..at], &flipped] {
                fs::write(&path, damaged).unwrap();
                assert_eq!(notes.find(&stamp), None, "{at}");
            }
        }
    }

    #[test]
    fn nothing_is_noted_about_a_file_without_proof() {
        turn_clock(Duration::from_secs(3600));
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache::in_folder(folder.path());
        let notes = DigestNotes::new(&cache);
        let stamp = FileStamp::of(&File::open("/proc/self/status").unwrap()).unwrap();
        notes.store(&stamp, &[7; 32]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(notes.find(&stamp), None);
    }
}
