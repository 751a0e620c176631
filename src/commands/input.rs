//! Where the texts of a command come from: arguments, files, standard input; whole, by line, or as JSON Lines.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::blocks::{Block, Blocks};
use super::in_order::in_order;
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
pub struct Text<'a> {
    pub text: Cow<'a, str>,
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

/// What became of a text; an error stands in its place, with its line.
pub type Outcome<T> = Result<T, (Option<u64>, Error)>;

/// Lines of more bytes are worth the attention of threads.
const PIECE: usize = 1 << 12;

/// One text, or an input that is read by line.
enum Batch<'a> {
    Whole(Text<'static>),
    Lines(Stream<'a>),
}

/// An input that is read by line, and what it is called.
struct Stream<'a> {
    reading: &'a Reading,
    name: &'a str,
    path: Option<&'a str>,
    blocks: Blocks,
}

/// Some lines of an input.
#[derive(Clone, Copy)]
struct Lines<'a> {
    reading: &'a Reading,
    name: &'a str,
    path: Option<&'a str>,
    bytes: &'a [u8],
    /// Number of lines before these, and of bytes.
    line: u64,
    offset: usize,
}

impl Stream<'_> {
    /// Calls `each` with the texts of blocks as long as they have at most `most` bytes.
    fn for_each_up_to(
        &mut self,
        most: usize,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Outcome<Text<'_>>) -> Result<()>,
    ) -> Result<()> {
        let unreadable = unreadable(self.name);
        while let length @ 1.. = self.blocks.fill().map_err(&unreadable)?
            && length <= most
        {
            let lines = Lines::new(self.reading, self.name, self.path, self.blocks.take(most));
            lines.texts().try_for_each(|text| each(session, text))?;
            session.flush()?;
        }
        Ok(())
    }
}

impl<'a> Lines<'a> {
    fn new(reading: &'a Reading, name: &'a str, path: Option<&'a str>, block: Block<'a>) -> Self {
        Self {
            reading,
            name,
            path,
            bytes: block.bytes,
            line: block.line,
            offset: block.offset,
        }
    }

    /// Their texts.
    fn texts(self) -> Texts<'a> {
        Texts {
            text: str::from_utf8(self.bytes).ok(),
            ends: memchr::memchr_iter(b'\n', self.bytes),
            start: 0,
            lines: self,
        }
    }
}

/// The texts of some lines; a bad one does not keep the others.
struct Texts<'a> {
    lines: Lines<'a>,
    /// All of them, unless a byte among them is not UTF-8.
    text: Option<&'a str>,
    ends: memchr::Memchr<'a>,
    /// Where the next begins.
    start: usize,
}

impl<'a> Texts<'a> {
    /// The text of the line at some bytes, without its end; none for a blank one among lines of JSON.
    fn text(&self, start: usize, end: usize) -> Option<Result<Cow<'a, str>>> {
        let Lines { reading, name, .. } = self.lines;
        let text = match self.text.and_then(|text| text.get(start..end)) {
            Some(text) => Cow::Borrowed(text),
            None => {
                let bytes = self.lines.bytes[start..end].to_vec();
                match utf8(name, bytes, reading.lossy, self.lines.offset + start) {
                    Ok(text) => Cow::Owned(text),
                    Err(error) => return Some(Err(error)),
                }
            }
        };
        if !reading.jsonl {
            return Some(Ok(text));
        }
        let json = || reading.json_text(name, self.lines.line, &text);
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
                let text = text.map(|text| Text { text, line, path });
                return Some(text.map_err(|error| (line, error)));
            }
        }
        None
    }
}

impl TextArgs {
    /// Calls `each` with every text in order, or with the error that stands in its place.
    ///
    /// # Errors
    /// As [`TextArgs::for_each_in_parallel`].
    pub fn for_each(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Outcome<Text<'_>>) -> Result<()>,
    ) -> Result<()> {
        self.for_each_batch(session, |session, batch| match batch {
            Batch::Whole(text) => each(session, Ok(text)),
            Batch::Lines(mut stream) => stream.for_each_up_to(usize::MAX, session, &mut each),
        })
    }

    /// Does `work` on the texts, on all cores where they come by line, and calls `each` with what came of them, in
    /// their order. As many are taken at a time as are there: memory stays bounded on an endless input, and no text
    /// waits for the next.
    ///
    /// A text that is bad is the end, unless texts come by line: then the rest goes on.
    ///
    /// # Errors
    /// The errors of `each`, of inputs that cannot be opened, and [`Error::Usage`] if there is no input at all.
    pub fn for_each_in_parallel<T: Send + 'static>(
        &self,
        session: &mut Session,
        work: impl Fn(Text<'_>) -> Result<T> + Send + Sync,
        each: impl FnMut(&mut Session, Outcome<T>) -> Result<()>,
    ) -> Result<()> {
        self.for_some_in_parallel(session, work, |_, next| Some(next), each)
    }

    /// The same, with what came of neighbours put together where it was made, so that less is left to do in order:
    /// `join` adds the second to the first, or gives it back.
    ///
    /// # Errors
    /// As [`TextArgs::for_each_in_parallel`].
    pub fn for_some_in_parallel<T: Send + 'static>(
        &self,
        session: &mut Session,
        work: impl Fn(Text<'_>) -> Result<T> + Send + Sync,
        join: impl Fn(&mut T, T) -> Option<T> + Send + Sync,
        mut each: impl FnMut(&mut Session, Outcome<T>) -> Result<()>,
    ) -> Result<()> {
        let work = |text: Outcome<Text<'_>>| {
            let text = text?;
            let line = text.line;
            work(text).map_err(|error| (line, error))
        };
        self.for_each_batch(session, |session, batch| {
            let mut stream = match batch {
                Batch::Whole(text) => return each(session, work(Ok(text))),
                Batch::Lines(stream) => stream,
            };
            // A few lines are not worth it to begin threads, and one thread need not hold back what comes of lines.
            for most in [PIECE, usize::MAX] {
                if most == PIECE || rayon::current_num_threads() == 1 {
                    stream
                        .for_each_up_to(most, session, |session, text| each(session, work(text)))?;
                }
                if stream.blocks.fill().map_err(unreadable(stream.name))? == 0 {
                    return Ok(());
                }
            }
            let Stream {
                reading,
                name,
                path,
                blocks,
            } = stream;
            let work = |block: Block<'_>| {
                let lines = Lines::new(reading, name, path, block);
                let mut outcomes: Vec<Outcome<T>> = Vec::new();
                for outcome in lines.texts().map(work) {
                    let rest = match (outcomes.last_mut(), outcome) {
                        (Some(Ok(before)), Ok(next)) => join(before, next).map(Ok),
                        (_, outcome) => Some(outcome),
                    };
                    outcomes.extend(rest);
                }
                outcomes
            };
            in_order(blocks, work, unreadable(name), |outcomes| {
                let mut outcomes = outcomes.into_iter();
                outcomes.try_for_each(|outcome| each(session, outcome))?;
                session.flush()
            })
        })
    }

    fn for_each_batch(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Batch<'_>) -> Result<()>,
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
        each: &mut impl FnMut(&mut Session, Batch<'_>) -> Result<()>,
    ) -> Result<()> {
        let (name, path) = match source {
            Source::Argument(_) => ("the text".to_owned(), None),
            Source::File(path) => (path.display().to_string(), Some(path.display().to_string())),
            Source::Stdin => ("standard input".to_owned(), None),
        };
        let unreadable = unreadable(&name);
        if !self.is_stream() {
            let bytes = match source {
                Source::Argument(text) => text.as_bytes().to_vec(),
                Source::File(path) => std::fs::read(path).map_err(&unreadable)?,
                Source::Stdin => {
                    let mut bytes = Vec::new();
                    session.stdin.read_to_end(&mut bytes).map_err(&unreadable)?;
                    bytes
                }
            };
            let mut text = utf8(&name, bytes, self.lossy, 0)?;
            if self.chomp {
                chomp(&mut text);
            }
            let text = Text {
                text: Cow::Owned(text),
                line: None,
                path,
            };
            return each(session, Batch::Whole(text));
        }
        let input: Input = match source {
            Source::Argument(text) => {
                let text = Cursor::new(text.as_bytes().to_vec());
                BufReader::new(Box::new(text))
            }
            Source::File(path) => {
                let file = File::open(path).map_err(&unreadable)?;
                BufReader::with_capacity(0, Box::new(file))
            }
            Source::Stdin => {
                let read = BufReader::with_capacity(0, Box::new(io::empty()) as _);
                std::mem::replace(session.stdin, read)
            }
        };
        let stream = Stream {
            reading: self,
            name: &name,
            path: path.as_deref(),
            blocks: Blocks::new(input),
        };
        each(session, Batch::Lines(stream))
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

/// What an error of reading an input is called.
fn unreadable(input: &str) -> impl Fn(io::Error) -> Error {
    move |source| Error::ReadInput {
        input: input.to_owned(),
        source,
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

/// A line without its end, `\n` or `\r\n`.
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
    fn a_bad_line_keeps_its_place_and_no_other() {
        let reading = Reading::default();
        let texts = |bytes: &[u8]| {
            let block = Block {
                bytes,
                line: 7,
                offset: 100,
            };
            let texts = Lines::new(&reading, "the text", None, block).texts();
            let seen = texts.map(|text| match text {
                Ok(text) => (text.line, text.text.into_owned()),
                Err((line, error)) => (line, error.to_string()),
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
        // Without it, all are checked at once.
        assert_eq!(texts(b"one\r\n\n"), expected[..2]);
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
            assert_eq!(strip_line_end(line.as_bytes()), stripped.as_bytes());
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
