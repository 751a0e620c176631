//! A range that is to be here as a whole: written where it will be, in any order, and gone on with after a break.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;

use super::content::Content;
use super::extents::{BLOCK, Extents, Header};
use super::plan::without;
use crate::source::local::file_lock::FileLock;

/// Bytes of a range that is built, at most: checksums are held in memory.
const LARGEST: u64 = 64 << 30;

impl Content {
    /// Starts on a range that is to be here as a whole, or goes on with it: what an earlier attempt left is taken over.
    /// Without a cache, or where it cannot be written, the range is in a temporary file.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub(crate) fn build(&self, range: &Range<u64>, wait: impl FnMut()) -> io::Result<Build<'_>> {
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
                    // Damaged: what is sound of it is a beginning, if there is no other.
                    Some(_) if self.open(&part).is_none() => fs::copy(&whole, &part).map(drop)?,
                    _ => {}
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
        let mut building = PartialRange {
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
pub(crate) enum Build<'a> {
    /// It is here: another process was faster.
    Done(Extents),
    Begun(PartialRange<'a>),
}

/// A range on its way.
#[derive(Debug)]
pub(crate) struct PartialRange<'a> {
    content: &'a Content,
    range: Range<u64>,
    header: Header,
    place: Place,
    /// What has to be fetched.
    pub(crate) missing: Vec<Range<u64>>,
}

impl PartialRange<'_> {
    fn length(&self) -> u64 {
        self.header.length() as u64 + self.range.end - self.range.start
    }

    fn write_header(&mut self) -> io::Result<()> {
        let header = self.header.encode(&self.content.etag, self.content.size);
        self.place.file.seek(SeekFrom::Start(0))?;
        self.place.file.write_all(&header)
    }

    /// Takes whole blocks, from byte `start` of the remote file on.
    pub(crate) fn put(&mut self, start: u64, bytes: &[u8]) -> io::Result<()> {
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
    pub(crate) fn finish(mut self) -> io::Result<Extents> {
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
