//! The matrix of cosines, for people: numbers, shaded where there is colour.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cells::pad;
use super::renderer::Human;
use crate::record::Similarity;
use crate::render::escape::cell;
use crate::render::view::View;

/// Rows and columns shown without `--full`: as wide as the widest of the other tables.
const FIRST: usize = 14;

/// Columns of a terminal that a piece takes.
const PIECE: usize = 12;

impl Human<'_> {
    pub(super) fn similarity(&mut self, record: &Similarity, view: View) -> io::Result<()> {
        let style = self.reader.style;
        let all = record.cosines.len();
        let shown = if view == View::Full {
            all
        } else {
            all.min(FIRST)
        };
        self.cut = (shown < all).then_some(all);
        if record.position >= shown {
            return Ok(());
        }
        let columns: String = (0..shown).map(|column| format!("{column:>6}")).collect();
        let head = format!("    #  {}{columns}", pad("piece", PIECE));
        self.head("similarity", &head)?;
        let id = format!("id {}", record.id);
        let piece = fit(&cell(record.piece.as_deref().unwrap_or(&id)));
        write!(self.out, "{:>5}  {piece}", record.position)?;
        for cosine in record.cosines.iter().take(shown) {
            let text = match cosine {
                // Without the sign of what rounds to zero.
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

/// A piece in its column, cut where it is longer: the numbers stand under each other.
fn fit(piece: &str) -> String {
    if piece.width() <= PIECE {
        return pad(piece, PIECE);
    }
    let mut shown = String::new();
    for character in piece.chars() {
        if shown.width() + character.width().unwrap_or(0) >= PIECE {
            break;
        }
        shown.push(character);
    }
    pad(&(shown + "…"), PIECE)
}

/// Says what was left out.
pub(super) fn write_cut(out: &mut dyn Write, rows: usize) -> io::Result<()> {
    writeln!(
        out,
        "the first {FIRST} of {rows} rows and columns; `--full` shows all"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_takes_its_columns_and_no_more() {
        assert_eq!(fit("▁banco"), "▁banco      ");
        assert_eq!(fit("▁alphabetical"), "▁alphabetic…");
        for wide in [
            "日本語日本語日本語",
            "a日本語日本語日本語",
            "\u{300}\u{300}",
        ] {
            assert_eq!(fit(wide).width(), PIECE, "{wide}");
        }
    }
}
