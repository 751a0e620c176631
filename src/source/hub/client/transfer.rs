//! A whole file, or the rest of one, as it arrives.

use std::io::Read;

use ureq::BodyReader;

use super::answer::broken;
use super::content_range::check_range;
use super::failure::Failure;
use super::hub_client::{GOES_ON, HubClient};
use super::hub_file::HubFile;
use crate::error::Result;

/// Bytes of a body that are read at once.
pub(super) const BUFFER: usize = 64 << 10;

/// A file on its way.
pub(crate) struct Transfer {
    body: BodyReader<'static>,
    buffer: Vec<u8>,
}

impl HubClient {
    /// Starts to fetch a file from byte `start` on. Returns `None` if the server does not send the rest alone.
    pub(crate) fn transfer(&self, place: &HubFile, start: u64) -> Result<Option<Transfer>> {
        let rest = start..place.known.size;
        let mut attempt = 0;
        let mut renewed = false;
        loop {
            let address = match place.address() {
                Some(address) => address,
                None => self.renew(place)?,
            };
            let range = (start > 0).then_some(&rest);
            let answer = self.get(&address, range, &place.cost);
            let answer = answer.and_then(|answer| {
                if let Some(range) = range {
                    check_range(&answer, range, place.known.size)?;
                }
                Ok(answer)
            });
            let failure = match answer {
                Ok(answer) => {
                    return Ok(Some(Transfer {
                        body: answer.into_body().into_reader(),
                        buffer: vec![0; BUFFER],
                    }));
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::NotThatRange(_) if start > 0 => return Ok(None),
                // A signed address is good for a while: with a new one it goes on.
                Failure::Expired(_) if !renewed => {
                    renewed = true;
                    place.set_address(None);
                }
                failure if self.pause(&failure, attempt, &GOES_ON) => attempt += 1,
                failure => return Err(failure.error(&self.asked_at(&address), &place.file)),
            }
        }
    }
}

impl Transfer {
    /// Returns the next bytes; an empty slice at the end.
    ///
    /// # Errors
    /// The reason in a few words.
    pub(crate) fn next(&mut self) -> Result<&[u8], &'static str> {
        let read = self.body.read(&mut self.buffer).map_err(broken)?;
        Ok(&self.buffer[..read])
    }
}
