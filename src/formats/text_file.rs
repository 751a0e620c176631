//! Text files, as Python opens them.

use std::borrow::Cow;

use super::placeholder_file;
use crate::error::{Error, Result};

/// Returns the text of the file called `name`. Each of `\r\n` and `\r` ends a line like `\n`, and becomes one.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the file is empty or not UTF-8, and with [`Error::Unsupported`] for a git-LFS
/// pointer.
pub fn read<'b>(name: &str, bytes: &'b [u8]) -> Result<Cow<'b, str>> {
    placeholder_file::refuse(name, bytes)?;
    let text = str::from_utf8(bytes).map_err(|error| {
        Error::damaged(
            name,
            format!("it is not UTF-8 at byte {}", error.valid_up_to()),
        )
    })?;
    Ok(if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    })
}

/// Splits a line at white space, as `str.split()` of Python does: also at the four separators of ASCII.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(is_space).filter(|word| !word.is_empty())
}

/// Removes white space from both ends, as `str.strip()` of Python does.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Removes white space from the start, as `str.lstrip()` of Python does.
pub fn trimmed_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_line_is_a_line_feed() {
        assert_eq!(read("f", b"a\r\nb\rc\n\r").unwrap(), "a\nb\nc\n\n");
        let text = "a\u{2028}b\u{85}c";
        assert_eq!(read("f", text.as_bytes()).unwrap(), text);
    }

    #[test]
    fn other_files_are_refused() {
        let error = read("vocab.txt", b"a\n\xff").unwrap_err();
        assert_eq!(
            error.to_string(),
            "vocab.txt is damaged: it is not UTF-8 at byte 2"
        );
        assert!(read("vocab.txt", b"").is_err());
        assert!(read("vocab.txt", b"<!DOCTYPE html>").is_err());
    }

    #[test]
    fn words_are_those_of_python() {
        let line: Vec<_> = words("a\u{1f}b \u{a0}c\u{200b}d ").collect();
        assert_eq!(line, ["a", "b", "c\u{200b}d"]);
        assert_eq!(trimmed("\u{1c} a b\n\u{3000}"), "a b");
    }
}
