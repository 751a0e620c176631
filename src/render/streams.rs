//! The two streams of an answer, and what every format writes to them in the same way.

use std::io::{self, Write};

use super::escape;
use super::style::Style;
use crate::record::Failure;

/// What the reader of standard output is like.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    pub style: Style,
    /// Bare text is made safe for a terminal, and passed through to anything else.
    pub is_terminal: bool,
}

/// The two streams an answer goes to: records to `out`, and to `err` those records of failure that a format other
/// than JSON has no place for.
pub struct Streams<'w> {
    pub out: Box<dyn Write + 'w>,
    pub err: Box<dyn Write + 'w>,
}

/// Writes a record of failure where it cannot stand among the others, behind what came before it.
pub(super) fn write_failure(
    out: &mut dyn Write,
    err: &mut dyn Write,
    failure: &Failure,
) -> io::Result<()> {
    out.flush()?;
    writeln!(err, "error: {}", escape::line(&failure.message))
}

/// Writes a bare line, made safe if a terminal shows it.
pub(super) fn write_bare(out: &mut dyn Write, reader: Reader, line: &str) -> io::Result<()> {
    let safe = if reader.is_terminal {
        escape::safe(line)
    } else {
        line.into()
    };
    out.write_all(safe.as_bytes())?;
    out.write_all(b"\n")
}
