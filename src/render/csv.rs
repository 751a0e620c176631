//! CSV and TSV: a header line, then a line per row.
//!
//! Fields are quoted as in RFC 4180, but only where necessary. Lists are joined with spaces, and a vector has a column
//! per element.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::columns::{self, Column, Field, Table, Values};
use super::sink::Sink;
use super::streams::{Output, Streams, write_bare, write_failure};
use super::view::View;
use crate::record::{Record, wide_float};

/// The renderer of both formats.
pub struct Csv<'w> {
    delimiter: u8,
    output: Output,
    out: Box<dyn Write + 'w>,
    err: Box<dyn Write + 'w>,
    /// The record kinds of the table whose header was written last.
    table: Option<&'static [&'static str]>,
    /// The line being written.
    line: Vec<u8>,
}

impl<'w> Csv<'w> {
    pub fn new(delimiter: u8, output: Output, streams: Streams<'w>) -> Self {
        Self {
            delimiter,
            output,
            out: streams.out,
            err: streams.err,
            table: None,
            line: Vec::new(),
        }
    }

    /// Writes a record that has a single row.
    fn row<R>(&mut self, table: &Table<R>, record: &R) -> io::Result<()> {
        self.rows(table, record, 1, false)
    }

    /// Writes the rows of a record, after a header line if they begin a new table.
    fn rows<R>(
        &mut self,
        table: &Table<R>,
        record: &R,
        rows: usize,
        compared: bool,
    ) -> io::Result<()> {
        let columns = || {
            let columns = table.columns.iter();
            columns.filter(move |column| compared || !column.compared)
        };
        if self.table != Some(table.records) {
            self.table = Some(table.records);
            columns().for_each(|column| self.head(column, record));
            self.end_line()?;
        }
        for row in 0..rows {
            for column in columns() {
                self.cell(&column.values, record, row)?;
            }
            self.end_line()?;
        }
        Ok(())
    }

    /// Appends the name of a column to the header line.
    fn head<R>(&mut self, column: &Column<R>, record: &R) {
        match column.values.width(record) {
            None => self.text(column.name),
            Some(width) => {
                (0..width).for_each(|index| self.text(&format!("{}{index}", column.name)));
            }
        }
    }

    /// Appends a cell, or the cells of a vector, to the line.
    fn cell<R>(&mut self, values: &Values<R>, record: &R, row: usize) -> io::Result<()> {
        match values {
            Values::Integer(get) => self.optional(get(record, row)),
            Values::Float32(get) => self.float32(get(record, row)),
            Values::WideFloat(get) => self.wide_float(get(record, row)),
            Values::Float64(get) => self.optional(get(record, row)),
            Values::Boolean(get) => self.optional(get(record, row)),
            Values::Text(get) => {
                self.text(get(record, row).unwrap_or_default());
                Ok(())
            }
            Values::IntegerList(get) => {
                let numbers: Vec<String> = get(record, row).iter().map(u32::to_string).collect();
                self.text(&numbers.join(" "));
                Ok(())
            }
            Values::TextList(get) => {
                self.text(&get(record, row).join(" "));
                Ok(())
            }
            Values::Float32Vector(get) => {
                let mut numbers = get(record, row).iter();
                numbers.try_for_each(|number| self.float32(Some(*number)))
            }
            Values::SparseFloat32Vector(get) => {
                let mut numbers = get(record, row).iter();
                numbers.try_for_each(|number| self.float32(*number))
            }
        }
    }

    fn text(&mut self, text: &str) {
        push_field(&mut self.line, self.delimiter, text);
        self.line.push(self.delimiter);
    }

    /// Appends a value that needs no quotes.
    fn optional(&mut self, value: Option<impl std::fmt::Display>) -> io::Result<()> {
        if let Some(value) = value {
            write!(self.line, "{value}")?;
        }
        self.line.push(self.delimiter);
        Ok(())
    }

    /// Appends the shortest decimal that reads back as the same float32.
    fn float32(&mut self, value: Option<f32>) -> io::Result<()> {
        if let Some(value) = value {
            serde_json::to_writer(&mut self.line, &value)?;
        }
        self.line.push(self.delimiter);
        Ok(())
    }

    fn wide_float(&mut self, value: f64) -> io::Result<()> {
        wide_float::serialize(&value, &mut serde_json::Serializer::new(&mut self.line))?;
        self.line.push(self.delimiter);
        Ok(())
    }

    /// Writes the line, replacing its last delimiter with a line end.
    fn end_line(&mut self) -> io::Result<()> {
        self.line.pop();
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    /// Writes a record as a table of its fields.
    fn fields(&mut self, record: &impl Serialize) -> io::Result<()> {
        // Go through JSON text: converted to a JSON value directly, a float32 would get the digits of a float64.
        let value = serde_json::from_slice(&serde_json::to_vec(record)?)?;
        let mut fields = Vec::new();
        flatten(String::new(), value, &mut fields);
        let mut fields = fields.iter();
        fields.try_for_each(|field| self.row(&columns::FIELD, field))
    }
}

impl Sink for Csv<'_> {
    fn emit(&mut self, record: &Record, _view: View) -> io::Result<()> {
        match record {
            Record::Tokenize(record) => {
                self.rows(&columns::TOKENIZE, record, record.ids.len(), false)
            }
            Record::Decode(record) => self.row(&columns::DECODE, record),
            Record::Chat(record) => {
                self.rows(&columns::CHAT, record, record.chat.messages.len(), false)
            }
            Record::Count(record) => {
                self.rows(&columns::COUNT, record, 1, record.comparison.is_some())
            }
            Record::Group(record) => {
                // In a table of files, a group would look like a file.
                if self.table == Some(columns::COUNT.records) {
                    return Ok(());
                }
                self.rows(&columns::GROUP, record, 1, record.comparison.is_some())
            }
            // A total or summary is its own table if it comes first, and is dropped after any other table.
            Record::Total(_) | Record::Summary(_) if self.table.is_some() => Ok(()),
            Record::Total(record) => self.row(&columns::TOTAL, record),
            Record::Summary(record) => self.row(&columns::SUMMARY, record),
            Record::Info(record) => self.fields(record),
            Record::Piece(record) => self.row(&columns::PIECE, record),
            Record::Row(record) => self.row(&columns::ROW, record),
            Record::Diff(record) => self.row(&columns::DIFF, record),
            Record::Neighbor(record) => self.row(&columns::NEIGHBOR, record),
            Record::Similarity(record) => self.row(&columns::SIMILARITY, record),
            Record::Stats(record) => self.fields(record),
            Record::File(record) => self.row(&columns::FILE, record),
            Record::Cached(record) => self.row(&columns::CACHED, record),
            Record::Difference(record) => self.row(&columns::DIFFERENCE, record),
            Record::Divergence(record) => self.row(&columns::DIVERGENCE, record),
            Record::Against(record) => self.row(&columns::AGAINST, record),
            Record::Verify(record) => self.row(&columns::VERIFY, record),
            Record::Convert(record) => self.row(&columns::CONVERT, record),
            Record::Match(record) => self.row(&columns::MATCH, record),
            Record::Lock(record) | Record::Check(record) => self.row(&columns::LOCK, record),
            Record::Drift(record) => self.row(&columns::DRIFT, record),
            Record::Chunk(record) | Record::Head(record) | Record::Tail(record) => {
                self.row(&columns::CHUNK, record)
            }
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
        self.out.flush()
    }
}

/// Appends a field. Quotes it if it contains the delimiter, a quote, or a line end.
fn push_field(line: &mut Vec<u8>, delimiter: u8, field: &str) {
    let is_special = |byte: u8| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
    if !field.bytes().any(is_special) {
        line.extend_from_slice(field.as_bytes());
        return;
    }
    line.push(b'"');
    for byte in field.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

/// Appends the leaves of a JSON value, with their dotted paths, to `fields`.
fn flatten(path: String, value: Value, fields: &mut Vec<Field>) {
    let child = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                flatten(child(&name), value, fields);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.into_iter().enumerate() {
                flatten(child(&index.to_string()), value, fields);
            }
        }
        Value::String(value) => fields.push(Field { path, value }),
        other => fields.push(Field {
            path,
            value: other.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_as_the_csv_crate_quotes_them() {
        let fields = [
            "banco",
            "a,b",
            "a\tb",
            "say \"hi\"",
            "\"",
            "a\r\nb",
            "\n",
            "\r",
            " a ",
            "",
            "#a",
            "'",
            "é;",
        ];
        for delimiter in [b',', b'\t'] {
            let mut line = Vec::new();
            for field in fields {
                push_field(&mut line, delimiter, field);
                line.push(delimiter);
            }
            line.pop();
            line.push(b'\n');
            let mut expected = csv::WriterBuilder::new()
                .delimiter(delimiter)
                .from_writer(Vec::new());
            expected.write_record(fields).unwrap();
            assert_eq!(line, expected.into_inner().unwrap());
        }
    }
}
