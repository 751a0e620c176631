//! The Hub's API: the commit of a revision, its files, and their sizes.
//!
//! These answers have no digest to check them against, so only redirects within the Hub are followed. They are parsed as
//! they arrive, and fields that are not needed, such as a model card of megabytes, are skipped without being held.

use std::io::{self, BufReader, Read};
use std::time::Instant;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::header::{LINK, LOCATION};
use ureq::http::{Method, StatusCode};

use super::agent::Limit;
use super::bounded_list::BoundedList;
use super::failure::Failure;
use super::headers::header;
use super::hub_client::HubClient;
use super::redirect::{MAX_REDIRECTS, follow, too_many_redirects};
use crate::error::Result;
use crate::source::hub::address::Address;
use crate::source::hub::cache_layout::is_commit;
use crate::source::hub::errors::NOT_THE_HUB;

/// Stands for the name of a file in errors about a whole repository.
const FILE_LIST: &str = "the list of files";
/// The maximum size of an answer with all its pages, in bytes: enough for the names of about 300,000 files.
const MAX_ANSWER: usize = 32 << 20;
/// The maximum number of files in an answer with all its pages. Each takes up to 200 bytes of memory besides its name.
const MAX_FILES: usize = 1 << 19;
/// Bytes charged for each page in addition to its content, to limit the number of pages. The Hub lists 1,000 files per
/// page.
const PAGE_OVERHEAD: usize = 32 << 10;
/// Bytes read at a time.
const BUFFER: usize = 32 << 10;

/// The answer about a revision.
#[derive(Deserialize)]
struct RevisionInfo {
    sha: Option<String>,
    siblings: Option<BoundedList<Sibling, MAX_FILES>>,
}

/// A file of a revision.
#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// An entry in the tree of a commit, a file or a directory. It is not an enum with the kind as its tag, because serde would
/// hold all fields of an entry, of any size, until it knows the tag.
#[derive(Deserialize)]
struct TreeEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    size: Option<u64>,
}

impl HubClient {
    /// Returns the current commit of `revision` and the names of its files.
    ///
    /// # Errors
    /// Fails if the Hub does not answer, or refuses the repository.
    pub(crate) fn commit(&self, revision: &str) -> Result<(String, Vec<String>)> {
        let url = self.api_address("revision", revision, "expand=sha&expand=siblings")?;
        let info: RevisionInfo = self.retry(FILE_LIST, |end| {
            let mut room = MAX_ANSWER;
            let (info, _) = self.json::<RevisionInfo>(url.clone(), &mut room, end)?;
            match &info.siblings {
                Some(files) if files.is_cut => Err(Failure::TooManyFiles(MAX_FILES)),
                _ => Ok(info),
            }
        })?;
        let commit = info.sha.filter(|sha| is_commit(sha));
        // A commit is not a branch: it leads to itself or to nothing.
        if is_commit(revision)
            && let Some(other) = &commit
            && !other.eq_ignore_ascii_case(revision)
        {
            let problem = format!("it answers commit {other} for commit {revision}");
            return Err(self.subject.unreachable(problem));
        }
        match (commit, info.siblings) {
            (Some(commit), Some(siblings)) => {
                let names = siblings.items.into_iter().map(|file| file.rfilename);
                Ok((commit, names.collect()))
            }
            _ => Err(self.subject.unreachable(NOT_THE_HUB)),
        }
    }

    /// Returns the files of a commit with their sizes in bytes.
    ///
    /// # Errors
    /// Fails if the Hub does not answer, or refuses the repository.
    pub(crate) fn sizes(&self, commit: &str) -> Result<Vec<(String, u64)>> {
        let first = self.api_address("tree", commit, "recursive=true")?;
        self.retry(FILE_LIST, |end| {
            let mut room = MAX_ANSWER;
            let mut next = Some(first.clone());
            let mut sizes = Vec::new();
            while let Some(url) = next {
                let (entries, after) =
                    self.json::<BoundedList<TreeEntry, MAX_FILES>>(url, &mut room, end)?;
                if entries.is_cut || sizes.len() + entries.items.len() > MAX_FILES {
                    return Err(Failure::TooManyFiles(MAX_FILES));
                }
                for entry in entries.items.into_iter().filter(TreeEntry::is_file) {
                    sizes.push((entry.path, entry.size.ok_or(Failure::NotTheHub)?));
                }
                next = after;
            }
            Ok(sizes)
        })
    }

    /// Returns `<endpoint>/api/models/owner/name/<what>/<revision>?<query>`.
    fn api_address(&self, what: &str, revision: &str, query: &str) -> Result<Address> {
        let url = self.api.child([what, revision]);
        url.and_then(|url| url.with_query(query))
            .ok_or_else(|| self.subject.unreachable(NOT_THE_HUB))
    }

    /// Requests an answer of at most `room` bytes and subtracts its length from `room`. Returns the answer and the
    /// address of the next page.
    fn json<T: DeserializeOwned>(
        &self,
        mut url: Address,
        room: &mut usize,
        end: Instant,
    ) -> Result<(T, Option<Address>), Failure> {
        for _ in 0..MAX_REDIRECTS {
            let answer = self.send(Method::GET, &url, true, None, Limit::Until(end))?;
            let status = answer.status();
            if status.is_redirection() {
                let location = header(answer.headers(), &LOCATION).ok_or(Failure::NotTheHub)?;
                url = require_same_origin(&url, follow(&url, location)?)?;
                continue;
            }
            if !status.is_success() {
                return Err(match Failure::refused(status, answer.headers()) {
                    // Mirrors may omit the error code.
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
            let next = match header(answer.headers(), &LINK).and_then(next_page) {
                Some(next) => Some(require_same_origin(&url, follow(&url, next)?)?),
                None => None,
            };
            let mut body = Limited {
                reader: answer.into_body().into_reader(),
                room: room.checked_sub(PAGE_OVERHEAD),
            };
            let value = serde_json::from_reader(BufReader::with_capacity(BUFFER, &mut body));
            *room = body.room.ok_or(Failure::TooLong(MAX_ANSWER))?;
            let value = value.map_err(|problem| match problem.is_io() {
                true => Failure::within_deadline(ureq::Error::from(io::Error::from(problem))),
                false => Failure::NotTheHub,
            })?;
            return Ok((value, next));
        }
        Err(too_many_redirects())
    }
}

impl TreeEntry {
    fn is_file(&self) -> bool {
        self.kind == "file"
    }
}

/// The body of an answer, which must not be longer than the room for it.
struct Limited<R> {
    reader: R,
    /// The number of bytes that may follow. `None` once there were too many.
    room: Option<usize>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.room = self.room.and_then(|room| room.checked_sub(length));
        match self.room {
            Some(_) => Ok(length),
            None => Err(io::Error::other("the answer is too long")),
        }
    }
}

/// Returns `url` if it has the same origin as `hub`.
fn require_same_origin(hub: &Address, url: Address) -> Result<Address, Failure> {
    if url.origin() == hub.origin() {
        return Ok(url);
    }
    let origin = url.origin();
    Err(Failure::Misled(format!(
        "it redirects to {origin}, which is another host"
    )))
}

/// Returns the next page in a `Link` header (RFC 8288): `<https://…>; rel="next"`.
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
    fn the_next_page_is_found_in_a_link_header() {
        let next = "<https://hub.example/t?cursor=a%3D>; rel=\"next\"";
        assert_eq!(next_page(next), Some("https://hub.example/t?cursor=a%3D"));
        let both = "<https://hub.example/1>; rel=\"first\", </2>; rel=\"next\"";
        assert_eq!(next_page(both), Some("/2"));
        for none in ["", "<x", "<x>; rel=\"prev\"", "x; rel=\"next\""] {
            assert_eq!(next_page(none), None, "{none}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        let hub = Address::parse("https://hub.example/api").unwrap();
        let is_same = |text| require_same_origin(&hub, Address::parse(text).unwrap()).is_ok();
        assert!(is_same("https://hub.example/x"));
        assert!(!is_same("https://hub.example:8443/x") && !is_same("https://evil.example/api"));
    }
}
