//! JSON Lines.

use std::io::{self, Write};

use super::{Reader, Streams, annotation, write_bare};
use crate::record::{Annotation, Encoder, Record, Sink};

pub struct Json<'w> {
    reader: Reader,
    out: Box<dyn Write + 'w>,
    err: Box<dyn Write + 'w>,
}

impl<'w> Json<'w> {
    pub fn new(reader: Reader, streams: Streams<'w>) -> Self {
        Self {
            reader,
            out: streams.out,
            err: streams.err,
        }
    }
}

/// About as many bytes as the line of a record will have, where it may have many.
fn size(record: &Record) -> usize {
    match record {
        // An id, a piece, two offsets and three small numbers take some 45 bytes.
        Record::Tokenize(record) => 512 + 2 * record.text.len() + 48 * record.count,
        _ => 512,
    }
}

/// The line of a record.
fn line(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(size(record));
    serde_json::to_writer(&mut line, record)?;
    line.push(b'\n');
    Ok(line)
}

impl Sink for Json<'_> {
    fn emit(&mut self, record: &Record) -> io::Result<()> {
        self.out.write_all(&line(record)?)
    }

    fn encoder(&self) -> Option<Encoder> {
        Some(line)
    }

    fn bare(&mut self, line: &str) -> io::Result<()> {
        write_bare(&mut self.out, self.reader, line)
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
    fn annotate(&mut self, annotation: &Annotation) -> io::Result<()> {
        self.out.flush()?;
        annotation::write(&mut self.err, annotation)
    }
}
