//! A file in the listing of a model.

/// A file that a model has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path within the model, with `/` between parts.
    pub name: String,
    /// In bytes, if known.
    pub size: Option<u64>,
    /// Whether it can be read without the network.
    pub cached: bool,
}
