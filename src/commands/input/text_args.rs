//! Where the texts of a command come from: arguments, files, standard input; whole, by line, or as JSON Lines.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::line_blocks::{Block, LineBlocks};
use super::ordered_parallel::for_each_in_order;
use super::text_format::{Lines, Outcome, Reading, Text, chomp, utf8};
use crate::commands::input::line_blocks::Input;
use crate::commands::session::Session;
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

/// One input, before it is read.
enum Source<'a> {
    Argument(&'a str),
    File(&'a Path),
    Stdin,
}

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
    blocks: LineBlocks,
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
            // A few lines are not worth it to begin threads.
            stream.for_each_up_to(PIECE, session, |session, text| each(session, work(text)))?;
            if stream.blocks.fill().map_err(unreadable(stream.name))? == 0 {
                return Ok(());
            }
            // One thread need not hold back what comes of lines.
            if rayon::current_num_threads() == 1 {
                let all = usize::MAX;
                return stream
                    .for_each_up_to(all, session, |session, text| each(session, work(text)));
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
            for_each_in_order(blocks, work, unreadable(name), |outcomes| {
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

/// Returns the text of an argument, or of standard input if there is no argument.
///
/// # Errors
/// As [`TextArgs::for_each`].
pub fn read_text(argument: Option<&str>, session: &mut Session) -> Result<String> {
    let input = TextArgs {
        texts: argument.map(str::to_owned).into_iter().collect(),
        options: InputOptions::default(),
    };
    let mut whole = String::new();
    input.for_each(session, |_, text| {
        whole = text.map_err(|(_, error)| error)?.text.into_owned();
        Ok(())
    })?;
    Ok(whole)
}

impl Reading {
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
            blocks: LineBlocks::new(input),
        };
        each(session, Batch::Lines(stream))
    }
}

/// What an error of reading an input is called.
fn unreadable(input: &str) -> impl Fn(io::Error) -> Error {
    move |source| Error::ReadInput {
        input: input.to_owned(),
        source,
    }
}
