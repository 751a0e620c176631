//! Handles texts that fail: in a stream, a bad text becomes an error record and the run continues.

use super::text_format::{BadText, Outcome};
use crate::commands::session::Session;
use crate::error::{Exit, Result};

/// Answers the texts of an input in order, and remembers the exit code of the last failure.
#[derive(Debug)]
pub struct StreamAnswers {
    line_per_text: bool,
    failed: Option<Exit>,
}

impl StreamAnswers {
    /// For commands whose output is made of records.
    pub fn records() -> Self {
        Self {
            line_per_text: false,
            failed: None,
        }
    }

    /// For commands that can print one bare line per text. If `line_per_text`, a text that failed gets an empty line,
    /// so that line N of the output still answers text N.
    pub fn lines(line_per_text: bool) -> Self {
        Self {
            line_per_text,
            failed: None,
        }
    }

    /// Passes the result of one text to `answer`, or reports its error.
    ///
    /// # Errors
    /// Fails with the error of a text that is not part of a stream, or with an error from `answer`.
    pub fn take<T>(
        &mut self,
        session: &mut Session,
        outcome: Outcome<T>,
        answer: impl FnOnce(&mut Session, T) -> Result<()>,
    ) -> Result<()> {
        let BadText { error, line, path } = match outcome {
            Ok(result) => return answer(session, result),
            Err(bad) if bad.ends_run() => return Err(bad.error),
            Err(bad) => *bad,
        };
        self.failed = Some(error.exit());
        if self.line_per_text {
            session.bare("")?;
        }
        session.emit_failure(line, path, &error)
    }

    /// Returns the exit code of the last text that failed, or `answered` if none failed.
    pub fn exit(self, answered: Exit) -> Exit {
        self.failed.unwrap_or(answered)
    }
}
