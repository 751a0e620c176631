//! Checks that a blob of the Hub cache has the digest in its name.
//!
//! The check finds blobs that a crash, a full disk, or another program has damaged. Hashing a large file would often
//! take longer than the rest of a run, so the file is hashed once and its [`FileStamp`] is recorded as a mark in the
//! app cache. As long as the stamp is unchanged, the bytes are assumed to be unchanged.

use std::path::Path;

use super::etag::Etag;
use crate::source::app_cache::AppCache;
use crate::source::byte_source::ByteSource;
use crate::source::local::file_stamp::FileStamp;
use crate::source::local::mapped_file::MappedFile;

/// Files of at most this many bytes are hashed whenever they are opened, which takes no longer than reading a mark.
const ALWAYS_HASHED: u64 = 16 << 10;
/// Files of more bytes, which are checkpoints, are hashed when they are opened only if they have a mark and have
/// changed since.
const HASHED_ON_OPEN: u64 = 64 << 20;
/// Bytes hashed at a time.
const BUFFER: u64 = 1 << 20;

/// How thoroughly a blob is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Only cheap checks, for files that are about to be used.
    Quick,
    /// A mark is trusted; without one, every byte is hashed.
    Marked,
    /// Every byte is hashed, even with a mark.
    Full,
}

/// A blob compared with the mark of its last successful check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Missing,
    Unchanged,
    Changed,
}

/// Returns true if a blob has the digest `etag`, checked as thoroughly as `depth` demands. Returns false if it cannot
/// be read.
pub(crate) fn is_intact(
    file: &MappedFile,
    etag: &Etag,
    depth: Depth,
    app_cache: &AppCache,
) -> bool {
    let length = file.len();
    let small = length <= ALWAYS_HASHED;
    let is_trusted = !small
        && match (depth, mark(file, etag, app_cache)) {
            (Depth::Full, _) => false,
            (Depth::Quick | Depth::Marked, Mark::Unchanged) => true,
            (Depth::Quick, Mark::Missing) => length > HASHED_ON_OPEN,
            (Depth::Quick | Depth::Marked, _) => false,
        };
    if is_trusted {
        return true;
    }
    // Taken first, so that a write during hashing invalidates the mark.
    let stamp = file.stamp();
    let intact = has_digest(file, etag);
    if intact && !small {
        store_mark(stamp.as_ref(), etag, app_cache);
    }
    intact
}

/// Records a successful check of a blob that was hashed during its download.
pub(crate) fn mark_intact(blob: &Path, etag: &Etag, app_cache: &AppCache) {
    if let Ok(file) = MappedFile::open(blob, etag.as_str())
        && file.len() > ALWAYS_HASHED
    {
        store_mark(file.stamp().as_ref(), etag, app_cache);
    }
}

fn has_digest(file: &MappedFile, etag: &Etag) -> bool {
    let length = file.len();
    let mut hasher = etag.hasher(length);
    let mut buffer = Vec::new();
    let mut start = 0;
    while start < length {
        let end = length.min(start + BUFFER);
        match file.read_once(start..end, &mut buffer) {
            Ok(bytes) => hasher.update(bytes),
            Err(_) => return false,
        }
        start = end;
    }
    hasher.matches(etag)
}

fn mark(file: &MappedFile, etag: &Etag, app_cache: &AppCache) -> Mark {
    let Some(stored) = app_cache.find(&name(etag)) else {
        return Mark::Missing;
    };
    match file.stamp() {
        Some(stamp) if stored.bytes() == line(&stamp).as_bytes() => Mark::Unchanged,
        _ => Mark::Changed,
    }
}

fn store_mark(stamp: Option<&FileStamp>, etag: &Etag, app_cache: &AppCache) {
    if let Some(stamp) = stamp {
        // If this fails, the file is hashed again next time.
        let _ = app_cache.store(&name(etag), line(stamp).as_bytes());
    }
}

fn name(etag: &Etag) -> String {
    format!("checked/{}", etag.as_str())
}

fn line(stamp: &FileStamp) -> String {
    format!("{stamp}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest as _, Sha256};

    use super::*;

    const DEPTHS: [Depth; 3] = [Depth::Quick, Depth::Marked, Depth::Full];

    fn etag(content: &[u8]) -> Etag {
        let digest = Sha256::digest(content);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Etag::parse(&hex).unwrap()
    }

    #[test]
    fn wrong_bytes_are_found_at_every_depth() {
        let folder = tempfile::tempdir().unwrap();
        let app_cache = AppCache::in_folder(folder.path().join("own"));
        let blob = folder.path().join("blob");
        for length in [0, 1, ALWAYS_HASHED, ALWAYS_HASHED + 1, 3 * BUFFER + 5] {
            let right = vec![7; length as usize];
            let etag = etag(&right);
            for app_cache in [AppCache::disabled(), app_cache.clone()] {
                let intact = |depth| {
                    let file = MappedFile::open(&blob, "blob").unwrap();
                    is_intact(&file, &etag, depth, &app_cache)
                };
                fs::write(&blob, &right).unwrap();
                assert_eq!(DEPTHS.map(intact), [true; 3], "{length}");
                let mut wrong = right.clone();
                match wrong.last_mut() {
                    Some(byte) => *byte ^= 1,
                    None => wrong.push(1),
                }
                fs::write(&blob, &wrong).unwrap();
                assert_eq!(DEPTHS.map(intact), [false; 3], "{length}");
                fs::write(&blob, &right[..right.len() / 2]).unwrap();
                assert_eq!(DEPTHS.map(intact), [length == 0; 3], "{length}");
            }
        }
    }

    #[test]
    fn a_checkpoint_is_not_hashed_on_open_unless_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let app_cache = AppCache::in_folder(folder.path().join("own"));
        let blob = folder.path().join("blob");
        let write = |byte: &[u8]| {
            fs::write(&blob, byte).unwrap();
            let file = fs::OpenOptions::new().write(true).open(&blob).unwrap();
            file.set_len(HASHED_ON_OPEN + 1).unwrap();
        };
        write(b"a");
        let etag = etag(&fs::read(&blob).unwrap());
        let intact = |depth| {
            let file = MappedFile::open(&blob, "blob").unwrap();
            is_intact(&file, &etag, depth, &app_cache)
        };
        write(b"b");
        assert!(intact(Depth::Quick), "it was never checked");
        assert!(!intact(Depth::Marked) && !intact(Depth::Full));
        write(b"a");
        assert!(intact(Depth::Marked));
        assert!(intact(Depth::Quick));
        write(b"b");
        assert!(!intact(Depth::Quick), "it has changed since it was checked");
    }

    #[test]
    fn a_damaged_mark_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let app_cache = AppCache::in_folder(folder.path());
        let blob = folder.path().join("blob");
        let right = vec![7; ALWAYS_HASHED as usize + 1];
        fs::write(&blob, &right).unwrap();
        let etag = etag(&right);
        mark_intact(&blob, &etag, &app_cache);
        fs::write(folder.path().join(name(&etag)), "").unwrap();
        let file = MappedFile::open(&blob, "blob").unwrap();
        assert_eq!(mark(&file, &etag, &app_cache), Mark::Changed);
        assert!(is_intact(&file, &etag, Depth::Quick, &app_cache));
        assert_eq!(mark(&file, &etag, &app_cache), Mark::Unchanged);
    }
}
