//! What all connections of a Hub share: its repositories, the pending faults, and the log of requests.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use sha1::{Digest, Sha1};

use super::digests::{git_blob, hex, sha256};
use super::fault::Fault;

/// Files of this many bytes or more are served by the CDN.
pub const LARGE: usize = 1000;
/// The token that gives access to gated and private repositories.
pub const GOOD_TOKEN: &str = "hf_good";

/// Who may read a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Visible to everyone, readable with the good token.
    Gated,
    /// Invisible without the good token.
    Private,
}

/// One request, as it was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub cdn: bool,
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub status: u16,
    /// Bytes of the body sent.
    pub bytes: usize,
    pub token: bool,
    /// True if the request has a password for a proxy.
    pub proxy_password: bool,
}

pub type Files = BTreeMap<String, Arc<Content>>;

/// A file with its digests, computed once.
pub struct Content {
    pub bytes: Vec<u8>,
    pub sha256: String,
    pub git_blob: String,
}

pub struct Repository {
    pub access: Access,
    /// By commit; the last one is `main`.
    pub versions: Vec<(String, Files)>,
}

#[derive(Default)]
pub struct Shared {
    pub repositories: Mutex<BTreeMap<String, Repository>>,
    /// The commits that [`Hub::publish_as`](super::Hub::publish_as) claims, by the true commits of their files.
    pub claims: Mutex<BTreeMap<String, String>>,
    pub faults: Mutex<Vec<(Fault, usize)>>,
    pub log: Mutex<Vec<Served>>,
    pub stopped: AtomicBool,
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            sha256: sha256(bytes),
            git_blob: git_blob(bytes),
        }
    }
}

pub fn with_digests(files: &[(&str, &[u8])]) -> Files {
    files
        .iter()
        .map(|(name, content)| ((*name).to_owned(), Arc::new(Content::new(content))))
        .collect()
}

pub fn commit(files: &Files) -> String {
    let mut sha1 = Sha1::new();
    for (name, content) in files {
        sha1.update(format!("{name} {}\n", content.sha256));
    }
    hex(&sha1.finalize())
}

pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
