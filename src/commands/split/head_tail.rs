//! The common code of `head` and `tail`, which print one part of each text.

use super::cutter::{Cutter, Part};
use clap::Args;

use crate::commands::input::encode_args::EncodeArgs;
use crate::commands::input::stream_answers::StreamAnswers;
use crate::commands::input::text_args::TextArgs;
use crate::commands::input::text_format::Text;
use crate::commands::session::Session;
use crate::error::{Exit, Result};
use crate::record::{Chunk, Record};

/// The options of `head` and `tail`.
#[derive(Debug, Args)]
pub struct PartArgs {
    #[command(flatten)]
    pub input: TextArgs,
    /// Print at most N tokens, including special tokens
    #[arg(short = 'n', long = "tokens", value_name = "N")]
    pub tokens: usize,
    #[command(flatten)]
    pub encode: EncodeArgs,
}

/// Returns the longest beginning of a text that fits. It is empty if not even the first grapheme fits.
///
/// # Errors
/// Fails if the text cannot be encoded.
pub fn beginning(cutter: &Cutter<'_>, text: &str) -> Result<Part> {
    if let Some(whole) = cutter.whole(text)? {
        return Ok(whole);
    }
    let mut guess = cutter.initial_guess();
    match cutter.front(text, 0, 0, &mut guess)? {
        Some(part) => Ok(part),
        None => cutter.empty(),
    }
}

/// Answers each text: `cut` returns the part to print, and `record` wraps it in a record.
///
/// # Errors
/// Fails with an error from `cut` or from reading the texts.
pub fn run(
    args: &PartArgs,
    session: &mut Session,
    cut: impl Fn(&Cutter<'_>, &str) -> Result<Part> + Send + Sync,
    record: fn(Chunk) -> Record,
) -> Result<Exit> {
    let tokenizer = session.encoder(&session.files()?)?;
    let cutter = Cutter::new(&tokenizer, args.tokens, args.encode, None)?;
    let mut answers = StreamAnswers::lines(session.is_human());
    let work = |text: Text<'_>| {
        let part = cut(&cutter, &text.text)?;
        let truncated = text.text.len() > part.end - part.start;
        Ok(Chunk {
            truncated: Some(truncated),
            ..part.record(&cutter, &text)
        })
    };
    args.input
        .for_each_in_parallel(session, work, |session, outcome| {
            answers.take(session, outcome, |session, chunk| {
                session.emit(&record(chunk))
            })
        })?;
    Ok(answers.exit(Exit::Done))
}
