//! Turns records into bytes. Only this module writes to standard output.
//!
//! There is one [`Sink`] per format, and all of them take the same records.

mod annotation;
mod cells;
pub mod columns;
mod csv;
pub mod digits;
pub mod escape;
mod format;
mod human;
mod json;
pub mod numbers;
mod progress_bar;
mod sink;
pub mod stderr;
mod streams;
pub mod style;
mod terminal;
mod view;
pub mod width;

use self::csv::Csv;
use std::io::{self, Write};

use human::Human;
use json::Json;
use style::Style;
use terminal::Terminal;

pub use annotation::Annotation;
pub use format::{Encoder, Format};
pub use sink::Sink;
pub use streams::{Output, Streams};
pub use view::View;

/// Returns the renderer of a format for standard output.
pub fn renderer<'w>(
    format: Format,
    output: Output,
    mut streams: Streams<'w>,
) -> Box<dyn Sink + 'w> {
    if output.is_terminal {
        streams.out = match format {
            // Tables contain colors, and escape each cell themselves.
            Format::Human => streams.out,
            Format::Json => Box::new(Terminal::json(streams.out)),
            Format::Csv | Format::Tsv => Box::new(Terminal::text(streams.out)),
        };
    }
    match format {
        Format::Human => Box::new(Human::new(output, streams)),
        Format::Json => Box::new(Json::new(output, streams)),
        Format::Csv => Box::new(Csv::new(b',', output, streams)),
        Format::Tsv => Box::new(Csv::new(b'\t', output, streams)),
    }
}

/// Returns the renderer of a format for a file.
pub fn file_renderer<'w>(format: Format, out: Box<dyn Write + 'w>) -> Box<dyn Sink + 'w> {
    let output = Output {
        style: Style::new(false),
        is_terminal: false,
        width: None,
    };
    let err = Box::new(io::sink());
    renderer(format, output, Streams { out, err })
}
