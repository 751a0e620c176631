//! A file of the Hub that is not in the cache → its bytes, by ranges, as they are read.
//!
//! What was read is held, and what made sense ([`ByteSource::approve`]) is kept in tokscope's own cache: a second look
//! asks for nothing. Missing ranges that lie near to one another become one request; requests run side by side.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::append_list::AppendList;
use super::content::Content;
use super::extents::{BLOCK, Extents};
use super::partial::Build;
use super::plan::{join, length_of, plan, split, without};
use crate::error::{Error, Result, reason};
use crate::source::byte_source::{ByteSource, outside};
use crate::source::hub::client::HubFile;
use crate::source::hub::connection::HubConnection;

/// Bytes fetched at the front of a file when any of them are wanted: the headers of most checkpoints.
const HEAD: u64 = 64 << 10;
/// Bytes that are fetched into memory at most: a file that declares a row, or a header, of more is not read remotely.
const LARGEST_READ: u64 = 1 << 30;
/// Bytes of one request; a longer range is fetched in several.
const PIECE: u64 = 4 << 20;
/// Requests that are under way at the same time: many for rows, where each waits more than it transfers, few for a whole
/// matrix, of which an interrupted run loses what is under way.
const ROWS_AT_ONCE: usize = 8;
const PIECES_AT_ONCE: usize = 4;
/// A whole matrix comes in about so many requests of at least and at most so many bytes, multiples of [`BLOCK`].
const PIECES: u64 = 64;
const SMALLEST_PIECE: u64 = 1 << 20;
const LARGEST_PIECE: u64 = 16 << 20;
const LOCK_POLL: Duration = Duration::from_millis(100);

/// A file of one commit, of which the bytes that are read are fetched.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    /// As errors show it.
    name: String,
    connection: Arc<HubConnection>,
    place: HubFile,
    content: Content,
    held: AppendList<Extents>,
    /// Held while fetching, so that two threads do not fetch the same.
    trust: Mutex<Trust>,
}

/// Whether what is fetched may be kept.
#[derive(Debug)]
enum Trust {
    /// Not yet: these ranges were fetched and have not proved right.
    Waiting(Vec<Range<u64>>),
    Approved,
}

impl RemoteFile {
    pub(crate) fn new(connection: Arc<HubConnection>, place: HubFile, content: Content) -> Self {
        let held = AppendList::new();
        content.pieces().into_iter().for_each(|p| held.push(p));
        Self {
            name: format!("{} of `{}`", place.file, connection.model.id()),
            connection,
            place,
            content,
            held,
            trust: Mutex::new(Trust::Waiting(Vec::new())),
        }
    }

    /// The bytes of a range, where they are in one place.
    fn held(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.held.iter().find_map(|pieces| pieces.slice(range))
    }

    /// The parts of a range that are held, in order, apart from one another.
    fn parts(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        if self.held(range).is_some() {
            return vec![range.clone()];
        }
        let parts = self.held.iter().flat_map(|pieces| pieces.parts(range));
        join(parts.collect(), 0)
    }

    /// Makes sure that all of these ranges are held.
    fn fetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        let mut trust = self.trust();
        let missing = |range: &Range<u64>| without(range, &self.parts(range));
        let missing: Vec<Range<u64>> = ranges.iter().flat_map(missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let wanted = plan(missing);
        if length_of(&wanted) > LARGEST_READ {
            let bytes = length_of(&wanted);
            return Err(Error::unsupported(
                &self.name,
                format!(
                    "{bytes} bytes of it are wanted at once, and at most {LARGEST_READ} are fetched"
                ),
            ));
        }
        let mut parts = Vec::new();
        let wanted = wanted.into_iter().flat_map(|range| split(range, PIECE));
        let fetched = self.ask(wanted.collect(), ROWS_AT_ONCE, &|_| (), |range, bytes| {
            parts.push((range.start, bytes));
            Ok(())
        });
        // What came before a failure is as good as the rest.
        if !parts.is_empty() {
            let known = &self.place.known;
            let pieces = Extents::new(known.etag.as_str(), known.size, parts);
            match &mut *trust {
                Trust::Approved => self.keep(&pieces),
                Trust::Waiting(ranges) => ranges.extend(pieces.parts(&(0..known.size))),
            }
            self.held.push(pieces);
        }
        fetched
    }

    fn ask(
        &self,
        ranges: Vec<Range<u64>>,
        side_by_side: usize,
        received: &(dyn Fn(u64) + Sync),
        take: impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let client = self.connection.client(&self.place.file)?;
        let before = self.place.cost.fetched();
        let answer = client.fetch_ranges(&self.place, ranges, side_by_side, received, take);
        let after = self.place.cost.fetched();
        self.connection.options.observer.detail(&format!(
            "{}: {} bytes in {} requests, {} bytes in {} requests so far",
            self.name,
            after.bytes - before.bytes,
            after.requests - before.requests,
            after.bytes,
            after.requests
        ));
        // The rest of the model is here, or this file would not have been asked for.
        answer.map_err(|error| error.with_cached(true))
    }

    /// A cache that cannot be written costs the next run the same requests, no more.
    fn keep(&self, pieces: &Extents) {
        if let Err(error) = self.content.keep(pieces) {
            let problem = reason(&error);
            let name = &self.name;
            self.connection
                .options
                .observer
                .detail(&format!("not keeping bytes of {name}: {problem}"));
        }
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        match range.start <= range.end && range.end <= self.len() {
            true => Ok(()),
            false => Err(outside(&self.name, range, self.len())),
        }
    }

    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a range here as one piece, saying how it goes.
    fn build(&self, range: &Range<u64>) -> Result<Extents> {
        let observer = &self.connection.options.observer;
        let file = &self.place.file;
        // Without the network nothing is begun.
        self.connection.client(file)?;
        let not_writable = |error: std::io::Error| Error::RangesNotKept {
            file: self.name.clone(),
            problem: reason(&error),
        };
        let mut waits = 0;
        let build = self.content.build(range, || {
            if waits == 0 {
                observer.note(&format!("waiting for another process that fetches {file}"));
            }
            waits += 1;
            std::thread::sleep(LOCK_POLL);
        });
        let mut building = match build.map_err(not_writable)? {
            Build::Done(pieces) => return Ok(pieces),
            Build::Begun(building) => building,
        };
        let total = range.end - range.start;
        let piece = (total / PIECES).next_multiple_of(BLOCK);
        let piece = piece.clamp(SMALLEST_PIECE, LARGEST_PIECE);
        let missing = building.missing.clone().into_iter();
        let missing: Vec<Range<u64>> = missing.flat_map(|range| split(range, piece)).collect();
        let to_come = length_of(&missing);
        if missing.is_empty() {
            return building.finish().map_err(not_writable);
        }
        observer.note(&format!(
            "fetching {} of the {} of {}",
            megabytes(to_come),
            megabytes(self.len()),
            self.name
        ));
        let done = AtomicU64::new(total - to_come);
        observer.download_started(file, total);
        let received = |bytes: u64| {
            let done = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            observer.download_progress(file, done.min(total));
        };
        received(0);
        self.ask(missing, PIECES_AT_ONCE, &received, |part, bytes| {
            building.put(part.start, &bytes).map_err(not_writable)
        })?;
        let built = building.finish().map_err(not_writable)?;
        observer.download_finished(file);
        Ok(built)
    }
}

impl ByteSource for RemoteFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.place.known.size
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        self.check(&range)?;
        if range.is_empty() {
            return Ok(Cow::Borrowed(&[]));
        }
        if let Some(bytes) = self.held(&range) {
            return Ok(Cow::Borrowed(bytes));
        }
        let wanted = match range.start < HEAD {
            true => 0..range.end.max(HEAD.min(self.len())),
            false => range.clone(),
        };
        self.fetch(std::slice::from_ref(&wanted))?;
        if let Some(bytes) = self.held(&range) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = Vec::new();
        for part in self.parts(&range) {
            // A part may be made of several pieces.
            let mut at = part.start;
            while at < part.end {
                let rest = at..part.end;
                let first =
                    |pieces: &Extents| pieces.parts(&rest).into_iter().find(|p| p.start == at);
                let next = self.held.iter().find_map(first);
                let slice = next.as_ref().and_then(|next| self.held(next));
                let Some(slice) = slice else { break };
                bytes.extend_from_slice(slice);
                at += slice.len() as u64;
            }
        }
        match bytes.len() as u64 == range.end - range.start {
            true => Ok(Cow::Owned(bytes)),
            false => Err(outside(&self.name, &range, bytes.len() as u64)),
        }
    }

    fn prefetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        ranges.iter().try_for_each(|range| self.check(range))?;
        self.fetch(ranges)
    }

    fn make_local(&self, range: Range<u64>) -> Result<()> {
        self.check(&range)?;
        let _trust = self.trust();
        if range.is_empty() || self.held(&range).is_some() {
            return Ok(());
        }
        self.held.push(self.build(&range)?);
        Ok(())
    }

    fn approve(&self) {
        let mut trust = self.trust();
        if let Trust::Waiting(ranges) = std::mem::replace(&mut *trust, Trust::Approved) {
            let bytes = |range: Range<u64>| Some((range.start, self.held(&range)?.to_vec()));
            let parts: Vec<(u64, Vec<u8>)> = ranges.into_iter().filter_map(bytes).collect();
            if !parts.is_empty() {
                let known = &self.place.known;
                self.keep(&Extents::new(known.etag.as_str(), known.size, parts));
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
    fn pieces_are_whole_blocks() {
        for piece in [SMALLEST_PIECE, LARGEST_PIECE] {
            assert_eq!(piece % BLOCK, 0);
        }
    }
}
