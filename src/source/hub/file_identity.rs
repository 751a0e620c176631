//! The identity of a file on the Hub.

use super::etag::Etag;

/// The identity of a file's content on the Hub: its digest, and its size in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    pub(crate) etag: Etag,
    pub(crate) size: u64,
}
