//! A file on the Hub that is read by ranges.
//!
//! Fetched bytes are held in memory. Once they are known to be valid ([`ByteSource::approve`]), they are also stored in
//! the app cache, so later runs do not request them again. Nearby ranges are joined into one request, and requests run
//! in parallel.

use std::borrow::Cow;
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::append_list::AppendList;
use super::content::Content;
use super::extents::{BLOCK, Extents};
use super::partial::RangeDownload;
use super::plan::{join, plan, split, subtract, total_length};
use crate::error::{Error, Result, reason};
use crate::source::byte_source::{ByteSource, outside};
use crate::source::hub::client::HubFile;
use crate::source::hub::connection::HubConnection;

/// Bytes at the start of a file that are fetched together, enough for the headers of most checkpoints.
const HEAD: u64 = 64 << 10;
/// The maximum number of bytes of one read. A file that declares a longer header or row is not read remotely.
const MAX_READ: u64 = 1 << 30;
/// The maximum number of bytes of one request for a read. Longer ranges take several requests.
const MAX_REQUEST: u64 = 4 << 20;
/// Parallel requests for rows, which spend more time waiting than transferring.
const PARALLEL_READS: usize = 8;
/// Parallel requests for a whole matrix. An interruption loses unfinished requests, so there are only a few.
const PARALLEL_PARTS: usize = 4;
/// The number of requests for a whole matrix, unless their length would be outside the limits below.
const MATRIX_PARTS: u64 = 64;
/// The minimum and maximum length of such a request in bytes, both multiples of [`BLOCK`].
const MIN_PART: u64 = 1 << 20;
const MAX_PART: u64 = 16 << 20;
const LOCK_POLL: Duration = Duration::from_millis(100);

/// A file of one commit whose bytes are fetched as they are read.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    /// The name in error messages.
    name: String,
    connection: Arc<HubConnection>,
    file: HubFile,
    content: Content,
    held: AppendList<Extents>,
    /// Locked while fetching, so that two threads do not fetch the same bytes.
    approval: Mutex<Approval>,
}

/// Says whether fetched bytes may be stored.
#[derive(Debug)]
enum Approval {
    /// Not yet. Holds the ranges fetched so far.
    Pending(Vec<Range<u64>>),
    Given,
}

impl RemoteFile {
    /// Opens a remote file with the stored ranges of its content.
    pub(crate) fn new(connection: Arc<HubConnection>, file: HubFile, content: Content) -> Self {
        let held = AppendList::new();
        for extents in content.extents() {
            held.push(extents);
        }
        Self {
            name: format!("{} of `{}`", file.name, connection.model.id()),
            connection,
            file,
            content,
            held,
            approval: Mutex::new(Approval::Pending(Vec::new())),
        }
    }

    /// Returns the bytes of a range, if they are held in one slice.
    fn held(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.held.iter().find_map(|extents| extents.slice(range))
    }

    /// Returns the parts of a range that are held, sorted and disjoint.
    fn held_parts(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        if self.held(range).is_some() {
            return vec![range.clone()];
        }
        let parts = self.held.iter().flat_map(|extents| extents.parts(range));
        join(parts.collect(), 0)
    }

    /// Fetches all parts of these ranges that are not held yet.
    fn fetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        let mut approval = self.approval();
        let missing = |range: &Range<u64>| subtract(range, &self.held_parts(range));
        let missing: Vec<Range<u64>> = ranges.iter().flat_map(missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let requests = plan(missing);
        let bytes = total_length(&requests);
        if bytes > MAX_READ {
            return Err(Error::unsupported(
                &self.name,
                format!("a read of {bytes} bytes exceeds the limit of {MAX_READ} bytes"),
            ));
        }
        let mut parts = Vec::new();
        let requests = requests
            .into_iter()
            .flat_map(|range| split(range, MAX_REQUEST));
        let fetched = self.request(
            requests.collect(),
            PARALLEL_READS,
            &|_| (),
            |range, bytes| {
                parts.push((range.start, bytes));
                Ok(())
            },
        );
        // Ranges that arrived before a failure are kept.
        if !parts.is_empty() {
            let identity = &self.file.identity;
            let extents = Extents::new(identity.etag.as_str(), identity.size, parts);
            match &mut *approval {
                Approval::Given => self.store(&extents),
                Approval::Pending(ranges) => ranges.extend(extents.parts(&(0..identity.size))),
            }
            self.held.push(extents);
        }
        fetched
    }

    /// Requests ranges and reports the cost.
    fn request(
        &self,
        ranges: Vec<Range<u64>>,
        parallel: usize,
        received: &(dyn Fn(u64) + Sync),
        deliver: impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let client = self.connection.client(&self.file.name)?;
        let before = self.file.cost.fetched();
        let answer = client.fetch_ranges(&self.file, ranges, parallel, received, deliver);
        let after = self.file.cost.fetched();
        self.connection.options.observer.detail(&format!(
            "{}: {} bytes in {} requests, {} bytes in {} requests so far",
            self.name,
            after.bytes - before.bytes,
            after.requests - before.requests,
            after.bytes,
            after.requests
        ));
        // This file is read only after other files of the model have been found.
        let commit = &self.file.commit;
        answer.map_err(|error| self.connection.explain(commit, error).with_cached(true))
    }

    /// Stores extents in the app cache. If that fails, the next run makes the same requests again.
    fn store(&self, extents: &Extents) {
        if let Err(error) = self.content.store(extents) {
            let problem = reason(&error);
            let name = &self.name;
            self.connection
                .options
                .observer
                .detail(&format!("cannot cache bytes of {name}: {problem}"));
        }
    }

    /// Copies a range that is held in several slices.
    fn copy_held(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        let mut bytes = Vec::new();
        let mut position = range.start;
        while position < range.end {
            let rest = position..range.end;
            let next = self.held.iter().find_map(|extents| {
                let parts = extents.parts(&rest);
                parts.into_iter().find(|part| part.start == position)
            });
            let Some(slice) = next.and_then(|next| self.held(&next)) else {
                return Err(outside(&self.name, &range, position));
            };
            bytes.extend_from_slice(slice);
            position += slice.len() as u64;
        }
        Ok(Cow::Owned(bytes))
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        if range.start <= range.end && range.end <= self.len() {
            Ok(())
        } else {
            Err(outside(&self.name, range, self.len()))
        }
    }

    fn approval(&self) -> MutexGuard<'_, Approval> {
        self.approval.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Downloads a whole range and reports the progress. Resumes an earlier download of the same range.
    fn download(&self, range: &Range<u64>) -> Result<Extents> {
        let observer = &self.connection.options.observer;
        let file = &self.file.name;
        // Fails early if no connection may be opened.
        self.connection.client(file)?;
        let not_writable = |error: std::io::Error| Error::RangesNotKept {
            file: self.name.clone(),
            problem: reason(&error),
        };
        let mut waits = 0;
        let begun = self.content.begin(range, || {
            if waits == 0 {
                observer.note(&format!(
                    "waiting for another process that is fetching {file}"
                ));
            }
            waits += 1;
            std::thread::sleep(LOCK_POLL);
        });
        let mut partial = match begun.map_err(not_writable)? {
            RangeDownload::Complete(extents) => return Ok(extents),
            RangeDownload::Begun(partial) => partial,
        };
        let total = range.end - range.start;
        let length = (total / MATRIX_PARTS).next_multiple_of(BLOCK);
        let length = length.clamp(MIN_PART, MAX_PART);
        let missing = partial.missing.clone().into_iter();
        let missing: Vec<Range<u64>> = missing.flat_map(|range| split(range, length)).collect();
        if missing.is_empty() {
            return partial.finish().map_err(not_writable);
        }
        let left = total_length(&missing);
        observer.note(&format!(
            "fetching {} of the {} of {}",
            megabytes(left),
            megabytes(self.len()),
            self.name
        ));
        let done = AtomicU64::new(total - left);
        observer.download_started(file, total);
        let received = |bytes: u64| {
            let done = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            observer.download_progress(file, done.min(total));
        };
        received(0);
        self.request(missing, PARALLEL_PARTS, &received, |part, bytes| {
            partial.write(part.start, &bytes).map_err(not_writable)
        })?;
        let extents = partial.finish().map_err(not_writable)?;
        observer.download_finished(file);
        Ok(extents)
    }
}

impl ByteSource for RemoteFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.file.identity.size
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        self.check(&range)?;
        if range.is_empty() {
            return Ok(Cow::Borrowed(&[]));
        }
        if let Some(bytes) = self.held(&range) {
            return Ok(Cow::Borrowed(bytes));
        }
        let fetched = if range.start < HEAD {
            0..range.end.max(HEAD.min(self.len()))
        } else {
            range.clone()
        };
        self.fetch(slice::from_ref(&fetched))?;
        if let Some(bytes) = self.held(&range) {
            return Ok(Cow::Borrowed(bytes));
        }
        self.copy_held(range)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        ranges.iter().try_for_each(|range| self.check(range))?;
        self.fetch(ranges)
    }

    fn make_local(&self, range: Range<u64>) -> Result<()> {
        self.check(&range)?;
        let _approval = self.approval();
        if range.is_empty() || self.held(&range).is_some() {
            return Ok(());
        }
        self.held.push(self.download(&range)?);
        Ok(())
    }

    fn approve(&self) {
        let mut approval = self.approval();
        if let Approval::Pending(ranges) = std::mem::replace(&mut *approval, Approval::Given) {
            let bytes = |range: Range<u64>| Some((range.start, self.held(&range)?.to_vec()));
            let parts: Vec<(u64, Vec<u8>)> = ranges.into_iter().filter_map(bytes).collect();
            if !parts.is_empty() {
                let identity = &self.file.identity;
                self.store(&Extents::new(identity.etag.as_str(), identity.size, parts));
            }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_blocks() {
        for length in [MIN_PART, MAX_PART] {
            assert_eq!(length % BLOCK, 0);
        }
    }
}
