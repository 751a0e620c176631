//! The columns of every record in tabular formats: one list per record.
//!
//! Columns have the names of the JSON fields; those of nested objects are joined by dots. A field that does not fit a
//! table cell, such as the values of a row, becomes different columns. The reference lists them all.

mod chat;
mod column;
mod counts;
mod lock;
mod matches;
mod model;
mod rows;
mod split;
mod table;
mod tokens;
mod verify;

pub use chat::CHAT;
pub use column::{Column, Values};
pub use counts::{COUNT, GROUP, SUMMARY, TOTAL};
pub use lock::{DRIFT, LOCK};
pub use matches::MATCH;
pub use model::{CACHED, CONVERT, FIELD, FILE, Field, PIECE};
pub use rows::{DIFF, NEIGHBOR, ROW, SIMILARITY};
pub use split::CHUNK;
pub use table::{Description, Table};
pub use tokens::{DECODE, TOKENIZE};
pub use verify::{AGAINST, DIFFERENCE, DIVERGENCE, VERIFY};

/// Returns the description of every table, in the order of the reference.
pub fn all() -> Vec<Description> {
    vec![
        TOKENIZE.describe(),
        DECODE.describe(),
        CHAT.describe(),
        COUNT.describe(),
        GROUP.describe(),
        TOTAL.describe(),
        SUMMARY.describe(),
        CHUNK.describe(),
        MATCH.describe(),
        FIELD.describe(),
        PIECE.describe(),
        FILE.describe(),
        CACHED.describe(),
        CONVERT.describe(),
        ROW.describe(),
        DIFF.describe(),
        NEIGHBOR.describe(),
        SIMILARITY.describe(),
        LOCK.describe(),
        DRIFT.describe(),
        DIFFERENCE.describe(),
        VERIFY.describe(),
        DIVERGENCE.describe(),
        AGAINST.describe(),
    ]
}
