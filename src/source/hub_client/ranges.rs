//! Byte ranges of a file of the Hub: asked for side by side, every answer checked.
//!
//! The address of a large file is the signed one that the Hub redirects to; it is asked for once and used for all
//! ranges, and asked for again when it is refused. The token goes to the Hub's own origin and to no other.

use std::cell::Cell;
use std::ops::Range;

use futures::StreamExt;
use reqwest::{StatusCode, Url};

use super::HubClient;
use super::announce::Announcement;
use super::answer::broken;
use super::content_range::check_range;
use super::failure::Failure;
use super::remote_place::RemotePlace;
use crate::error::{Error, Result};
use crate::source::hub_error::{Asked, BROKE, TIMED_OUT};

impl HubClient {
    /// Fetches ranges, none of them empty, `side_by_side` at a time, and gives each to `take` as it is there. `received`
    /// hears of every few bytes.
    ///
    /// # Errors
    /// That of the first range that cannot be had, or of `take`; ranges that came before have been taken.
    pub(in crate::source) fn fetch_ranges(
        &self,
        place: &RemotePlace,
        ranges: Vec<Range<u64>>,
        side_by_side: usize,
        received: &dyn Fn(u64),
        mut take: impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut fetch = async |ranges: Vec<Range<u64>>| {
            self.fetch_with(place, ranges, side_by_side, received, &mut take)
                .await
        };
        self.wait(async {
            let first = fetch(ranges).await?;
            let Some((expired, _)) = first else {
                return Ok(());
            };
            // The address was good for a while: with a new one it goes on.
            place.set_address(None);
            match fetch(expired).await? {
                None => Ok(()),
                Some((_, failure)) => Err(failure.error(&self.asked, &place.file)),
            }
        })?
    }

    /// Fetches ranges with the address that is known, or a new one. The ranges that an expired one left are returned.
    async fn fetch_with(
        &self,
        place: &RemotePlace,
        ranges: Vec<Range<u64>>,
        side_by_side: usize,
        received: &dyn Fn(u64),
        take: &mut impl FnMut(Range<u64>, Vec<u8>) -> Result<()>,
    ) -> Result<Option<(Vec<Range<u64>>, Failure)>> {
        let address = match place.address() {
            Some(address) => address,
            None => self.renew(place).await?,
        };
        let expired = Cell::new(None::<StatusCode>);
        let fetch = async |range: Range<u64>| {
            if let Some(status) = expired.get() {
                return (range, Err(Failed::Failure(Failure::Expired(status))));
            }
            let answer = self.range(place, &address, &range, received).await;
            if let Err(Failed::Failure(Failure::Expired(status))) = &answer {
                expired.set(Some(*status));
            }
            (range, answer)
        };
        let mut left = Vec::new();
        let mut answers = futures::stream::iter(ranges)
            .map(fetch)
            .buffer_unordered(side_by_side);
        while let Some((range, answer)) = answers.next().await {
            match answer {
                Ok(bytes) => take(range, bytes)?,
                Err(Failed::Failure(Failure::Expired(_))) => left.push(range),
                Err(Failed::Failure(failure)) => {
                    return Err(failure.error(&self.asked_at(&address), &place.file));
                }
                Err(Failed::Error(error)) => return Err(error),
            }
        }
        Ok(expired.get().map(|status| (left, Failure::Expired(status))))
    }

    /// What is asked, with the host that is asked: the one of `address` may be another than the Hub.
    pub(super) fn asked_at(&self, address: &Url) -> Asked {
        let mut asked = self.asked.clone();
        if address.origin() != self.resolve.origin() {
            asked.endpoint = address.origin().ascii_serialization();
        }
        asked
    }

    pub(super) async fn renew(&self, place: &RemotePlace) -> Result<Url> {
        let announced = self.announce(&place.commit, &place.file, &place.cost);
        let same = |announced: &Announcement| announced.known == place.known;
        match announced.await?.filter(same) {
            Some(announced) => {
                place.set_address(Some(announced.address.clone()));
                Ok(announced.address)
            }
            // A commit does not change, so either answer was not of the Hub that is meant.
            None => Err(self.wrong(place, "the Hub announces another one than before")),
        }
    }

    /// One range, whole; what a connection that breaks has brought is gone on with.
    async fn range(
        &self,
        place: &RemotePlace,
        address: &Url,
        range: &Range<u64>,
        received: &dyn Fn(u64),
    ) -> Result<Vec<u8>, Failed> {
        let mut bytes = Vec::new();
        let mut attempt = 0;
        loop {
            let rest = range.start + bytes.len() as u64..range.end;
            let failure = match self
                .receive(place, address, rest, &mut bytes, received)
                .await
            {
                Ok(()) => break,
                Err(failure) => failure,
            };
            if !self.pause(&failure, attempt).await {
                return Err(match failure {
                    Failure::Broken(problem) => Failed::Error(Error::RangeBroken {
                        model: self.asked.model.clone(),
                        file: place.file.clone(),
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
        let size = place.known.size;
        if *range == (0..size) {
            let mut hasher = place.known.etag.hasher(size);
            hasher.update(&bytes);
            if !hasher.is(&place.known.etag) {
                let problem = format!("{size} bytes came, and their digest is another one");
                return Err(Failed::Error(self.wrong(place, &problem)));
            }
        }
        Ok(bytes)
    }

    fn wrong(&self, place: &RemotePlace, problem: &str) -> Error {
        Error::WrongDownload {
            model: self.asked.model.clone(),
            file: place.file.clone(),
            problem: problem.to_owned(),
        }
    }

    /// Asks for a range and appends what comes of it to `bytes`.
    async fn receive(
        &self,
        place: &RemotePlace,
        address: &Url,
        range: Range<u64>,
        bytes: &mut Vec<u8>,
        received: &dyn Fn(u64),
    ) -> Result<(), Failure> {
        let silence = |_| Failure::Broken(TIMED_OUT.to_owned());
        let mut answer = self.get(address, Some(&range), &place.cost).await?;
        check_range(&answer, &range, place.known.size)?;
        let mut left = range.end - range.start;
        while left > 0 {
            let next = tokio::time::timeout(self.download_timeout, answer.chunk());
            let Some(chunk) = next.await.map_err(silence)?.map_err(broken)? else {
                return Err(Failure::Broken(BROKE.to_owned()));
            };
            place.cost.add_bytes(chunk.len() as u64);
            let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                return Err(Failure::NotThatRange(format!(
                    "more than bytes {} to {} of it came",
                    range.start, range.end
                )));
            };
            left = rest;
            bytes.extend_from_slice(&chunk);
            received(chunk.len() as u64);
        }
        Ok(())
    }
}

/// Why a range did not come.
enum Failed {
    Failure(Failure),
    Error(Error),
}
