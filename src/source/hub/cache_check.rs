//! A file of the Hub cache → whether its bytes are those that its name says.
//!
//! A blob is named by the digest of its content, so that a blob that a crash, a full disk or another program left wrong
//! can be told. To hash a large file at every call would cost more than the call: it is hashed once, and what it was
//! then (length, times, inode) is noted in tokscope's own cache; while that is the same, the bytes are taken to be.

use std::path::Path;

use super::etag::Etag;
use crate::source::app_cache::AppCache;
use crate::source::byte_source::ByteSource;
use crate::source::local::file_stamp::FileStamp;
use crate::source::local::mapped_file::MappedFile;

/// Files of at most this many bytes are hashed whenever they are opened: it takes no longer than to read a note.
const SMALL: u64 = 16 << 10;
/// Larger files, checkpoints that is, are not hashed for being opened, unless they were noted and have changed since.
const LARGE: u64 = 64 << 20;
/// Bytes hashed at once.
const PIECE: u64 = 1 << 20;

/// How thoroughly files are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// As far as it costs next to nothing: when a file is opened to be used.
    Quick,
    /// What was checked before, by what was noted of it; everything else by its bytes.
    Noted,
    /// Every byte, whatever was noted.
    Whole,
}

/// What was noted of a blob when its bytes were right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    None,
    Same,
    Other,
}

/// Whether `file`, a blob named `etag`, holds what that says, as far as `depth` goes. A file that cannot be read does not.
pub(crate) fn is_sound(file: &MappedFile, etag: &Etag, depth: Depth, notes: &AppCache) -> bool {
    let length = file.len();
    let small = length <= SMALL;
    let taken_on_trust = !small
        && match (depth, note(file, etag, notes)) {
            (Depth::Whole, _) => false,
            (Depth::Quick | Depth::Noted, Note::Same) => true,
            (Depth::Quick, Note::None) => length > LARGE,
            (Depth::Quick | Depth::Noted, _) => false,
        };
    if taken_on_trust {
        return true;
    }
    // Taken first: what is written while it is hashed is not noted to be right.
    let state = file.state();
    let sound = has_digest(file, etag);
    if sound && !small {
        keep_note(state.as_ref(), etag, notes);
    }
    sound
}

/// Notes that the bytes of a blob are right, which were hashed as they came.
pub(crate) fn note_sound(blob: &Path, etag: &Etag, notes: &AppCache) {
    if let Ok(file) = MappedFile::open(blob, etag.as_str())
        && file.len() > SMALL
    {
        keep_note(file.state().as_ref(), etag, notes);
    }
}

fn has_digest(file: &MappedFile, etag: &Etag) -> bool {
    let length = file.len();
    let mut hasher = etag.hasher(length);
    let mut buffer = Vec::new();
    let mut start = 0;
    while start < length {
        let end = length.min(start + PIECE);
        match file.read_once(start..end, &mut buffer) {
            Ok(bytes) => hasher.update(bytes),
            Err(_) => return false,
        }
        start = end;
    }
    hasher.is(etag)
}

fn note(file: &MappedFile, etag: &Etag, notes: &AppCache) -> Note {
    let Some(kept) = notes.find(&name(etag)) else {
        return Note::None;
    };
    match file.state() {
        Some(state) if kept.bytes() == line(&state).as_bytes() => Note::Same,
        _ => Note::Other,
    }
}

fn keep_note(state: Option<&FileStamp>, etag: &Etag, notes: &AppCache) {
    if let Some(state) = state {
        // Without a note it is hashed again, no more.
        let _ = notes.keep(&name(etag), line(state).as_bytes());
    }
}

fn name(etag: &Etag) -> String {
    format!("checked/{}", etag.as_str())
}

fn line(state: &FileStamp) -> String {
    format!("{state}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest as _, Sha256};

    use super::*;

    const DEPTHS: [Depth; 3] = [Depth::Quick, Depth::Noted, Depth::Whole];

    fn etag(content: &[u8]) -> Etag {
        let digest = Sha256::digest(content);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Etag::parse(&hex).unwrap()
    }

    #[test]
    fn wrong_bytes_are_seen_once_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let notes = AppCache::in_folder(folder.path().join("own"));
        let blob = folder.path().join("blob");
        for length in [0, 1, SMALL, SMALL + 1, 3 * PIECE + 5] {
            let right = vec![7; length as usize];
            let etag = etag(&right);
            for notes in [AppCache::none(), notes.clone()] {
                let sound = |depth| {
                    let file = MappedFile::open(&blob, "blob").unwrap();
                    is_sound(&file, &etag, depth, &notes)
                };
                fs::write(&blob, &right).unwrap();
                assert_eq!(DEPTHS.map(sound), [true; 3], "{length}");
                let mut wrong = right.clone();
                match wrong.last_mut() {
                    Some(byte) => *byte ^= 1,
                    None => wrong.push(1),
                }
                fs::write(&blob, &wrong).unwrap();
                assert_eq!(DEPTHS.map(sound), [false; 3], "{length}");
                fs::write(&blob, &right[..right.len() / 2]).unwrap();
                assert_eq!(DEPTHS.map(sound), [length == 0; 3], "{length}");
            }
        }
    }

    #[test]
    fn a_checkpoint_is_not_hashed_for_being_opened() {
        let folder = tempfile::tempdir().unwrap();
        let notes = AppCache::in_folder(folder.path().join("own"));
        let blob = folder.path().join("blob");
        let write = |byte: &[u8]| {
            fs::write(&blob, byte).unwrap();
            let file = fs::OpenOptions::new().write(true).open(&blob).unwrap();
            file.set_len(LARGE + 1).unwrap();
        };
        write(b"a");
        let etag = etag(&fs::read(&blob).unwrap());
        let sound = |depth| {
            let file = MappedFile::open(&blob, "blob").unwrap();
            is_sound(&file, &etag, depth, &notes)
        };
        write(b"b");
        assert!(sound(Depth::Quick), "nobody has looked at it");
        assert!(!sound(Depth::Noted) && !sound(Depth::Whole));
        write(b"a");
        assert!(sound(Depth::Noted));
        assert!(sound(Depth::Quick));
        write(b"b");
        assert!(
            !sound(Depth::Quick),
            "it has changed since it was looked at"
        );
    }

    #[test]
    fn a_damaged_note_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let notes = AppCache::in_folder(folder.path());
        let blob = folder.path().join("blob");
        let right = vec![7; SMALL as usize + 1];
        fs::write(&blob, &right).unwrap();
        let etag = etag(&right);
        note_sound(&blob, &etag, &notes);
        fs::write(folder.path().join(name(&etag)), "").unwrap();
        let file = MappedFile::open(&blob, "blob").unwrap();
        assert_eq!(note(&file, &etag, &notes), Note::Other);
        assert!(is_sound(&file, &etag, Depth::Quick, &notes));
        assert_eq!(note(&file, &etag, &notes), Note::Same);
    }
}
