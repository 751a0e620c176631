//! The download of a large range: parts are written to its file in any order, and an interrupted download is resumed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;

use super::content::Content;
use super::extents::{BLOCK, Extents, Header};
use super::plan::subtract;
use crate::source::local::file_lock::FileLock;

/// The maximum length of such a range in bytes. Its checksums are held in memory.
const MAX_LENGTH: u64 = 64 << 30;

impl Content {
    /// Starts or resumes the download of a range. Calls `wait` repeatedly while another process downloads. If the app
    /// cache is disabled or cannot be written, the range goes to a temporary file.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn begin(
        &self,
        range: &Range<u64>,
        wait: impl FnMut(),
    ) -> io::Result<RangeDownload<'_>> {
        if range.end - range.start > MAX_LENGTH {
            let problem = format!("a range must have at most {MAX_LENGTH} bytes");
            return Err(io::Error::other(problem));
        }
        let mut header = Header::empty(range.clone());
        let mut missing = vec![range.clone()];
        let target = match self.claim(range, wait) {
            None => Target::temporary()?,
            Some(Claim { lock, part, whole }) => {
                let stored = self.open(&whole);
                match stored {
                    Some(stored) if stored.slice(range).is_some() => {
                        return Ok(RangeDownload::Complete(stored));
                    }
                    // The file is damaged: resume with its intact blocks, unless another download has begun.
                    Some(_) if self.open(&part).is_none() => fs::copy(&whole, &part).map(drop)?,
                    _ => {}
                }
                if let Some(earlier) = self.open(&part).filter(|earlier| earlier.is_single(range)) {
                    header = earlier.header();
                    missing = subtract(range, &earlier.parts(range));
                }
                let mut options = OpenOptions::new();
                Target {
                    file: options
                        .create(true)
                        .truncate(false)
                        .write(true)
                        .open(&part)?,
                    temporary: None,
                    rename: Some((part, whole)),
                    _lock: Some(lock),
                }
            }
        };
        let mut partial = PartialRange {
            content: self,
            range: range.clone(),
            header,
            target,
            missing,
        };
        partial.target.file.set_len(partial.length())?;
        partial.write_header()?;
        Ok(RangeDownload::Begun(partial))
    }

    /// Acquires the lock for writing `<a>-<b>.part`; `None` if the app cache is disabled or cannot be written.
    fn claim(&self, range: &Range<u64>, wait: impl FnMut()) -> Option<Claim> {
        let folder = self.folder.as_ref()?;
        fs::create_dir_all(folder).ok()?;
        let whole = folder.join(format!("{}-{}", range.start, range.end));
        Some(Claim {
            lock: FileLock::acquire(&folder.join("lock"), wait).ok()?,
            part: whole.with_extension("part"),
            whole,
        })
    }
}

/// The lock for writing a range, and its paths during and after the download.
struct Claim {
    lock: FileLock,
    part: PathBuf,
    whole: PathBuf,
}

/// The file that a range is written to.
#[derive(Debug)]
struct Target {
    file: File,
    /// Removes the temporary file when dropped.
    temporary: Option<tempfile::TempPath>,
    /// The paths of a file in the app cache during and after the download.
    rename: Option<(PathBuf, PathBuf)>,
    _lock: Option<FileLock>,
}

impl Target {
    fn temporary() -> io::Result<Self> {
        let (file, path) = tempfile::Builder::new()
            .prefix("tokscope-")
            .tempfile()?
            .into_parts();
        Ok(Self {
            file,
            temporary: Some(path),
            rename: None,
            _lock: None,
        })
    }
}

/// The result of starting the download of a range.
#[derive(Debug)]
pub(crate) enum RangeDownload<'a> {
    /// The range is already stored completely.
    Complete(Extents),
    Begun(PartialRange<'a>),
}

/// A range during its download.
#[derive(Debug)]
pub(crate) struct PartialRange<'a> {
    content: &'a Content,
    range: Range<u64>,
    header: Header,
    target: Target,
    /// The parts that are still to be fetched.
    pub(crate) missing: Vec<Range<u64>>,
}

impl PartialRange<'_> {
    fn length(&self) -> u64 {
        self.header.length() as u64 + self.range.end - self.range.start
    }

    fn write_header(&mut self) -> io::Result<()> {
        let header = self.header.encode(&self.content.etag, self.content.size);
        self.target.file.seek(SeekFrom::Start(0))?;
        self.target.file.write_all(&header)
    }

    /// Writes whole blocks, starting at byte `start` of the remote file.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn write(&mut self, start: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = start - self.range.start;
        let position = self.header.length() as u64 + offset;
        self.target.file.seek(SeekFrom::Start(position))?;
        self.target.file.write_all(bytes)?;
        self.header.set_sums((offset / BLOCK) as usize, bytes);
        self.write_header()
    }

    /// Renames the complete file and opens it.
    ///
    /// # Errors
    /// Fails if the file cannot be renamed or read back.
    pub(crate) fn finish(mut self) -> io::Result<Extents> {
        self.target.file.flush()?;
        let (path, temporary) = match (self.target.rename.take(), self.target.temporary.take()) {
            (Some((part, path)), _) => {
                fs::rename(part, &path)?;
                (path, None)
            }
            (None, Some(temporary)) => (temporary.to_path_buf(), Some(temporary)),
            (None, None) => return Err(io::Error::other("the range has no file")),
        };
        let extents = self.content.open(&path);
        // On Unix the map stays valid after its file is removed.
        drop(temporary);
        extents.ok_or_else(|| io::Error::other("the written file cannot be read back"))
    }
}
