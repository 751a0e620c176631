//! A file of the Hub → a blob of the cache that holds exactly the bytes the Hub announced, linked into the snapshot.
//!
//! The bytes go to `<etag>.incomplete`, which a later attempt goes on with, and get the blob's name only when their
//! digest is right: whatever else comes (an error page of the CDN, a page of a proxy, a cut or altered file) never
//! appears in the cache, for us or for any other program that shares it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::cache::CachedModel;
use super::cache_check::{Depth, is_sound, note_sound};
use super::client::{HubClient, HubFile};
use super::cost::Cost;
use super::etag::{FileIdentity, Hasher};
use crate::error::{Error, Result, reason};
use crate::source::app_cache::AppCache;
use crate::source::byte_source::ByteSource;
use crate::source::local::mapped_file::MappedFile;
use crate::source::observer::Observer;

const LOCK_POLL: Duration = Duration::from_millis(100);
/// Attempts after the first one that breaks off.
const RETRIES: u32 = 3;
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// Bytes read at once from what an earlier attempt left.
const PIECE: usize = 1 << 20;
/// Bytes kept to tell a person what came instead of the file.
const HEAD: usize = 64;

/// One file to be stored.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a HubClient,
    pub(crate) cache: &'a CachedModel,
    /// Root of the cache, for errors.
    pub(crate) cache_dir: &'a Path,
    /// What is known of blobs.
    pub(crate) notes: &'a AppCache,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) commit: &'a str,
    pub(crate) file: &'a str,
}

/// How one attempt ended, when not with an error.
enum Attempt {
    Stored,
    /// The connection failed after `done` bytes, which are kept.
    Broken {
        done: u64,
        problem: String,
    },
    /// What is there is not the file, for this reason.
    Wrong(String),
    /// Nothing was learned: what an earlier attempt left, or a range that was not served as asked.
    FromTheStart,
}

impl Download<'_> {
    /// Stores the file; false if the commit has no such file.
    pub(crate) fn run(&self) -> Result<bool> {
        let cost = Arc::<Cost>::default();
        let announced = self.client.announcement(self.commit, self.file, &cost)?;
        let Some(announced) = announced else {
            return Ok(false);
        };
        let (known, address) = (announced.known, Some(announced.address));
        let place = HubFile::new(self.commit, self.file, known, address, cost);
        let known = &place.known;
        let etag = known.etag.as_str();
        let blob = self.cache.blob(etag);
        if let Some(folder) = blob.parent() {
            fs::create_dir_all(folder).map_err(|error| self.not_writable(&error))?;
        }
        let mut waits = 0;
        let _lock = self
            .cache
            .lock(etag, || {
                if waits == 0 {
                    let file = self.file;
                    self.observer
                        .note(&format!("waiting for another process that fetches {file}"));
                }
                waits += 1;
                std::thread::sleep(LOCK_POLL);
            })
            .map_err(|error| self.not_writable(&error))?;
        // The blob may be there: from another revision, or from the process that was waited for.
        // Its size alone does not say that it is right.
        let complete = MappedFile::open(&blob, self.file).is_ok_and(|blob| {
            blob.len() == known.size && is_sound(&blob, &known.etag, Depth::Noted, self.notes)
        });
        if !complete {
            self.fetch(&place, &blob)?;
            note_sound(&blob, &known.etag, self.notes);
        }
        self.cache
            .link(self.commit, self.file, etag)
            .map_err(|error| self.not_writable(&error))?;
        Ok(true)
    }

    fn fetch(&self, place: &HubFile, blob: &Path) -> Result<()> {
        let FileIdentity { etag, size } = &place.known;
        let incomplete = self.cache.incomplete_blob(etag.as_str());
        self.observer.download_started(self.file, *size);
        let mut breaks = 0;
        loop {
            match self.attempt(place, &incomplete)? {
                Attempt::Stored => {
                    fs::rename(&incomplete, blob).map_err(|error| self.not_writable(&error))?;
                    self.observer.download_finished(self.file);
                    return Ok(());
                }
                Attempt::Broken { done, problem } if breaks < RETRIES => {
                    breaks += 1;
                    self.observer.note(&format!(
                        "the download of {} stopped at {done} of {size} bytes ({problem}): going on",
                        self.file
                    ));
                    std::thread::sleep(RETRY_PAUSE);
                }
                Attempt::Broken { done, problem } => {
                    return Err(Error::DownloadBroken {
                        model: self.model(),
                        file: self.file.to_owned(),
                        done,
                        size: *size,
                        problem,
                    });
                }
                // The next attempt finds no beginning to go on with, so this happens once.
                Attempt::FromTheStart => self.discard(&incomplete),
                Attempt::Wrong(problem) => {
                    self.discard(&incomplete);
                    return Err(Error::WrongDownload {
                        model: self.model(),
                        file: self.file.to_owned(),
                        problem,
                    });
                }
            }
        }
    }

    fn attempt(&self, place: &HubFile, incomplete: &PathBuf) -> Result<Attempt> {
        let FileIdentity { etag, size } = &place.known;
        let size = *size;
        let not_writable = |error: io::Error| self.not_writable(&error);
        let mut hasher = etag.hasher(size);
        let start = resume(incomplete, size, &mut hasher).map_err(not_writable)?;
        let mut done = start;
        let mut head = Vec::new();
        // Nothing is left to come of an empty file, and of one whose last step failed.
        let transfer = match start < size {
            true => match self.client.transfer(place, start)? {
                Some(transfer) => Some(transfer),
                None => return Ok(Attempt::FromTheStart),
            },
            false => None,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(incomplete)
            .map_err(not_writable)?;
        if let Some(mut transfer) = transfer {
            if start > 0 {
                self.observer.download_progress(self.file, start);
            }
            loop {
                let piece = match transfer.next() {
                    Ok([]) => break,
                    Ok(piece) => piece,
                    Err(problem) => {
                        let problem = problem.to_owned();
                        return Ok(Attempt::Broken { done, problem });
                    }
                };
                head.extend(piece.iter().take(HEAD - head.len()));
                file.write_all(piece).map_err(not_writable)?;
                hasher.update(piece);
                done += piece.len() as u64;
                if done > size {
                    break;
                }
                self.observer.download_progress(self.file, done);
            }
        }
        // Before it gets its name: a crash of the system would else leave a name without bytes.
        file.sync_data().map_err(not_writable)?;
        Ok(if done == size && hasher.is(etag) {
            Attempt::Stored
        } else if start > 0 {
            Attempt::FromTheStart
        } else {
            Attempt::Wrong(difference(done, size, &head))
        })
    }

    fn discard(&self, incomplete: &Path) {
        // What cannot be removed is overwritten, or fails, at the next attempt.
        let _ = fs::remove_file(incomplete);
    }

    fn model(&self) -> String {
        self.client.asked().model.clone()
    }

    fn not_writable(&self, error: &io::Error) -> Error {
        Error::CacheNotWritable {
            file: self.file.to_owned(),
            cache: self.cache_dir.display().to_string(),
            problem: reason(error),
        }
    }
}

/// Takes over what an earlier attempt left: its length, with its bytes in the hasher. Something longer than the file
/// is not the beginning of it.
fn resume(incomplete: &Path, size: u64, hasher: &mut Hasher) -> io::Result<u64> {
    let mut file = match File::open(incomplete) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() > size {
        fs::remove_file(incomplete)?;
        return Ok(0);
    }
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(length);
        }
        hasher.update(&piece[..read]);
        length += read as u64;
    }
}

/// What came, against what was announced.
fn difference(done: u64, size: u64, head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let page =
        text.trim_start().starts_with("<!doctype html") || text.trim_start().starts_with("<html");
    let what = if page { ", of a web page," } else { "" };
    if done > size {
        format!("more than its {size} bytes{what} came")
    } else if done < size {
        format!("{done} bytes{what} came, and it has {size}")
    } else {
        format!("{done} bytes{what} came, and their digest is another one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_one_sentence() {
        assert_eq!(
            difference(14, 2464616, b"upstream error"),
            "14 bytes came, and it has 2464616"
        );
        assert_eq!(
            difference(5, 5, b"<HTML"),
            "5 bytes, of a web page, came, and their digest is another one"
        );
        assert_eq!(difference(6, 5, b"abcdef"), "more than its 5 bytes came");
    }
}
