//! A lock file, and how a model differs from it, for people.

use std::io::{self, Write};

use super::cells::pad;
use super::renderer::Human;
use crate::record::{Drift, Lock};
use crate::render::escape::{cell, line};

impl Human<'_> {
    pub(super) fn lock(&mut self, record: &Lock) -> io::Result<()> {
        let style = self.output.style;
        let contents = format!(
            "{} files, {} pieces, {} texts of {}",
            record.files,
            record.vocabulary_size,
            record.texts,
            cell(&record.model)
        );
        match record.differences {
            None => writeln!(self.out, "locked {contents} in {}", cell(&record.path)),
            Some(0) => writeln!(self.out, "{}: {contents}", style.good("as locked")),
            Some(1) => writeln!(self.out, "{}", style.bad("1 difference")),
            Some(several) => writeln!(self.out, "{}", style.bad(&format!("{several} differences"))),
        }
    }

    pub(super) fn drift(&mut self, record: &Drift) -> io::Result<()> {
        let style = self.output.style;
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
}
