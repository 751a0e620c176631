//! Parses JSON files, with error messages that name the file and the problem.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::error::Category;

use super::plain_words::in_plain_words;
use super::python::{self, JsonError, Problem};
use crate::error::{Error, Result};
use crate::formats::placeholder_file::{self, BYTE_ORDER_MARK};

/// Bytes of a JSON file; the parsed value takes several times as many. The largest published `tokenizer.json` files
/// have about 40 MB.
const MAX_BYTES: usize = 256 << 20;
/// Bytes of a settings file. The largest published ones list thousands of added tokens in 1 MB.
pub const MAX_SETTINGS_BYTES: usize = 8 << 20;

/// Parses the JSON file called `name` strictly, as the libraries in Rust that read it do.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it does not have the expected content, is empty, or is a web page, and with
/// [`Error::Unsupported`] if it is a git-LFS pointer.
pub fn parse<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    check(MAX_BYTES, "a JSON file", name, bytes)?;
    // In a text, strings need not be checked one by one.
    let parsed = match str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    parsed.map_err(|error| {
        let problem = match error.classify() {
            Category::Eof => ends_early(error.line()),
            Category::Syntax | Category::Io => not_json(&error),
            Category::Data => in_plain_words(&error.to_string()),
        };
        Error::damaged(name, problem)
    })
}

/// Parses the JSON file called `name` as Python does.
///
/// # Errors
/// Fails like [`parse`].
pub fn parse_python<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    check(MAX_BYTES, "a JSON file", name, bytes)?;
    python::from_slice(bytes).map_err(|error| damaged(name, &error))
}

/// Parses a value of a user's input as Python does.
///
/// # Errors
/// Fails if `bytes` is not one value.
pub fn parse_value(bytes: &[u8]) -> Result<serde_json::Value, JsonError> {
    python::from_slice(bytes)
}

/// Parses the settings file called `name` as Python does. Its limit is lower than that of [`parse`], because some
/// settings are kept as JSON values.
///
/// # Errors
/// Fails like [`parse`].
pub fn parse_settings<T: for<'de> Deserialize<'de>>(name: &str, bytes: &[u8]) -> Result<T> {
    check_settings(name, bytes)?;
    python::from_slice(bytes).map_err(|error| damaged(name, &error))
}

/// Parses the settings file called `name` like [`parse_settings`], into three structs with different fields of one
/// object.
///
/// # Errors
/// Fails like [`parse`].
pub fn parse_three_settings<A, B, C>(name: &str, bytes: &[u8]) -> Result<(A, B, C)>
where
    A: for<'de> Deserialize<'de>,
    B: for<'de> Deserialize<'de>,
    C: for<'de> Deserialize<'de>,
{
    check_settings(name, bytes)?;
    python::three_from_slice(bytes).map_err(|error| damaged(name, &error))
}

fn check_settings(name: &str, bytes: &[u8]) -> Result<()> {
    check(MAX_SETTINGS_BYTES, "a settings file", name, bytes)
}

fn damaged(name: &str, error: &JsonError) -> Error {
    let problem = match error.problem {
        Problem::EndsEarly => ends_early(error.line),
        Problem::Syntax => not_json(error),
        Problem::Content => in_plain_words(&error.to_string()),
    };
    Error::damaged(name, problem)
}

fn ends_early(line: usize) -> String {
    format!("it ends early, in line {line}")
}

fn not_json(error: &dyn Display) -> String {
    format!("it is not JSON: {error}")
}

/// Refuses a file that is a placeholder, too long, or after a byte order mark, which neither Rust nor Python reads.
fn check(max_bytes: usize, kind: &str, name: &str, bytes: &[u8]) -> Result<()> {
    placeholder_file::refuse(name, bytes)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        let error = Error::damaged(name, "it begins with a byte order mark, which JSON may not");
        return Err(error.with_hint("save it as UTF-8 without a byte order mark"));
    }
    if bytes.len() > max_bytes {
        let problem = format!(
            "it has {} bytes, but {kind} may have at most {max_bytes}",
            bytes.len()
        );
        return Err(Error::damaged(name, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_with_the_file() {
        for (bytes, problem) in [
            (&b"{\"a\": 1,\n"[..], "it ends early, in line"),
            (
                b"garbage",
                "it is not JSON: expected value at line 1 column 1",
            ),
            (
                b"[1]",
                "expected an object, found a list at line 1 column 0",
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
    fn a_byte_order_mark_is_named() {
        let bytes = b"\xef\xbb\xbf{}";
        let errors = [
            parse::<serde_json::Value>("vocab.json", bytes).unwrap_err(),
            parse_python::<serde_json::Value>("vocab.json", bytes).unwrap_err(),
            parse_settings::<serde_json::Value>("vocab.json", bytes).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                error.to_string(),
                "vocab.json is damaged: it begins with a byte order mark, which JSON may not"
            );
            let hint = "save it as UTF-8 without a byte order mark";
            assert_eq!(error.hint().as_deref(), Some(hint));
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_before_it_is_parsed() {
        // Pages of zeros take no memory until they are read.
        let mut bytes = vec![0; MAX_BYTES + 1];
        bytes[0] = b'[';
        let error = parse::<serde_json::Value>("config.json", &bytes).unwrap_err();
        assert!(
            error.to_string().contains("it has 268435457 bytes"),
            "{error}"
        );
        let error =
            parse_settings::<serde_json::Value>("config.json", &bytes[..MAX_SETTINGS_BYTES + 1]);
        let sentence = error.unwrap_err().to_string();
        assert!(
            sentence.ends_with("but a settings file may have at most 8388608"),
            "{sentence}"
        );
    }
}
