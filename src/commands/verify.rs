//! `verify`: compares the two engines on the user's text.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::input::stream_answers::StreamAnswers;
use super::input::text_args::{InputArgs, InputWays, TextArgs};
use super::input::text_format::{InputFormat, Text};
use super::lock_state;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Difference, Record, Verify};
use crate::tokenizer::{EncodeOptions, Encoding, EngineChoice, Tokenizer};

/// Compare the native engine with the tokenizers crate on your own text; exit 1 if they differ
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files to encode; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,
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
    let mut files = session.files()?;
    // Both engines are made of the same bytes, even if a file changes in between.
    lock_state::freeze(&mut files)?;
    let reference = Tokenizer::open(&files)?.with_engine(EngineChoice::Reference);
    reference.prepare()?;
    let native = Tokenizer::open(&files)?.with_engine(EngineChoice::Native);
    if !native.is_native() {
        return Err(Error::usage(format!(
            "the native engine does not support the tokenizer of {}, so there is nothing to compare",
            files.place()
        )));
    }
    let input = TextArgs {
        texts: Vec::new(),
        input: InputArgs {
            files: args.paths.clone(),
            format: args.format.clone(),
        },
        ways: InputWays::Path,
        are_found: false,
    };
    let mut sum = Verify::default();
    let mut bytes = 0;
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| compare(&native, &reference, &text);
    input.for_each_in_parallel(session, work, |session, outcome| {
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
        Exit::Done if bytes == 0 => Err(Error::usage_hint(
            "found no text to compare",
            "the engines were not compared: check the files and the input",
        )),
        exit => Ok(exit),
    }
}
