//! A whole file, or the rest of one, as it arrives.

use reqwest::Response;

use super::HubClient;
use super::content_range::check_range;
use super::failure::Failure;
use super::remote_place::RemotePlace;
use crate::error::Result;
use crate::source::hub_error::{BROKE, TIMED_OUT};

/// A file on its way.
pub(in crate::source) struct Transfer<'a> {
    client: &'a HubClient,
    answer: Response,
}

impl HubClient {
    /// Starts to fetch a file from byte `start` on; none if the server does not give the rest alone.
    pub(in crate::source) fn transfer(
        &self,
        place: &RemotePlace,
        start: u64,
    ) -> Result<Option<Transfer<'_>>> {
        let rest = start..place.known.size;
        self.wait(async {
            let mut attempt = 0;
            let mut renewed = false;
            loop {
                let address = match place.address() {
                    Some(address) => address,
                    None => self.renew(place).await?,
                };
                let range = (start > 0).then_some(&rest);
                let answer = self.get(&address, range, &place.cost).await;
                let answer = answer.and_then(|answer| {
                    if let Some(range) = range {
                        check_range(&answer, range, place.known.size)?;
                    }
                    Ok(answer)
                });
                let failure = match answer {
                    Ok(answer) => {
                        return Ok(Some(Transfer {
                            client: self,
                            answer,
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
                    failure if self.pause(&failure, attempt).await => attempt += 1,
                    failure => return Err(failure.error(&self.asked_at(&address), &place.file)),
                }
            }
        })?
    }
}

impl Transfer<'_> {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// The reason in a few words.
    pub(in crate::source) fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let (client, limit) = (self.client, self.client.download_timeout);
        let next = async { tokio::time::timeout(limit, self.answer.chunk()).await };
        match client.wait(next) {
            Ok(Ok(Ok(chunk))) => Ok(chunk.map(Vec::from)),
            Ok(Ok(Err(error))) if !error.is_timeout() => Err(BROKE.to_owned()),
            Ok(_) => Err(TIMED_OUT.to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
