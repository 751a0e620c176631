//! Downloads of a small file into memory.

use std::io::Read;

use ureq::BodyReader;
use ureq::http::header::CONTENT_LENGTH;

use super::answer::describe_break;
use super::failure::Failure;
use super::headers::header;
use super::hub_client::{HubClient, NEVER_STOPPED};
use super::transfer::BUFFER;
use crate::error::Result;
use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;

impl HubClient {
    /// Fetches the file at an address, which is called `name` in errors.
    ///
    /// # Errors
    /// Fails if the server refuses the file or does not answer, or if the file has more than `max_bytes` bytes.
    pub(crate) fn whole(&self, address: &Address, name: &str, max_bytes: u64) -> Result<Vec<u8>> {
        let mut attempt = 0;
        loop {
            let failure = match self.try_whole(address, name, max_bytes) {
                Ok(bytes) => {
                    self.observer.download_finished(name);
                    return Ok(bytes);
                }
                Err(failure) => failure,
            };
            if self.pause(&failure, attempt, &NEVER_STOPPED) {
                attempt += 1;
                continue;
            }
            return Err(match failure {
                // The statuses have no other meaning than at the Hub.
                Failure::Refused { status, .. } => {
                    self.subject.unexpected_status(name, status.as_u16())
                }
                failure => failure.error(&self.subject, name),
            });
        }
    }

    fn try_whole(&self, address: &Address, name: &str, max_bytes: u64) -> Result<Vec<u8>, Failure> {
        let too_long = || Failure::TooLong(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        let answer = self.get(address, None, &Cost::default())?;
        let length = header(answer.headers(), &CONTENT_LENGTH);
        let length: Option<u64> = length.and_then(|length| length.parse().ok());
        if length.is_some_and(|length| length > max_bytes) {
            return Err(too_long());
        }
        self.observer.download_started(name, length.unwrap_or(0));
        let mut body: BodyReader<'_> = answer.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        let mut bytes = Vec::new();
        loop {
            let read = body.read(&mut buffer);
            let read = read.map_err(|error| Failure::Broken(describe_break(error).to_owned()))?;
            if read == 0 {
                return Ok(bytes);
            }
            bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if bytes.len() as u64 > max_bytes {
                return Err(too_long());
            }
            self.observer.download_progress(name, bytes.len() as u64);
        }
    }
}
