//! Columns of the records of the commands that cut, find, convert, lock and compare.

use std::io;

use super::{Csv, optional, text};
use crate::record::Record;

const CONVERT: &[&str] = &[
    "model", "commit", "to", "path", "size", "sha256", "texts", "tokens",
];

const CHUNK: &[&str] = &[
    "path",
    "line",
    "index",
    "start",
    "end",
    "overlap",
    "count",
    "truncated",
    "ids",
    "text",
];

const LOCK: &[&str] = &[
    "path",
    "model",
    "commit",
    "files",
    "vocabulary_size",
    "texts",
    "differences",
];

const MATCH: &[&str] = &[
    "path", "line", "column", "start", "end", "id", "piece", "before", "text", "after",
];

impl Csv<'_> {
    /// Writes such a record; of others, nothing.
    pub(super) fn pipeline(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Chunk(record) | Record::Head(record) | Record::Tail(record) => {
                self.header("chunk", CHUNK)?;
                let ids: Vec<String> = record.ids.iter().map(u32::to_string).collect();
                self.write(vec![
                    text(&record.path),
                    optional(record.line),
                    optional(record.index),
                    record.start.to_string(),
                    record.end.to_string(),
                    optional(record.overlap),
                    record.count.to_string(),
                    optional(record.truncated),
                    ids.join(" "),
                    record.text.clone(),
                ])
            }
            Record::Lock(record) | Record::Check(record) => {
                self.header("lock", LOCK)?;
                self.write(vec![
                    record.path.clone(),
                    record.model.clone(),
                    text(&record.commit),
                    record.files.to_string(),
                    record.vocabulary_size.to_string(),
                    record.texts.to_string(),
                    optional(record.differences),
                ])
            }
            Record::Drift(record) => {
                self.header("drift", &["kind", "name", "locked", "found", "message"])?;
                self.write(vec![
                    record.kind.to_owned(),
                    text(&record.name),
                    text(&record.locked),
                    text(&record.found),
                    record.message.clone(),
                ])
            }
            Record::Match(record) => {
                self.header("match", MATCH)?;
                self.write(vec![
                    text(&record.path),
                    record.line.to_string(),
                    record.column.to_string(),
                    record.start.to_string(),
                    record.end.to_string(),
                    record.id.to_string(),
                    record.piece.clone(),
                    record.before.clone(),
                    record.text.clone(),
                    record.after.clone(),
                ])
            }
            Record::Convert(record) => {
                self.header("convert", CONVERT)?;
                self.write(vec![
                    record.model.clone(),
                    text(&record.commit),
                    record.to.to_owned(),
                    record.path.clone(),
                    record.size.to_string(),
                    record.sha256.clone(),
                    record.texts.to_string(),
                    record.tokens.to_string(),
                ])
            }
            _ => Ok(()),
        }
    }
}
