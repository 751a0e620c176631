//! What is known about the files of a model, and where a look-up can end.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::byte_source::ByteSource;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct ModelState {
    pub(crate) commit: Option<String>,
    /// All files of the commit, once the Hub has listed them, with their sizes once it has told them.
    pub(crate) listing: Option<BTreeMap<String, Option<u64>>>,
    /// The network failed while the cache had files of the commit: it is not tried again.
    pub(crate) unreachable: Option<String>,
}

/// Where a file is.
pub(crate) enum Location {
    /// In the cache.
    Here(Arc<dyn ByteSource>),
    /// On the Hub, which lists it for the commit.
    Listed(String),
    /// The commit does not have it.
    Absent(String),
    /// Nowhere, as far as can be known without the network.
    Nowhere,
}

/// What the cache says about a file.
pub(crate) enum CacheEntry {
    File(Arc<dyn ByteSource>),
    /// What is kept as the file is not it: what it is.
    Damaged(&'static str),
    /// The commit has no such file.
    Absent,
    Unknown,
}
