//! The folder of the app cache that holds ranges of one remote file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::extents::Extents;
use crate::source::local::atomic_file;
use crate::source::local::mapped_file::MappedFile;

/// So many small files are made into one.
pub(super) const MANY: usize = 16;
/// Larger files are left alone when small ones are made into one.
const SMALL: u64 = 4 << 20;

/// The folder of what is kept of one file.
#[derive(Debug)]
pub(crate) struct Content {
    /// None without a cache.
    pub(super) folder: Option<PathBuf>,
    pub(super) etag: String,
    pub(super) size: u64,
}

impl Content {
    /// The pieces that are here.
    pub(crate) fn pieces(&self) -> Vec<Extents> {
        let files = self.files();
        files.iter().filter_map(|path| self.open(path)).collect()
    }

    pub(super) fn open(&self, path: &Path) -> Option<Extents> {
        let file = MappedFile::open(path, path.display().to_string()).ok()?;
        Extents::open(file, &self.etag, self.size)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = self.folder.as_ref().and_then(|f| f.read_dir().ok());
        let is_complete = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                !name.starts_with('.') && !name.ends_with(".part") && name != "lock"
            })
        };
        let paths = entries.into_iter().flatten().flatten().map(|e| e.path());
        let mut files: Vec<PathBuf> = paths.filter(is_complete).collect();
        files.sort();
        files
    }

    /// Keeps pieces, with earlier ones that have become many.
    ///
    /// # Errors
    /// Whatever writing fails with. Without a cache nothing is kept, and nothing fails.
    pub(crate) fn keep(&self, pieces: &Extents) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let is_small = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() <= SMALL);
        let small: Vec<PathBuf> = self.files().into_iter().filter(is_small).collect();
        if small.len() < MANY {
            return atomic_file::add(folder, "rows-", pieces.bytes());
        }
        let earlier: Vec<Extents> = small.iter().filter_map(|path| self.open(path)).collect();
        let all = earlier.iter().chain([pieces]).flat_map(Extents::all);
        let parts = all.map(|(start, bytes)| (start, bytes.to_vec())).collect();
        atomic_file::add(
            folder,
            "rows-",
            Extents::new(&self.etag, self.size, parts).bytes(),
        )?;
        for path in small {
            // Another process may have done the same, or (on Windows) be reading it.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}
