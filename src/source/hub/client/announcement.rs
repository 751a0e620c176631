//! The announcement of a file: its digest, its size, and the address of its bytes, from the headers of a HEAD request.
//!
//! For a large file the Hub answers with a redirect to another host. The digest is in the headers of that redirect.

use std::time::Instant;

use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, ETAG, LOCATION};

use super::agent::Limit;
use super::failure::Failure;
use super::headers::{ERROR_CODE, LINKED_ETAG, LINKED_SIZE, header};
use super::hub_client::HubClient;
use super::redirect::{MAX_REDIRECTS, follow, too_many_redirects};
use crate::error::Result;
use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::errors::NOT_THE_HUB;
use crate::source::hub::etag::Etag;
use crate::source::hub::file_identity::FileIdentity;

/// The Hub's announcement of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) identity: FileIdentity,
    /// The address of the bytes. For a large file it is on another host, signed, and temporary.
    pub(crate) address: Address,
}

impl HubClient {
    /// Asks the Hub for the announcement of a file; `None` if the commit has no such file.
    ///
    /// # Errors
    /// Fails if the Hub does not answer, or refuses the file.
    pub(crate) fn announcement(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        let segments = [commit].into_iter().chain(file.split('/'));
        let url = self.resolve.child(segments);
        let url = url.ok_or_else(|| self.subject.unreachable(NOT_THE_HUB))?;
        self.retry(file, |end| self.head(url.clone(), cost, end))
    }

    fn head(
        &self,
        mut url: Address,
        cost: &Cost,
        end: Instant,
    ) -> Result<Option<Announcement>, Failure> {
        for _ in 0..MAX_REDIRECTS {
            cost.add_request();
            // Only redirects within the Hub are followed. A redirect to another host gives the address of the bytes.
            let answer = self.send(Method::HEAD, &url, true, None, Limit::Until(end))?;
            let (status, headers) = (answer.status(), answer.headers());
            let address = match header(headers, &LOCATION) {
                Some(location) if status.is_redirection() => follow(&url, location)?,
                _ => url.clone(),
            };
            if status.is_redirection() && address.origin() == url.origin() {
                url = address;
                continue;
            }
            if !(status.is_success() || status.is_redirection()) {
                if header(headers, &ERROR_CODE) == Some("EntryNotFound") {
                    return Ok(None);
                }
                return Err(Failure::refused(status, headers));
            }
            let etag = header(headers, &LINKED_ETAG).or_else(|| header(headers, &ETAG));
            let size = header(headers, &LINKED_SIZE).or_else(|| header(headers, &CONTENT_LENGTH));
            let size = size.and_then(|size| size.parse().ok());
            return match (etag.and_then(Etag::parse), size) {
                (Some(etag), Some(size)) => Ok(Some(Announcement {
                    identity: FileIdentity { etag, size },
                    address,
                })),
                _ => Err(Failure::NotTheHub),
            };
        }
        Err(too_many_redirects())
    }
}
