//! Numbers of tokens.

use super::column::Column;
use super::table::Table;
use crate::record::{Count, Group, Summary, Total};

pub static COUNT: Table<Count> = Table {
    records: &["count"],
    columns: &[
        Column::text("path", |count, _| count.path.as_deref()),
        Column::integer("line", |count, _| count.line),
        Column::integer("tokens", |count, _| Some(count.tokens as u64)),
        Column::integer("words", |count, _| Some(count.words as u64)),
        Column::integer("chars", |count, _| Some(count.chars as u64)),
        Column::integer("bytes", |count, _| Some(count.bytes as u64)),
        Column::integer("lines", |count, _| Some(count.lines as u64)),
        Column::integer("budget", |count, _| count.budget),
        Column::boolean("within_budget", |count, _| count.within_budget),
        Column::<Count>::float64("share", |count, _| count.comparison.as_ref()?.share)
            .if_compared(),
        Column::<Count>::integer("context_window", |count, _| {
            count.comparison.as_ref()?.context_window
        })
        .if_compared(),
        Column::text("model", |count, _| Some(&count.model)),
    ],
};

pub static GROUP: Table<Group> = Table {
    records: &["group"],
    columns: &[
        Column::text("by", |group, _| Some(group.by)),
        Column::text("name", |group, _| Some(&group.name)),
        Column::integer("files", |group, _| Some(group.files as u64)),
        Column::integer("tokens", |group, _| Some(group.tokens as u64)),
        Column::integer("words", |group, _| Some(group.words as u64)),
        Column::integer("chars", |group, _| Some(group.chars as u64)),
        Column::integer("bytes", |group, _| Some(group.bytes as u64)),
        Column::integer("lines", |group, _| Some(group.lines as u64)),
        Column::integer("budget", |group, _| group.budget),
        Column::boolean("within_budget", |group, _| group.within_budget),
        Column::<Group>::float64("share", |group, _| group.comparison.as_ref()?.share)
            .if_compared(),
        Column::<Group>::integer("context_window", |group, _| {
            group.comparison.as_ref()?.context_window
        })
        .if_compared(),
        Column::text("model", |group, _| Some(&group.model)),
    ],
};

pub static TOTAL: Table<Total> = Table {
    records: &["total"],
    columns: &[
        Column::integer("files", |total, _| Some(total.files as u64)),
        Column::integer("tokens", |total, _| Some(total.tokens as u64)),
        Column::integer("words", |total, _| Some(total.words as u64)),
        Column::integer("chars", |total, _| Some(total.chars as u64)),
        Column::integer("bytes", |total, _| Some(total.bytes as u64)),
        Column::integer("lines", |total, _| Some(total.lines as u64)),
        Column::integer("budget", |total, _| total.budget),
        Column::boolean("within_budget", |total, _| total.within_budget),
        Column::integer("over_budget", |total, _| {
            total.over_budget.map(|texts| texts as u64)
        }),
        Column::text("model", |total, _| Some(&total.model)),
    ],
};

pub static SUMMARY: Table<Summary> = Table {
    records: &["summary"],
    columns: &[
        Column::integer("files", |summary, _| Some(summary.files as u64)),
        Column::integer("tokens", |summary, _| Some(summary.tokens as u64)),
        Column::integer("min", |summary, _| Some(summary.min as u64)),
        Column::integer("p50", |summary, _| Some(summary.p50 as u64)),
        Column::integer("p90", |summary, _| Some(summary.p90 as u64)),
        Column::integer("p99", |summary, _| Some(summary.p99 as u64)),
        Column::integer("max", |summary, _| Some(summary.max as u64)),
        Column::float64("mean", |summary, _| Some(summary.mean)),
        Column::integer("context_window", |summary, _| summary.context_window),
        Column::integer("over_context_window", |summary, _| {
            summary.over_context_window.map(|texts| texts as u64)
        }),
        Column::text("model", |summary, _| Some(&summary.model)),
    ],
};
