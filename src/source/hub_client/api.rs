//! Questions to the Hub's API → the commit of a revision, its files and their sizes.
//!
//! hf-hub says what the answers look like; it would read them whole, however long they are, so that they are asked for
//! here. Nothing vouches for such an answer but the place it comes from: redirects are followed within the Hub only.

use hf_hub::repository::{ModelInfo, RepoTreeEntry};
use reqwest::header::{LINK, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::answer::broken;
use super::content_range::text;
use super::failure::Failure;
use super::redirect::{follow, without_end};
use super::{FILE_LIST, HubClient, REDIRECTS};
use crate::error::Result;
use crate::source::hub_cache::is_commit;
use crate::source::hub_error::NOT_THE_HUB;

/// Bytes that the answers to one question have at most, all pages together: the names of some 300,000 files.
const LARGEST_ANSWER: usize = 32 << 20;
/// What a page counts for beside its bytes, so that there is an end of empty ones. The Hub puts 1000 files on one.
const PAGE: usize = 32 << 10;

impl HubClient {
    /// The commit that `revision` is now, and the names of its files.
    pub(in crate::source) fn commit(&self, revision: &str) -> Result<(String, Vec<String>)> {
        let mut url = self.api_address("revision", revision);
        url.query_pairs_mut()
            .append_pair("expand", "sha")
            .append_pair("expand", "siblings");
        let info: ModelInfo = self.ask(FILE_LIST, self.etag_timeout, async || {
            let mut room = LARGEST_ANSWER;
            let (info, _) = self.json(url.clone(), &mut room).await?;
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
    pub(in crate::source) fn sizes(&self, commit: &str) -> Result<Vec<(String, u64)>> {
        let mut first = self.api_address("tree", commit);
        first.query_pairs_mut().append_pair("recursive", "true");
        self.ask(FILE_LIST, self.etag_timeout, async || {
            let mut room = LARGEST_ANSWER;
            let mut next = Some(first.clone());
            let mut sizes = Vec::new();
            while let Some(url) = next {
                let (entries, after) = self.json::<Vec<RepoTreeEntry>>(url, &mut room).await?;
                sizes.extend(entries.into_iter().filter_map(|entry| match entry {
                    RepoTreeEntry::File { path, size, .. } => Some((path, size)),
                    RepoTreeEntry::Directory { .. } => None,
                }));
                next = after;
            }
            Ok(sizes)
        })
    }

    /// `<endpoint>/api/models/owner/name/<what>/<revision>`.
    fn api_address(&self, what: &str, revision: &str) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend([what, revision]);
        }
        url
    }

    /// The answer at an address, of at most `room` bytes, which it uses up, and the address of the next page.
    async fn json<T: DeserializeOwned>(
        &self,
        mut url: Url,
        room: &mut usize,
    ) -> Result<(T, Option<Url>), Failure> {
        for _ in 0..REDIRECTS {
            let answer = self.send(Method::GET, &url, true, None).await?;
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
            let body = body(answer, room).await?;
            let value = serde_json::from_slice(&body).map_err(|_| Failure::NotTheHub)?;
            return Ok((value, next));
        }
        Err(without_end())
    }
}

/// The bytes of an answer, within what `room` there is.
async fn body(mut answer: Response, room: &mut usize) -> Result<Vec<u8>, Failure> {
    let mut take = |length: usize| {
        let left = room.checked_sub(length);
        *room = left.ok_or(Failure::TooLong(LARGEST_ANSWER))?;
        Ok(())
    };
    take(PAGE)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        take(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The address, if it is of the same Hub as `hub`.
fn within(hub: &Url, url: Url) -> Result<Url, Failure> {
    if url.origin() == hub.origin() {
        return Ok(url);
    }
    let place = url.origin().ascii_serialization();
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
        let hub = Url::parse("https://hub.example/api").unwrap();
        let other = |text| within(&hub, Url::parse(text).unwrap()).is_ok();
        assert!(other("https://hub.example/x"));
        assert!(!other("https://hub.example:8443/x") && !other("https://evil.example/api"));
    }
}
