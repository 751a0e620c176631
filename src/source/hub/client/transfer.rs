//! Downloads of a whole file, or of the rest of a partial one.

use std::io::Read;

use ureq::BodyReader;

use super::answer::describe_break;
use super::content_range::check_range;
use super::failure::Failure;
use super::hub_client::{HubClient, NEVER_STOPPED};
use super::hub_file::HubFile;
use crate::error::Result;

/// Bytes of a body read at a time.
pub(super) const BUFFER: usize = 64 << 10;

/// A file that is being downloaded.
pub(crate) struct Transfer {
    body: BodyReader<'static>,
    buffer: Vec<u8>,
}

impl HubClient {
    /// Starts downloading a file at byte `start`. Returns `None` if the server cannot start there.
    ///
    /// # Errors
    /// Fails if the server refuses the file or does not answer.
    pub(crate) fn transfer(&self, file: &HubFile, start: u64) -> Result<Option<Transfer>> {
        let rest = start..file.identity.size;
        let mut attempt = 0;
        let mut renewed = false;
        loop {
            let address = match file.address() {
                Some(address) => address,
                None => self.renew(file)?,
            };
            let range = (start > 0).then_some(&rest);
            let answer = self.get(&address, range, &file.cost);
            let answer = answer.and_then(|answer| {
                if let Some(range) = range {
                    check_range(&answer, range, file.identity.size)?;
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
                // Signed addresses expire: continue with a new one.
                Failure::Expired(_) if !renewed => {
                    renewed = true;
                    file.set_address(None);
                }
                failure if self.pause(&failure, attempt, &NEVER_STOPPED) => attempt += 1,
                failure => return Err(failure.error(&self.subject_at(&address), &file.name)),
            }
        }
    }
}

impl Transfer {
    /// Returns the next bytes, or an empty slice at the end.
    ///
    /// # Errors
    /// Returns a description of the problem if no more bytes arrive.
    pub(crate) fn next(&mut self) -> Result<&[u8], &'static str> {
        let read = self.body.read(&mut self.buffer).map_err(describe_break)?;
        Ok(&self.buffer[..read])
    }
}
