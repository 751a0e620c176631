//! The bytes of a JSON file → a typed value, with errors that a reader understands.

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::{Error, Result};
use crate::formats::placeholder_file;

/// Bytes of a JSON file: what is parsed takes some times as many. The largest `tokenizer.json` of published models have
/// about 40 MB.
const MAX_LENGTH: usize = 256 << 20;
/// Bytes of a file of settings. The largest that are published list thousands of added tokens in 1 MB.
const MAX_SETTINGS: usize = 8 << 20;

/// Parses the JSON file called `name`.
///
/// # Errors
/// [`Error::Damaged`] if it is not JSON of that shape, or if a web page or nothing is in its place;
/// [`Error::Unsupported`] for a git-LFS pointer.
pub fn parse<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    parse_within(MAX_LENGTH, "a JSON file", name, bytes)
}

/// As [`parse`], for a file of settings, of which some are held as they are.
///
/// # Errors
/// As [`parse`].
pub fn parse_settings<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    parse_within(MAX_SETTINGS, "a file of settings", name, bytes)
}

fn parse_within<T: for<'de> Deserialize<'de>>(
    most: usize,
    kind: &str,
    name: &str,
    bytes: &[u8],
) -> Result<T> {
    placeholder_file::refuse(name, bytes)?;
    if bytes.len() > most {
        let problem = format!(
            "it has {} bytes, and at most {most} are read of {kind}",
            bytes.len()
        );
        return Err(Error::damaged(name, problem));
    }
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

    #[test]
    fn a_file_that_is_too_long_is_refused_before_it_is_parsed() {
        // Zeros cost no memory until they are read.
        let mut bytes = vec![0; MAX_LENGTH + 1];
        bytes[0] = b'[';
        let error = parse::<serde_json::Value>("config.json", &bytes).unwrap_err();
        assert!(
            error.to_string().contains("it has 268435457 bytes"),
            "{error}"
        );
        let error = parse_settings::<serde_json::Value>("config.json", &bytes[..MAX_SETTINGS + 1]);
        let sentence = error.unwrap_err().to_string();
        assert!(
            sentence.ends_with("8388608 are read of a file of settings"),
            "{sentence}"
        );
    }
}
