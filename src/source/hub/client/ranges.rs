//! Byte ranges of a file of the Hub: asked for side by side, every answer checked.
//!
//! The address of a large file is the signed one that the Hub redirects to; it is asked for once and used for all
//! ranges, and asked for again when it is refused. The token goes to the Hub's own origin and to no other.

use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use ureq::http::StatusCode;

use super::announcement::Announcement;
use super::answer::broken;
use super::content_range::check_range;
use super::failure::Failure;
use super::hub_client::HubClient;
use super::hub_file::HubFile;
use super::transfer::BUFFER;
use crate::error::{Error, Result};
use crate::source::hub::address::Address;
use crate::source::hub::errors::{Asked, BROKE};

/// Bytes of stack of a thread that fetches: a TLS handshake needs some tens of KiB.
const STACK: usize = 1 << 20;

impl HubClient {
    /// Fetches ranges, none of them empty, `side_by_side` at a time, and calls `deliver` on this thread with each as it
    /// arrives. `received` hears of every few bytes, on the threads that fetch.
    ///
    /// # Errors
    /// The first error of a range or of `deliver`; earlier ranges have been delivered.
    pub(crate) fn fetch_ranges(
        &self,
        place: &HubFile,
        ranges: Vec<Range<u64>>,
        side_by_side: usize,
        received: &(dyn Fn(u64) + Sync),
        mut deliver: impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut fetch = |ranges: Vec<Range<u64>>| {
            self.fetch_with(place, ranges, side_by_side, received, &mut deliver)
        };
        let Some((left, _)) = fetch(ranges)? else {
            return Ok(());
        };
        // The address was good for a while: with a new one it goes on.
        place.set_address(None);
        match fetch(left)? {
            None => Ok(()),
            Some((_, status)) => {
                let failure = Failure::Expired(status);
                Err(failure.error(&self.asked, &place.file))
            }
        }
    }

    /// Fetches ranges with the known address, or a new one. Returns the ranges that are left if the address has expired,
    /// with the status that said so.
    fn fetch_with(
        &self,
        place: &HubFile,
        ranges: Vec<Range<u64>>,
        side_by_side: usize,
        received: &(dyn Fn(u64) + Sync),
        deliver: &mut impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<Option<(Vec<Range<u64>>, StatusCode)>> {
        let address = match place.address() {
            Some(address) => address,
            None => self.renew(place)?,
        };
        let threads = ranges.len().min(side_by_side);
        let fetch = Fetch {
            client: self,
            place,
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
        let mut settle = |(range, fetched): (Range<u64>, Result<Vec<u8>, Failed>)| match fetched {
            Ok(bytes) => deliver(range, bytes),
            Err(Failed::Failure(Failure::Expired(_))) => {
                left.push(range);
                Ok(())
            }
            Err(Failed::Failure(failure)) => {
                Err(failure.error(&self.asked_at(&address), &place.file))
            }
            Err(Failed::Error(error)) => Err(error),
        };
        if threads > 1 {
            thread::scope(|scope| {
                // Without room in it: bytes that nobody has taken yet are held by the thread that fetched them.
                let (sender, receiver) = mpsc::sync_channel(0);
                for _ in 0..threads {
                    let sender = sender.clone();
                    let work = || {
                        let sender = sender;
                        while let Some(fetched) = next() {
                            if sender.send(fetched).is_err() {
                                break;
                            }
                        }
                    };
                    let thread = thread::Builder::new().stack_size(STACK);
                    if thread.spawn_scoped(scope, work).is_err() {
                        // With fewer threads it takes longer.
                        break;
                    }
                }
                drop(sender);
                let settled = receiver.iter().try_for_each(&mut settle);
                fetch.stopped.store(settled.is_err(), Ordering::Relaxed);
                settled
            })?;
        }
        // A single range, or all of them if no thread could be started.
        while let Some(fetched) = next() {
            settle(fetched)?;
        }
        Ok(fetch.expired.get().map(|status| (left, *status)))
    }

    /// What is asked, with the host that is asked: the one of `address` may be another than the Hub.
    pub(super) fn asked_at(&self, address: &Address) -> Asked {
        let mut asked = self.asked.clone();
        if address.origin() != self.resolve.origin() {
            asked.endpoint = address.origin();
        }
        asked
    }

    /// Asks the Hub for the address of a file again.
    pub(super) fn renew(&self, place: &HubFile) -> Result<Address> {
        let announced = self.announcement(&place.commit, &place.file, &place.cost)?;
        let same = |announced: &Announcement| announced.known == place.known;
        match announced.filter(same) {
            Some(announced) => {
                place.set_address(Some(announced.address.clone()));
                Ok(announced.address)
            }
            // A commit does not change, so either answer was not of the Hub that is meant.
            None => Err(self.wrong(place, "the Hub announces another one than before")),
        }
    }

    fn wrong(&self, place: &HubFile, problem: &str) -> Error {
        Error::WrongDownload {
            model: self.asked.model.clone(),
            file: place.file.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// Ranges that are fetched with one address, by several threads.
struct Fetch<'a> {
    client: &'a HubClient,
    place: &'a HubFile,
    address: &'a Address,
    received: &'a (dyn Fn(u64) + Sync),
    /// The status that refused the address.
    expired: OnceLock<StatusCode>,
    /// Nobody takes any more bytes.
    stopped: AtomicBool,
}

/// Why a range did not come.
enum Failed {
    Failure(Failure),
    Error(Error),
}

impl Fetch<'_> {
    /// Fetches one whole range. A broken connection is made again, and the range continues where it broke off.
    fn range(&self, range: &Range<u64>) -> Result<Vec<u8>, Failed> {
        let mut bytes = Vec::new();
        let mut attempt = 0;
        loop {
            if let Some(status) = self.expired.get() {
                return Err(Failed::Failure(Failure::Expired(*status)));
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
                    Failure::Broken(problem) => Failed::Error(Error::RangeBroken {
                        model: self.client.asked.model.clone(),
                        file: self.place.file.clone(),
                        start: range.start,
                        end: range.end,
                        done: bytes.len() as u64,
                        problem,
                    }),
                    failure => Failed::Failure(failure),
                });
            }
            attempt += 1;
        }
        // A range has no digest, a whole file has one.
        let known = &self.place.known;
        if *range == (0..known.size) {
            let mut hasher = known.etag.hasher(known.size);
            hasher.update(&bytes);
            if !hasher.is(&known.etag) {
                let size = known.size;
                let problem = format!("{size} bytes came, and their digest is another one");
                return Err(Failed::Error(self.client.wrong(self.place, &problem)));
            }
        }
        Ok(bytes)
    }

    /// Asks for a range and appends its bytes to `bytes`.
    fn receive(&self, range: Range<u64>, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        let cost = &self.place.cost;
        let answer = self.client.get(self.address, Some(&range), cost)?;
        check_range(&answer, &range, self.place.known.size)?;
        // With a length, the end of the body makes the connection free for the next request.
        let has_length = answer.body().content_length().is_some();
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        let mut left = range.end - range.start;
        while left > 0 || has_length {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Failure::Broken(BROKE.to_owned()));
            }
            let read = body.read(&mut buffer);
            let read = read.map_err(|error| Failure::Broken(broken(error).to_owned()))?;
            if read == 0 {
                break;
            }
            cost.add_bytes(read as u64);
            let Some(rest) = left.checked_sub(read as u64) else {
                return Err(Failure::NotThatRange(format!(
                    "more than bytes {} to {} of it came",
                    range.start, range.end
                )));
            };
            left = rest;
            bytes.extend_from_slice(&buffer[..read]);
            (self.received)(read as u64);
        }
        match left {
            0 => Ok(()),
            _ => Err(Failure::Broken(BROKE.to_owned())),
        }
    }
}
