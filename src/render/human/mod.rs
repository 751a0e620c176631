//! Tables and sentences for people.
//!
//! The same bytes come out on a terminal and on a pipe, colours aside, so that what someone sees is what a pipe gets.

mod counts;
mod info;
mod pipelines;
mod rows;
mod similarity;
mod stats;
mod tokens;

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::escape::cell;
use super::{Reader, Streams, annotation, write_bare, write_failure};
use crate::record::{Annotation, Difference, File, Piece, Record, Sink, Strings, Verify};

pub struct Human<'w> {
    reader: Reader,
    out: Box<dyn Write + 'w>,
    err: Box<dyn Write + 'w>,
    /// Kind of the table whose head has been written.
    table: Option<&'static str>,
    /// Rows shown, their length and dtype, for the closing line.
    shape: Option<(usize, usize, String)>,
    /// Whether the rows shown have a column of positions.
    positions: bool,
    texts: usize,
    /// Rows of a matrix of cosines of which only the first were shown.
    cut: Option<usize>,
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
    fn head(&mut self, table: &'static str, head: &str) -> io::Result<()> {
        if self.table == Some(table) {
            return Ok(());
        }
        self.table = Some(table);
        writeln!(self.out, "{}", self.reader.style.head(head))
    }

    fn piece(&mut self, record: &Piece) -> io::Result<()> {
        let head = format!(
            "{:>7}  {}  {}  {:>9}",
            "id",
            pad("piece", 20),
            pad("kind", 12),
            "score"
        );
        self.head("piece", &head)?;
        let score = record
            .score
            .map(|score| format!("{score:>9.4}"))
            .unwrap_or_default();
        let mut kind = record.kind.to_owned();
        if record.special && record.kind != "control" {
            kind.push_str(", special");
        }
        let piece = pad(&cell(&record.piece), 20);
        let line = format!("{:>7}  {piece}  {}  {score}", record.id, pad(&kind, 12));
        writeln!(self.out, "{}", line.trim_end())
    }

    fn file(&mut self, record: &File) -> io::Result<()> {
        let how = if record.cached {
            "cached"
        } else {
            "downloaded"
        };
        let of = match &record.tensor {
            Some(tensor) => format!("  of it {}", cell(tensor)),
            None => String::new(),
        };
        writeln!(
            self.out,
            "{:>12}  {}  {how}{of}",
            thousands(record.size),
            pad(&cell(&record.name), 32)
        )
    }

    fn difference(&mut self, record: &Difference) -> io::Result<()> {
        let style = self.reader.style;
        let mut place = record.path.clone().unwrap_or_default();
        if let Some(line) = record.line {
            place.push_str(&format!(" line {line}"));
        }
        let place = format!("{} token {}", place.trim_start(), record.position);
        writeln!(self.out, "{}", style.head(place.trim_start()))?;
        writeln!(self.out, "  text       {}", cell(&record.text))?;
        let tokens = |tokens: &Strings| {
            let tokens: Vec<_> = tokens.iter().map(cell).collect();
            tokens.join(" ")
        };
        writeln!(self.out, "  native     {}", tokens(&record.native))?;
        writeln!(self.out, "  reference  {}", tokens(&record.reference))
    }

    fn verify(&mut self, record: &Verify) -> io::Result<()> {
        let style = self.reader.style;
        let verdict = match record.differences {
            0 => style.good("no differences"),
            1 => style.bad("1 text differs"),
            several => style.bad(&format!("{several} texts differ")),
        };
        let texts = if record.texts == 1 { "text" } else { "texts" };
        writeln!(
            self.out,
            "{} {texts}, {} tokens: {verdict}",
            record.texts, record.tokens
        )
    }
}

impl Sink for Human<'_> {
    fn emit(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Tokenize(record) => self.tokenize(record),
            Record::Decode(record) => self.decode(record),
            Record::Count(record) => self.count(record),
            Record::Total(record) => self.total(record),
            Record::Group(record) => self.group(record),
            Record::Summary(record) => self.summary(record),
            Record::Info(record) => info::write(&mut self.out, self.reader.style, record),
            Record::Piece(record) => self.piece(record),
            Record::Row(record) => self.row(record),
            Record::Diff(record) => self.diff(record),
            Record::Neighbor(record) => self.neighbor(record),
            Record::Similarity(record) => self.similarity(record),
            Record::Stats(record) => stats::write(&mut self.out, self.reader.style, record),
            Record::File(record) => self.file(record),
            Record::Difference(record) => self.difference(record),
            Record::Verify(record) => self.verify(record),
            Record::Convert(record) => self.convert(record),
            Record::Match(record) => self.found(record),
            Record::Lock(record) | Record::Check(record) => self.lock(record),
            Record::Drift(record) => self.drift(record),
            Record::Chunk(record) => self.chunk(record),
            Record::Head(record) | Record::Tail(record) => self.excerpt(record),
            Record::Error(record) => write_failure(&mut self.out, &mut self.err, record),
        }
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
        if let Some((rows, columns, dtype)) = &self.shape
            && *columns > 0
        {
            writeln!(self.out, "shape [{rows}, {columns}], {dtype}")?;
        }
        if let Some(rows) = self.cut {
            similarity::write_cut(&mut self.out, rows)?;
        }
        self.out.flush()
    }

    fn annotate(&mut self, annotation: &Annotation) -> io::Result<()> {
        annotation::write(&mut self.out, annotation)
    }
}

/// Five significant digits, as torch prints a tensor of mixed values.
pub(super) fn number(value: f32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-5..6).contains(&exponent) {
        let decimals = (4 - exponent).max(0) as usize;
        let text = format!("{value:.decimals$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{value:.4e}")
    }
}

/// A number with commas between groups of three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Inclusive ranges: `0, 2001..2063`.
pub(super) fn ranges(ranges: &[(u64, u64)]) -> String {
    let ranges = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

/// Fills a cell with spaces to a display width.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
