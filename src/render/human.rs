//! Tables and sentences for people.
//!
//! The same bytes come out on a terminal and on a pipe, colours aside, so that what someone sees is what a pipe gets.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::escape::cell;
use super::{Reader, Streams, write_bare, write_failure};
use crate::record::{
    Count, Decode, Diff, File, Neighbor, Offset, Piece, Record, Row, RowName, Sink, Tokenize, Total,
};

/// Values of a row shown without `--full`.
const FIRST_VALUES: usize = 6;
/// Values to a line with `--full`.
const VALUES_PER_LINE: usize = 8;

pub struct Human<'w> {
    reader: Reader,
    out: Box<dyn Write + 'w>,
    err: Box<dyn Write + 'w>,
    /// Kind of the table whose head has been written.
    table: Option<&'static str>,
    /// Rows shown, their length and dtype, for the closing line.
    shape: Option<(usize, usize, String)>,
    texts: usize,
}

impl<'w> Human<'w> {
    pub fn new(reader: Reader, streams: Streams<'w>) -> Self {
        Self {
            reader,
            out: streams.out,
            err: streams.err,
            table: None,
            shape: None,
            texts: 0,
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

    fn tokenize(&mut self, record: &Tokenize) -> io::Result<()> {
        let style = self.reader.style;
        if self.texts > 0 {
            writeln!(self.out)?;
        }
        self.texts += 1;
        if let Some(title) = title(record) {
            writeln!(self.out, "{}", style.head(&title))?;
        }
        let pieces: Vec<_> = record.tokens.iter().map(|token| cell(token)).collect();
        let width = pieces
            .iter()
            .map(|piece| piece.width())
            .max()
            .unwrap_or(0)
            .max(5);
        let surfaces = surfaces(record);
        let surface_width = surfaces
            .iter()
            .map(|text| text.width())
            .max()
            .unwrap_or(0)
            .max(4);
        let head = format!(
            "{:>5}  {:>7}  {}  {}  {}s",
            "#",
            "id",
            pad("piece", width),
            pad("text", surface_width),
            record.offset_unit
        );
        writeln!(self.out, "{}", style.head(&head))?;
        for (index, (piece, surface)) in pieces.iter().zip(&surfaces).enumerate() {
            let padding = " ".repeat(width - piece.width());
            let special = record.special_tokens_mask[index] == 1;
            let piece = if special {
                style.dim(piece)
            } else {
                style.token(index, piece)
            };
            let (start, end) = record.offsets[index];
            let id = record.ids[index];
            if special {
                writeln!(self.out, "{index:>5}  {id:>7}  {piece}")?;
            } else {
                let surface = pad(surface, surface_width);
                writeln!(
                    self.out,
                    "{index:>5}  {id:>7}  {piece}{padding}  {surface}  {start}..{end}"
                )?;
            }
        }
        writeln!(self.out, "{}", tokens_line(record))
    }

    fn decode(&mut self, record: &Decode) -> io::Result<()> {
        if !record.each {
            return write_bare(&mut self.out, self.reader, &record.text);
        }
        self.head(
            "decode",
            &format!("{:>7}  {}  text", "id", pad("piece", 16)),
        )?;
        for (id, token) in record.ids.iter().zip(&record.tokens) {
            let piece = pad(&cell(token), 16);
            let text = cell(&record.text);
            writeln!(
                self.out,
                "{}",
                format!("{id:>7}  {piece}  {text}").trim_end()
            )?;
        }
        Ok(())
    }

    fn count(&mut self, record: &Count) -> io::Result<()> {
        let name = match (&record.path, record.line) {
            (Some(path), Some(line)) => format!("{}:{line}", cell(path)),
            (Some(path), None) => cell(path).into_owned(),
            (None, Some(line)) => format!("line {line}"),
            (None, None) => String::new(),
        };
        let over = match (record.within_budget, record.budget) {
            (Some(false), Some(budget)) => {
                let by = record.tokens as u64 - budget;
                format!(
                    "  {}",
                    self.reader.style.bad(&format!("over {budget} by {by}"))
                )
            }
            _ => String::new(),
        };
        writeln!(
            self.out,
            "{}",
            format!("{:>8} {name}{over}", record.tokens).trim_end()
        )
    }

    fn total(&mut self, record: &Total) -> io::Result<()> {
        let style = self.reader.style;
        let verdict = match (record.within_budget, record.budget) {
            (Some(true), Some(budget)) => format!("  {}", style.good(&format!("within {budget}"))),
            (Some(false), Some(budget)) => {
                let by = record.tokens as u64 - budget;
                format!("  {}", style.bad(&format!("over {budget} by {by}")))
            }
            _ => String::new(),
        };
        writeln!(self.out, "{:>8} total{verdict}", record.tokens)
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

    fn row(&mut self, record: &Row) -> io::Result<()> {
        let values = record.values.as_deref().unwrap_or_default();
        let (rows, columns, _) = self
            .shape
            .get_or_insert((0, values.len(), record.dtype.clone()));
        *rows += 1;
        *columns = values.len();
        let name = format!(
            "{}{:>7}  {}",
            record
                .position
                .map(|position| format!("{position:>5}  "))
                .unwrap_or_default(),
            record.id,
            pad(&cell(record.piece.as_deref().unwrap_or("(no token)")), 14)
        );
        if record.full && !values.is_empty() {
            let facts = format!(
                "{name}  norm {}  min {}  max {}  mean {}",
                number(record.norm),
                number(record.min),
                number(record.max),
                number(record.mean)
            );
            writeln!(self.out, "{}", self.reader.style.head(&facts))?;
            return self.values(values);
        }
        let place = if record.position.is_some() {
            "    #  "
        } else {
            ""
        };
        let head = if values.is_empty() {
            "      min       max      mean"
        } else {
            "  first values"
        };
        let head = format!(
            "{place}{:>7}  {}  {:>9}{head}",
            "id",
            pad("piece", 14),
            "norm"
        );
        self.head("row", &head)?;
        write!(self.out, "{name}  {:>9}", number(record.norm))?;
        if values.is_empty() {
            let [min, max, mean] = [record.min, record.max, record.mean].map(number);
            return writeln!(self.out, "{min:>9} {max:>9} {mean:>9}");
        }
        for value in values.iter().take(FIRST_VALUES) {
            write!(self.out, " {:>11}", number(*value))?;
        }
        let more = if values.len() > FIRST_VALUES {
            " …"
        } else {
            ""
        };
        writeln!(self.out, "{more}")
    }

    fn values(&mut self, values: &[f32]) -> io::Result<()> {
        for (index, line) in values.chunks(VALUES_PER_LINE).enumerate() {
            let numbers: Vec<String> = line
                .iter()
                .map(|value| format!("{:>11}", number(*value)))
                .collect();
            writeln!(
                self.out,
                "{:>6} {}",
                index * VALUES_PER_LINE,
                numbers.join(" ")
            )?;
        }
        Ok(())
    }

    fn diff(&mut self, record: &Diff) -> io::Result<()> {
        let style = self.reader.style;
        writeln!(self.out, "{}  {}", style.head("a"), row_name(&record.a))?;
        writeln!(self.out, "{}  {}", style.head("b"), row_name(&record.b))?;
        let verdict = if record.identical {
            style.good("identical, bit for bit")
        } else {
            style.bad("different")
        };
        writeln!(self.out, "{verdict}")?;
        writeln!(self.out, "  max |a - b|  {}", number(record.max_abs))?;
        writeln!(self.out, "  L2 distance  {}", number(record.l2))?;
        match record.cosine {
            Some(cosine) => writeln!(self.out, "  cosine       {}", number(cosine))?,
            None => writeln!(self.out, "  cosine       undefined: a row is zero")?,
        }
        let Some(values) = &record.values else {
            return Ok(());
        };
        if record.full {
            writeln!(self.out, "  a - b")?;
            return self.values(values);
        }
        let first: Vec<String> = values
            .iter()
            .take(FIRST_VALUES)
            .map(|value| number(*value))
            .collect();
        let more = if values.len() > FIRST_VALUES {
            format!(" … ({} values; `--full` shows all)", values.len())
        } else {
            String::new()
        };
        writeln!(self.out, "  a - b        {}{more}", first.join(" "))
    }

    fn neighbor(&mut self, record: &Neighbor) -> io::Result<()> {
        self.head(
            "neighbor",
            &format!("{:>5}  {:>9}  {:>7}  piece", "rank", record.metric, "id"),
        )?;
        writeln!(
            self.out,
            "{:>5}  {:>9}  {:>7}  {}",
            record.rank,
            number(record.score),
            record.id,
            cell(record.piece.as_deref().unwrap_or("(no token)"))
        )
    }

    fn file(&mut self, record: &File) -> io::Result<()> {
        let how = if record.cached {
            "cached"
        } else {
            "downloaded"
        };
        writeln!(
            self.out,
            "{:>12}  {}  {how}",
            thousands(record.size),
            pad(&cell(&record.name), 32)
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
            Record::Info(record) => {
                super::human_info::write(&mut self.out, self.reader.style, record)
            }
            Record::Piece(record) => self.piece(record),
            Record::Row(record) => self.row(record),
            Record::Diff(record) => self.diff(record),
            Record::Neighbor(record) => self.neighbor(record),
            Record::File(record) => self.file(record),
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
        self.out.flush()
    }
}

/// What a text is called when it is one of several.
fn title(record: &Tokenize) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(path) = &record.path {
        parts.push(cell(path).into_owned());
    }
    if let Some(line) = record.line {
        parts.push(format!("line {line}"));
    }
    if let Some(window) = record.window {
        parts.push(format!("window {window}"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn tokens_line(record: &Tokenize) -> String {
    let plural =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut line = plural(record.count, "token");
    if record.window.is_none() {
        line.push_str(&format!(", {}", plural(record.words, "word")));
        if record.words > 0 && !record.truncated {
            line.push_str(&format!(
                " ({:.2} tokens a word)",
                record.count as f64 / record.words as f64
            ));
        }
    }
    if let Some(window) = record.context_window {
        line.push_str(&format!(
            ", {:.1} % of the context window of {window}",
            100.0 * record.count as f64 / window as f64
        ));
    }
    if let Some(cut) = record.truncated_tokens {
        line.push_str(&format!(", {} cut off", plural(cut, "token")));
    }
    line
}

/// The part of its text that each token covers, as a cell.
fn surfaces(record: &Tokenize) -> Vec<String> {
    let first = Boundaries::new(&record.text, record.offset_unit);
    let second = Boundaries::new(
        record.pair.as_deref().unwrap_or_default(),
        record.offset_unit,
    );
    record
        .offsets
        .iter()
        .enumerate()
        .map(|(index, offset)| {
            let sequence = record.sequence_ids.as_ref().and_then(|ids| ids[index]);
            let text = if sequence == Some(1) { &second } else { &first };
            cell(text.slice(*offset)).into_owned()
        })
        .collect()
}

/// A text that can be cut at offsets of any unit.
struct Boundaries<'t> {
    text: &'t str,
    /// Byte offset by offset, where the two differ.
    bytes: Option<Vec<usize>>,
}

impl<'t> Boundaries<'t> {
    fn new(text: &'t str, unit: &str) -> Self {
        let width = match unit {
            "char" => |_: char| 1,
            "utf16" => char::len_utf16,
            _ => return Self { text, bytes: None },
        };
        let mut bytes = Vec::new();
        for (byte, character) in text.char_indices() {
            bytes.extend(std::iter::repeat_n(byte, width(character)));
        }
        bytes.push(text.len());
        Self {
            text,
            bytes: Some(bytes),
        }
    }

    fn slice(&self, (start, end): Offset) -> &'t str {
        let byte = |offset: usize| match &self.bytes {
            Some(bytes) => bytes.get(offset).copied().unwrap_or(self.text.len()),
            None => offset,
        };
        self.text.get(byte(start)..byte(end)).unwrap_or_default()
    }
}

fn row_name(name: &RowName) -> String {
    let position = name
        .position
        .map(|position| format!("position {position}  "))
        .unwrap_or_default();
    let piece = name.piece.as_deref().unwrap_or("(no token)");
    format!("{position}id {}  {}", name.id, cell(piece))
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

/// Fills a cell with spaces to a display width.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
