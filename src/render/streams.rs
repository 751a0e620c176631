//! The streams of an answer, and the lines that every format writes the same way.

use std::io::{self, Write};

use super::escape;
use super::style::Style;
use super::width::DEFAULT_WIDTH;
use crate::record::Failure;

/// Properties of the stream that an answer is written to.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub style: Style,
    /// True if the stream is a terminal, for which bare text must be escaped. Other streams get bare text unchanged.
    pub is_terminal: bool,
    /// The width of the terminal in columns, if it is one that tells.
    pub width: Option<usize>,
}

impl Output {
    /// Returns the width that tables are laid out for. On a wide terminal they have the same columns as elsewhere.
    pub(super) fn columns(self) -> usize {
        self.width.unwrap_or(DEFAULT_WIDTH).min(DEFAULT_WIDTH)
    }
}

/// The streams of an answer: `out` for records, and `err` for error records in formats that cannot hold them.
pub struct Streams<'w> {
    pub out: Box<dyn Write + 'w>,
    pub err: Box<dyn Write + 'w>,
}

/// Writes an error record to `err`, after flushing `out` to keep the two in order.
pub(super) fn write_failure(
    out: &mut dyn Write,
    err: &mut dyn Write,
    failure: &Failure,
) -> io::Result<()> {
    out.flush()?;
    writeln!(err, "error: {}", escape::line(&failure.message))
}

/// Writes a line of bare text, escaped if the stream is a terminal.
pub(super) fn write_bare(out: &mut dyn Write, output: Output, line: &str) -> io::Result<()> {
    let safe = if output.is_terminal {
        escape::safe(line)
    } else {
        line.into()
    };
    out.write_all(safe.as_bytes())?;
    out.write_all(b"\n")
}
