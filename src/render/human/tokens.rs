//! The tokens of a text, and the text of ids, for people.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::cells::pad;
use super::renderer::Human;
use crate::record::{Decode, Offset, Tokenize};
use crate::render::escape::cell;
use crate::render::streams::write_bare;
use crate::render::view::View;
use crate::tokenizer::covered;

impl Human<'_> {
    pub(super) fn tokenize(&mut self, record: &Tokenize) -> io::Result<()> {
        let style = self.output.style;
        if self.texts > 0 {
            writeln!(self.out)?;
        }
        self.texts += 1;
        if let Some(title) = title(record) {
            writeln!(self.out, "{}", style.head(&title))?;
        }
        let pieces: Vec<_> = record.tokens.iter().map(cell).collect();
        let width = widest(&pieces).max("piece".len());
        let surfaces = surfaces(record);
        let surface_width = widest(&surfaces).max("text".len());
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

    pub(super) fn decode(&mut self, record: &Decode, view: View) -> io::Result<()> {
        if view != View::TableRow {
            return write_bare(&mut self.out, self.output, &record.text);
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
}

/// Returns the display width of the widest cell.
fn widest<S: AsRef<str>>(cells: &[S]) -> usize {
    let widths = cells.iter().map(|cell| cell.as_ref().width());
    widths.max().unwrap_or(0)
}

/// Returns the title of a text: its path, line, and window. Returns `None` if it has none of these.
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

/// Returns the line below a text, with its numbers of tokens and words.
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

/// Returns the part of the text that each token covers, as a cell.
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

/// A text that can be sliced by offsets of any unit.
struct Boundaries<'t> {
    text: &'t str,
    /// The byte offset for each offset. `None` if the unit is bytes.
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
        &self.text[covered(self.text, (byte(start), byte(end)))]
    }
}
