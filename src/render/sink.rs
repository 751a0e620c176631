//! The destination of a command's answer.

use std::io;

use super::view::View;
use crate::record::Record;

/// Takes the records of an answer: a renderer, or a test.
pub trait Sink {
    /// Writes the next record.
    fn emit(&mut self, record: &Record, view: View) -> io::Result<()>;

    /// Writes a line of bare text. `line` has no line end.
    fn bare(&mut self, line: &str) -> io::Result<()>;

    /// Writes bytes as they are, such as a completion script or encoded records.
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Flushes buffered output, to keep it in order with other streams.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the answer: writes the lines that follow the last record, and flushes.
    fn finish(&mut self) -> io::Result<()>;
}
