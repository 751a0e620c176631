//! Parts of texts.

use super::column::Column;
use super::table::Table;
use crate::record::Chunk;

pub static CHUNK: Table<Chunk> = Table {
    records: &["chunk", "head", "tail"],
    columns: &[
        Column::text("path", |chunk, _| chunk.path.as_deref()),
        Column::integer("line", |chunk, _| chunk.line),
        Column::integer("index", |chunk, _| chunk.index.map(|index| index as u64)),
        Column::integer("start", |chunk, _| Some(chunk.start as u64)),
        Column::integer("end", |chunk, _| Some(chunk.end as u64)),
        Column::integer("overlap", |chunk, _| {
            chunk.overlap.map(|bytes| bytes as u64)
        }),
        Column::integer("count", |chunk, _| Some(chunk.count as u64)),
        Column::boolean("truncated", |chunk, _| chunk.truncated),
        Column::integers("ids", |chunk, _| &chunk.ids),
        Column::text("text", |chunk, _| Some(&chunk.text)),
    ],
};
