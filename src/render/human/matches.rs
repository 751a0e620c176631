//! Occurrences of a token in files, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::Match;
use crate::render::escape::{cell, line};

impl Human<'_> {
    pub(super) fn found(&mut self, record: &Match) -> io::Result<()> {
        let style = self.reader.style;
        let path = match &record.path {
            Some(path) => format!("{}:", style.note(&line(path))),
            None => String::new(),
        };
        let more = |cut: bool| if cut { "…" } else { "" };
        // A space that is all of a token would not be seen.
        let text = match record.text.trim().is_empty() {
            true => cell(&record.text),
            false => line(&record.text),
        };
        writeln!(
            self.out,
            "{path}{}:{}:{}{}{}{}{}",
            record.line,
            record.column,
            more(record.cut.0),
            line(&record.before),
            style.bad(&text),
            line(&record.after),
            more(record.cut.1)
        )
    }
}
