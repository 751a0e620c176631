//! The known state of a model on the Hub, and the results of looking up a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::byte_source::ByteSource;

/// The known state of a model.
#[derive(Debug, Default)]
pub(crate) struct ModelState {
    pub(crate) commit: Option<String>,
    /// The files of the commit once the Hub has listed them, with their sizes if it was asked for those, too.
    pub(crate) listing: Option<BTreeMap<String, Option<u64>>>,
    /// The problem with the network, if it failed while the cache had files of the commit. The network is not tried
    /// again.
    pub(crate) unreachable: Option<String>,
}

/// The location of a file.
pub(crate) enum Location {
    Cached(Arc<dyn ByteSource>),
    /// Listed by the Hub for this commit.
    Listed(String),
    /// Not among the files of this commit.
    Absent(String),
    /// Not in the cache, and the Hub cannot be asked.
    Unknown,
}

/// A file in the Hub cache.
pub(crate) enum CacheEntry {
    Intact(Arc<dyn ByteSource>),
    /// The problem with the cached file.
    Damaged(&'static str),
    /// Marked as absent from the commit.
    Absent,
    Missing,
}
