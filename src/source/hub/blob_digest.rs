//! Checks that a blob of the Hub cache has the digest in its name.
//!
//! The check finds blobs that a crash, a full disk, or another program has damaged. Hashing a large file would often
//! take longer than the rest of a run, so the file is hashed once and its [`FileStamp`] is recorded as a mark in the
//! app cache. As long as the stamp proves that the bytes are unchanged, they are not hashed again.

use std::path::Path;
use std::sync::Arc;

use super::etag::Etag;
use crate::source::app_cache::AppCache;
use crate::source::byte_source::ByteSource;
use crate::source::frozen_file::FrozenFile;
use crate::source::local::file_stamp::{FileStamp, Writer};
use crate::source::local::mapped_file::MappedFile;

/// Files of at most this many bytes are hashed whenever they are opened, which takes no longer than reading a mark.
const ALWAYS_HASHED: u64 = 16 << 10;
/// Files of more bytes, which are checkpoints, are hashed when they are opened only if they have a mark and have
/// changed since.
const HASHED_ON_OPEN: u64 = 64 << 20;
/// Bytes hashed at a time.
const BUFFER: u64 = 1 << 20;
/// The maximum length of a mark in bytes.
const MAX_MARK: u64 = 4 << 10;

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
    /// Proven to be unchanged.
    Unchanged,
    /// It has the same length, inode, and times, which proves nothing.
    Similar,
    Changed,
}

/// Returns the blob if it has the digest `etag`, checked as thoroughly as `depth` demands. Returns `None` if it does not
/// or cannot be read.
///
/// If the bytes of a file of at most [`HASHED_ON_OPEN`] bytes were hashed, the result reads those very bytes.
pub(crate) fn intact(
    file: Arc<MappedFile>,
    etag: &Etag,
    depth: Depth,
    app_cache: &AppCache,
) -> Option<Arc<dyn ByteSource>> {
    let length = file.len();
    let is_small = length <= ALWAYS_HASHED;
    let is_trusted = !is_small
        && match (depth, mark(&file, etag, app_cache)) {
            (Depth::Full, _) => false,
            (Depth::Quick | Depth::Marked, Mark::Unchanged) => true,
            (Depth::Quick, Mark::Missing | Mark::Similar) => length > HASHED_ON_OPEN,
            (Depth::Quick | Depth::Marked, _) => false,
        };
    if is_trusted {
        return Some(file);
    }
    // Taken first, so that a write during hashing invalidates the mark.
    let stamp = file.stamp();
    let hashed = if length <= HASHED_ON_OPEN {
        let bytes = file.copy().ok()?;
        let mut hasher = etag.hasher(length);
        hasher.update(&bytes);
        let frozen = hasher
            .matches(etag)
            .then(|| FrozenFile::from_copy(file, bytes, etag.sha256()))?;
        Arc::new(frozen) as Arc<dyn ByteSource>
    } else {
        has_digest(&file, etag).then_some(file)?
    };
    if !is_small {
        store_mark(stamp.as_ref(), etag, app_cache);
    }
    Some(hashed)
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
    let Some(stored) = app_cache.read(&name(etag), MAX_MARK) else {
        return Mark::Missing;
    };
    let Some(stamp) = file.stamp() else {
        return Mark::Changed;
    };
    let mut lines = str::from_utf8(&stored).unwrap_or_default().lines();
    let (facts, proof) = (lines.next(), lines.next());
    if facts != Some(stamp.facts()) {
        Mark::Changed
    } else if proof.is_some() && proof == stamp.proof().as_deref() {
        Mark::Unchanged
    } else {
        Mark::Similar
    }
}

/// Stores a mark. Without the proof, it still shows whether a large file was written since.
fn store_mark(stamp: Option<&FileStamp>, etag: &Etag, app_cache: &AppCache) {
    if let Some(stamp) = stamp {
        let proof = stamp
            .proof()
            .filter(|_| stamp.is_settled(Writer::Anyone))
            .unwrap_or_default();
        let lines = format!("{}\n{proof}\n", stamp.facts());
        // If this fails, the file is hashed again next time.
        let _ = app_cache.store(&name(etag), lines.as_bytes());
    }
}

fn name(etag: &Etag) -> String {
    format!("checked/{}", etag.as_str())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest as _, Sha256};

    use super::*;

    fn is_intact(blob: &Path, etag: &Etag, depth: Depth, app_cache: &AppCache) -> bool {
        let file = Arc::new(MappedFile::open(blob, "blob").unwrap());
        intact(file, etag, depth, app_cache).is_some()
    }

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
                let intact = |depth| is_intact(&blob, &etag, depth, &app_cache);
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
        let intact = |depth| is_intact(&blob, &etag, depth, &app_cache);
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
        assert!(is_intact(&blob, &etag, Depth::Quick, &app_cache));
        assert_eq!(
            mark(&file, &etag, &app_cache),
            Mark::Similar,
            "it was written just now"
        );
        #[cfg(target_os = "linux")]
        crate::source::turn_clock(std::time::Duration::from_secs(3600));
        assert!(is_intact(&blob, &etag, Depth::Quick, &app_cache));
        let proven = match file.stamp().and_then(|stamp| stamp.proof()) {
            Some(_) => Mark::Unchanged,
            None => Mark::Similar,
        };
        assert_eq!(mark(&file, &etag, &app_cache), proven);
    }

    #[test]
    fn a_file_that_was_hashed_is_read_from_memory() {
        let folder = tempfile::tempdir().unwrap();
        let blob = folder.path().join("blob");
        for length in [5, ALWAYS_HASHED as usize + 1] {
            let (right, wrong) = (vec![7; length], vec![8; length]);
            fs::write(&blob, &right).unwrap();
            let file = Arc::new(MappedFile::open(&blob, "blob").unwrap());
            let cache = AppCache::disabled();
            let read = intact(file, &etag(&right), Depth::Quick, &cache).unwrap();
            assert_eq!(read.sha256(), Some(Sha256::digest(&right).into()));
            fs::write(&blob, &wrong).unwrap();
            assert!(read.read_all().unwrap().as_ref() == right);
        }
    }

    /// A mark that was made of a file written a moment ago, or on a file system whose times prove nothing, is not
    /// trusted, although length, inode, and times are the same.
    #[test]
    fn a_mark_without_proof_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let app_cache = AppCache::in_folder(folder.path().join("own"));
        let blob = folder.path().join("blob");
        let right = vec![7; ALWAYS_HASHED as usize + 1];
        let etag = etag(&right);
        fs::write(&blob, vec![8; right.len()]).unwrap();
        // As if the wrong bytes had been written within the tick of the right ones.
        mark_intact(&blob, &etag, &app_cache);
        let file = MappedFile::open(&blob, "blob").unwrap();
        assert_eq!(mark(&file, &etag, &app_cache), Mark::Similar);
        for depth in DEPTHS {
            assert!(!is_intact(&blob, &etag, depth, &app_cache));
        }
    }
}
