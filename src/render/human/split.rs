//! Parts of texts, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::Chunk;
use crate::render::escape::{cell, safe};
use crate::render::streams::write_bare;

/// The maximum number of characters of a chunk to show.
const CHUNK_SHOWN: usize = 60;

impl Human<'_> {
    pub(super) fn chunk(&mut self, record: &Chunk) -> io::Result<()> {
        if record.index == Some(0) {
            let path = record.path.as_deref().map(|path| cell(path).into_owned());
            let line = record.line.map(|line| format!("line {line}"));
            let place: Vec<String> = [path, line].into_iter().flatten().collect();
            if !place.is_empty() {
                writeln!(self.out, "{}", self.output.style.head(&place.join(" ")))?;
            }
        }
        self.head(
            "chunk",
            &format!("{:>5}  {:>6}  {:>19}  text", "#", "tokens", "bytes"),
        )?;
        let bytes = format!("{}..{}", record.start, record.end);
        let (index, count) = (record.index.unwrap_or(0), record.count);
        let mut text: String = record.text.chars().take(CHUNK_SHOWN).collect();
        if text.len() < record.text.len() {
            text.push('…');
        }
        writeln!(
            self.out,
            "{index:>5}  {count:>6}  {bytes:>19}  {}",
            cell(&text)
        )
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
