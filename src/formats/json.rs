//! The bytes of a JSON file → a typed value, with errors that a reader understands.

use serde::Deserialize;
use serde_json::error::Category;

use super::stand_in;
use crate::error::{Error, Result};

/// Parses the JSON file called `name`.
///
/// # Errors
/// [`Error::Damaged`] if it is not JSON of that shape, or if a web page or nothing is in its place;
/// [`Error::Unsupported`] for a git-LFS pointer.
pub fn parse<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    stand_in::refuse(name, bytes)?;
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = match error.classify() {
            Category::Eof => format!("it breaks off in line {}", error.line()),
            Category::Syntax | Category::Io => format!("it is not JSON: {error}"),
            Category::Data => error.to_string(),
        };
        Error::damaged(name, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_the_file_is_not() {
        for (bytes, problem) in [
            (&b"{\"a\": 1,\n"[..], "it breaks off in line"),
            (
                b"garbage",
                "it is not JSON: expected value at line 1 column 1",
            ),
            (
                b"[1]",
                "invalid type: sequence, expected a map at line 1 column 0",
            ),
        ] {
            let error = parse::<std::collections::BTreeMap<String, u32>>("config.json", bytes);
            let error = error.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("config.json is damaged: {problem}")),
                "{error}"
            );
        }
    }
}
