//! What tokscope's own cache keeps of the files of the Hub that are read by ranges.
//!
//! ```text
//! ranges/models--owner--name/
//!   commits/<commit>/<file>      etag and size of that file, as the Hub announced them
//!   content/<etag>/<random>      pieces that were fetched together: headers, rows
//!   content/<etag>/<a>-<b>       bytes a to b, fetched as a whole: a matrix; <a>-<b>.part while it is on its way
//!   content/<etag>/lock          held while it is
//! ```
//!
//! A file gets its name when it is whole, and is not written again; what is damaged is passed over. Nothing of this is
//! in the Hub cache, where a blob is a whole file whose digest was checked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::hub_cache::FileLock;
use super::hub_digest::Etag;
use super::mapped::MappedFile;
use super::own_cache::OwnCache;
use super::pieces::{BLOCK, Header, Pieces};

/// So many small files are made into one.
const MANY: usize = 16;
/// Bytes of a range that is built, at most: checksums are held in memory.
const LARGEST: u64 = 64 << 30;
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
        let model = format!("ranges/models--{}", id.replace('/', "--"));
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

    /// Starts on a range that is to be here as a whole, or goes on with it: what an earlier attempt left is taken over.
    /// Without a cache, or where it cannot be written, the range is in a temporary file.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub(super) fn build(&self, range: &Range<u64>, wait: impl FnMut()) -> io::Result<Build<'_>> {
        if range.end - range.start > LARGEST {
            let problem = format!("at most {LARGEST} bytes can be");
            return Err(io::Error::other(problem));
        }
        let mut header = Header::empty(range.clone());
        let mut missing = vec![range.clone()];
        let place = match self.claim(range, wait) {
            None => Place::temporary()?,
            Some(Claim { lock, part, whole }) => {
                let there = self.open(&whole);
                match there {
                    Some(there) if there.slice(range).is_some() => return Ok(Build::Done(there)),
                    // Damaged: what is sound of it is a beginning.
                    Some(_) => fs::copy(&whole, &part).map(drop)?,
                    None => {}
                }
                if let Some(earlier) = self.open(&part).filter(|earlier| earlier.is_only(range)) {
                    header = earlier.header();
                    missing = without(range, &earlier.parts(range));
                }
                let mut options = OpenOptions::new();
                Place {
                    file: options
                        .create(true)
                        .truncate(false)
                        .write(true)
                        .open(&part)?,
                    temporary: None,
                    target: Some((part, whole)),
                    _lock: Some(lock),
                }
            }
        };
        let mut building = Building {
            content: self,
            range: range.clone(),
            header,
            place,
            missing,
        };
        building.place.file.set_len(building.length())?;
        building.write_header()?;
        Ok(Build::Begun(building))
    }

    /// The right to write `<a>-<b>.part`; none where there is no cache, or it cannot be written.
    fn claim(&self, range: &Range<u64>, wait: impl FnMut()) -> Option<Claim> {
        let folder = self.folder.as_ref()?;
        fs::create_dir_all(folder).ok()?;
        let whole = folder.join(format!("{}-{}", range.start, range.end));
        Some(Claim {
            lock: FileLock::take(&folder.join("lock"), wait).ok()?,
            part: whole.with_extension("part"),
            whole,
        })
    }
}

/// The right to write a range, and its name while it is on its way and when it is whole.
struct Claim {
    lock: FileLock,
    part: PathBuf,
    whole: PathBuf,
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

/// What `parts`, which lie within it in order, leave of a range.
pub(super) fn without(range: &Range<u64>, parts: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut missing = Vec::new();
    let mut next = range.start;
    for part in parts.iter().chain([&(range.end..range.end)]) {
        if next < part.start {
            missing.push(next..part.start);
        }
        next = next.max(part.end);
    }
    missing
}

/// The file that a range is written to.
#[derive(Debug)]
struct Place {
    file: File,
    /// Removes it, where there is no cache.
    temporary: Option<tempfile::TempPath>,
    /// Its name while it is on its way, and when it is whole.
    target: Option<(PathBuf, PathBuf)>,
    _lock: Option<FileLock>,
}

impl Place {
    fn temporary() -> io::Result<Self> {
        let (file, path) = tempfile::Builder::new()
            .prefix("tokscope-")
            .tempfile()?
            .into_parts();
        Ok(Self {
            file,
            temporary: Some(path),
            target: None,
            _lock: None,
        })
    }
}

/// A range that is to be here as a whole.
#[derive(Debug)]
pub(super) enum Build<'a> {
    /// It is here: another process was faster.
    Done(Pieces),
    Begun(Building<'a>),
}

/// A range on its way.
#[derive(Debug)]
pub(super) struct Building<'a> {
    content: &'a Content,
    range: Range<u64>,
    header: Header,
    place: Place,
    /// What has to be fetched.
    pub(super) missing: Vec<Range<u64>>,
}

impl Building<'_> {
    fn length(&self) -> u64 {
        self.header.length() as u64 + self.range.end - self.range.start
    }

    fn write_header(&mut self) -> io::Result<()> {
        let header = self.header.encode(&self.content.etag, self.content.size);
        self.place.file.seek(SeekFrom::Start(0))?;
        self.place.file.write_all(&header)
    }

    /// Takes whole blocks, from byte `start` of the remote file on.
    pub(super) fn put(&mut self, start: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = start - self.range.start;
        let at = self.header.length() as u64 + offset;
        self.place.file.seek(SeekFrom::Start(at))?;
        self.place.file.write_all(bytes)?;
        self.header.set_sums((offset / BLOCK) as usize, bytes);
        self.write_header()
    }

    /// The range, which is whole now.
    ///
    /// # Errors
    /// If it is not, or cannot be read back.
    pub(super) fn finish(mut self) -> io::Result<Pieces> {
        self.place.file.flush()?;
        let (path, temporary) = match (self.place.target.take(), self.place.temporary.take()) {
            (Some((part, path)), _) => {
                fs::rename(part, &path)?;
                (path, None)
            }
            (None, Some(temporary)) => (temporary.to_path_buf(), Some(temporary)),
            (None, None) => return Err(io::Error::other("it has no place")),
        };
        let pieces = self.content.open(&path);
        // On Unix the map holds on to a file without a name.
        drop(temporary);
        pieces.ok_or_else(|| io::Error::other("what was written is not what is there"))
    }
}

#[cfg(test)]
mod tests;
