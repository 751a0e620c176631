//! The two engines, and two readings, compared.

use super::column::Column;
use super::table::Table;
use crate::record::{Against, Difference, Divergence, Verify};

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

pub static DIVERGENCE: Table<Divergence> = Table {
    records: &["divergence"],
    columns: &[
        Column::text("path", |text, _| text.path.as_deref()),
        Column::integer("line", |text, _| text.line),
        Column::integer("position", |text, _| Some(text.position as u64)),
        Column::texts("causes", |text, _| text.causes.clone()),
        Column::text("text", |text, _| Some(&text.text)),
        Column::text("reading", |text, _| Some(text.reading)),
        Column::texts("tokens", |text, _| text.tokens.iter().collect()),
        Column::text("against", |text, _| Some(text.against)),
        Column::texts("against_tokens", |text, _| {
            text.against_tokens.iter().collect()
        }),
    ],
};

pub static AGAINST: Table<Against> = Table {
    records: &["against"],
    columns: &[
        Column::text("reading", |sum, _| Some(sum.reading)),
        Column::text("against", |sum, _| Some(sum.against)),
        Column::integer("texts", |sum, _| Some(sum.texts as u64)),
        Column::integer("tokens", |sum, _| Some(sum.tokens as u64)),
        Column::integer("against_tokens", |sum, _| Some(sum.against_tokens as u64)),
        Column::integer("differences", |sum, _| Some(sum.differences as u64)),
        Column::texts("causes", |sum, _| sum.causes.keys().copied().collect()),
    ],
};
