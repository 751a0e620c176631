//! The download of a large range: parts are written to its file in any order, and an interrupted download is resumed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;

use super::content::Content;
use super::extents::{BLOCK, Extents, Header};
use super::plan::subtract;
use crate::source::cache_sweep::{LOCK, PART};
use crate::source::local::file_lock::FileLock;
use crate::source::local::regular_file::remove_unless_regular;

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
        if let Some(claim) = self.claim(range, wait)
            && let Ok(download) = self.begin_in_cache(range, claim)
        {
            return Ok(download);
        }
        let missing = vec![range.clone()];
        self.begin_in(
            range,
            Target::temporary()?,
            Header::empty(range.clone()),
            missing,
        )
    }

    /// Starts or resumes the download of a range to the app cache.
    fn begin_in_cache(&self, range: &Range<u64>, claim: Claim) -> io::Result<RangeDownload<'_>> {
        let Claim { lock, part, whole } = claim;
        remove_unless_regular(&part)?;
        match self.open(&whole) {
            Some(stored) if stored.slice(range).is_some() => {
                return Ok(RangeDownload::Complete(stored));
            }
            // The file is damaged: resume with its intact blocks, unless another download has begun.
            Some(_) if self.open(&part).is_none() => fs::copy(&whole, &part).map(drop)?,
            _ => {}
        }
        let mut header = Header::empty(range.clone());
        let mut missing = vec![range.clone()];
        if let Some(earlier) = self.open(&part).filter(|earlier| earlier.is_single(range)) {
            header = earlier.header();
            missing = subtract(range, &earlier.parts(range));
        }
        let mut options = OpenOptions::new();
        let target = Target {
            file: options
                .create(true)
                .truncate(false)
                .write(true)
                .open(&part)?,
            rename: Some((part, whole)),
            _lock: Some(lock),
        };
        self.begin_in(range, target, header, missing)
    }

    fn begin_in(
        &self,
        range: &Range<u64>,
        target: Target,
        header: Header,
        missing: Vec<Range<u64>>,
    ) -> io::Result<RangeDownload<'_>> {
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
            lock: FileLock::acquire(&folder.join(LOCK), wait).ok()?,
            part: whole.with_extension(PART),
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
    /// The paths of a file in the app cache during and after the download. `None` for a temporary file, which has no name,
    /// so that nothing is left of it if the process is killed.
    rename: Option<(PathBuf, PathBuf)>,
    _lock: Option<FileLock>,
}

impl Target {
    fn temporary() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
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
        let extents = match self.target.rename.take() {
            Some((part, path)) => {
                fs::rename(part, &path)?;
                self.content.sweep_cache(self.length());
                self.content.open(&path)
            }
            None => self.content.open_file(self.target.file),
        };
        extents.ok_or_else(|| io::Error::other("the written file cannot be read back"))
    }
}
