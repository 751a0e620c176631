//! The renderer of tables, and its state.

use std::fmt::Display;
use std::io::{self, Write};

use crate::render::cells::{display_width, elide, wrap};
use crate::render::streams::{Output, Streams};

/// The width of the labels of facts, in columns.
const LABEL_WIDTH: usize = 16;
/// In a narrower terminal, a long fact is written below its label.
const NARROW: usize = 60;

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
    /// The numbers of rows of a matrix of cosines shown and not shown, if only the first of them were shown.
    pub(super) cut: Option<(usize, usize)>,
    /// The rows of a matrix of cosines that is shown in blocks at the end: names and cosines.
    pub(super) cosines: Vec<(String, Vec<Option<f32>>)>,
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
            cosines: Vec::new(),
        }
    }

    /// Writes the header of a table, unless the last header was for the same table.
    pub(super) fn head(&mut self, table: &'static str, head: &str) -> io::Result<()> {
        if self.table == Some(table) {
            return Ok(());
        }
        self.table = Some(table);
        let head = self.output.style.head(head);
        self.line(&head)
    }

    /// Writes a line with a label, broken at spaces to fit a terminal.
    pub(super) fn fact(&mut self, label: &str, value: impl Display) -> io::Result<()> {
        let value = value.to_string();
        let head = self.output.style.head(&format!("{label:<LABEL_WIDTH$}"));
        let room = self.output.width.unwrap_or(usize::MAX);
        if room >= NARROW || LABEL_WIDTH + 1 + display_width(&value) <= room {
            return self.wrapped(LABEL_WIDTH + 1, &format!("{head} {value}"));
        }
        if !label.is_empty() {
            writeln!(self.out, "{}", self.output.style.head(label))?;
        }
        self.wrapped(4, &format!("  {}", value.trim_start()))
    }

    /// Writes a line of a table. Its end is cut off if it does not fit the terminal.
    pub(super) fn line(&mut self, line: &str) -> io::Result<()> {
        match self.output.width {
            Some(width) => writeln!(self.out, "{}", elide(line, width)),
            None => writeln!(self.out, "{line}"),
        }
    }

    /// Writes a sentence or a list, broken at spaces to fit a terminal.
    pub(super) fn wrapped(&mut self, indent: usize, line: &str) -> io::Result<()> {
        let width = self.output.width.unwrap_or(usize::MAX);
        writeln!(self.out, "{}", wrap(line, width, indent))
    }

    /// Returns a cell that a table has this room for. Elsewhere than on a terminal, the whole cell is shown.
    pub(super) fn cell_in(&self, text: &str, room: usize) -> String {
        match self.output.width {
            Some(_) => elide(text, room),
            None => text.to_owned(),
        }
    }
}
