//! A lock file, and how a model differs from it, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Drift, Lock};
use crate::render::cells::pad;
use crate::render::escape::{cell, line};
use crate::render::numbers::quantity;

impl Human<'_> {
    pub(super) fn lock(&mut self, record: &Lock) -> io::Result<()> {
        let style = self.output.style;
        let contents = format!(
            "{}, {}, {} of {}",
            quantity(record.files as u64, "file"),
            quantity(record.vocabulary_size as u64, "piece"),
            quantity(record.texts as u64, "text"),
            cell(&record.model)
        );
        match record.differences {
            None => self.wrapped(2, &format!("locked {contents} in {}", cell(&record.path))),
            Some(0) => self.wrapped(2, &format!("{}: {contents}", style.good("as locked"))),
            Some(number) => {
                let verdict = style.bad(&quantity(number as u64, "difference"));
                writeln!(self.out, "{verdict}")
            }
        }
    }

    pub(super) fn drift(&mut self, record: &Drift) -> io::Result<()> {
        let style = self.output.style;
        let kind = style.head(record.kind);
        self.wrapped(2, &format!("{kind}  {}", line(&record.message)))?;
        if record.kind != "text" {
            return Ok(());
        }
        for (label, text) in [
            ("text", &record.name),
            ("locked", &record.locked),
            ("found", &record.found),
        ] {
            let text = text.as_deref().unwrap_or_default();
            self.line(&format!("  {}  {}", pad(label, 6), cell(text)))?;
        }
        Ok(())
    }
}
