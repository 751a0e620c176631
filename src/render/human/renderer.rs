//! The renderer of tables, and its state.

use std::fmt::Display;
use std::io::{self, Write};

use crate::render::streams::{Output, Streams};

/// The renderer of tables for people.
pub struct Human<'w> {
    pub(super) output: Output,
    pub(super) out: Box<dyn Write + 'w>,
    pub(super) err: Box<dyn Write + 'w>,
    /// The kind of the table whose header was written last.
    pub(super) table: Option<&'static str>,
    /// The shape for the last line. `None` before the first row.
    pub(super) shape: Option<Shape>,
    /// True if the rows shown have a column of positions.
    pub(super) positions: bool,
    /// The number of texts shown so far.
    pub(super) texts: usize,
    /// The number of rows of a matrix of cosines, if only the first of them were shown.
    pub(super) cut: Option<usize>,
}

/// The shape and dtype of the rows shown.
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) dtype: String,
}

impl<'w> Human<'w> {
    pub fn new(output: Output, streams: Streams<'w>) -> Self {
        Self {
            output,
            out: streams.out,
            err: streams.err,
            table: None,
            shape: None,
            positions: false,
            texts: 0,
            cut: None,
        }
    }

    /// Writes the header of a table, unless the last header was for the same table.
    pub(super) fn head(&mut self, table: &'static str, head: &str) -> io::Result<()> {
        if self.table == Some(table) {
            return Ok(());
        }
        self.table = Some(table);
        writeln!(self.out, "{}", self.output.style.head(head))
    }

    /// Writes a line with a label.
    pub(super) fn fact(&mut self, label: &str, value: impl Display) -> io::Result<()> {
        let label = self.output.style.head(&format!("{label:<16}"));
        writeln!(self.out, "{label} {value}")
    }
}
