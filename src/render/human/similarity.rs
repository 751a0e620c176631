//! The matrix of cosines, for people: numbers on a shaded background.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cells::pad;
use super::renderer::Human;
use crate::record::Similarity;
use crate::render::escape::cell;
use crate::render::view::View;

/// The number of rows and columns shown without `--full`, about as wide as the widest of the other tables.
const SHOWN: usize = 14;

/// The display width of the column of pieces.
const PIECE_WIDTH: usize = 12;

impl Human<'_> {
    pub(super) fn similarity(&mut self, record: &Similarity, view: View) -> io::Result<()> {
        let style = self.output.style;
        let all = record.cosines.len();
        let shown = if view == View::Full {
            all
        } else {
            all.min(SHOWN)
        };
        self.cut = (shown < all).then_some(all);
        if record.position >= shown {
            return Ok(());
        }
        let columns: String = (0..shown).map(|column| format!("{column:>6}")).collect();
        let head = format!("    #  {}{columns}", pad("piece", PIECE_WIDTH));
        self.head("similarity", &head)?;
        let id = record.id.map(|id| format!("id {id}"));
        let name = [&record.piece, &record.text, &id]
            .into_iter()
            .flatten()
            .next();
        let piece = fit(&cell(name.map_or("", String::as_str)));
        write!(self.out, "{:>5}  {piece}", record.position)?;
        for cosine in record.cosines.iter().take(shown) {
            let text = match cosine {
                // Adding 0.0 removes the sign of a negative zero.
                Some(cosine) => format!("{:>6.2}", (cosine * 100.0).round() / 100.0 + 0.0),
                None => format!("{:>6}", "-"),
            };
            write!(
                self.out,
                "{}",
                style.shade(cosine.unwrap_or_default(), &text)
            )?;
        }
        writeln!(self.out)
    }
}

/// Pads or cuts a piece to the width of its column.
fn fit(piece: &str) -> String {
    if piece.width() <= PIECE_WIDTH {
        return pad(piece, PIECE_WIDTH);
    }
    let mut shown = String::new();
    for character in piece.chars() {
        if shown.width() + character.width().unwrap_or(0) >= PIECE_WIDTH {
            break;
        }
        shown.push(character);
    }
    pad(&(shown + "…"), PIECE_WIDTH)
}

/// Writes a note about the rows and columns not shown.
pub(super) fn write_cut(out: &mut dyn Write, rows: usize) -> io::Result<()> {
    writeln!(
        out,
        "the first {SHOWN} of {rows} rows and columns; `--full` shows all"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_cut_to_its_column() {
        assert_eq!(fit("▁banco"), "▁banco      ");
        assert_eq!(fit("▁alphabetical"), "▁alphabetic…");
        for wide in [
            "日本語日本語日本語",
            "a日本語日本語日本語",
            "\u{300}\u{300}",
        ] {
            assert_eq!(fit(wide).width(), PIECE_WIDTH, "{wide}");
        }
    }
}
