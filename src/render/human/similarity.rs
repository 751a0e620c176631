//! The matrix of cosines, for people: numbers on a shaded background.

use std::io;

use super::renderer::Human;
use crate::record::Similarity;
use crate::render::cells::{fit, pad};
use crate::render::escape::cell;
use crate::render::numbers::thousands;
use crate::render::view::View;

/// The width of a position and a piece, in columns.
const NAME_WIDTH: usize = 19;
/// The display width of the column of pieces.
const PIECE_WIDTH: usize = 12;
/// The width of a cosine.
const COSINE_WIDTH: usize = 6;

impl Human<'_> {
    pub(super) fn similarity(&mut self, record: &Similarity, view: View) -> io::Result<()> {
        let all = record.cosines.len();
        let id = record.id.map(|id| format!("id {id}"));
        let names = [&record.piece, &record.text, &id];
        let name = names.into_iter().flatten().next();
        let name = fit(&cell(name.map_or("", String::as_str)), PIECE_WIDTH);
        let name = format!("{:>5}  {name}", record.position);
        match (view, self.output.width) {
            (View::Full, Some(width)) if fitting(width) < all => {
                self.cosines.push((name, record.cosines.clone()));
                return Ok(());
            }
            (View::Full, _) => return self.cosines_of(&name, &record.cosines, 0),
            _ => {}
        }
        let shown = all.min(fitting(self.output.columns()));
        self.cut = (shown < all).then_some((shown, all));
        if record.position >= shown {
            return Ok(());
        }
        self.cosines_of(&name, &record.cosines[..shown], 0)
    }

    /// Writes a row of cosines, the first of which has this position.
    fn cosines_of(&mut self, name: &str, cosines: &[Option<f32>], first: usize) -> io::Result<()> {
        let style = self.output.style;
        let columns: String = (first..first + cosines.len())
            .map(|column| format!("{column:>COSINE_WIDTH$}"))
            .collect();
        let head = format!("    #  {}{columns}", pad("piece", PIECE_WIDTH));
        self.head("similarity", &head)?;
        let mut line = name.to_owned();
        for cosine in cosines {
            let text = match cosine {
                // Adding 0.0 removes the sign of a negative zero.
                Some(cosine) => format!("{:>6.2}", (cosine * 100.0).round() / 100.0 + 0.0),
                None => format!("{:>6}", "-"),
            };
            line.push_str(&style.shade(cosine.unwrap_or_default(), &text));
        }
        self.line(&line)
    }

    /// Writes the rows that were kept, in blocks of columns that fit the terminal, or a note about the rows and columns
    /// that are not shown.
    pub(super) fn rest_of_similarity(&mut self) -> io::Result<()> {
        if let Some((shown, all)) = self.cut {
            let all = thousands(all as u64);
            let note = format!("the first {shown} of {all} rows and columns; `--full` shows all");
            self.wrapped(0, &note)?;
        }
        let rows = std::mem::take(&mut self.cosines);
        let columns = rows.first().map_or(0, |(_, cosines)| cosines.len());
        let fitting = fitting(self.output.width.unwrap_or(usize::MAX));
        for first in (0..columns).step_by(fitting) {
            // Each block has its own header.
            self.table = None;
            let end = columns.min(first + fitting);
            for (name, cosines) in &rows {
                self.cosines_of(name, &cosines[first..end], first)?;
            }
        }
        Ok(())
    }
}

/// Returns the number of cosines that fit a line, at least one.
fn fitting(width: usize) -> usize {
    (width.saturating_sub(NAME_WIDTH) / COSINE_WIDTH).max(1)
}
