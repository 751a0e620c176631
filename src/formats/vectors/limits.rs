//! Limits of files of vectors, and what their readers share.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::source::ByteSource;

/// The maximum number of words. The largest collections have about 12 million.
pub const MAX_WORDS: u64 = 1 << 25;
/// The maximum number of values of a vector.
pub const MAX_COLUMNS: u64 = 1 << 16;
/// The maximum length of a word in bytes.
pub const MAX_WORD: usize = 1 << 16;

/// The first vector of a file.
#[derive(Debug)]
pub struct Place {
    /// The offset of its word.
    pub start: u64,
    /// The number of vectors that the file claims to have.
    pub rows: Option<u64>,
    /// The number of the line, from 1.
    pub line: u64,
}

/// Returns the error for a file that has more vectors than are read, or another number than it claims.
pub fn check_rows(file: &dyn ByteSource, found: u64, claimed: Option<u64>) -> Result<()> {
    let problem = match claimed {
        Some(claimed) if claimed != found => {
            format!("its first line claims {claimed} vectors, but it has {found}")
        }
        _ if found == 0 => "it has no vectors".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::damaged(file.name(), problem))
}

/// Shows bytes of a file in an error.
pub fn shown(bytes: &[u8]) -> String {
    let text: Cow<'_, str> =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(400)).unwrap_or(bytes));
    crate::formats::quote::quote(&text)
}
