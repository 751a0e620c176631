//! Ends a run early if its stream has no texts at all: because it is not text, is not JSON Lines, or has no such field.

use std::io::BufRead;

use super::binary_kind::refuse_binary;
use super::line_blocks::LineBlocks;
use super::text_format::{BadText, InputFormat, Lines, Outcome, Utf8Args};
use crate::commands::session::Session;
use crate::error::{Error, Result};
use crate::render::numbers::thousands;

/// A stream whose first lines have no text is given up after this many lines, unless it is a file, where the first
/// block decides.
const LINES_WITHOUT_TEXT: u64 = 100;

/// Checks the lines that were read first.
///
/// # Errors
/// Fails with [`Error::NotText`] for a binary input. Fails with the error of the first line if no line holds a text, and
/// either the input is a file or there are many of these lines.
pub fn check_start(
    format: &InputFormat,
    input: &str,
    blocks: &LineBlocks,
    is_file: bool,
) -> Result<()> {
    refuse_binary(input, blocks.buffered(), format.utf8)?;
    if !format.jsonl {
        return Ok(());
    }
    let (mut first, mut lines) = (None, 0);
    for text in Lines::new(format, input, None, blocks.peek()).texts() {
        match text {
            Ok(_) => return Ok(()),
            Err(bad) => {
                lines += 1;
                first.get_or_insert(bad);
            }
        }
    }
    match first {
        Some(first) if is_file || lines >= LINES_WITHOUT_TEXT => Err(given_up(first.error, lines)),
        _ => Ok(()),
    }
}

/// Checks that standard input, which will be read as a whole, is text.
///
/// # Errors
/// Fails with [`Error::NotText`] or [`Error::ReadInput`].
pub fn check_stdin(session: &mut Session, utf8: Utf8Args) -> Result<()> {
    let input = "standard input";
    let start = session.stdin.fill_buf();
    let start = start.map_err(|source| Error::ReadInput {
        input: input.to_owned(),
        source,
    })?;
    refuse_binary(input, start, utf8)
}

/// Counts the lines without a text at the beginning of a stream.
#[derive(Debug, Default)]
pub struct LeadingErrors {
    lines: u64,
    /// True after the first text.
    has_text: bool,
    /// The remedy for the first of the lines.
    hint: Option<String>,
}

impl LeadingErrors {
    /// Passes the result for a line, unless there have been too many lines without a text.
    ///
    /// # Errors
    /// Fails with the error of the last of these lines.
    pub fn pass<T>(&mut self, outcome: Outcome<T>) -> Result<Outcome<T>> {
        match outcome {
            Err(bad) if !self.has_text && is_bad_json(&bad) => {
                self.lines += 1;
                if self.lines == 1 {
                    self.hint = bad.error.hint();
                }
                if self.lines < LINES_WITHOUT_TEXT {
                    return Ok(Err(bad));
                }
                Err(given_up(bad.error, self.lines))
            }
            outcome => {
                self.has_text = true;
                Ok(outcome)
            }
        }
    }

    /// Writes the remedy as a note if the stream has ended and no line had a text. Until then, the next line may have
    /// one.
    ///
    /// # Errors
    /// Fails if the answers before the note cannot be written.
    pub fn end(self, session: &mut Session) -> Result<()> {
        match self.hint {
            Some(hint) if !self.has_text => session.note(&hint),
            _ => Ok(()),
        }
    }
}

fn is_bad_json(bad: &BadText) -> bool {
    matches!(bad.error, Error::BadJsonLine { .. })
}

/// Adds to the error of a line that the others have no text either.
fn given_up(error: Error, lines: u64) -> Error {
    match error {
        Error::BadJsonLine {
            input,
            line,
            problem,
            hint,
        } if lines > 1 => Error::BadJsonLine {
            problem: format!(
                "{problem}; none of the first {} lines has a text",
                thousands(lines)
            ),
            input,
            line,
            hint,
        },
        other => other,
    }
}
