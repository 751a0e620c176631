//! RECORD → BYTES. Nothing else writes to standard output.
//!
//! One [`Sink`] per format; all of them read the same records.

mod annotation;
pub mod escape;
mod human;
mod json;
mod separated;
pub mod stderr;
pub mod style;
mod terminal;

use std::io::Write;

use clap::ValueEnum;

use crate::record::{Failure, Sink};
use style::Style;
use terminal::Terminal;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Tables and sentences for people.
    #[default]
    Human,
    /// JSON Lines: one object per record.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// Tab-separated values with a header line.
    Tsv,
}

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

/// The renderer of a format.
pub fn renderer<'w>(
    format: Format,
    reader: Reader,
    mut streams: Streams<'w>,
) -> Box<dyn Sink + 'w> {
    if reader.is_terminal {
        streams.out = match format {
            // Tables make each cell safe, and have colours of their own.
            Format::Human => streams.out,
            Format::Json => Box::new(Terminal::json(streams.out)),
            Format::Csv | Format::Tsv => Box::new(Terminal::text(streams.out)),
        };
    }
    match format {
        Format::Human => Box::new(human::Human::new(reader, streams)),
        Format::Json => Box::new(json::Json::new(reader, streams)),
        Format::Csv => Box::new(separated::Separated::new(b',', reader, streams)),
        Format::Tsv => Box::new(separated::Separated::new(b'\t', reader, streams)),
    }
}

/// Writes a record of failure where it cannot stand among the others, behind what came before it.
fn write_failure(
    out: &mut dyn Write,
    err: &mut dyn Write,
    failure: &Failure,
) -> std::io::Result<()> {
    out.flush()?;
    writeln!(err, "error: {}", escape::line(&failure.message))
}

/// Writes a bare line, made safe if a terminal shows it.
fn write_bare(out: &mut dyn Write, reader: Reader, line: &str) -> std::io::Result<()> {
    let safe = match reader.is_terminal {
        true => escape::safe(line),
        false => line.into(),
    };
    out.write_all(safe.as_bytes())?;
    out.write_all(b"\n")
}
