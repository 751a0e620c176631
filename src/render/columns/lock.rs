//! A lock file, and how a model differs from it.

use super::column::Column;
use super::table::Table;
use crate::record::{Drift, Lock};

pub static LOCK: Table<Lock> = Table {
    records: &["lock", "check"],
    columns: &[
        Column::text("path", |lock, _| Some(&lock.path)),
        Column::text("model", |lock, _| Some(&lock.model)),
        Column::text("commit", |lock, _| lock.commit.as_deref()),
        Column::integer("files", |lock, _| Some(lock.files as u64)),
        Column::integer("vocabulary_size", |lock, _| {
            Some(lock.vocabulary_size as u64)
        }),
        Column::integer("texts", |lock, _| Some(lock.texts as u64)),
        Column::integer("differences", |lock, _| {
            lock.differences.map(|differences| differences as u64)
        }),
    ],
};

pub static DRIFT: Table<Drift> = Table {
    records: &["drift"],
    columns: &[
        Column::text("kind", |drift, _| Some(drift.kind)),
        Column::text("name", |drift, _| drift.name.as_deref()),
        Column::text("locked", |drift, _| drift.locked.as_deref()),
        Column::text("found", |drift, _| drift.found.as_deref()),
        Column::text("message", |drift, _| Some(&drift.message)),
    ],
};
