//! A model, its files, and its vocabulary.

use super::column::Column;
use super::table::Table;
use crate::record::{Cached, Convert, File, Piece};

/// A field of a record that is written as a table of its fields: the field's path (`embedding.rows`) and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub path: String,
    pub value: String,
}

/// A row per field.
pub static FIELD: Table<Field> = Table {
    records: &["info", "stats"],
    columns: &[
        Column::text("field", |field, _| Some(&field.path)),
        Column::text("value", |field, _| Some(&field.value)),
    ],
};

pub static PIECE: Table<Piece> = Table {
    records: &["piece"],
    columns: &[
        Column::integer("id", |piece, _| Some(piece.id.into())),
        Column::text("piece", |piece, _| Some(&piece.piece)),
        Column::text("kind", |piece, _| Some(piece.kind)),
        Column::float64("score", |piece, _| piece.score),
        Column::boolean("special", |piece, _| Some(piece.special)),
        Column::boolean("added", |piece, _| Some(piece.added)),
    ],
};

pub static FILE: Table<File> = Table {
    records: &["file"],
    columns: &[
        Column::text("model", |file, _| Some(&file.model)),
        Column::text("commit", |file, _| file.commit.as_deref()),
        Column::text("name", |file, _| Some(&file.name)),
        Column::integer("size", |file, _| Some(file.size)),
        Column::boolean("cached", |file, _| Some(file.cached)),
        Column::text("tensor", |file, _| file.tensor.as_deref()),
    ],
};

pub static CACHED: Table<Cached> = Table {
    records: &["cached"],
    columns: &[
        Column::text("cache", |cached, _| Some(cached.cache)),
        Column::text("name", |cached, _| Some(&cached.name)),
        Column::integer("size", |cached, _| Some(cached.size)),
        Column::integer("files", |cached, _| Some(cached.files)),
        Column::texts("holds", |cached, _| cached.holds.clone()),
        Column::text("path", |cached, _| Some(&cached.path)),
    ],
};

pub static CONVERT: Table<Convert> = Table {
    records: &["convert"],
    columns: &[
        Column::text("model", |file, _| Some(&file.model)),
        Column::text("commit", |file, _| file.commit.as_deref()),
        Column::text("to", |file, _| Some(file.to)),
        Column::text("path", |file, _| Some(&file.path)),
        Column::integer("size", |file, _| Some(file.size)),
        Column::text("sha256", |file, _| Some(&file.sha256)),
        Column::integer("texts", |file, _| Some(file.texts as u64)),
        Column::integer("tokens", |file, _| Some(file.tokens as u64)),
    ],
};
