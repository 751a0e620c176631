//! Splits an input into texts: one whole text, one per line, or one per JSON object.

use std::borrow::Cow;

use super::json_text::{NoText, json_text};
use super::line_blocks::Block;
use crate::error::{Error, Result};
use clap::Args;

/// Options that control how the bytes of an input become texts.
#[derive(Debug, Clone, Default, Args)]
pub struct InputFormat {
    /// Treat each line as a separate input
    #[arg(long, conflicts_with = "jsonl")]
    pub lines: bool,
    /// Treat each line as a JSON string, or as an object with the text in a field
    #[arg(long)]
    pub jsonl: bool,
    /// The field that holds the text, with --jsonl; dots lead into objects, as in meta.text
    #[arg(long, value_name = "NAME", default_value = "text", requires = "jsonl")]
    pub field: String,
    /// Remove one final newline from the text
    #[arg(long)]
    pub chomp: bool,
    #[command(flatten)]
    pub utf8: Utf8Args,
    /// True if the JSON of a line is the text, and not one of its fields.
    #[arg(skip)]
    pub is_json: bool,
}

/// `--lossy`, for commands that read text.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Utf8Args {
    /// Replace bytes that are not UTF-8 with U+FFFD
    #[arg(long)]
    pub lossy: bool,
}

impl Utf8Args {
    /// Decodes bytes that begin at byte `offset` of the input called `input`.
    ///
    /// # Errors
    /// Unless `--lossy` is given, fails with [`Error::NotUtf8`] and the offset of the first bad byte.
    pub fn decode(self, input: &str, bytes: Vec<u8>, offset: usize) -> Result<String> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) if self.lossy => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            Err(error) => Err(Error::NotUtf8 {
                input: input.to_owned(),
                offset: offset + error.utf8_error().valid_up_to(),
            }),
        }
    }
}

/// One text and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    pub text: Cow<'a, str>,
    /// The line of the input, from 1, in line mode.
    pub line: Option<u64>,
    /// The file, if the text is from one.
    pub path: Option<String>,
}

/// The result for one text.
pub type Outcome<T> = Result<T, Box<BadText>>;

/// A text without an answer, and its origin.
#[derive(Debug)]
pub struct BadText {
    pub error: Error,
    /// The line of the input, from 1, in line mode.
    pub line: Option<u64>,
    /// The file, if the text is from one.
    pub path: Option<String>,
}

impl BadText {
    /// Returns true if the error ends the run: outside of a stream, and if the stream is not text at all.
    pub fn ends_run(&self) -> bool {
        self.line.is_none() || matches!(self.error, Error::NotText { .. })
    }
}

/// A block of lines of an input.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    format: &'a InputFormat,
    name: &'a str,
    path: Option<&'a str>,
    bytes: &'a [u8],
    /// The number of lines and bytes of the input before this block.
    line: u64,
    offset: usize,
}

impl<'a> Lines<'a> {
    pub fn new(
        format: &'a InputFormat,
        name: &'a str,
        path: Option<&'a str>,
        block: Block<'a>,
    ) -> Self {
        Self {
            format,
            name,
            path,
            bytes: block.bytes,
            line: block.line,
            offset: block.offset,
        }
    }

    /// Returns the texts of the lines.
    pub fn texts(self) -> Texts<'a> {
        Texts {
            text: str::from_utf8(self.bytes).ok(),
            ends: memchr::memchr_iter(b'\n', self.bytes),
            start: 0,
            lines: self,
        }
    }
}

/// An iterator over the texts of lines. A bad line yields an error but does not end the iteration.
pub struct Texts<'a> {
    lines: Lines<'a>,
    /// All lines as one string. `None` if any of them is not UTF-8.
    text: Option<&'a str>,
    ends: memchr::Memchr<'a>,
    /// The offset of the next line in the block.
    start: usize,
}

impl<'a> Texts<'a> {
    /// Returns the text of the line at bytes `start..end`, or `None` for a blank line of JSON Lines.
    fn text(&self, start: usize, end: usize) -> Option<Result<Cow<'a, str>>> {
        let Lines { format, name, .. } = self.lines;
        let text = match self.text.and_then(|text| text.get(start..end)) {
            Some(text) => Cow::Borrowed(text),
            None => {
                let bytes = self.lines.bytes[start..end].to_vec();
                match format.utf8.decode(name, bytes, self.lines.offset + start) {
                    Ok(text) => Cow::Owned(text),
                    Err(error) => return Some(Err(error)),
                }
            }
        };
        let text = if self.lines.offset + start == 0 {
            without_mark(text)
        } else {
            text
        };
        if !format.jsonl {
            return Some(Ok(text));
        }
        if format.is_json {
            return (!text.trim().is_empty()).then_some(Ok(text));
        }
        let json = || format.json_text(name, self.lines.line, &text);
        (!text.trim().is_empty()).then(|| json().map(Cow::Owned))
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = Outcome<Text<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.start < self.lines.bytes.len() {
            let (start, end) = (self.start, self.ends.next());
            let bytes = self.lines.bytes;
            self.start = end.map_or(bytes.len(), |end| end + 1);
            self.lines.line += 1;
            let stripped = strip_line_end(&bytes[start..self.start]).len();
            if let Some(text) = self.text(start, start + stripped) {
                let line = Some(self.lines.line);
                let path = self.lines.path.map(str::to_owned);
                return Some(match text {
                    Ok(text) => Ok(Text { text, line, path }),
                    Err(error) => Err(Box::new(BadText { error, line, path })),
                });
            }
        }
        None
    }
}

impl InputFormat {
    /// Returns true if one input may hold several texts.
    pub fn is_stream(&self) -> bool {
        self.lines || self.jsonl
    }

    /// Returns the text in a line of JSON.
    fn json_text(&self, input: &str, line: u64, json: &str) -> Result<String> {
        json_text(json, &self.field).map_err(|NoText { problem, hint }| Error::BadJsonLine {
            input: input.to_owned(),
            line,
            problem,
            hint,
        })
    }
}

/// Removes the byte order mark of a file from its first line, to which it does not belong.
fn without_mark(line: Cow<'_, str>) -> Cow<'_, str> {
    match line.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => line,
    }
}

/// Removes one final newline, `\n` or `\r\n`.
pub fn chomp(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

/// Returns a line without its end, `\n` or `\r\n`.
fn strip_line_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_an_error_and_the_others_are_texts() {
        let format = InputFormat::default();
        let texts = |bytes: &[u8]| {
            let block = Block {
                bytes,
                line: 7,
                offset: 100,
            };
            let texts = Lines::new(&format, "the text", None, block).texts();
            let seen = texts.map(|text| match text {
                Ok(text) => (text.line, text.text.into_owned()),
                Err(bad) => (bad.line, bad.error.to_string()),
            });
            seen.collect::<Vec<_>>()
        };
        let expected = [
            (Some(8), "one".to_owned()),
            (Some(9), String::new()),
            (
                Some(10),
                "the text is not UTF-8: the byte at offset 107 is invalid".to_owned(),
            ),
            (Some(11), "é".to_owned()),
        ];
        assert_eq!(texts(b"one\r\n\na\xff\n\xc3\xa9"), expected);
        // All lines are UTF-8, so they are checked at once.
        assert_eq!(texts(b"one\r\n\n"), expected[..2]);
    }

    #[test]
    fn exactly_one_line_end_is_stripped() {
        for (line, stripped) in [
            ("a\r\n", "a"),
            ("a\n", "a"),
            ("a\r", "a\r"),
            ("a\n\n", "a\n"),
            ("", ""),
        ] {
            assert_eq!(strip_line_end(line.as_bytes()), stripped.as_bytes());
        }
    }

    #[test]
    fn a_bad_byte_is_named_by_its_offset_in_the_input() {
        let error = Utf8Args::default()
            .decode("notes.txt", vec![b'a', 0xff], 10)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "notes.txt is not UTF-8: the byte at offset 11 is invalid"
        );
        assert_eq!(
            Utf8Args { lossy: true }
                .decode("notes.txt", vec![b'a', 0xff], 10)
                .unwrap(),
            "a\u{fffd}"
        );
    }
}
