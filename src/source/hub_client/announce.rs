//! What the Hub says about a file before it sends it: its digest, its size, and where its bytes are.
//!
//! hf-hub's `list_tree` does not carry the sha256 of large files, and its `get_file_metadata` follows the redirect that
//! has them.

use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderName, LOCATION};
use reqwest::{Method, Url};

use super::content_range::text;
use super::failure::Failure;
use super::redirect::{follow, without_end};
use super::remote_place::Cost;
use super::{ERROR_CODE, HubClient, REDIRECTS};
use crate::error::Result;
use crate::source::hub_digest::Etag;
use crate::source::range_store::Known;

const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// What the Hub says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Announcement {
    pub(in crate::source) known: Known,
    /// Where its bytes are: for a large file an address at another host, signed and good for a while.
    pub(in crate::source) address: Url,
}

impl HubClient {
    /// What the Hub announces of a file; none if the commit has no such file.
    pub(in crate::source) fn announcement(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        self.wait(self.announce(commit, file, cost))?
    }

    pub(super) async fn announce(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        let mut url = self.resolve.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(commit).extend(file.split('/'));
        }
        self.insist(file, self.etag_timeout, || self.head(url.clone(), cost))
            .await
    }

    async fn head(&self, mut url: Url, cost: &Cost) -> Result<Option<Announcement>, Failure> {
        for _ in 0..REDIRECTS {
            cost.add_request();
            // Redirects are followed within the Hub only: another host's is where the bytes are.
            let answer = self.send(Method::HEAD, &url, true, None).await?;
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
                    known: Known { etag, size },
                    address,
                })),
                _ => Err(Failure::NotTheHub),
            };
        }
        Err(without_end())
    }
}
