//! Reads the texts that a command line names: arguments, files, and standard input.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::binary_kind::refuse_binary;
use super::line_blocks::{Block, Input, LineBlocks};
use super::meter::Metered;
use super::ordered_parallel::for_each_in_order;
use super::stream_start::{LeadingErrors, check_start};
use super::text_format::{BadText, InputFormat, Lines, Outcome, Text, chomp};
use super::unicode_input::UnicodeInput;
use crate::commands::session::Session;
use crate::error::{Error, Result, shell_path};

/// The texts of a command, and how to read them.
#[derive(Debug, Clone, Default, Args)]
pub struct TextArgs {
    /// Texts, each a separate input; `-` is standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = false)]
    pub texts: Vec<String>,
    #[command(flatten)]
    pub input: InputArgs,
    #[arg(skip)]
    pub ways: InputWays,
    /// True if the files were found by a walk, so that the meter expects them already.
    #[arg(skip)]
    pub are_found: bool,
}

/// How a command reads the text of a file, for its notes and hints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputWays {
    /// With `--file`.
    #[default]
    FileFlag,
    /// As a path; the flag takes a text.
    PathOrTextFlag,
    /// As a path, and texts are given in no other way.
    Path,
    /// Through standard input only.
    StdinOnly,
}

impl InputWays {
    /// Returns the remedy if there is no text.
    fn no_text_hint(self) -> &'static str {
        match self {
            Self::FileFlag => "pass text as an argument, with `--file PATH`, or through a pipe",
            Self::PathOrTextFlag => {
                "name files or directories, pass text with `--text TEXT`, or through a pipe"
            }
            Self::Path => "name a file, or pass text through a pipe",
            Self::StdinOnly => "pass text as an argument, or through a pipe",
        }
    }

    /// Returns a note if a text that was given as an argument names a file, which was probably meant to be read.
    fn note_about_path(self, text: &str) -> Option<String> {
        // Not only regular files: `<(command)` of a shell is the name of a pipe.
        let is_file = std::fs::metadata(text).is_ok_and(|metadata| !metadata.is_dir());
        let remedy = match self {
            _ if !is_file => return None,
            Self::FileFlag => format!("use `-f {}`", shell_path(text)),
            Self::PathOrTextFlag | Self::Path => "leave out `--text`".to_owned(),
            Self::StdinOnly => format!("use `< {}`", shell_path(text)),
        };
        Some(format!(
            "`{text}` is a text here, and there is a file of that name: to read it, {remedy}"
        ))
    }
}

/// Files to read texts from, and how to read them.
#[derive(Debug, Clone, Default, Args)]
pub struct InputArgs {
    /// Read the text from a file (repeatable; `-` is standard input)
    #[arg(short, long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub format: InputFormat,
}

/// Where one input comes from.
enum Source<'a> {
    Argument(&'a str),
    File(&'a Path),
    Stdin,
}

impl<'a> Source<'a> {
    fn from_text(text: &'a str) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::Argument(text)
        }
    }

    fn from_path(path: &'a Path) -> Self {
        if path == Path::new("-") {
            Self::Stdin
        } else {
            Self::File(path)
        }
    }

    /// Returns the name of the input for error messages.
    fn name(&self) -> String {
        match self {
            Self::Argument(_) => "the text".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Returns true for a file, all of whose bytes are there to be read.
    fn is_file(&self) -> bool {
        matches!(self, Self::File(path) if path.is_file())
    }

    /// Announces the input to the meter.
    fn expect(&self, session: &Session) {
        let Some(meter) = &session.meter else { return };
        match self {
            Self::Argument(_) => {}
            Self::File(path) => meter.expect(size(path)),
            Self::Stdin => session.expect_stdin(),
        }
    }

    /// Reads the whole input.
    fn read(&self, session: &mut Session) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Argument(text) => bytes.extend_from_slice(text.as_bytes()),
            Self::File(path) => {
                let file = File::open(path)?;
                let size = size(path);
                bytes
                    .try_reserve_exact(usize::try_from(size.unwrap_or(0)).unwrap_or(usize::MAX))?;
                let file = Metered::new(file, session.meter.clone(), size);
                UnicodeInput::new(file).read_to_end(&mut bytes)?;
            }
            Self::Stdin => _ = session.stdin.read_to_end(&mut bytes)?,
        }
        session.observer.working(bytes.len() as u64);
        Ok(bytes)
    }

    /// Opens the input for reading by line. Moves standard input out of the session.
    fn open(&self, session: &mut Session, is_found: bool) -> io::Result<Input> {
        Ok(match self {
            Self::Argument(text) => {
                let text = Cursor::new(text.as_bytes().to_vec());
                BufReader::new(Box::new(text))
            }
            Self::File(path) => {
                let (file, meter) = (File::open(path)?, session.meter.clone());
                let metered = if is_found {
                    Metered::found(file, meter, size(path))
                } else {
                    Metered::new(file, meter, size(path))
                };
                BufReader::with_capacity(0, Box::new(UnicodeInput::new(metered)))
            }
            Self::Stdin => {
                let empty = BufReader::with_capacity(0, Box::new(io::empty()) as _);
                std::mem::replace(session.stdin, empty)
            }
        })
    }
}

/// Returns the size of a file, or `None` if it is not a regular file.
fn size(path: &Path) -> Option<u64> {
    let metadata = path.metadata().ok().filter(Metadata::is_file)?;
    Some(metadata.len())
}

/// The maximum number of bytes of complete lines that are processed on the calling thread, because starting other
/// threads would take longer.
const PARALLEL_THRESHOLD: usize = 1 << 12;

/// One input: a whole text, or a stream of texts by line.
enum Batch<'a> {
    Whole(Text<'static>),
    Lines(Stream<'a>),
}

/// An input read by line.
struct Stream<'a> {
    format: &'a InputFormat,
    /// The name of the input in error messages.
    name: &'a str,
    /// The path of the input in records.
    path: Option<&'a str>,
    blocks: LineBlocks,
}

impl Stream<'_> {
    /// Calls `each` with every text until the stream ends or more than `max_bytes` of complete lines are buffered.
    fn for_each_up_to(
        &mut self,
        max_bytes: usize,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Outcome<Text<'_>>) -> Result<()>,
    ) -> Result<()> {
        let unreadable = unreadable(self.name);
        while let length @ 1.. = self.blocks.fill().map_err(&unreadable)?
            && length <= max_bytes
        {
            let block = self.blocks.take(max_bytes);
            let lines = Lines::new(self.format, self.name, self.path, block);
            lines.texts().try_for_each(|text| each(session, text))?;
            session.flush()?;
        }
        Ok(())
    }

    /// Calls `work` with every text, on all threads after the first lines, and `each` with the results in order. Workers
    /// merge adjacent results with `join`.
    fn for_each_in_parallel<T: Send + 'static>(
        mut self,
        session: &mut Session,
        work: &(impl Fn(Option<&str>, Outcome<Text<'_>>) -> Outcome<T> + Sync),
        join: &(impl Fn(&mut T, T) -> Option<T> + Sync),
        mut each: impl FnMut(&mut Session, Outcome<T>) -> Result<()>,
    ) -> Result<()> {
        let path = self.path;
        let mut each_inline =
            |session: &mut Session, text: Outcome<Text<'_>>| each(session, work(path, text));
        self.for_each_up_to(PARALLEL_THRESHOLD, session, &mut each_inline)?;
        if self.blocks.fill().map_err(unreadable(self.name))? == 0 {
            return Ok(());
        }
        // Ask only now: the question starts the threads.
        if rayon::current_num_threads() == 1 {
            return self.for_each_up_to(usize::MAX, session, &mut each_inline);
        }
        let Stream {
            format,
            name,
            path,
            blocks,
        } = self;
        let work = |block: Block<'_>| {
            let lines = Lines::new(format, name, path, block);
            let mut outcomes: Vec<Outcome<T>> = Vec::new();
            for outcome in lines.texts().map(|text| work(path, text)) {
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
    }
}

impl TextArgs {
    /// Makes the JSON of an input the text.
    #[must_use]
    pub fn of_json(mut self) -> Self {
        self.input.format.is_json = true;
        self
    }

    /// Calls `each` with every text in order. A text that cannot be read is passed as its error.
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
            Batch::Lines(mut stream) => {
                let mut leading = LeadingErrors::default();
                stream.for_each_up_to(usize::MAX, session, |session, text| {
                    each(session, leading.pass(text)?)
                })?;
                leading.end(session)
            }
        })
    }

    /// Calls `work` with every text, on all threads in line mode, and `each` with the results in order.
    ///
    /// Reads ahead by a bounded amount only, so that memory stays bounded on an endless input, and answers a line
    /// without waiting for the next one. A bad text ends the run, except in line mode: there its error is passed to
    /// `each` and the run continues.
    ///
    /// # Errors
    /// Fails with the first error from `each`, with [`Error::ReadInput`], or with [`Error::Usage`] if there is no
    /// input.
    pub fn for_each_in_parallel<T: Send + 'static>(
        &self,
        session: &mut Session,
        work: impl Fn(Text<'_>) -> Result<T> + Send + Sync,
        each: impl FnMut(&mut Session, Outcome<T>) -> Result<()>,
    ) -> Result<()> {
        self.for_each_joined_in_parallel(session, work, |_, next| Some(next), each)
    }

    /// Like [`TextArgs::for_each_in_parallel`], but workers merge adjacent results with `join`, to take work off the
    /// calling thread. `join` returns its second argument if it cannot merge the two.
    ///
    /// # Errors
    /// As [`TextArgs::for_each_in_parallel`].
    pub fn for_each_joined_in_parallel<T: Send + 'static>(
        &self,
        session: &mut Session,
        work: impl Fn(Text<'_>) -> Result<T> + Send + Sync,
        join: impl Fn(&mut T, T) -> Option<T> + Send + Sync,
        mut each: impl FnMut(&mut Session, Outcome<T>) -> Result<()>,
    ) -> Result<()> {
        let work = |path: Option<&str>, text: Outcome<Text<'_>>| {
            let text = text?;
            let line = text.line;
            work(text).map_err(|error| {
                let path = path.map(str::to_owned);
                Box::new(BadText { error, line, path })
            })
        };
        self.for_each_batch(session, |session, batch| match batch {
            Batch::Whole(text) => each(session, work(None, Ok(text))),
            Batch::Lines(stream) => {
                let mut leading = LeadingErrors::default();
                stream.for_each_in_parallel(session, &work, &join, |session, outcome| {
                    each(session, leading.pass(outcome)?)
                })?;
                leading.end(session)
            }
        })
    }

    fn for_each_batch(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&mut Session, Batch<'_>) -> Result<()>,
    ) -> Result<()> {
        let texts = self.texts.iter().map(|text| Source::from_text(text));
        let files = self.input.files.iter().map(|path| Source::from_path(path));
        let mut sources: Vec<Source> = texts.chain(files).collect();
        if sources.is_empty() {
            if session.stdin_is_terminal {
                return Err(Error::usage_hint(
                    "no text is given",
                    self.ways.no_text_hint(),
                ));
            }
            sources.push(Source::Stdin);
        }
        if !self.are_found {
            sources.iter().for_each(|source| source.expect(session));
        }
        let format = &self.input.format;
        for source in sources {
            if let Source::Argument(text) = source
                && let Some(note) = self.ways.note_about_path(text)
            {
                session.note(&note)?;
            }
            let name = source.name();
            let path = match source {
                Source::File(_) => Some(name.as_str()),
                Source::Argument(_) | Source::Stdin => None,
            };
            let unreadable = unreadable(&name);
            let batch = if format.is_stream() {
                let input = source.open(session, self.are_found).map_err(&unreadable)?;
                let mut blocks = LineBlocks::new(input);
                blocks.fill().map_err(unreadable)?;
                check_start(format, &name, &blocks, source.is_file())?;
                Batch::Lines(Stream {
                    format,
                    name: &name,
                    path,
                    blocks,
                })
            } else {
                let bytes = source.read(session).map_err(unreadable)?;
                refuse_binary(&name, &bytes, format.utf8)?;
                let mut text = format.utf8.decode(&name, bytes, 0)?;
                if format.chomp {
                    chomp(&mut text);
                }
                Batch::Whole(Text {
                    text: Cow::Owned(text),
                    line: None,
                    path: path.map(str::to_owned),
                })
            };
            each(session, batch)?;
        }
        Ok(())
    }
}

/// Returns the text of an argument, or reads standard input if there is no argument.
///
/// # Errors
/// As [`TextArgs::for_each`].
pub fn read_text(argument: Option<&str>, session: &mut Session) -> Result<String> {
    let input = TextArgs {
        texts: argument.map(str::to_owned).into_iter().collect(),
        input: InputArgs::default(),
        ways: InputWays::StdinOnly,
        are_found: false,
    };
    let mut whole = String::new();
    input.for_each(session, |_, text| {
        whole = text.map_err(|bad| bad.error)?.text.into_owned();
        Ok(())
    })?;
    Ok(whole)
}

/// Returns a function that wraps a read error of the named input.
fn unreadable(input: &str) -> impl Fn(io::Error) -> Error {
    move |source| Error::ReadInput {
        input: input.to_owned(),
        source,
    }
}
