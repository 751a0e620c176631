//! The tokens of a text, and the text of ids, for people.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::renderer::Human;
use crate::record::{Decode, Offset, Tokenize};
use crate::render::cells::{GLUE, fit, pad};
use crate::render::escape::cell;
use crate::render::numbers::{decimals, percent, quantity, thousands};
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
        let mut pieces: Vec<_> = record.tokens.iter().map(cell).collect();
        let mut surfaces = surfaces(record);
        let layout = self.layout(record, &pieces, &surfaces);
        for piece in &mut pieces {
            *piece = fit(piece, layout.piece).into();
        }
        for surface in &mut surfaces {
            *surface = layout.surface(surface);
        }
        let (piece, surface) = (fit("piece", layout.piece), layout.surface("text"));
        let head = format!(
            "{:>5}  {:>7}  {piece}{surface}  {}s",
            "#", "id", record.offset_unit
        );
        let head = style.head(&head);
        self.line(&head)?;
        for (index, (piece, surface)) in pieces.iter().zip(&surfaces).enumerate() {
            let special = record.special_tokens_mask[index] == 1;
            let piece = match special {
                true => style.dim(piece.trim_end()),
                false => style.token(index, piece.trim_end()) + after(piece),
            };
            let (start, end) = record.offsets[index];
            let id = record.ids[index];
            if special {
                self.line(&format!("{index:>5}  {id:>7}  {piece}"))?;
            } else {
                self.line(&format!(
                    "{index:>5}  {id:>7}  {piece}{surface}  {start}..{end}"
                ))?;
            }
        }
        self.wrapped(0, &tokens_line(record))?;
        match &record.chat {
            Some(chat) => self.messages(chat),
            None => Ok(()),
        }
    }

    /// Divides the line between the columns.
    fn layout(&self, record: &Tokenize, pieces: &[Cow<'_, str>], surfaces: &[String]) -> Layout {
        let piece = widest(pieces).max("piece".len());
        let surface = widest(surfaces).max("text".len());
        let Some(width) = self.output.width else {
            return Layout {
                piece,
                surface: Some(surface),
            };
        };
        let offsets = record.offsets.iter();
        let offsets = offsets.map(|(start, end)| format!("{start}..{end}").len());
        let offsets = offsets.max().unwrap_or(0).max(record.offset_unit.len() + 1);
        Layout::new(
            piece,
            surface,
            width.saturating_sub(BEFORE_PIECE + 2 + offsets),
        )
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
            let piece = pad(&self.cell_in(&cell(token), 16), 16);
            let text = cell(&record.text);
            self.line(format!("{id:>7}  {piece}  {text}").trim_end())?;
        }
        Ok(())
    }
}

/// The width of the columns of positions and ids.
const BEFORE_PIECE: usize = 16;
/// The minimum width of a column of pieces or texts.
const MIN_CELL: usize = 8;

/// The widths of two columns of a table of tokens.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    piece: usize,
    /// `None` if there is no room for the texts of the tokens, which are much like the pieces.
    surface: Option<usize>,
}

impl Layout {
    /// Divides the room between two columns of cells as wide as these.
    fn new(piece: usize, surface: usize, room: usize) -> Self {
        let room_for_both = room.saturating_sub(2);
        if room_for_both < 2 * MIN_CELL && piece + surface > room_for_both {
            return Self {
                piece: piece.min(room.max(MIN_CELL)),
                surface: None,
            };
        }
        let half = room_for_both / 2;
        let piece = piece.min(half.max(room_for_both.saturating_sub(surface)));
        Self {
            piece,
            surface: Some(surface.min(room_for_both - piece)),
        }
    }

    /// Returns the cell of a token's text, with the space before it.
    fn surface(&self, text: &str) -> String {
        match self.surface {
            Some(width) => format!("  {}", fit(text, width)),
            None => String::new(),
        }
    }
}

/// Returns the spaces after a cell.
fn after(cell: &str) -> &str {
    &cell[cell.trim_end().len()..]
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
    let plural = |count: usize, word: &str| quantity(count as u64, word);
    let mut line = plural(record.count, "token");
    if record.window.is_none() {
        line.push_str(&format!(", {}", plural(record.words, "word")));
        if record.words > 0 && !record.truncated {
            line.push_str(&format!(
                " ({} tokens a word)",
                decimals(record.count as f64 / record.words as f64, 2)
            ));
        }
    }
    if let Some(window) = record.context_window {
        line.push_str(&format!(
            ", {} of the context window of {}",
            percent(record.count as f64 / window as f64).replace(' ', &GLUE.to_string()),
            thousands(window)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_share_the_room() {
        let layout = |piece, surface, room| {
            let layout = Layout::new(piece, surface, room);
            (layout.piece, layout.surface)
        };
        assert_eq!(layout(7, 6, 50), (7, Some(6)));
        assert_eq!(layout(40, 6, 30), (22, Some(6)));
        assert_eq!(layout(6, 40, 30), (6, Some(22)));
        assert_eq!(layout(40, 40, 30), (14, Some(14)));
        assert_eq!(layout(40, 40, 12), (12, None));
        assert_eq!(layout(5, 4, 11), (5, Some(4)));
        assert_eq!(layout(40, 40, 2), (MIN_CELL, None));
    }
}
