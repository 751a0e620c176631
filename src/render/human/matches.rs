//! Occurrences of a token in files, for people.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::renderer::Human;
use crate::record::Match;
use crate::render::cells::{display_width, elide, elide_start};
use crate::render::escape::{cell, line};
use crate::render::view::View;

/// The minimum width of the text on either side of a match. Next to a long path, the line is wider than the terminal.
const MIN_SIDE: usize = 4;

impl Human<'_> {
    pub(super) fn occurrence(&mut self, record: &Match, view: View) -> io::Result<()> {
        let style = self.output.style;
        let path = match &record.path {
            Some(path) => format!("{}:", style.note(&line(path))),
            None => String::new(),
        };
        let (cut_before, cut_after) = match view {
            View::Excerpt {
                cut_before,
                cut_after,
            } => (cut_before, cut_after),
            _ => (false, false),
        };
        let more = |cut: bool| if cut { "…" } else { "" };
        // A token of spaces only would be invisible.
        let text = if record.text.trim().is_empty() {
            cell(&record.text)
        } else {
            line(&record.text)
        };
        let place = format!("{path}{}:{}:", record.line, record.column);
        let mut before = format!("{}{}", more(cut_before), line(&record.before));
        let mut after = format!("{}{}", line(&record.after), more(cut_after));
        if let Some(width) = self.output.width {
            let taken = display_width(&place) + text.width();
            let (left, right) = sides(width.saturating_sub(taken), before.width(), after.width());
            (before, after) = (elide_start(&before, left), elide(&after, right));
        }
        let text = style.bad(&text);
        writeln!(self.out, "{place}{before}{text}{after}")
    }
}

/// Divides the room on a line between the text before and after a match. One side gets the room that the other does
/// not need.
fn sides(room: usize, before: usize, after: usize) -> (usize, usize) {
    let room = room.max(2 * MIN_SIDE);
    let left = before.min((room / 2).max(room.saturating_sub(after)));
    (left, after.min(room - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_match_share_the_room() {
        assert_eq!(sides(100, 30, 40), (30, 40));
        assert_eq!(sides(40, 60, 60), (20, 20));
        assert_eq!(sides(40, 5, 60), (5, 35));
        assert_eq!(sides(40, 60, 5), (35, 5));
        assert_eq!(sides(0, 60, 60), (MIN_SIDE, MIN_SIDE));
    }
}
