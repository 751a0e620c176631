//! A terminal that records are written to in a format for programs → the same, with what would steer it spelled out.
//!
//! JSON escapes few of the characters that terminals obey or hide: neither C1 controls, nor bidirectional ones, nor
//! DEL. They are escaped here as JSON allows, so that the value stays what it is. CSV and TSV know no escapes, and
//! show the stand-ins that tables have. Whatever else reads the stream gets every byte as it is.

use std::io::{self, Write};

use super::escape;

/// A terminal's stream.
pub struct Terminal<W> {
    out: W,
    escape: fn(&str) -> std::borrow::Cow<'_, str>,
    /// The beginning of a character whose end is still to come.
    begun: Vec<u8>,
}

impl<W: Write> Terminal<W> {
    /// For JSON.
    pub fn json(out: W) -> Self {
        Self::with(out, escape::json)
    }

    /// For text of any other format.
    pub fn text(out: W) -> Self {
        Self::with(out, escape::safe)
    }

    fn with(out: W, escape: fn(&str) -> std::borrow::Cow<'_, str>) -> Self {
        Self {
            out,
            escape,
            begun: Vec::new(),
        }
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        // Records are UTF-8; bytes that were not would be replaced.
        let whole = match str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        let text = String::from_utf8_lossy(&self.begun);
        self.out.write_all((self.escape)(&text).as_bytes())?;
        self.begun = rest;
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
    fn other_text_shows_stand_ins() {
        let mut out = Vec::new();
        Terminal::text(&mut out)
            .write_all(b"a\x1b]52;c;x\x07\tb\n")
            .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a␛]52;c;x␇\tb\n");
    }
}
