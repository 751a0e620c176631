//! What `head` and `tail` have in common: one part of each text.

use super::cutter::{BYTES_A_TOKEN, Cutter, Part};
use crate::commands::chunk::record;
use crate::commands::input::text_args::TextArgs;
use crate::commands::input::text_format::Text;
use crate::commands::session::Session;
use crate::error::{Exit, Result};
use crate::record::{Chunk, Record};

/// The beginning of a text that fits; empty if not even its first grapheme does.
///
/// # Errors
/// Whatever encoding fails with.
pub fn beginning(cutter: &Cutter<'_>, text: &str) -> Result<Part> {
    if let Some(whole) = cutter.whole(text)? {
        return Ok(whole);
    }
    let mut guess = cutter.room().saturating_mul(BYTES_A_TOKEN);
    match cutter.front(text, 0, 0, &mut guess)? {
        Some(part) => Ok(part),
        None => cutter.nothing(),
    }
}

/// Answers each text with the part that `cut` makes of it, in a record that `kind` makes of that.
///
/// # Errors
/// Whatever `cut` fails with, and reading the texts.
pub fn run(
    input: &TextArgs,
    session: &mut Session,
    cut: impl Fn(&str) -> Result<Part> + Send + Sync,
    kind: fn(Chunk) -> Record,
) -> Result<Exit> {
    let mut exit = Exit::Done;
    let work = |text: Text<'_>| {
        let part = cut(&text.text)?;
        let truncated = text.text.len() > part.end - part.start;
        Ok(Chunk {
            truncated: Some(truncated),
            ..record(&text, part)
        })
    };
    input.for_each_in_parallel(session, work, |session, answer| match answer {
        Ok(chunk) => session.emit(&kind(chunk)),
        Err((line @ Some(_), error)) => {
            exit = error.exit();
            if session.human {
                session.bare("")?;
            }
            session.emit_failure(line, None, &error)
        }
        Err((None, error)) => Err(error),
    })?;
    Ok(exit)
}
