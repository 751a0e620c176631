//! Where the texts of a command come from: arguments, files, standard input; whole, by line, or as JSON Lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{Input, Session};
use crate::error::{Error, Result};

/// The options of every command that reads texts.
#[derive(Debug, Clone, Default, Args)]
pub struct TextArgs {
    /// Texts, each one input; `-` is standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = false)]
    pub texts: Vec<String>,
    #[command(flatten)]
    pub options: InputOptions,
}

/// Where input comes from beside arguments, and how it is read.
#[derive(Debug, Clone, Default, Args)]
pub struct InputOptions {
    /// Read the text from a file (repeatable; `-` is standard input)
    #[arg(short, long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

/// How input is read, wherever it comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct Reading {
    /// Every line is a text of its own
    #[arg(long, conflicts_with = "jsonl")]
    pub lines: bool,
    /// Every line is a JSON object, or string, that holds a text
    #[arg(long)]
    pub jsonl: bool,
    /// The field that holds the text, with --jsonl
    #[arg(long, value_name = "NAME", default_value = "text", requires = "jsonl")]
    pub field: String,
    /// Drop one final newline of the text
    #[arg(long)]
    pub chomp: bool,
    /// Replace bytes that are not UTF-8 by U+FFFD
    #[arg(long)]
    pub lossy: bool,
}

/// One text, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// Line of its input, from 1, if the input was read by line.
    pub line: Option<u64>,
    /// The file it came from.
    pub path: Option<String>,
}

/// One input, before it is read.
enum Source<'a> {
    Argument(&'a str),
    File(&'a Path),
    Stdin,
}

/// A text, or the error that stands in its place with its line.
pub type Item = Result<Text, (Option<u64>, Error)>;

/// Bytes that are read at a time, and whose lines are handed on together.
const BLOCK: usize = 1 << 18;

/// Takes the lines of an input, one after the other.
struct Lines<'a> {
    reading: &'a Reading,
    name: &'a str,
    path: Option<&'a str>,
    /// Number of lines taken, and of bytes.
    line: u64,
    offset: usize,
}

impl Lines<'_> {
    /// The text of a line, given with its end; none for a blank one among lines of JSON.
    fn take(&mut self, mut bytes: Vec<u8>) -> Option<Item> {
        self.line += 1;
        let line = self.line;
        let length = bytes.len();
        strip_line_end(&mut bytes);
        let text = utf8(self.name, bytes, self.reading.lossy, self.offset);
        self.offset += length;
        let text = match text {
            Ok(text) if self.reading.jsonl && text.trim().is_empty() => return None,
            Ok(text) if self.reading.jsonl => self.reading.json_text(self.name, line, &text),
            text => text,
        };
        Some(match text {
            Ok(text) => Ok(Text {
                text,
                line: Some(line),
                path: self.path.map(str::to_owned),
            }),
            Err(error) => Err((Some(line), error)),
        })
    }
}

impl TextArgs {
    /// Calls `each` with every text in order, or with the error that stands in its place.
    ///
    /// # Errors
    /// As [`TextArgs::for_each_batch`].
    pub fn for_each(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Item) -> Result<()>,
    ) -> Result<()> {
        self.for_each_batch(session, |session, batch| {
            batch.into_iter().try_for_each(|item| each(session, item))
        })
    }

    /// Calls `each` with the texts in order, as many at a time as are there: memory stays bounded on an endless input,
    /// and no text waits for the next.
    ///
    /// A text that is bad is the end, unless texts come by line: then the rest goes on.
    ///
    /// # Errors
    /// The errors of `each`, of inputs that cannot be opened, and [`Error::Usage`] if there is no input at all.
    pub fn for_each_batch(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Vec<Item>) -> Result<()>,
    ) -> Result<()> {
        let mut sources: Vec<Source> = self
            .texts
            .iter()
            .map(|text| {
                if text == "-" {
                    Source::Stdin
                } else {
                    Source::Argument(text)
                }
            })
            .collect();
        sources.extend(self.options.files.iter().map(|path| {
            if path.as_os_str() == "-" {
                Source::Stdin
            } else {
                Source::File(path)
            }
        }));
        if sources.is_empty() {
            if session.stdin_is_terminal {
                return Err(Error::usage_hint(
                    "there is no text",
                    "give it as an argument, with `--file PATH`, or through a pipe",
                ));
            }
            sources.push(Source::Stdin);
        }
        for source in sources {
            self.options.reading.read(session, &source, &mut each)?;
        }
        Ok(())
    }
}

impl Reading {
    /// Whether one input may hold several texts.
    pub fn is_stream(&self) -> bool {
        self.lines || self.jsonl
    }

    fn read(
        &self,
        session: &mut Session,
        source: &Source,
        each: &mut impl FnMut(&mut Session, Vec<Item>) -> Result<()>,
    ) -> Result<()> {
        let (name, path) = match source {
            Source::Argument(_) => ("the text".to_owned(), None),
            Source::File(path) => (path.display().to_string(), Some(path.display().to_string())),
            Source::Stdin => ("standard input".to_owned(), None),
        };
        let unreadable = |source: io::Error| Error::ReadInput {
            input: name.clone(),
            source,
        };
        if !self.is_stream() {
            let bytes = match source {
                Source::Argument(text) => text.as_bytes().to_vec(),
                Source::File(path) => std::fs::read(path).map_err(unreadable)?,
                Source::Stdin => {
                    let mut bytes = Vec::new();
                    session.stdin.read_to_end(&mut bytes).map_err(unreadable)?;
                    bytes
                }
            };
            let mut text = utf8(&name, bytes, self.lossy, 0)?;
            if self.chomp {
                chomp(&mut text);
            }
            let text = Text {
                text,
                line: None,
                path,
            };
            return each(session, vec![Ok(text)]);
        }
        // Lines of a file or an argument are read here; those of standard input through the session.
        let mut own: Option<Input> = match source {
            Source::Argument(text) => {
                let text = Cursor::new(text.as_bytes().to_vec());
                Some(BufReader::new(Box::new(text)))
            }
            Source::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                Some(BufReader::with_capacity(BLOCK, Box::new(file)))
            }
            Source::Stdin => None,
        };
        let mut lines = Lines {
            reading: self,
            name: &name,
            path: path.as_deref(),
            line: 0,
            offset: 0,
        };
        // The beginning of a line whose end has not come yet.
        let mut begun = Vec::new();
        loop {
            let reader: &mut Input = match &mut own {
                Some(reader) => reader,
                None => session.stdin,
            };
            let block = reader.fill_buf().map_err(unreadable)?;
            let length = block.len();
            let Some(last) = memchr::memrchr(b'\n', block) else {
                begun.extend_from_slice(block);
                reader.consume(length);
                if length > 0 {
                    continue;
                }
                break;
            };
            // The next read may wait for whoever writes, and these lines are not to wait for it.
            let mut batch = Vec::new();
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &block[..=last]) {
                let mut bytes = std::mem::take(&mut begun);
                bytes.extend_from_slice(&block[start..=end]);
                start = end + 1;
                batch.extend(lines.take(bytes));
            }
            begun.extend_from_slice(&block[start..]);
            reader.consume(length);
            if !batch.is_empty() {
                each(session, batch)?;
                session.flush()?;
            }
        }
        if begun.is_empty() {
            return Ok(());
        }
        match lines.take(begun) {
            Some(item) => each(session, vec![item]),
            None => Ok(()),
        }
    }

    /// The text of a line of JSON.
    fn json_text(&self, input: &str, line: u64, json: &str) -> Result<String> {
        let bad = |problem: String| Error::BadJsonLine {
            input: input.to_owned(),
            line,
            problem,
        };
        let value: Value =
            serde_json::from_str(json).map_err(|problem| bad(format!("not JSON: {problem}")))?;
        match value {
            Value::String(text) => Ok(text),
            Value::Object(mut fields) => match fields.remove(&self.field) {
                Some(Value::String(text)) => Ok(text),
                Some(_) => Err(bad(format!("field `{}` is not a string", self.field))),
                None => Err(bad(format!("there is no field `{}`", self.field))),
            },
            _ => Err(bad("neither an object nor a string".to_owned())),
        }
    }
}

/// Bytes → text; `offset` is where they begin in their input.
///
/// # Errors
/// [`Error::NotUtf8`] with the place of the first bad byte, unless `lossy`.
pub fn utf8(input: &str, bytes: Vec<u8>, lossy: bool, offset: usize) -> Result<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if lossy => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Err(error) => Err(Error::NotUtf8 {
            input: input.to_owned(),
            offset: offset + error.utf8_error().valid_up_to(),
        }),
    }
}

/// Drops one final newline, `\n` or `\r\n`.
pub fn chomp(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

fn strip_line_end(bytes: &mut Vec<u8>) {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
}

/// Number of words as Python's `str.split()` counts them: runs of anything but white space, for which Python takes
/// the four information separators too.
pub fn words(text: &str) -> usize {
    if text.is_ascii() {
        let is_space = |byte: u8| matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f);
        let begins = |pair: &[u8]| is_space(pair[0]) && !is_space(pair[1]);
        let bytes = text.as_bytes();
        let first = bytes.first().is_some_and(|byte| !is_space(*byte));
        return usize::from(first) + bytes.windows(2).filter(|pair| begins(pair)).count();
    }
    text.split(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
        .filter(|word| !word.is_empty())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_as_python_splits_them() {
        assert_eq!(words("banco de madera, banco donde hay dinero"), 7);
        assert_eq!(words(" a\u{1f}b\u{a0}c\n"), 3);
        assert_eq!(words(""), 0);
        assert_eq!(words("\u{1c} one\ttwo\u{b}three "), 3);
        assert_eq!(words("one"), 1);
    }

    #[test]
    fn one_line_end_is_stripped_and_no_more() {
        for (line, stripped) in [
            ("a\r\n", "a"),
            ("a\n", "a"),
            ("a\r", "a\r"),
            ("a\n\n", "a\n"),
            ("", ""),
        ] {
            let mut bytes = line.as_bytes().to_vec();
            strip_line_end(&mut bytes);
            assert_eq!(bytes, stripped.as_bytes());
        }
    }

    #[test]
    fn the_first_bad_byte_is_named_by_its_place_in_the_input() {
        let error = utf8("notes.txt", vec![b'a', 0xff], false, 10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "notes.txt is not UTF-8: the byte at offset 11 is invalid"
        );
        assert_eq!(
            utf8("notes.txt", vec![b'a', 0xff], true, 10).unwrap(),
            "a\u{fffd}"
        );
    }
}
