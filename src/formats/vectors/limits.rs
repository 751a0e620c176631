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

/// Returns the error for a file that has another number of vectors than it claims, or none.
pub fn check_rows(file: &dyn ByteSource, found: u64, claimed: Option<u64>) -> Result<()> {
    match claimed {
        Some(claimed) if claimed != found => {
            let claimed = counted(claimed, "vector");
            let problem = format!("line 1 claims {claimed}, but it has {found}");
            Err(with_wrong_counts(Error::damaged(file.name(), problem)))
        }
        _ if found == 0 => Err(Error::damaged(file.name(), "it has no vectors")),
        _ => Ok(()),
    }
}

/// Adds the hint for a file that is not as its first line says.
pub fn with_wrong_counts(error: Error) -> Error {
    error.with_hint(
        "download the file again or, if it is complete, correct line 1: the numbers of vectors and of values in each",
    )
}

/// Returns a number with its unit, which gets an "s" unless the number is 1.
pub fn counted(number: u64, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    }
}

/// Shows bytes of a file in an error.
pub fn shown(bytes: &[u8]) -> String {
    let text: Cow<'_, str> =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(400)).unwrap_or(bytes));
    crate::formats::quote::quote(&text)
}
