//! A file in the listing of a model.

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The path within the model, with `/` between its parts.
    pub name: String,
    /// The size in bytes, if known.
    pub size: Option<u64>,
    /// True if the file can be read without the network.
    pub cached: bool,
}
