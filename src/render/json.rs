//! JSON Lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::sink::Sink;
use super::streams::{Output, Streams, write_bare};
use super::view::View;
use crate::record::Record;

/// The renderer of JSON Lines.
pub struct Json<'w> {
    output: Output,
    out: Box<dyn Write + 'w>,
}

impl<'w> Json<'w> {
    pub fn new(output: Output, streams: Streams<'w>) -> Self {
        Self {
            output,
            out: streams.out,
        }
    }
}

/// Estimates the length of a record's line, in bytes.
fn size(record: &Record) -> usize {
    match record {
        // Each token takes about 30 bytes: an id, a piece, two offsets, and three small numbers.
        Record::Tokenize(record) => 512 + record.text.len() + 36 * record.count,
        _ => 512,
    }
}

/// Returns the line of a record.
pub(super) fn encode(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = Line(Vec::with_capacity(size(record)));
    record.serialize(&mut Serializer::with_formatter(&mut line, Compact))?;
    line.write_all(b"\n")?;
    Ok(line.0)
}

/// A buffer with fast short writes. Most writes are a few bytes long and do not need a call to `memcpy`.
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let line = &mut self.0;
        match bytes {
            [one] => line.push(*one),
            [first, .., last] if bytes.len() < 4 => {
                // If there are two bytes, the middle one is the last.
                let block = [*first, bytes[bytes.len() / 2], *last, 0];
                let end = line.len() + bytes.len();
                line.extend_from_slice(&block);
                line.truncate(end);
            }
            _ if bytes.len() <= 8 => {
                // The first four and the last four bytes, which may overlap.
                if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
                    let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
                    let shift = 8 * (bytes.len() - 4);
                    let block = u64::from(first) | u64::from(last) << shift;
                    let end = line.len() + bytes.len();
                    line.extend_from_slice(&block.to_le_bytes());
                    line.truncate(end);
                }
            }
            _ => line.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The compact format of serde_json, with a shortcut for single-digit numbers, the most frequent ones in records of
/// tokens.
struct Compact;

impl Formatter for Compact {
    #[inline]
    fn write_u32<W: ?Sized + Write>(&mut self, writer: &mut W, value: u32) -> io::Result<()> {
        self.write_u64(writer, u64::from(value))
    }

    #[inline]
    fn write_u64<W: ?Sized + Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        if value < 10 {
            return writer.write_all(&[b'0' + value as u8]);
        }
        writer.write_all(itoa::Buffer::new().format(value).as_bytes())
    }
}

impl Sink for Json<'_> {
    fn emit(&mut self, record: &Record, _view: View) -> io::Result<()> {
        self.out.write_all(&encode(record)?)
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
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_writes_of_any_length() {
        let bytes: Vec<u8> = (1..=40).collect();
        let mut line = Line(Vec::new());
        let mut expected = Vec::new();
        for length in 0..=bytes.len() {
            line.write_all(&bytes[..length]).unwrap();
            expected.extend_from_slice(&bytes[..length]);
        }
        assert_eq!(line.0, expected);
    }

    #[test]
    fn numbers_are_those_of_serde_json() {
        let numbers = [0, 9, 10, 99, 100, 128_000, u64::from(u32::MAX), u64::MAX];
        let mut line = Line(Vec::new());
        numbers
            .serialize(&mut Serializer::with_formatter(&mut line, Compact))
            .unwrap();
        assert_eq!(line.0, serde_json::to_vec(&numbers).unwrap());
    }
}
