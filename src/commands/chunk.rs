//! `chunk`: splits text into chunks that fit a model.

use clap::Args as ClapArgs;

use super::input::encode_args::EncodeArgs;
use super::input::stream_answers::StreamAnswers;
use super::input::text_args::TextArgs;
use super::input::text_format::Text;
use super::session::Session;
use super::split::cutter::{Cutter, Part, Prefer};
use crate::error::{Error, Exit, Result};
use crate::record::{Chunk, Record};

/// Split text into chunks of at most N tokens each
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    /// Allow at most N tokens, including special tokens
    #[arg(long, value_name = "N")]
    pub max_length: usize,
    /// Begin each chunk with up to N tokens of the one before
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub overlap: usize,
    /// Preferred place to cut
    #[arg(long, value_enum, value_name = "WHERE")]
    pub prefer: Option<Prefer>,
    #[command(flatten)]
    pub encode: EncodeArgs,
}

/// Cuts a text into parts that leave no gaps. An empty text has no parts.
///
/// # Errors
/// Fails with [`Error::Usage`] if a single grapheme has too many tokens.
pub fn parts(cutter: &Cutter<'_>, text: &str, overlap: usize) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut guess = cutter.initial_guess();
    while let end = parts.last().map_or(0, |part| part.end)
        && end < text.len()
    {
        let start = match parts.last() {
            Some(last) if overlap > 0 => cutter.overlap(text, last, overlap)?,
            _ => end,
        };
        let mut next = cutter.front(text, start, end, &mut guess)?;
        if next.is_none() && start < end {
            // The overlap leaves no room for new text: do without it.
            next = cutter.front(text, end, end, &mut guess)?;
        }
        let Some(next) = next else {
            return Err(Error::usage_hint(
                format!("the grapheme at byte {end} has more tokens than --max-length allows"),
                "allow more tokens: a chunk never ends inside a grapheme, which readers see as one character",
            ));
        };
        parts.push(next);
    }
    Ok(parts)
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.encoder(&session.files()?)?;
    let cutter = Cutter::new(&tokenizer, args.max_length, args.encode, args.prefer)?;
    let problem = match cutter.room() {
        0 => Some("leaves no room for the text".to_owned()),
        room if args.overlap >= room => Some(format!(
            "leaves {room} tokens for the text, and --overlap {} takes them all",
            args.overlap
        )),
        _ => None,
    };
    if let Some(problem) = problem {
        let length = args.max_length;
        return Err(Error::usage(format!("--max-length {length} {problem}")));
    }
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| {
        let parts = parts(&cutter, &text.text, args.overlap)?;
        let mut previous_end = 0;
        let chunks = (0..).zip(parts).map(|(index, part)| {
            let overlap = previous_end - part.start;
            previous_end = part.end;
            Chunk {
                index: Some(index),
                overlap: Some(overlap).filter(|bytes| *bytes > 0),
                ..part.record(&cutter, &text)
            }
        });
        Ok(chunks.collect::<Vec<_>>())
    };
    args.input
        .for_each_in_parallel(session, work, |session, outcome| {
            answers.take(session, outcome, |session, chunks| {
                let mut chunks = chunks.into_iter();
                chunks.try_for_each(|chunk| session.emit(&Record::Chunk(chunk)))
            })
        })?;
    Ok(answers.exit(Exit::Done))
}
