//! `chunk`: a text in pieces that fit a model.

use clap::Args as ClapArgs;

use super::input::encode_args::EncodeArgs;
use super::input::stream_answers::StreamAnswers;
use super::input::text_args::TextArgs;
use super::input::text_format::Text;
use super::session::Session;
use super::split::cutter::{BYTES_A_TOKEN, Cutter, Part, Prefer};
use crate::error::{Error, Exit, Result};
use crate::record::{Chunk, Record};

/// Split text into pieces of at most so many tokens each
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    /// Allow at most N tokens, including special tokens
    #[arg(long, value_name = "N")]
    pub max_length: usize,
    /// Begin each piece with up to N tokens of the one before
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub overlap: usize,
    /// Where to cut if it can be done
    #[arg(long, value_enum, value_name = "WHERE")]
    pub prefer: Option<Prefer>,
    #[command(flatten)]
    pub counting: EncodeArgs,
}

/// The pieces of a text, which follow each other without a gap; none of an empty text.
///
/// # Errors
/// [`Error::Usage`] for a grapheme that alone has too many tokens.
pub fn parts(cutter: &Cutter<'_>, text: &str, overlap: usize) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut guess = cutter.room().saturating_mul(BYTES_A_TOKEN);
    while let end = parts.last().map_or(0, |part| part.end)
        && end < text.len()
    {
        let start = match parts.last() {
            Some(last) if overlap > 0 => cutter.overlap(text, last, overlap)?,
            _ => end,
        };
        let mut next = cutter.front(text, start, end, &mut guess)?;
        if next.is_none() && start < end {
            // What is shared leaves no room for what is new.
            next = cutter.front(text, end, end, &mut guess)?;
        }
        let Some(next) = next else {
            return Err(Error::usage_hint(
                format!(
                    "what stands at byte {end} cannot be cut, and has more tokens than --max-length allows"
                ),
                "a piece never ends inside a grapheme, what a reader takes for one character: allow more tokens",
            ));
        };
        parts.push(next);
    }
    Ok(parts)
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    let cutter = Cutter::new(&tokenizer, args.max_length, args.counting, args.prefer)?;
    let problem = match cutter.room() {
        0 => Some("leaves no token for the text".to_owned()),
        room if args.overlap >= room => Some(format!(
            "leaves {room} for the text, and --overlap {} takes them all",
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
        let mut end = 0;
        let chunks = (0..).zip(parts).map(|(index, part)| {
            let overlap = end - part.start;
            end = part.end;
            Chunk {
                index: Some(index),
                overlap: Some(overlap).filter(|bytes| *bytes > 0),
                ..record(&text, part)
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

/// The record of a part of a text.
pub fn record(text: &Text<'_>, part: Part) -> Chunk {
    Chunk {
        line: text.line,
        path: text.path.clone(),
        start: part.start,
        end: part.end,
        count: part.ids.len(),
        text: text.text[part.start..part.end].to_owned(),
        ids: part.ids,
        ..Chunk::default()
    }
}
