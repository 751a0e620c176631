//! Tables and sentences for people.
//!
//! A terminal and a pipe get the same columns, which fit 80 characters. In a narrower terminal some are left out. Text
//! that is too long for the terminal is shortened or broken at spaces, except for paths.

mod chat;
mod counts;
mod lock;
mod matches;
mod model;
mod renderer;
mod rows;
mod similarity;
mod split;
mod stats;
mod tokens;
mod verify;

use std::io::{self, Write};

use super::sink::Sink;
use super::streams::{write_bare, write_failure};
use super::view::View;
use crate::record::Record;

pub use renderer::Human;
use renderer::Shape;

impl Sink for Human<'_> {
    fn emit(&mut self, record: &Record, view: View) -> io::Result<()> {
        match record {
            Record::Tokenize(record) => self.tokenize(record),
            Record::Decode(record) => self.decode(record, view),
            Record::Chat(record) => self.chat(record),
            Record::Count(record) => self.count(record, view),
            Record::Total(record) => self.total(record, view),
            Record::Group(record) => self.group(record, view),
            Record::Summary(record) => self.summary(record),
            Record::Info(record) => self.info(record),
            Record::Piece(record) => self.piece(record),
            Record::Row(record) => self.row(record, view),
            Record::Diff(record) => self.diff(record, view),
            Record::Neighbor(record) => self.neighbor(record, view),
            Record::Similarity(record) => self.similarity(record, view),
            Record::Stats(record) => self.stats(record),
            Record::File(record) => self.file(record),
            Record::Cached(record) => self.cached(record),
            Record::Difference(record) => self.difference(record, view),
            Record::Divergence(record) => self.divergence(record),
            Record::Against(record) => self.against(record),
            Record::Verify(record) => self.verify(record),
            Record::Convert(record) => self.convert(record),
            Record::Match(record) => self.occurrence(record, view),
            Record::Lock(record) | Record::Check(record) => self.lock(record),
            Record::Drift(record) => self.drift(record),
            Record::Chunk(record) => self.chunk(record),
            Record::Head(record) | Record::Tail(record) => self.excerpt(record),
            Record::Error(record) => write_failure(&mut self.out, &mut self.err, record),
        }
    }

    fn bare(&mut self, line: &str) -> io::Result<()> {
        write_bare(&mut self.out, self.output, line)
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(Shape {
            rows,
            columns,
            dtype,
        }) = &self.shape
            && *columns > 0
        {
            writeln!(self.out, "shape [{rows}, {columns}], {dtype}")?;
        }
        self.rest_of_similarity()?;
        self.out.flush()
    }
}
