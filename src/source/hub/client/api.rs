//! Questions to the Hub's API → the commit of a revision, its files and their sizes.
//!
//! Nothing vouches for such an answer but the place it comes from: redirects are followed within the Hub only.

use std::io::Read;
use std::time::Instant;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Body;
use ureq::http::header::{LINK, LOCATION};
use ureq::http::{Method, StatusCode};

use super::agent::Limit;
use super::content_range::text;
use super::failure::Failure;
use super::hub_client::HubClient;
use super::redirect::{REDIRECTS, follow, without_end};
use crate::error::Result;
use crate::source::hub::address::Address;
use crate::source::hub::cache::is_commit;
use crate::source::hub::errors::NOT_THE_HUB;

/// What errors about a whole repository call the thing they did not get.
const FILE_LIST: &str = "the list of files";
/// Bytes that the answers to one question have at most, all pages together: the names of some 300,000 files.
const LARGEST_ANSWER: usize = 32 << 20;
/// What a page counts for beside its bytes, so that there is an end of empty ones. The Hub puts 1000 files on one.
const PAGE: usize = 32 << 10;

/// What the Hub says about a revision.
#[derive(Deserialize)]
struct RevisionInfo {
    sha: Option<String>,
    siblings: Option<Vec<Sibling>>,
}

/// A file of a revision.
#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// An entry of the tree of a commit.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum TreeEntry {
    File {
        path: String,
        size: u64,
    },
    /// A directory.
    #[serde(other)]
    Other,
}

impl HubClient {
    /// The commit that `revision` is now, and the names of its files.
    pub(crate) fn commit(&self, revision: &str) -> Result<(String, Vec<String>)> {
        let url = self.api_address("revision", revision, "expand=sha&expand=siblings")?;
        let info: RevisionInfo = self.insist(FILE_LIST, |end| {
            let mut room = LARGEST_ANSWER;
            let (info, _) = self.json(url.clone(), &mut room, end)?;
            Ok(info)
        })?;
        let commit = info.sha.filter(|sha| is_commit(sha));
        match (commit, info.siblings) {
            (Some(commit), Some(siblings)) => Ok((
                commit,
                siblings.into_iter().map(|file| file.rfilename).collect(),
            )),
            _ => Err(self.asked.unreachable(NOT_THE_HUB)),
        }
    }

    /// The files of a commit, each with its size in bytes.
    pub(crate) fn sizes(&self, commit: &str) -> Result<Vec<(String, u64)>> {
        let first = self.api_address("tree", commit, "recursive=true")?;
        self.insist(FILE_LIST, |end| {
            let mut room = LARGEST_ANSWER;
            let mut next = Some(first.clone());
            let mut sizes = Vec::new();
            while let Some(url) = next {
                let (entries, after) = self.json::<Vec<TreeEntry>>(url, &mut room, end)?;
                sizes.extend(entries.into_iter().filter_map(|entry| match entry {
                    TreeEntry::File { path, size } => Some((path, size)),
                    TreeEntry::Other => None,
                }));
                next = after;
            }
            Ok(sizes)
        })
    }

    /// `<endpoint>/api/models/owner/name/<what>/<revision>?<query>`.
    fn api_address(&self, what: &str, revision: &str, query: &str) -> Result<Address> {
        let url = self.api.child([what, revision]);
        url.and_then(|url| url.with_query(query))
            .ok_or_else(|| self.asked.unreachable(NOT_THE_HUB))
    }

    /// The answer at an address, of at most `room` bytes, which it uses up, and the address of the next page.
    fn json<T: DeserializeOwned>(
        &self,
        mut url: Address,
        room: &mut usize,
        end: Instant,
    ) -> Result<(T, Option<Address>), Failure> {
        for _ in 0..REDIRECTS {
            let answer = self.send(Method::GET, &url, true, None, Limit::Until(end))?;
            let status = answer.status();
            if status.is_redirection() {
                let location = text(answer.headers(), &LOCATION).ok_or(Failure::NotTheHub)?;
                url = within(&url, follow(&url, location)?)?;
                continue;
            }
            if !status.is_success() {
                return Err(match Failure::refused(status, answer.headers()) {
                    // A mirror may leave out the code.
                    Failure::Refused {
                        status: StatusCode::NOT_FOUND,
                        code: None,
                        retry_after,
                    } => Failure::Refused {
                        status: StatusCode::NOT_FOUND,
                        code: Some("RepoNotFound".to_owned()),
                        retry_after,
                    },
                    failure => failure,
                });
            }
            let next = match text(answer.headers(), &LINK).and_then(next_page) {
                Some(next) => Some(within(&url, follow(&url, next)?)?),
                None => None,
            };
            let body = body(answer.into_body(), room)?;
            let value = serde_json::from_slice(&body).map_err(|_| Failure::NotTheHub)?;
            return Ok((value, next));
        }
        Err(without_end())
    }
}

/// The bytes of an answer, within what `room` there is.
fn body(body: Body, room: &mut usize) -> Result<Vec<u8>, Failure> {
    let too_long = Failure::TooLong(LARGEST_ANSWER);
    let Some(left) = room.checked_sub(PAGE) else {
        return Err(too_long);
    };
    let mut bytes = Vec::new();
    let mut reader = body.into_reader().take(left as u64 + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::within_deadline(ureq::Error::from(error)))?;
    *room = left.checked_sub(bytes.len()).ok_or(too_long)?;
    Ok(bytes)
}

/// The address, if it is of the same Hub as `hub`.
fn within(hub: &Address, url: Address) -> Result<Address, Failure> {
    if url.origin() == hub.origin() {
        return Ok(url);
    }
    let place = url.origin();
    Err(Failure::Misled(format!(
        "it redirects to {place}, which is another host"
    )))
}

/// The next page that a `Link` header names (RFC 8288): `<https://…>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    link.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters.contains("rel=\"next\"").then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page() {
        let next = "<https://hub.example/t?cursor=a%3D>; rel=\"next\"";
        assert_eq!(next_page(next), Some("https://hub.example/t?cursor=a%3D"));
        let both = "<https://hub.example/1>; rel=\"first\", </2>; rel=\"next\"";
        assert_eq!(next_page(both), Some("/2"));
        for none in ["", "<x", "<x>; rel=\"prev\"", "x; rel=\"next\""] {
            assert_eq!(next_page(none), None, "{none}");
        }
    }

    #[test]
    fn an_answer_of_another_host_is_none() {
        let hub = Address::parse("https://hub.example/api").unwrap();
        let other = |text| within(&hub, Address::parse(text).unwrap()).is_ok();
        assert!(other("https://hub.example/x"));
        assert!(!other("https://hub.example:8443/x") && !other("https://evil.example/api"));
    }
}
