//! The stored ranges of one remote file content, in a folder of the app cache.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::extents::Extents;
use crate::source::app_cache::AppCache;
use crate::source::cache_sweep::LOCK;
use crate::source::local::atomic_file;
use crate::source::local::mapped_file::MappedFile;

/// Small files are merged into one when there are this many.
pub(super) const MERGE_THRESHOLD: usize = 16;
/// Files with more bytes than this are not merged.
const MAX_MERGED: u64 = 4 << 20;

/// The stored ranges of one file content, which is identified by its ETag.
#[derive(Debug)]
pub(crate) struct Content {
    /// `None` if the app cache is disabled.
    pub(super) folder: Option<PathBuf>,
    pub(super) etag: String,
    pub(super) size: u64,
    /// The app cache, whose size must be limited after a range is stored.
    pub(super) cache: AppCache,
}

impl Content {
    /// Opens all intact files of the folder.
    pub(crate) fn extents(&self) -> Vec<Extents> {
        let files = self.files();
        files.iter().filter_map(|path| self.open(path)).collect()
    }

    pub(super) fn open(&self, path: &Path) -> Option<Extents> {
        let file = MappedFile::open(path, path.display().to_string()).ok()?;
        Extents::open(file, &self.etag, self.size)
    }

    /// Opens a file without a name.
    pub(super) fn open_file(&self, file: File) -> Option<Extents> {
        let file = MappedFile::of(file, &self.etag).ok()?;
        Extents::open(file, &self.etag, self.size)
    }

    /// Limits the size of the app cache after `stored` bytes were added.
    pub(super) fn sweep_cache(&self, stored: u64) {
        self.cache.sweep_if_due(stored);
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = self.folder.as_ref().and_then(|f| f.read_dir().ok());
        let is_complete = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                !name.starts_with('.') && !name.ends_with(".part") && name != LOCK
            })
        };
        let paths = entries.into_iter().flatten().flatten().map(|e| e.path());
        let mut files: Vec<PathBuf> = paths.filter(is_complete).collect();
        files.sort();
        files
    }

    /// Stores extents, merged with earlier ones if there are many files. Does nothing if the app cache is disabled.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn store(&self, extents: &Extents) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let is_small = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() <= MAX_MERGED);
        let small: Vec<PathBuf> = self.files().into_iter().filter(is_small).collect();
        if small.len() < MERGE_THRESHOLD {
            atomic_file::add(folder, "rows-", extents.bytes())?;
            self.sweep_cache(extents.bytes().len() as u64);
            return Ok(());
        }
        let earlier: Vec<Extents> = small.iter().filter_map(|path| self.open(path)).collect();
        let all = earlier.iter().chain([extents]).flat_map(Extents::all);
        let parts = all.map(|(start, bytes)| (start, bytes.to_vec())).collect();
        atomic_file::add(
            folder,
            "rows-",
            Extents::new(&self.etag, self.size, parts).bytes(),
        )?;
        for path in small {
            // Failing is fine: another process may have removed it or, on Windows, be reading it.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}
