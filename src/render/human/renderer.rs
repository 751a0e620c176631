//! The state of the tables being written.

use std::io::{self, Write};

use crate::render::streams::{Reader, Streams};

pub struct Human<'w> {
    pub(super) reader: Reader,
    pub(super) out: Box<dyn Write + 'w>,
    pub(super) err: Box<dyn Write + 'w>,
    /// Kind of the table whose head has been written.
    pub(super) table: Option<&'static str>,
    /// Rows shown, their length and dtype, for the closing line.
    pub(super) shape: Option<(usize, usize, String)>,
    /// Whether the rows shown have a column of positions.
    pub(super) positions: bool,
    pub(super) texts: usize,
    /// Rows of a matrix of cosines of which only the first were shown.
    pub(super) cut: Option<usize>,
}

impl<'w> Human<'w> {
    pub fn new(reader: Reader, streams: Streams<'w>) -> Self {
        Self {
            reader,
            out: streams.out,
            err: streams.err,
            table: None,
            shape: None,
            positions: false,
            texts: 0,
            cut: None,
        }
    }

    /// Writes the head of a table, once until another kind of record comes.
    pub(super) fn head(&mut self, table: &'static str, head: &str) -> io::Result<()> {
        if self.table == Some(table) {
            return Ok(());
        }
        self.table = Some(table);
        writeln!(self.out, "{}", self.reader.style.head(head))
    }
}
