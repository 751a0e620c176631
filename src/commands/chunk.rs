//! `chunk`: splits text into chunks that fit a model.

use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args as ClapArgs;

use super::input::chat_args::{ChatArgs, ChatInput, note_media};
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
    // Must stay last: its help heading would apply to any flags after it.
    #[command(flatten)]
    pub chat: ChatArgs,
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
    let files = session.files()?;
    let tokenizer = session.encoder(&files)?;
    let chat = args.chat.open(&files, &tokenizer)?;
    let (mut encode, mut input) = (args.encode, args.input.clone());
    if chat.is_some() {
        // Rendered text spells them out.
        encode.special_tokens.no_special_tokens = true;
        input = input.of_json();
    }
    let cutter = Cutter::new(&tokenizer, args.max_length, encode, args.prefer)?;
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
    let media_parts = AtomicUsize::new(0);
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| {
        let Some(chat) = &chat else {
            return chunks(&cutter, &text, args.overlap);
        };
        let mut all = Vec::new();
        for (text, media) in rendered(chat, &text)? {
            media_parts.fetch_add(media, Ordering::Relaxed);
            all.extend(chunks(&cutter, &text, args.overlap)?);
        }
        Ok(all)
    };
    input.for_each_in_parallel(session, work, |session, outcome| {
        answers.take(session, outcome, |session, chunks| {
            let mut chunks = chunks.into_iter();
            chunks.try_for_each(|chunk| session.emit(&Record::Chunk(chunk)))
        })
    })?;
    note_media(session, media_parts.into_inner())?;
    Ok(answers.exit(Exit::Done))
}

/// Renders the conversations of an input. Returns each text with the number of parts that are not text.
fn rendered(chat: &ChatInput, text: &Text<'_>) -> Result<Vec<(Text<'static>, usize)>> {
    let rendered = chat.render(text)?.into_iter();
    let texts = rendered.map(|rendered| {
        let media = rendered.conversation.media_parts();
        let text = Text {
            text: rendered.prompt.text.into(),
            line: rendered.conversation.line,
            path: text.path.clone(),
        };
        (text, media)
    });
    Ok(texts.collect())
}

/// Computes the records of a text.
fn chunks(cutter: &Cutter<'_>, text: &Text<'_>, overlap: usize) -> Result<Vec<Chunk>> {
    let parts = parts(cutter, &text.text, overlap)?;
    let mut previous_end = 0;
    let chunks = (0..).zip(parts).map(|(index, part)| {
        let overlap = previous_end - part.start;
        previous_end = part.end;
        Chunk {
            index: Some(index),
            overlap: Some(overlap).filter(|bytes| *bytes > 0),
            ..part.record(cutter, text)
        }
    });
    Ok(chunks.collect())
}
