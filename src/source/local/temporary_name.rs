//! The temporary names of files that are being written, and the files that killed processes leave under them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// The prefix of temporary names.
pub const PREFIX: &str = ".tokscope-";
/// A file with a temporary name is left alone for this long after its last change, because its process may not have
/// locked it yet.
pub(super) const MIN_AGE: Duration = Duration::from_secs(600);
/// The number of names that are tried for one file.
const ATTEMPTS: u32 = 1000;

/// The name of a file that is removed when this is dropped, unless the file was renamed.
#[derive(Debug)]
pub(super) struct TemporaryName(Option<PathBuf>);

impl TemporaryName {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Renames the file. From then on, another process may use the temporary name.
    pub(super) fn rename(mut self, path: &Path) -> io::Result<()> {
        if let Some(temporary) = &self.0 {
            fs::rename(temporary, path)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Removes the files with temporary names that killed processes left in a folder.
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            remove_if_abandoned(&entry.path());
        }
    }
}

/// Removes a file with a temporary name, unless the process that writes it is still running.
pub fn remove_if_abandoned(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    let age = metadata.modified().ok();
    let age = age.and_then(|modified| SystemTime::now().duration_since(modified).ok());
    if age.is_none_or(|age| age < MIN_AGE) {
        return;
    }
    let file = metadata.is_file().then(|| File::open(path).ok()).flatten();
    let locked = file.filter(|file| file.try_lock().is_ok());
    // Links are not locked, since they are complete at once.
    if metadata.is_symlink() || locked.is_some() {
        let _ = fs::remove_file(path);
    }
}

/// Calls `create` with paths in `folder` whose names begin with `prefix`, until it does not fail because the file exists.
/// Returns the path and the result.
pub(super) fn with_new_name<T>(
    folder: &Path,
    prefix: &str,
    mut create: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut attempt = || {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let unique = now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(40);
        let path = folder.join(format!("{prefix}{unique:016x}{count}"));
        create(&path).map(|created| (path, created))
    };
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result,
        }
    }
    attempt()
}
