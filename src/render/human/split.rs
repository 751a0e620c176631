//! Parts of texts, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::Chunk;
use crate::render::cells::elide;
use crate::render::escape::{cell, safe};
use crate::render::numbers::thousands;
use crate::render::streams::write_bare;

/// The width of the columns before the text.
const BEFORE_TEXT: usize = 36;
/// The width of the column of byte offsets, which a narrow terminal does not have.
const OFFSETS: usize = 21;

impl Human<'_> {
    pub(super) fn chunk(&mut self, record: &Chunk) -> io::Result<()> {
        if record.index == Some(0) {
            let path = record.path.as_deref().map(|path| cell(path).into_owned());
            let line = record.line.map(|line| format!("line {line}"));
            let place: Vec<String> = [path, line].into_iter().flatten().collect();
            if !place.is_empty() {
                let place = self.output.style.head(&place.join(" "));
                writeln!(self.out, "{place}")?;
            }
        }
        let columns = self.output.columns();
        let has_offsets = columns >= BEFORE_TEXT + OFFSETS;
        let offsets = |text: &str| match has_offsets {
            true => format!("{text:>19}  "),
            false => String::new(),
        };
        let bytes = offsets("bytes");
        self.head(
            "chunk",
            &format!("{:>5}  {:>6}  {bytes}text", "#", "tokens"),
        )?;
        let bytes = offsets(&format!("{}..{}", record.start, record.end));
        let (index, count) = (record.index.unwrap_or(0), thousands(record.count as u64));
        let before = format!("{index:>5}  {count:>6}  {bytes}");
        let room = columns.saturating_sub(before.len());
        // As many characters as there are columns are enough, or twice as many if some have no width.
        let text: String = record.text.chars().take(2 * columns).collect();
        self.line(&format!("{before}{}", elide(&cell(&text), room)))
    }

    /// Writes the text itself. Adds a line end only if texts are read by line.
    pub(super) fn excerpt(&mut self, record: &Chunk) -> io::Result<()> {
        match (record.line, self.output.is_terminal) {
            (Some(_), _) => write_bare(&mut self.out, self.output, &record.text),
            (None, true) => self.out.write_all(safe(&record.text).as_bytes()),
            (None, false) => self.out.write_all(record.text.as_bytes()),
        }
    }
}
