//! Keeps the app cache small: removes files that were not used for long, and the ones used longest ago if there are too
//! many bytes.
//!
//! A file is used when it is written or, as far as the file system records it, read. Most record the first read of a day.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::local::temporary_name::{PREFIX, remove_if_abandoned};

/// A file that was not used for this long is removed: 90 days.
const MAX_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A file that was used within this time is kept, because a running process may open it again: an hour.
const MIN_AGE: Duration = Duration::from_secs(60 * 60);
/// The name of the file that is locked while a range is downloaded to the same folder. It is never removed: a process
/// that waits for the lock would hold it on a file that others no longer see.
pub(crate) const LOCK: &str = "lock";
/// The extension of a range during its download.
pub(crate) const PART: &str = "part";

/// A file that may be removed.
#[derive(Debug)]
struct Entry {
    path: PathBuf,
    last_used: SystemTime,
    /// Bytes on the disk.
    size: u64,
}

/// Removes files from the cache in `folder` until it has at most `max_bytes`. Errors are ignored: a file that cannot be
/// removed stays until the next time.
pub(super) fn sweep(folder: &Path, max_bytes: u64, now: SystemTime) {
    let mut entries = entries(folder);
    entries.sort_by_key(|entry| entry.last_used);
    let mut size: u64 = entries.iter().map(|entry| entry.size).sum();
    for entry in &entries {
        let age = now.duration_since(entry.last_used).unwrap_or_default();
        if age < MIN_AGE || (age < MAX_AGE && size <= max_bytes) {
            return;
        }
        if remove(&entry.path) {
            size -= entry.size;
            remove_empty_folders(folder, &entry.path);
        }
    }
}

/// Removes all files from the cache in `folder`, except those that are being downloaded. Returns the number of removed
/// files and the bytes that they took on the disk.
pub(super) fn clear(folder: &Path) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    for entry in entries(folder) {
        if remove(&entry.path) {
            files += 1;
            bytes += entry.size;
            remove_empty_folders(folder, &entry.path);
        }
    }
    (files, bytes)
}

/// Lists the files, and removes those of killed processes.
fn entries(folder: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for child in folder.read_dir().into_iter().flatten().flatten() {
            let path = child.path();
            // The metadata of a link are its own, so that nothing outside the cache is touched.
            let Ok(metadata) = child.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let name = child.file_name();
            let name = name.to_str().unwrap_or_default();
            if name.starts_with(PREFIX) {
                remove_if_abandoned(&path);
            } else if name != LOCK
                && let Some(last_used) = last_used(&metadata)
            {
                let size = size_on_disk(&metadata);
                entries.push(Entry {
                    path,
                    last_used,
                    size,
                });
            }
        }
    }
    entries
}

fn last_used(metadata: &Metadata) -> Option<SystemTime> {
    let written = metadata.modified().ok()?;
    Some(
        metadata
            .accessed()
            .map_or(written, |read| read.max(written)),
    )
}

/// Returns the bytes that a file takes on the disk.
#[cfg(unix)]
pub(super) fn size_on_disk(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
pub(super) fn size_on_disk(metadata: &Metadata) -> u64 {
    metadata.len()
}

/// Removes a file, unless it is being downloaded. Returns true if it is gone. On Unix, processes that have mapped it can
/// still read it; on Windows, it is not removed as long as one has.
fn remove(path: &Path) -> bool {
    let is_part = path.extension().is_some_and(|extension| extension == PART);
    let lock = is_part
        .then(|| File::open(path.with_file_name(LOCK)).ok())
        .flatten();
    if lock.as_ref().is_some_and(|lock| lock.try_lock().is_err()) {
        return false;
    }
    fs::remove_file(path).is_ok()
}

/// Removes the folders of a removed file that are empty now.
fn remove_empty_folders(root: &Path, file: &Path) {
    let folders = file
        .ancestors()
        .skip(1)
        .take_while(|folder| *folder != root);
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const SIZE: u64 = 64 << 10;

    /// A cache with files of 64 KiB.
    struct Cache {
        folder: tempfile::TempDir,
        now: SystemTime,
    }

    impl Cache {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                now: SystemTime::now(),
            }
        }

        /// Adds a file that was written and read this long ago.
        fn add(&self, name: &str, written: Duration, read: Duration) {
            let path = self.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, vec![1; SIZE as usize]).unwrap();
            let times = FileTimes::new()
                .set_modified(self.now - written)
                .set_accessed(self.now - read);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_times(times).unwrap();
        }

        fn sweep(&self, files: u64) -> Vec<String> {
            sweep(self.folder.path(), files * SIZE, self.now);
            let mut names: Vec<String> = Vec::new();
            let mut folders = vec![self.folder.path().to_owned()];
            while let Some(folder) = folders.pop() {
                for child in folder.read_dir().unwrap() {
                    let path = child.unwrap().path();
                    let name = path.strip_prefix(self.folder.path()).unwrap();
                    names.push(name.to_str().unwrap().to_owned());
                    if path.is_dir() {
                        folders.push(path);
                    }
                }
            }
            names.sort();
            names
        }
    }

    #[test]
    fn the_files_used_longest_ago_are_removed_first() {
        let cache = Cache::new();
        cache.add("a/b/first", 9 * DAY, 9 * DAY);
        cache.add("a/read", 10 * DAY, 2 * DAY);
        cache.add("a/written", 3 * DAY, 8 * DAY);
        cache.add("a/last", DAY, DAY);
        let all = ["a", "a/b", "a/b/first", "a/last", "a/read", "a/written"];
        assert_eq!(cache.sweep(100), all);
        assert_eq!(cache.sweep(4), all);
        assert_eq!(cache.sweep(3), ["a", "a/last", "a/read", "a/written"]);
        assert_eq!(cache.sweep(1), ["a", "a/last"]);
        assert!(cache.sweep(0).is_empty());
    }

    #[test]
    fn files_not_used_for_months_are_removed_without_need() {
        let cache = Cache::new();
        cache.add("a", 91 * DAY, 91 * DAY);
        cache.add("b", 400 * DAY, 89 * DAY);
        assert_eq!(cache.sweep(100), ["b"]);
    }

    #[test]
    fn files_in_use_are_kept() {
        let cache = Cache::new();
        let minute = Duration::from_secs(60);
        cache.add("new", minute, minute);
        cache.add("read", 400 * DAY, minute);
        cache.add("r/0-9.part", 100 * DAY, 100 * DAY);
        cache.add("r/lock", 100 * DAY, 100 * DAY);
        let lock = File::open(cache.folder.path().join("r/lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(cache.sweep(0), ["new", "r", "r/0-9.part", "r/lock", "read"]);
        drop(lock);
        assert_eq!(cache.sweep(0), ["new", "r", "r/lock", "read"]);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_of_the_cache_is_removed() {
        let (cache, outside) = (Cache::new(), Cache::new());
        outside.add("a/f", 400 * DAY, 400 * DAY);
        for name in ["a", "a/f"] {
            let target = outside.folder.path().join(name);
            let link = cache.folder.path().join(name.replace('/', "-"));
            std::os::unix::fs::symlink(target, link).unwrap();
        }
        cache.sweep(0);
        assert!(outside.folder.path().join("a/f").exists());
    }
}
