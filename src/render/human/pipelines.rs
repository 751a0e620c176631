//! What was locked, compared, converted or found, for people.

use std::io::{self, Write};

use super::{Human, pad, thousands};
use crate::record::{Convert, Drift, Lock, Match};
use crate::render::escape::{cell, line};

impl Human<'_> {
    pub(super) fn lock(&mut self, record: &Lock) -> io::Result<()> {
        let style = self.reader.style;
        let what = format!(
            "{} files, {} pieces, {} texts of {}",
            record.files,
            record.vocabulary_size,
            record.texts,
            cell(&record.model)
        );
        match record.differences {
            None => writeln!(self.out, "locked {what} in {}", cell(&record.path)),
            Some(0) => writeln!(self.out, "{}: {what}", style.good("as locked")),
            Some(1) => writeln!(self.out, "{}", style.bad("1 difference")),
            Some(several) => writeln!(self.out, "{}", style.bad(&format!("{several} differences"))),
        }
    }

    pub(super) fn drift(&mut self, record: &Drift) -> io::Result<()> {
        let style = self.reader.style;
        writeln!(
            self.out,
            "{}  {}",
            style.head(record.kind),
            line(&record.message)
        )?;
        if record.kind != "text" {
            return Ok(());
        }
        for (label, text) in [
            ("text", &record.name),
            ("locked", &record.locked),
            ("found", &record.found),
        ] {
            let text = text.as_deref().unwrap_or_default();
            writeln!(self.out, "  {}  {}", pad(label, 6), cell(text))?;
        }
        Ok(())
    }

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

    pub(super) fn convert(&mut self, record: &Convert) -> io::Result<()> {
        let proof = format!("the same on {} texts", thousands(record.texts as u64));
        writeln!(
            self.out,
            "{:>12}  {}  {}",
            thousands(record.size),
            cell(&record.path),
            self.reader.style.good(&proof)
        )
    }
}
