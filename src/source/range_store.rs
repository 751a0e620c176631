//! What tokscope's own cache keeps of the files of the Hub that are read by ranges.
//!
//! ```text
//! ranges/models--owner--name/
//!   commits/<commit>/<file>      etag and size of that file, as the Hub announced them
//!   content/<etag>/rows-<random> pieces that were fetched together: headers, rows
//!   content/<etag>/<a>-<b>       bytes a to b, fetched as a whole: a matrix; <a>-<b>.part while it is on its way
//!   content/<etag>/lock          held while it is
//! ```
//!
//! A file gets its name when it is whole, and is not written again; what is damaged is passed over. Nothing of this is
//! in the Hub cache, where a blob is a whole file whose digest was checked.

mod building;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hf_hub::Repo;

use super::hub_digest::Etag;
use super::mapped::MappedFile;
use super::own_cache::OwnCache;
use super::pieces::Pieces;
pub(super) use building::Build;

/// So many small files are made into one.
const MANY: usize = 16;
/// Larger files are left alone when small ones are made into one.
const SMALL: u64 = 4 << 20;

/// What is known of a file of the Hub: its digest, and its size in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) etag: Etag,
    pub(super) size: u64,
}

/// A file of one commit of a model, in the own cache.
#[derive(Debug)]
pub(super) struct RangeStore<'a> {
    cache: &'a OwnCache,
    /// `ranges/models--owner--name`.
    model: String,
}

/// The folder of what is kept of one file.
#[derive(Debug)]
pub(super) struct Content {
    /// None without a cache.
    folder: Option<PathBuf>,
    etag: String,
    size: u64,
}

impl<'a> RangeStore<'a> {
    /// `id` is `owner/name`.
    pub(super) fn new(cache: &'a OwnCache, id: &str) -> Self {
        let repository = Repo::model(id.to_owned());
        let model = format!("ranges/{}", repository.folder_name());
        Self { cache, model }
    }

    /// What the Hub announced of a file, if it was noted.
    pub(super) fn known(&self, commit: &str, file: &str) -> Option<Known> {
        let note = self.cache.find(&self.note(commit, file))?;
        let text = std::str::from_utf8(note.bytes()).ok()?;
        let (known, sum) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        let (etag, size) = known.split_once(' ')?;
        let sound = sum == note_checksum(known);
        let known = Known {
            etag: Etag::parse(etag)?,
            size: size.parse().ok()?,
        };
        sound.then_some(known)
    }

    pub(super) fn note_known(&self, commit: &str, file: &str, known: &Known) -> io::Result<()> {
        let text = format!("{} {}", known.etag.as_str(), known.size);
        let note = format!("{text} {}\n", note_checksum(&text));
        self.cache.keep(&self.note(commit, file), note.as_bytes())
    }

    fn note(&self, commit: &str, file: &str) -> String {
        format!("{}/commits/{commit}/{file}", self.model)
    }

    pub(super) fn content(&self, known: &Known) -> Content {
        let etag = known.etag.as_str().to_owned();
        let folder = format!("{}/content/{etag}", self.model);
        Content {
            folder: self.cache.place(&folder),
            etag,
            size: known.size,
        }
    }
}

fn note_checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

impl Content {
    /// The pieces that are here.
    pub(super) fn pieces(&self) -> Vec<Pieces> {
        let files = self.files();
        files.iter().filter_map(|path| self.open(path)).collect()
    }

    fn open(&self, path: &Path) -> Option<Pieces> {
        let file = MappedFile::open(path, path.display().to_string()).ok()?;
        Pieces::open(file, &self.etag, self.size)
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
    pub(super) fn keep(&self, pieces: &Pieces) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let is_small = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() <= SMALL);
        let small: Vec<PathBuf> = self.files().into_iter().filter(is_small).collect();
        if small.len() < MANY {
            return write_whole(folder, pieces.bytes());
        }
        let earlier: Vec<Pieces> = small.iter().filter_map(|path| self.open(path)).collect();
        let all = earlier.iter().chain([pieces]).flat_map(Pieces::all);
        let parts = all.map(|(start, bytes)| (start, bytes.to_vec())).collect();
        write_whole(folder, Pieces::new(&self.etag, self.size, parts).bytes())?;
        for path in small {
            // Another process may have done the same, or (on Windows) be reading it.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}

/// Writes a file of a name of its own; it appears whole or not at all.
fn write_whole(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    let name = temporary.path().file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default().trim_start_matches(".new-");
    let path = folder.join(format!("rows-{name}"));
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests;
