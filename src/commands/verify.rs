//! `verify`: both engines over the user's own text.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::Session;
use super::input::{InputOptions, Reading, Text, TextArgs};
use crate::error::{Error, Exit, Result};
use crate::record::{Difference, Record, Verify};
use crate::tokenizer::{EncodeOptions, Encoding, EngineChoice, Tokenizer};

/// Compare the native engine with the tokenizers crate on your own text; exit 1 on any difference
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files to compare on; `-` or nothing is standard input
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    /// How many differences to show; all are counted
    #[arg(short, long, value_name = "N", default_value_t = 10)]
    pub show: usize,
}

/// Where two encodings of a text first differ: the number of tokens that are the same before.
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

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let files = session.files()?;
    let native = Tokenizer::open(&files)?.with_engine(EngineChoice::Native);
    if !native.is_native() {
        return Err(Error::usage(format!(
            "the tokenizer of {} is left to the reference engine, so there is nothing to compare",
            files.place()
        )));
    }
    let reference = Tokenizer::open(&files)?.with_engine(EngineChoice::Reference);
    let input = TextArgs {
        texts: Vec::new(),
        options: InputOptions {
            files: args.paths.clone(),
            reading: args.reading.clone(),
        },
    };
    let mut sum = Verify::default();
    let mut failed = None;
    input.for_each(session, |session, text| {
        let Text { text, line, path } = match text {
            Ok(text) => text,
            Err((line @ Some(_), error)) => {
                failed = Some(error.exit());
                return session.emit_failure(line, None, &error);
            }
            Err((None, error)) => return Err(error),
        };
        let options = EncodeOptions::default();
        let ours = native.encode(&text, None, &options)?.into_first();
        let theirs = reference.encode(&text, None, &options)?.into_first();
        sum.texts += 1;
        sum.tokens += theirs.len();
        let Some(position) = first_difference(&ours, &theirs) else {
            return Ok(());
        };
        sum.differences += 1;
        if sum.differences > args.show {
            return Ok(());
        }
        session.emit(&Record::Difference(Difference {
            path,
            line,
            position,
            text,
            native: ours.tokens,
            native_offsets: ours.offsets,
            reference: theirs.tokens,
            reference_offsets: theirs.offsets,
        }))
    })?;
    let exit = match failed {
        Some(exit) => exit,
        None if sum.differences > 0 => Exit::Negative,
        None => Exit::Done,
    };
    session.emit(&Record::Verify(sum))?;
    Ok(exit)
}
