//! The interface of the container readers.

use std::fmt;

use super::tensor::TensorListing;
use crate::error::Result;
use crate::source::ByteSource;

/// A file format of checkpoints. Each reader defines a constant of this type, and `open.rs` lists all of them.
#[derive(Clone, Copy)]
pub struct Container {
    /// The name in records.
    pub name: &'static str,
    /// Returns true if a file that begins with these bytes is in this format.
    pub(super) recognizes: fn(head: &[u8]) -> bool,
    /// Reads the headers of a file in this format.
    pub(super) list: fn(&dyn ByteSource) -> Result<TensorListing>,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
