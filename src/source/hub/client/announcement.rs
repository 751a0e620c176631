//! What the Hub says about a file before it sends it: its digest, its size, and where its bytes are.
//!
//! The answer for a large file is a redirect to another host; its digest is in the headers of that redirect.

use std::time::Instant;

use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, ETAG, HeaderName, LOCATION};

use super::agent::Limit;
use super::content_range::text;
use super::failure::{ERROR_CODE, Failure};
use super::hub_client::HubClient;
use super::redirect::{REDIRECTS, follow, without_end};
use crate::error::Result;
use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::errors::NOT_THE_HUB;
use crate::source::hub::etag::{Etag, FileIdentity};

const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// What the Hub says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) known: FileIdentity,
    /// Where its bytes are: for a large file an address at another host, signed and good for a while.
    pub(crate) address: Address,
}

impl HubClient {
    /// What the Hub announces of a file; none if the commit has no such file.
    pub(crate) fn announcement(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        let segments = [commit].into_iter().chain(file.split('/'));
        let url = self.resolve.child(segments);
        let url = url.ok_or_else(|| self.asked.unreachable(NOT_THE_HUB))?;
        self.insist(file, |end| self.head(url.clone(), cost, end))
    }

    fn head(
        &self,
        mut url: Address,
        cost: &Cost,
        end: Instant,
    ) -> Result<Option<Announcement>, Failure> {
        for _ in 0..REDIRECTS {
            cost.add_request();
            // Redirects are followed within the Hub only: another host's is where the bytes are.
            let answer = self.send(Method::HEAD, &url, true, None, Limit::Until(end))?;
            let (status, headers) = (answer.status(), answer.headers());
            let address = match text(headers, &LOCATION) {
                Some(location) if status.is_redirection() => follow(&url, location)?,
                _ => url.clone(),
            };
            if status.is_redirection() && address.origin() == url.origin() {
                url = address;
                continue;
            }
            if !(status.is_success() || status.is_redirection()) {
                if text(headers, &ERROR_CODE) == Some("EntryNotFound") {
                    return Ok(None);
                }
                return Err(Failure::refused(status, headers));
            }
            let etag = text(headers, &LINKED_ETAG).or_else(|| text(headers, &ETAG));
            let size = text(headers, &LINKED_SIZE).or_else(|| text(headers, &CONTENT_LENGTH));
            let size = size.and_then(|size| size.parse().ok());
            return match (etag.and_then(Etag::parse), size) {
                (Some(etag), Some(size)) => Ok(Some(Announcement {
                    known: FileIdentity { etag, size },
                    address,
                })),
                _ => Err(Failure::NotTheHub),
            };
        }
        Err(without_end())
    }
}
