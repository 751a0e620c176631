//! `verify`: compares the two engines, or two readings, on the user's text.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::input::stream_answers::StreamAnswers;
use super::input::text_args::{InputArgs, InputWays, TextArgs};
use super::input::text_format::{InputFormat, Text};
use super::lock_state;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Against, Difference, Divergence, Record, Verify};
use crate::source::Reading;
use crate::tokenizer::{Cause, EncodeOptions, Encoding, EngineChoice, ReadingPair, Tokenizer};

/// Compare the native engine with the tokenizers crate, or two readings, on your own text; exit 1 if they differ
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files to encode; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// Compare the reading with this one, instead of the two engines
    #[arg(long, value_name = "READING")]
    pub against: Option<Reading>,
    #[command(flatten)]
    pub format: InputFormat,
    #[command(flatten)]
    pub show: ShowArgs,
}

/// `--show`, for commands that list differences.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct ShowArgs {
    /// Show at most N differences, but count them all
    #[arg(short, long, value_name = "N", default_value_t = 10)]
    pub show: usize,
}

/// Returns the position of the first token that differs between two encodings of a text, or `None` if they are equal.
pub fn first_difference(ours: &Encoding, theirs: &Encoding) -> Option<usize> {
    if ours == theirs {
        return None;
    }
    let same = |index: usize| {
        ours.ids.get(index) == theirs.ids.get(index)
            && ours.tokens.get(index) == theirs.tokens.get(index)
            && ours.offsets.get(index) == theirs.offsets.get(index)
            && ours.word_ids.get(index) == theirs.word_ids.get(index)
    };
    let longest = ours.len().max(theirs.len());
    Some((0..longest).find(|index| !same(*index)).unwrap_or(longest))
}

/// The size of a text that was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Compared {
    tokens: usize,
    bytes: usize,
}

/// Encodes a text with both engines. Returns its size, and the difference if they disagree.
fn compare(
    native: &Tokenizer,
    reference: &Tokenizer,
    text: &Text<'_>,
) -> Result<(Compared, Option<Difference>)> {
    let options = EncodeOptions::default();
    let ours = native.encode(&text.text, None, &options)?.into_first();
    let theirs = reference.encode(&text.text, None, &options)?.into_first();
    let compared = Compared {
        tokens: theirs.len(),
        bytes: text.text.len(),
    };
    let difference = first_difference(&ours, &theirs).map(|position| Difference {
        path: text.path.clone(),
        line: text.line,
        position,
        text: text.text.clone().into_owned(),
        native: ours.tokens,
        native_offsets: ours.offsets,
        reference: theirs.tokens,
        reference_offsets: theirs.offsets,
    });
    Ok((compared, difference))
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    match args.against {
        Some(against) => run_against(args, against, session),
        None => run_engines(args, session),
    }
}

fn input(args: &Args) -> TextArgs {
    TextArgs {
        texts: Vec::new(),
        input: InputArgs {
            files: args.paths.clone(),
            format: args.format.clone(),
        },
        ways: InputWays::Path,
        are_found: false,
    }
}

fn nothing_compared(what: &str) -> Error {
    Error::usage_hint(
        "found no text to compare",
        format!("the {what} were not compared: check the files and the input"),
    )
}

/// A text under two readings.
struct ComparedReadings {
    tokens: [usize; 2],
    bytes: usize,
    divergence: Option<Divergence>,
}

fn compare_readings(pair: &ReadingPair<'_>, text: &Text<'_>) -> Result<ComparedReadings> {
    let compared = pair.compare(&text.text)?;
    let [reading, against] = pair.readings().map(Reading::name);
    let divergence = compared.divergence.map(|divergence| {
        let [ours, theirs] = divergence.encodings;
        Divergence {
            path: text.path.clone(),
            line: text.line,
            position: divergence.position,
            causes: divergence.causes.into_iter().map(Cause::name).collect(),
            text: text.text.clone().into_owned(),
            reading,
            ids: ours.ids,
            tokens: ours.tokens,
            offsets: ours.offsets,
            against,
            against_ids: theirs.ids,
            against_tokens: theirs.tokens,
            against_offsets: theirs.offsets,
        }
    });
    Ok(ComparedReadings {
        tokens: compared.tokens,
        bytes: text.text.len(),
        divergence,
    })
}

/// Compares the chosen reading with another one.
fn run_against(args: &Args, against: Reading, session: &mut Session) -> Result<Exit> {
    let mut files = session.files()?;
    let reading = files.reading();
    if reading == against {
        let name = against.name();
        return Err(Error::usage_hint(
            format!("`--against {name}` is the reading itself, so there is nothing to compare"),
            format!(
                "choose another reading with `--reading`, or compare with one other than {name}"
            ),
        ));
    }
    // Both readings are of the same bytes, even if a file changes in between.
    lock_state::freeze(&mut files)?;
    let ours = session.encoder(&files)?;
    let mut files = files.read_as(against);
    lock_state::freeze(&mut files)?;
    let theirs = session.encoder(&files)?;
    let pair = ReadingPair::new(&ours, &theirs);
    let mut sum = Against {
        reading: reading.name(),
        against: against.name(),
        without_special_tokens: pair.is_without_special_tokens(),
        ..Against::default()
    };
    let mut bytes = 0;
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| compare_readings(&pair, &text);
    input(args).for_each_in_parallel(session, work, |session, outcome| {
        answers.take(session, outcome, |session, compared| {
            sum.texts += 1;
            sum.tokens += compared.tokens[0];
            sum.against_tokens += compared.tokens[1];
            bytes += compared.bytes;
            let Some(divergence) = compared.divergence else {
                return Ok(());
            };
            sum.differences += 1;
            for cause in &divergence.causes {
                *sum.causes.entry(cause).or_default() += 1;
            }
            if sum.differences > args.show.show {
                return Ok(());
            }
            session.emit(&Record::Divergence(divergence))
        })
    })?;
    let answered = match sum.differences {
        0 => Exit::Done,
        _ => Exit::Negative,
    };
    session.emit(&Record::Against(sum))?;
    match answers.exit(answered) {
        Exit::Done if bytes == 0 => Err(nothing_compared("readings")),
        exit => Ok(exit),
    }
}

/// Compares the two engines.
fn run_engines(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut files = session.files()?;
    // Both engines are made of the same bytes, even if a file changes in between.
    lock_state::freeze(&mut files)?;
    let reference = Tokenizer::open(&files)?.with_engine(EngineChoice::Reference);
    if reference.runs_sentencepiece() {
        return Err(Error::usage(format!(
            "{} is run as SentencePiece does, which the tokenizers library cannot, so there is nothing to compare",
            reference.file()
        )));
    }
    reference.prepare()?;
    let native = Tokenizer::open(&files)?.with_engine(EngineChoice::Native);
    if !native.is_native() {
        return Err(Error::usage(format!(
            "the native engine does not support the tokenizer of {}, so there is nothing to compare",
            files.place()
        )));
    }
    let mut sum = Verify::default();
    let mut bytes = 0;
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| compare(&native, &reference, &text);
    input(args).for_each_in_parallel(session, work, |session, outcome| {
        answers.take(session, outcome, |session, (compared, difference)| {
            sum.texts += 1;
            sum.tokens += compared.tokens;
            bytes += compared.bytes;
            sum.differences += usize::from(difference.is_some());
            match difference {
                Some(difference) if sum.differences <= args.show.show => {
                    session.emit(&Record::Difference(difference))
                }
                _ => Ok(()),
            }
        })
    })?;
    let answered = if sum.differences > 0 {
        Exit::Negative
    } else {
        Exit::Done
    };
    session.emit(&Record::Verify(sum))?;
    match answers.exit(answered) {
        // Without text, the engines were not compared, and must not count as equal.
        Exit::Done if bytes == 0 => Err(nothing_compared("engines")),
        exit => Ok(exit),
    }
}
