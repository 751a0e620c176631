//! Makes JSON, CSV, and TSV safe to show on a terminal.
//!
//! JSON need not escape C1 controls, bidirectional controls, or DEL, but terminals obey or hide them. Here they become
//! `\u` escapes, which leave the value unchanged. CSV and TSV have no escapes, so they show the same replacements as
//! tables. Streams that are not terminals get every byte unchanged.

use std::io::{self, Write};

use super::escape;

/// A writer that escapes text for a terminal.
pub struct Terminal<W> {
    out: W,
    escape: fn(&str) -> std::borrow::Cow<'_, str>,
    /// The first bytes of an incomplete character.
    incomplete: Vec<u8>,
}

impl<W: Write> Terminal<W> {
    /// Creates a writer of JSON.
    pub fn json(out: W) -> Self {
        Self::with(out, escape::json)
    }

    /// Creates a writer of any other text.
    pub fn text(out: W) -> Self {
        Self::with(out, escape::safe)
    }

    fn with(out: W, escape: fn(&str) -> std::borrow::Cow<'_, str>) -> Self {
        Self {
            out,
            escape,
            incomplete: Vec::new(),
        }
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.incomplete.extend_from_slice(bytes);
        // All output is UTF-8; invalid bytes would be replaced.
        let whole = match str::from_utf8(&self.incomplete) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.incomplete.len(),
        };
        let rest = self.incomplete.split_off(whole);
        let text = String::from_utf8_lossy(&self.incomplete);
        self.out.write_all((self.escape)(&text).as_bytes())?;
        self.incomplete = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\u{202e}b\u{9b}2J\u{7f}\": \"\u{e0001}é\"}\n";

    #[test]
    fn json_keeps_its_value() {
        for size in [1, 2, 3, 100] {
            let mut out = Vec::new();
            let mut terminal = Terminal::json(&mut out);
            for part in TEXT.as_bytes().chunks(size) {
                terminal.write_all(part).unwrap();
            }
            let written = String::from_utf8(out).unwrap();
            assert_eq!(
                written,
                "{\"a\\u202eb\\u009b2J\\u007f\": \"\\udb40\\udc01é\"}\n"
            );
            let value: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert_eq!(
                value,
                serde_json::from_str::<serde_json::Value>(TEXT).unwrap()
            );
        }
    }

    #[test]
    fn other_text_shows_replacements() {
        let mut out = Vec::new();
        Terminal::text(&mut out)
            .write_all(b"a\x1b]52;c;x\x07\tb\n")
            .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a␛]52;c;x␇\tb\n");
    }
}
