//! Occurrences of a token in files.

use super::column::Column;
use super::table::Table;
use crate::record::Match;

pub static MATCH: Table<Match> = Table {
    records: &["match"],
    columns: &[
        Column::text("path", |found, _| found.path.as_deref()),
        Column::integer("line", |found, _| Some(found.line as u64)),
        Column::integer("column", |found, _| Some(found.column as u64)),
        Column::integer("start", |found, _| Some(found.start as u64)),
        Column::integer("end", |found, _| Some(found.end as u64)),
        Column::integer("id", |found, _| Some(found.id.into())),
        Column::text("piece", |found, _| Some(&found.piece)),
        Column::text("before", |found, _| Some(&found.before)),
        Column::text("text", |found, _| Some(&found.text)),
        Column::text("after", |found, _| Some(&found.after)),
    ],
};
