//! Rows of the embedding matrix.

use super::column::Column;
use super::table::Table;
use crate::record::{Diff, Neighbor, Row, Similarity};

pub static ROW: Table<Row> = Table {
    records: &["row"],
    columns: &[
        Column::integer("position", |row, _| row.position.map(|place| place as u64)),
        Column::integer("id", |row, _| Some(row.id.into())),
        Column::text("piece", |row, _| row.piece.as_deref()),
        Column::text("dtype", |row, _| Some(&row.dtype)),
        Column::wide_float("norm", |row, _| row.norm),
        Column::float32("min", |row, _| Some(row.min)),
        Column::float32("max", |row, _| Some(row.max)),
        Column::float32("mean", |row, _| Some(row.mean)),
        Column::vector("v", |row, _| row.values.as_deref().unwrap_or_default()),
    ],
};

pub static DIFF: Table<Diff> = Table {
    records: &["diff"],
    columns: &[
        Column::integer("a.id", |diff, _| diff.a.id.map(u64::from)),
        Column::text("a.piece", |diff, _| diff.a.piece.as_deref()),
        Column::integer("a.position", |diff, _| {
            diff.a.position.map(|place| place as u64)
        }),
        Column::integer("b.id", |diff, _| diff.b.id.map(u64::from)),
        Column::text("b.piece", |diff, _| diff.b.piece.as_deref()),
        Column::integer("b.position", |diff, _| {
            diff.b.position.map(|place| place as u64)
        }),
        Column::boolean("identical", |diff, _| Some(diff.identical)),
        Column::wide_float("max_abs", |diff, _| diff.max_abs),
        Column::wide_float("l2", |diff, _| diff.l2),
        Column::float32("cosine", |diff, _| diff.cosine),
        Column::text("a.text", |diff, _| diff.a.text.as_deref()),
        Column::integers("a.mean_of", |diff, _| &diff.a.mean_of),
        Column::text("b.text", |diff, _| diff.b.text.as_deref()),
        Column::integers("b.mean_of", |diff, _| &diff.b.mean_of),
        Column::vector("d", |diff, _| diff.values.as_deref().unwrap_or_default()),
    ],
};

pub static NEIGHBOR: Table<Neighbor> = Table {
    records: &["neighbor"],
    columns: &[
        Column::integer("rank", |neighbor, _| Some(neighbor.rank as u64)),
        Column::integer("id", |neighbor, _| Some(neighbor.id.into())),
        Column::text("piece", |neighbor, _| neighbor.piece.as_deref()),
        Column::wide_float("score", |neighbor, _| neighbor.score),
        Column::text("metric", |neighbor, _| Some(neighbor.metric)),
        Column::integer("query", |neighbor, _| Some(neighbor.query as u64)),
        Column::text("query_name", |neighbor, _| Some(&neighbor.query_name)),
    ],
};

pub static SIMILARITY: Table<Similarity> = Table {
    records: &["similarity"],
    columns: &[
        Column::integer("position", |row, _| Some(row.position as u64)),
        Column::integer("id", |row, _| row.id.map(u64::from)),
        Column::text("piece", |row, _| row.piece.as_deref()),
        Column::text("text", |row, _| row.text.as_deref()),
        Column::integers("mean_of", |row, _| &row.mean_of),
        Column::sparse_vector("c", |row, _| &row.cosines),
    ],
};
