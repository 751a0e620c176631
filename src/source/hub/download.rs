//! Downloads a file into the Hub cache as a verified blob that is linked into the snapshot.
//!
//! The bytes go to `<etag>.incomplete`, which a later attempt resumes. That file is renamed to the blob only if its
//! digest is right, so no error page of a CDN or proxy, and no truncated or altered file, ever appears in the cache
//! that other programs share.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::blob_digest::{Depth, intact, mark_intact};
use super::cache_layout::CachedModel;
use super::client::{HubClient, HubFile};
use super::cost::Cost;
use super::etag::Hasher;
use super::file_identity::FileIdentity;
use crate::error::{Error, Result, reason};
use crate::source::app_cache::AppCache;
use crate::source::byte_source::ByteSource;
use crate::source::local::mapped_file::MappedFile;
use crate::source::local::regular_file::remove_unless_regular;
use crate::source::observer::Observer;

const LOCK_POLL: Duration = Duration::from_millis(100);
/// The number of interruptions after which another attempt is made.
const RETRIES: u32 = 3;
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// Bytes of an earlier attempt read at a time.
const BUFFER: usize = 1 << 20;
/// Bytes inspected to recognize a web page sent in place of the file.
const HEAD: usize = 64;

/// The download of one file.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a HubClient,
    pub(crate) cache: &'a CachedModel,
    /// The root of the cache, for errors.
    pub(crate) cache_dir: &'a Path,
    /// The cache of check marks.
    pub(crate) app_cache: &'a AppCache,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) commit: &'a str,
    pub(crate) file: &'a str,
}

/// The outcome of an attempt that did not end with an error.
enum Attempt {
    Stored,
    /// The connection failed after `done` bytes, which are kept.
    Interrupted {
        done: u64,
        problem: String,
    },
    /// The received bytes are not the file, with a description.
    Wrong(String),
    /// The bytes of an earlier attempt are wrong, or the server cannot continue after them.
    StartOver,
}

impl Download<'_> {
    /// Stores the file. Returns false if the commit has no such file.
    ///
    /// # Errors
    /// Fails if the file cannot be fetched, is not the announced one, or cannot be stored.
    pub(crate) fn run(&self) -> Result<bool> {
        let cost = Arc::<Cost>::default();
        let announced = self.client.announcement(self.commit, self.file, &cost)?;
        let Some(announced) = announced else {
            return Ok(false);
        };
        let (identity, address) = (announced.identity, Some(announced.address));
        let file = HubFile::new(self.commit, self.file, identity, address, cost);
        let identity = &file.identity;
        let etag = identity.etag.as_str();
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
                    self.observer.note(&format!(
                        "waiting for another process that is fetching {file}"
                    ));
                }
                waits += 1;
                std::thread::sleep(LOCK_POLL);
            })
            .map_err(|error| self.not_writable(&error))?;
        // The blob may exist already, from another revision or from the process that held the lock. A matching size
        // does not prove that its bytes are right.
        let complete = MappedFile::open(&blob, self.file).is_ok_and(|blob| {
            blob.len() == identity.size
                && intact(
                    Arc::new(blob),
                    &identity.etag,
                    Depth::Marked,
                    self.app_cache,
                )
                .is_some()
        });
        if !complete {
            self.fetch(&file, &blob)?;
            mark_intact(&blob, &identity.etag, self.app_cache);
        }
        self.cache
            .link(self.commit, self.file, etag)
            .map_err(|error| self.not_writable(&error))?;
        Ok(true)
    }

    /// Attempts the download until the blob is complete.
    fn fetch(&self, file: &HubFile, blob: &Path) -> Result<()> {
        let FileIdentity { etag, size } = &file.identity;
        let incomplete = self.cache.incomplete_blob(etag.as_str());
        self.observer.download_started(self.file, *size);
        let mut interruptions = 0;
        loop {
            match self.attempt(file, &incomplete)? {
                Attempt::Stored => {
                    fs::rename(&incomplete, blob).map_err(|error| self.not_writable(&error))?;
                    self.observer.download_finished(self.file);
                    return Ok(());
                }
                Attempt::Interrupted { done, problem } if interruptions < RETRIES => {
                    interruptions += 1;
                    self.observer.note(&format!(
                        "the download of {} stopped at {done} of {size} bytes ({problem}): resuming",
                        self.file
                    ));
                    std::thread::sleep(RETRY_PAUSE);
                }
                Attempt::Interrupted { done, problem } => {
                    return Err(Error::DownloadBroken {
                        model: self.model(),
                        file: self.file.to_owned(),
                        done,
                        size: *size,
                        problem,
                    });
                }
                // Happens only once: the next attempt has nothing to resume.
                Attempt::StartOver => self.discard(&incomplete),
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

    /// Fetches the file, or the rest of it if an earlier attempt was interrupted.
    fn attempt(&self, file: &HubFile, incomplete: &Path) -> Result<Attempt> {
        let FileIdentity { etag, size } = &file.identity;
        let size = *size;
        let not_writable = |error: io::Error| self.not_writable(&error);
        let mut hasher = etag.hasher(size);
        let start = resume(incomplete, size, &mut hasher).map_err(not_writable)?;
        let mut done = start;
        let mut head = Vec::new();
        // Nothing is missing from an empty file, or from a complete one that was not renamed yet.
        let transfer = if start < size {
            match self.client.transfer(file, start)? {
                Some(transfer) => Some(transfer),
                None => return Ok(Attempt::StartOver),
            }
        } else {
            None
        };
        let mut out = OpenOptions::new()
            .create(true)
            .append(true)
            .open(incomplete)
            .map_err(not_writable)?;
        if let Some(mut transfer) = transfer {
            if start > 0 {
                self.observer.download_progress(self.file, start);
            }
            loop {
                let received = match transfer.next() {
                    Ok([]) => break,
                    Ok(bytes) => bytes,
                    Err(problem) => {
                        let problem = problem.to_owned();
                        return Ok(Attempt::Interrupted { done, problem });
                    }
                };
                head.extend(received.iter().take(HEAD - head.len()));
                out.write_all(received).map_err(not_writable)?;
                hasher.update(received);
                done += received.len() as u64;
                if done > size {
                    break;
                }
                self.observer.download_progress(self.file, done);
            }
        }
        // Without this, a system crash after the rename could leave a blob without its bytes.
        out.sync_data().map_err(not_writable)?;
        Ok(if done == size && hasher.matches(etag) {
            Attempt::Stored
        } else if start > 0 {
            Attempt::StartOver
        } else {
            Attempt::Wrong(difference(done, size, &head))
        })
    }

    fn discard(&self, incomplete: &Path) {
        // If this fails, the next attempt overwrites the file or fails too.
        let _ = fs::remove_file(incomplete);
    }

    fn model(&self) -> String {
        self.client.model().to_owned()
    }

    fn not_writable(&self, error: &io::Error) -> Error {
        Error::CacheNotWritable {
            file: self.file.to_owned(),
            cache: self.cache_dir.display().to_string(),
            problem: reason(error),
        }
    }
}

/// Hashes the bytes that an earlier attempt left behind, and returns their number. Removes a file that is longer than
/// `size`.
fn resume(incomplete: &Path, size: u64, hasher: &mut Hasher) -> io::Result<u64> {
    remove_unless_regular(incomplete)?;
    let mut file = match File::open(incomplete) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() > size {
        fs::remove_file(incomplete)?;
        return Ok(0);
    }
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(length);
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
}

/// Describes how the received bytes differ from the announced file.
fn difference(received: u64, size: u64, head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let page =
        text.trim_start().starts_with("<!doctype html") || text.trim_start().starts_with("<html");
    let page = if page { " of a web page" } else { "" };
    if received > size {
        format!("received more than its {size} bytes{page}")
    } else if received < size {
        format!("received {received} bytes{page}, expected {size}")
    } else {
        format!("received {received} bytes{page} with another digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_described() {
        assert_eq!(
            difference(14, 2464616, b"upstream error"),
            "received 14 bytes, expected 2464616"
        );
        assert_eq!(
            difference(5, 5, b"<HTML"),
            "received 5 bytes of a web page with another digest"
        );
        assert_eq!(
            difference(6, 5, b"abcdef"),
            "received more than its 5 bytes"
        );
    }
}
