//! Occurrences of a token in files, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::Match;
use crate::render::escape::{cell, line};
use crate::render::view::View;

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
        writeln!(
            self.out,
            "{path}{}:{}:{}{}{}{}{}",
            record.line,
            record.column,
            more(cut_before),
            line(&record.before),
            style.bad(&text),
            line(&record.after),
            more(cut_after)
        )
    }
}
