//! Notes in the app cache about local files: what was found by reading a file, which takes longer than reading the note.
//!
//! A note begins with the [proof](FileStamp::proof) that its file has not been written since. Without such a proof there
//! is no note.

use super::app_cache::AppCache;
use super::local::file_stamp::{FileStamp, Writer};

/// The maximum length of a note in bytes.
const MAX_LENGTH: u64 = 128 << 10;

/// The notes in a folder of an app cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileNotes<'a> {
    cache: &'a AppCache,
    folder: &'static str,
}

impl<'a> FileNotes<'a> {
    /// Returns the notes about the SHA-256 of files.
    pub(crate) fn of_digests(cache: &'a AppCache) -> Self {
        Self::new(cache, "sources")
    }

    pub(crate) fn new(cache: &'a AppCache, folder: &'static str) -> Self {
        Self { cache, folder }
    }

    /// Returns the content of the note about the file with this stamp. Returns `None` if there is none, or the file was
    /// written since.
    pub(crate) fn find(&self, stamp: &FileStamp) -> Option<String> {
        let proof = stamp.proof()?;
        let note = self.cache.read(&self.name(stamp)?, MAX_LENGTH)?;
        let content = str::from_utf8(&note).ok()?.strip_prefix(&*proof)?;
        let content = content.strip_prefix('\n')?;
        // The last line is the checksum.
        let (content, _) = content.strip_suffix('\n')?.rsplit_once('\n')?;
        (text(&proof, content).as_bytes() == note).then(|| content.to_owned())
    }

    /// Notes what was found in a file whose stamp was taken before the file was read. Does nothing if a later change might
    /// go unnoticed.
    pub(crate) fn store(&self, stamp: &FileStamp, content: &str) {
        if stamp.is_settled(Writer::Anyone)
            && let (Some(proof), Some(name)) = (stamp.proof(), self.name(stamp))
        {
            // If this fails, the file is read again next time.
            let _ = self.cache.store(&name, text(&proof, content).as_bytes());
        }
    }

    /// Removes the note about a file, which has turned out to be wrong.
    pub(crate) fn forget(&self, stamp: &FileStamp) {
        if let Some(path) = self.name(stamp).and_then(|name| self.cache.path(&name)) {
            // If this fails, the file is reported as changed again.
            let _ = std::fs::remove_file(path);
        }
    }

    fn name(&self, stamp: &FileStamp) -> Option<String> {
        Some(format!("{}/{}", self.folder, stamp.identity()?))
    }
}

/// Returns the proof, the content, and a last line with the checksum of both.
fn text(proof: &str, content: &str) -> String {
    let lines = format!("{proof}\n{content}\n");
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
        let notes = FileNotes::of_digests(&cache);
        let stamp = FileStamp::of(&tempfile::tempfile().unwrap()).unwrap();
        if stamp.proof().is_none() {
            // The folder for temporary files is in memory, for example.
            return;
        }
        let content = "a line\nand another";
        notes.store(&stamp, content);
        assert_eq!(notes.find(&stamp).as_deref(), Some(content));
        let path = folder.path().join(notes.name(&stamp).unwrap());
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
        let notes = FileNotes::of_digests(&cache);
        let stamp = FileStamp::of(&File::open("/proc/self/status").unwrap()).unwrap();
        notes.store(&stamp, "7");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(notes.find(&stamp), None);
    }
}
