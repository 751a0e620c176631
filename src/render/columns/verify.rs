//! The two engines compared.

use super::column::Column;
use super::table::Table;
use crate::record::{Difference, Verify};

pub static DIFFERENCE: Table<Difference> = Table {
    records: &["difference"],
    columns: &[
        Column::text("path", |text, _| text.path.as_deref()),
        Column::integer("line", |text, _| text.line),
        Column::integer("position", |text, _| Some(text.position as u64)),
        Column::text("text", |text, _| Some(&text.text)),
        Column::texts("native", |text, _| text.native.iter().collect()),
        Column::texts("reference", |text, _| text.reference.iter().collect()),
    ],
};

pub static VERIFY: Table<Verify> = Table {
    records: &["verify"],
    columns: &[
        Column::integer("texts", |verify, _| Some(verify.texts as u64)),
        Column::integer("tokens", |verify, _| Some(verify.tokens as u64)),
        Column::integer("differences", |verify, _| Some(verify.differences as u64)),
    ],
};
