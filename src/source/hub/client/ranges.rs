//! Byte ranges of a file, requested in parallel, with every answer checked.
//!
//! The signed address of a large file is requested once, used for all ranges, and requested again when it is refused.

use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use ureq::http::StatusCode;

use super::announcement::Announcement;
use super::answer::describe_break;
use super::content_range::check_range;
use super::failure::Failure;
use super::hub_client::HubClient;
use super::hub_file::HubFile;
use super::transfer::BUFFER;
use crate::error::{Error, Result};
use crate::source::hub::address::Address;
use crate::source::hub::errors::{DISCONNECTED, Subject};

/// Bytes of stack per fetching thread. A TLS handshake needs some tens of KiB.
const STACK: usize = 1 << 20;

impl HubClient {
    /// Fetches ranges, none of them empty, with up to `parallel` requests at a time. Calls `deliver` on this thread
    /// with each range as it arrives, and `received` on the fetching threads with the number of bytes of each read.
    ///
    /// # Errors
    /// Returns the first error of a range or of `deliver`. Earlier ranges have been delivered.
    pub(crate) fn fetch_ranges(
        &self,
        file: &HubFile,
        ranges: Vec<Range<u64>>,
        parallel: usize,
        received: &(dyn Fn(u64) + Sync),
        mut deliver: impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut fetch = |ranges: Vec<Range<u64>>| {
            self.fetch_with(file, ranges, parallel, received, &mut deliver)
        };
        let Some((left, _)) = fetch(ranges)? else {
            return Ok(());
        };
        // The address has expired: continue with a new one.
        file.set_address(None);
        match fetch(left)? {
            None => Ok(()),
            Some((_, status)) => {
                let failure = Failure::Expired(status);
                Err(failure.error(&self.subject, &file.name))
            }
        }
    }

    /// Fetches ranges with the known address, or with a new one. If the address expires, returns the remaining ranges
    /// and the status that refused the address.
    fn fetch_with(
        &self,
        file: &HubFile,
        ranges: Vec<Range<u64>>,
        parallel: usize,
        received: &(dyn Fn(u64) + Sync),
        deliver: &mut impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<Option<(Vec<Range<u64>>, StatusCode)>> {
        let address = match file.address() {
            Some(address) => address,
            None => self.renew(file)?,
        };
        let threads = ranges.len().min(parallel);
        let fetch = Fetch {
            client: self,
            file,
            address: &address,
            received,
            expired: OnceLock::new(),
            stopped: AtomicBool::new(false),
        };
        let queue = Mutex::new(ranges.into_iter());
        let next = || {
            let range = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next()?;
            let fetched = fetch.range(&range);
            Some((range, fetched))
        };
        let mut left = Vec::new();
        let mut settle =
            |(range, fetched): (Range<u64>, Result<Vec<u8>, RangeFailure>)| match fetched {
                Ok(bytes) => deliver(range, bytes),
                Err(RangeFailure::Failure(Failure::Expired(_))) => {
                    left.push(range);
                    Ok(())
                }
                Err(RangeFailure::Failure(failure)) => {
                    Err(failure.error(&self.subject_at(&address), &file.name))
                }
                Err(RangeFailure::Error(error)) => Err(error),
            };
        if threads > 1 {
            in_parallel(threads, &next, &mut settle, &fetch.stopped)?;
        }
        // Fetches a single range, which needs no thread, or the ranges that remain if no thread could be started.
        while let Some(fetched) = next() {
            settle(fetched)?;
        }
        Ok(fetch.expired.get().map(|status| (left, *status)))
    }

    /// Returns the subject of a request to `address`, which may be at another host than the Hub.
    pub(super) fn subject_at(&self, address: &Address) -> Subject {
        let mut subject = self.subject.clone();
        if address.origin() != self.resolve.origin() {
            subject.endpoint = address.origin();
        }
        subject
    }

    /// Asks the Hub for the address of a file again.
    ///
    /// # Errors
    /// Fails if the Hub does not answer or announces another file.
    pub(super) fn renew(&self, file: &HubFile) -> Result<Address> {
        let announced = self.announcement(&file.commit, &file.name, &file.cost)?;
        let same = |announced: &Announcement| announced.identity == file.identity;
        match announced.filter(same) {
            Some(announced) => {
                file.set_address(Some(announced.address.clone()));
                Ok(announced.address)
            }
            // The files of a commit never change, so one of the two announcements is false.
            None => Err(self.wrong(file, "the Hub announced a different file before")),
        }
    }

    fn wrong(&self, file: &HubFile, problem: &str) -> Error {
        Error::WrongDownload {
            model: self.subject.model.clone(),
            file: file.name.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// Calls `next` on several threads until it returns `None`, and `settle` on this thread with each result. Sets
/// `stopped` at the first error of `settle`.
fn in_parallel<T: Send>(
    threads: usize,
    next: &(impl Fn() -> Option<T> + Sync),
    settle: &mut impl FnMut(T) -> Result<()>,
    stopped: &AtomicBool,
) -> Result<()> {
    thread::scope(|scope| {
        // Unbuffered, so that each thread holds at most one unsettled result.
        let (sender, receiver) = mpsc::sync_channel(0);
        for _ in 0..threads {
            let sender = sender.clone();
            let work = move || {
                while let Some(result) = next() {
                    if sender.send(result).is_err() {
                        break;
                    }
                }
            };
            let thread = thread::Builder::new().stack_size(STACK);
            if thread.spawn_scoped(scope, work).is_err() {
                // Fewer threads are slower but sufficient.
                break;
            }
        }
        drop(sender);
        let settled = receiver.iter().try_for_each(settle);
        stopped.store(settled.is_err(), Ordering::Relaxed);
        settled
    })
}

/// The shared state of the threads that fetch from one address.
struct Fetch<'a> {
    client: &'a HubClient,
    file: &'a HubFile,
    address: &'a Address,
    received: &'a (dyn Fn(u64) + Sync),
    /// The status that refused the address, once it has expired.
    expired: OnceLock<StatusCode>,
    /// Set when no more bytes are needed.
    stopped: AtomicBool,
}

/// The reason why a range could not be fetched.
enum RangeFailure {
    Failure(Failure),
    Error(Error),
}

impl Fetch<'_> {
    /// Fetches one whole range. If the connection breaks, a new one continues where it stopped.
    fn range(&self, range: &Range<u64>) -> Result<Vec<u8>, RangeFailure> {
        let mut bytes = Vec::new();
        let mut attempt = 0;
        loop {
            if let Some(status) = self.expired.get() {
                return Err(RangeFailure::Failure(Failure::Expired(*status)));
            }
            let rest = range.start + bytes.len() as u64..range.end;
            let failure = match self.receive(rest, &mut bytes) {
                Ok(()) => break,
                Err(failure) => failure,
            };
            if let Failure::Expired(status) = failure {
                let _ = self.expired.set(status);
            }
            if !self.client.pause(&failure, attempt, &self.stopped) {
                return Err(match failure {
                    Failure::Broken(problem) => RangeFailure::Error(Error::RangeBroken {
                        model: self.client.subject.model.clone(),
                        file: self.file.name.clone(),
                        start: range.start,
                        end: range.end,
                        done: bytes.len() as u64,
                        problem,
                    }),
                    failure => RangeFailure::Failure(failure),
                });
            }
            attempt += 1;
        }
        // The digest covers the whole file, so a shorter range cannot be verified.
        let identity = &self.file.identity;
        if *range == (0..identity.size) {
            let mut hasher = identity.etag.hasher(identity.size);
            hasher.update(&bytes);
            if !hasher.matches(&identity.etag) {
                let size = identity.size;
                let problem = format!("received {size} bytes with another digest");
                return Err(RangeFailure::Error(self.client.wrong(self.file, &problem)));
            }
        }
        Ok(bytes)
    }

    /// Requests a range and appends its bytes to `bytes`.
    fn receive(&self, range: Range<u64>, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        let cost = &self.file.cost;
        let answer = self.client.get(self.address, Some(&range), cost)?;
        check_range(&answer, &range, self.file.identity.size)?;
        // Reading a body of known length to its end returns the connection to the pool.
        let has_length = answer.body().content_length().is_some();
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        let mut left = range.end - range.start;
        while left > 0 || has_length {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Failure::Broken(DISCONNECTED.to_owned()));
            }
            let read = body.read(&mut buffer);
            let read = read.map_err(|error| Failure::Broken(describe_break(error).to_owned()))?;
            if read == 0 {
                break;
            }
            cost.add_bytes(read as u64);
            let Some(rest) = left.checked_sub(read as u64) else {
                return Err(Failure::NotThatRange(format!(
                    "the server sends more than bytes {} to {}",
                    range.start, range.end
                )));
            };
            left = rest;
            bytes.extend_from_slice(&buffer[..read]);
            (self.received)(read as u64);
        }
        if left > 0 {
            return Err(Failure::Broken(DISCONNECTED.to_owned()));
        }
        Ok(())
    }
}
